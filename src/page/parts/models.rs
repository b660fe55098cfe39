//! The model picker: what each network does with what it has read, and how large the chosen one is.

use super::term::Term;
use crate::config::{EngineChoice, ModelKind};
use crate::page::adapter::Adapter;
use crate::page::charts::schematic;
use crate::page::state::Page;
use crate::page::words::{megabytes, thousands};
use crate::page::{actions, browser};
use leptos::prelude::*;

/// One choice: how it carries information along the sequence, in two sentences.
struct Choice {
    kind: ModelKind,
    sentences: &'static str,
}

const CHOICES: [Choice; 5] = [
    Choice {
        kind: ModelKind::GptNeox,
        sentences: "Every position looks straight back at all earlier ones, so no row shown is ever out of reach. Each layer is one round of looking: what takes several thoughts, one after the other, takes several layers.",
    },
    Choice {
        kind: ModelKind::Lstm,
        sentences: "One state of fixed size is handed from token to token, and whatever the model is to know of the rows later must fit into it. Gates decide at every token what to forget, what to add and what to show.",
    },
    Choice {
        kind: ModelKind::Mamba,
        sentences: "A running state sweeps along the sequence, and each token itself decides how much of the old to keep and how much of its own to write. Nothing can be looked up afterwards: what the state has let go is gone.",
    },
    Choice {
        kind: ModelKind::Armt,
        sentences: "The rows are read in segments of two, and attention never leaves its segment. All that a later segment knows of earlier ones went through an associative memory, which is written under keys, read by keys and overwritten where a key comes again.",
    },
    Choice {
        kind: ModelKind::DeltaNet,
        sentences: "Its state is a table of keys and values: each token takes out what stands under its key and writes its own value there. Everything else stays as it is, however long ago it was written.",
    },
];

/// The card with the networks.
#[component]
pub fn Models(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| page.form.with(|form| form.config.model.kind));
    let sentences = move || CHOICES.iter().find(|choice| choice.kind == chosen.get()).map(|choice| choice.sentences).unwrap_or_default();
    view! {
        <section class="card models" aria-label="Model">
            <h2 id="models-title">"Which network learns it?"</h2>
            <div class="kinds" role="radiogroup" aria-labelledby="models-title" aria-describedby="model-words">
                {CHOICES.iter().map(|choice| view! { <ChoiceView page=page kind=choice.kind chosen=chosen /> }).collect_view()}
            </div>
            <div class="told">
                <p id="model-words" aria-live="polite">{sentences}</p>
                <p id="model-engine" class="hint" hidden=move || chosen.get().has_kernels()>
                    "It runs on Burn: what it computes is defined there and has no kernels of our own yet, so a step takes longer."
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
        <label class="kind" class:chosen=here>
            <input type="radio" name="model-kind" class="unseen" id=format!("model-{}", kind.key()) value=kind.key() prop:checked=here on:change=move |_| actions::choose_model(page, kind) />
            {schematic::draw(kind)}
            <span>{kind.name()}</span>
        </label>
    }
}

/// Parameter count and memory of what the form says, as it is being changed.
#[component]
fn Size(page: Page) -> impl IntoView {
    let count = Memo::new(move |_| page.form.with(|form| form.config.parameter_count()));
    let memory = move || {
        let (engine, on_burn) = page.form.with(|form| (form.config.engine, form.config.on_burn()));
        let card = match engine {
            EngineChoice::Cpu | EngineChoice::BurnFlex => false,
            EngineChoice::WebGpu | EngineChoice::BurnWgpu => true,
            EngineChoice::Auto | EngineChoice::Burn => {
                page.adapter.with(|adapter| matches!(adapter, Adapter::Found { software: false, .. }))
            }
        };
        let asked = page.workers.get();
        let workers = match (card || on_burn, asked) {
            (true, _) => 1,
            (false, 0) => browser::cores().max(1),
            (false, asked) => asked,
        };
        let bytes = page.form.with(|form| form.config.bytes(workers));
        format!("about {} {}", megabytes(bytes), if card { "on the graphics card" } else { "a worker" })
    };
    view! {
        <p id="model-size" data-parameters=move || count.get().to_string()>
            <strong>{move || thousands(count.get() as u64)}</strong> " " <Term page=page key="parameters" text="parameters" /> " · " {memory}
        </p>
    }
}
