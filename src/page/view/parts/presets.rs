//! The card “Choose a run”: ready-made runs.

use super::steady::Steady;
use crate::config::presets::{self, PRESETS};
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
    let buttons = PRESETS.iter().enumerate().map(|(index, preset)| {
        view! {
            <button
                type="button"
                id=format!("preset-{}", preset.key)
                title=preset.help
                aria-pressed=move || (chosen.get() == Some(index)).to_string()
                on:click=move |_| form::load_preset(page, preset)
            >
                {preset.label}
            </button>
        }
    });
    view! {
        <section class="card-box page-presets" aria-label="Presets">
            <h2>"Choose a run"</h2>
            <div class="preset-buttons" role="group" aria-label="Presets">{buttons.collect_view()}</div>
            <div class="text-hint">
                <Steady longest=Signal::stored(presets::all().map(|preset| preset.help.to_string()).collect::<Vec<_>>())>
                    <p>{help}</p>
                </Steady>
            </div>
        </section>
    }
}
