//! The model picker: how each network keeps what it has read, and the size of the chosen one.

use super::term::Term;
use crate::config::{EngineChoice, ModelKind};
use crate::page::browser;
use crate::page::commands::form;
use crate::page::state::Page;
use crate::page::state::adapter::AdapterStatus;
use crate::page::view::charts::schematic;
use crate::page::view::words::{megabytes, thousands};
use leptos::prelude::*;

/// One choice, with two sentences about how it carries information along the sequence.
struct Choice {
    kind: ModelKind,
    sentences: &'static str,
}

const CHOICES: [Choice; 5] = [
    Choice {
        kind: ModelKind::GptNeox,
        sentences: "Every position looks straight back at all earlier positions, so every shown row stays in reach. Each layer is one round of looking, so a problem with several steps needs several layers.",
    },
    Choice {
        kind: ModelKind::Lstm,
        sentences: "The model passes one state of fixed size from token to token, and all that it remembers of the rows must fit into it. At every token, gates decide what to forget, what to add and what to show.",
    },
    Choice {
        kind: ModelKind::Mamba,
        sentences: "The model carries a state along the sequence, and each token decides how much of it to keep and how much to write. It cannot look anything up afterwards, so what the state has lost is gone.",
    },
    Choice {
        kind: ModelKind::Armt,
        sentences: "The model reads the rows in segments of two, and attention stays inside its segment. A later segment knows earlier ones only through an associative memory of keys and values, and a key that comes again overwrites its old value.",
    },
    Choice {
        kind: ModelKind::DeltaNet,
        sentences: "Its state is a table of keys and values, and each token replaces the value under its key by its own. All other values stay as they are, even if they were written long ago.",
    },
];

/// The card with the networks.
#[component]
pub fn Models(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| page.form.with(|form| form.config.model.kind));
    let sentences = move || CHOICES.iter().find(|choice| choice.kind == chosen.get()).map(|choice| choice.sentences).unwrap_or_default();
    view! {
        <section class="card-box page-models" aria-label="Model">
            <h2 id="models-title">"Which network learns it?"</h2>
            <div class="model-kinds" role="radiogroup" aria-labelledby="models-title" aria-describedby="model-words">
                {CHOICES.iter().map(|choice| view! { <ChoiceView page=page kind=choice.kind chosen=chosen /> }).collect_view()}
            </div>
            <div class="model-about">
                <p id="model-words" aria-live="polite">{sentences}</p>
                <p id="model-engine" class="text-hint" hidden=move || chosen.get().has_kernels()>
                    "It runs on Burn, because our own engines have no kernels for it yet. A step therefore takes longer."
                </p>
                <Size page=page />
            </div>
        </section>
    }
}

#[component]
fn ChoiceView(page: Page, kind: ModelKind, chosen: Memo<ModelKind>) -> impl IntoView {
    let here = move || chosen.get() == kind;
    view! {
        <label class="model-kind" class:model-chosen=here>
            <input type="radio" name="model-kind" class="text-unseen" id=format!("model-{}", kind.key()) value=kind.key() prop:checked=here on:change=move |_| form::choose_model(page, kind) />
            {schematic::draw(kind)}
            <span translate="no">{kind.name()}</span>
        </label>
    }
}

/// Parameter count and memory of the network in the form, updated with every change.
#[component]
fn Size(page: Page) -> impl IntoView {
    let count = Memo::new(move |_| page.form.with(|form| form.config.parameter_count()));
    let memory = move || {
        let (engine, on_burn) = page.form.with(|form| (form.config.engine, form.config.on_burn()));
        let card = match engine {
            EngineChoice::Cpu | EngineChoice::Portable | EngineChoice::BurnFlex => false,
            EngineChoice::WebGpu | EngineChoice::BurnWgpu => true,
            EngineChoice::Auto | EngineChoice::Burn => {
                page.adapter.with(|adapter| matches!(adapter, AdapterStatus::Found { software: false, .. }))
            }
        };
        let asked = page.workers.get();
        let workers = match (card || on_burn, asked) {
            (true, _) => 1,
            (false, 0) => browser::cores().max(1),
            (false, asked) => asked,
        };
        let bytes = page.form.with(|form| form.config.bytes(workers));
        format!("about {} {}", megabytes(bytes), if card { "on the graphics card" } else { "per worker" })
    };
    view! {
        <p id="model-size" data-parameters=move || count.get().to_string()>
            <strong>{move || thousands(count.get() as u64)}</strong> " " <Term page=page key="parameters" text="parameters" /> " · " {memory}
        </p>
    }
}
