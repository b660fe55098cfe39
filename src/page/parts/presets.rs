//! Ready-made runs, first of all.

use crate::config::presets::{self, PRESETS};
use crate::page::actions;
use crate::page::run::name_of;
use crate::page::state::Page;
use leptos::prelude::*;

/// The preset buttons and what the chosen one shows.
#[component]
pub fn Presets(page: Page) -> impl IntoView {
    let chosen = Memo::new(move |_| page.form.with(|form| PRESETS.iter().position(|preset| (preset.config)() == form.config)));
    let known =
        Memo::new(move |_| page.form.with(|form| presets::all().find(|preset| (preset.config)() == form.config).map(|preset| preset.help)));
    let help = move || match known.get() {
        Some(help) => help.to_string(),
        None => format!("Your own: {}. Press a preset to begin from it again.", page.form.with(|form| name_of(&form.config))),
    };
    let buttons = PRESETS.iter().enumerate().map(|(index, preset)| {
        view! {
            <button
                type="button"
                id=format!("preset-{}", preset.key)
                title=preset.help
                aria-pressed=move || (chosen.get() == Some(index)).to_string()
                on:click=move |_| actions::load_preset(page, preset)
            >
                {preset.label}
            </button>
        }
    });
    view! {
        <section class="card presets" aria-label="Presets">
            <h2>"Choose a run"</h2>
            <div class="segments" role="group" aria-label="Presets">{buttons.collect_view()}</div>
            <p class="hint">{help}</p>
        </section>
    }
}
