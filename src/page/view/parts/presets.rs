//! The card “Choose a run”: ready-made runs.

use super::comparison::CompareButton;
use super::steady::Steady;
use crate::config::presets::{self, PRESETS, Preset, STORY};
use crate::page::commands::form;
use crate::page::state::Page;
use crate::page::state::run::name_of;
use leptos::prelude::*;

/// The preset buttons, and the description of the chosen one.
#[component]
pub fn Presets(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| page.form.with(|form| PRESETS.iter().position(|preset| (preset.config)() == form.config)));
    let known =
        Memo::new(move |_| page.form.with(|form| presets::all().find(|preset| (preset.config)() == form.config).map(|preset| preset.help)));
    let help = move || match known.get() {
        Some(help) => help.to_string(),
        None => format!("Your own run: {}. Press a preset to start again from its settings.", page.form.with(|form| name_of(&form.config))),
    };
    let button = move |index: usize, preset: &'static Preset| {
        view! {
            <button
                type="button"
                id=format!("preset-{}", preset.key)
                aria-pressed=move || (chosen.get() == Some(index)).to_string()
                on:click=move |_| form::load_preset(page, preset)
            >
                {preset.label}
                <small>{preset.term}</small>
            </button>
        }
        .into_any()
    };
    let buttons = |range: std::ops::Range<usize>| range.map(|index| button(index, &PRESETS[index])).collect_view();
    view! {
        <section class="card-box page-presets" aria-label="Presets">
            <h2>"Train one here"</h2>
            <div class="preset-buttons" role="group" aria-label="Presets">{buttons(0..STORY)}</div>
            <CompareButton page=page />
            <h3>"Other networks and tasks"</h3>
            <div class="preset-buttons preset-others" role="group" aria-label="Other presets">{buttons(STORY..PRESETS.len())}</div>
            <div class="text-hint">
                <Steady longest=Signal::stored(presets::all().map(|preset| preset.help.to_string()).collect::<Vec<_>>())>
                    <p>{help}</p>
                </Steady>
            </div>
        </section>
    }
}
