//! Name, what this is, where it computes, light or dark.

use crate::config::EngineChoice;
use crate::page::state::Page;
use crate::page::{adapter, browser};
use leptos::prelude::*;

/// The bar at the top.
#[component]
pub fn TopBar(page: Page) -> impl IntoView {
    // An engine that has answered stays on the badge until another is asked for.
    let answered = move || {
        let asked = page.form.with(|form| form.config.engine);
        let active = page.phase.get().active();
        page.with_current(|run| if active || run.config.engine == asked { run.engine.clone() } else { None }).flatten()
    };
    let badge = move || match answered() {
        Some(engine) => adapter::badge(&engine),
        None => {
            // Automatic comes to Burn for a network that only Burn computes.
            let choice = page.form.with(|form| match form.config.engine {
                EngineChoice::Auto if form.config.on_burn() => EngineChoice::Burn,
                choice => choice,
            });
            page.adapter.with(|found| adapter::foretell(choice, found, page.workers.get(), browser::cores()))
        }
    };
    let note = move || match answered() {
        Some(engine) if engine.note.is_empty() => engine.name,
        Some(engine) => format!("{}. {}", engine.name, engine.note),
        None => "Where the next run will compute; change it under Settings, Machine.".into(),
    };
    view! {
        <header class="top">
            <h1>"Lookahead"</h1>
            <p class="tagline">"Small sequence models learn to look k steps ahead, in your browser"</p>
            <span id="engine-badge" class="badge" title=note>{badge}</span>
            <ThemeButton />
        </header>
    }
}

/// System, light, dark, and round again.
#[component]
fn ThemeButton() -> impl IntoView {
    let theme = RwSignal::new(browser::theme());
    let next = move || match theme.get().as_str() {
        "light" => "dark",
        "dark" => "",
        _ => "light",
    };
    let label = move || match theme.get().as_str() {
        "light" => "☀ Light",
        "dark" => "☾ Dark",
        _ => "◐ System",
    };
    let press = move |_| {
        let chosen = next();
        browser::set_theme(chosen);
        theme.set(chosen.into());
    };
    view! { <button type="button" id="theme" class="quiet" aria-label=move || format!("Colours: {}. Press to change.", label()) on:click=press>{label}</button> }
}
