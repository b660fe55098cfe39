//! The top bar: the name, what the page is, the engine, and the colour scheme.

use crate::config::{EngineChoice, RunConfig};
use crate::page::browser;
use crate::page::commands::{display, door, views};
use crate::page::state::Page;
use crate::page::state::door::Door;
use crate::page::view::engine_badge;
use leptos::prelude::*;

/// The bar at the top.
#[component]
pub fn TopBar(page: Page) -> impl IntoView {
    // An engine that has answered stays on the badge until the form asks for another.
    let answered = move || {
        let asked = page.form.with(|form| form.config.engine);
        let active = page.phase.get().active();
        page.with_current(|run| if active || run.config.engine == asked { run.engine.clone() } else { None }).flatten()
    };
    let badge = move || match answered() {
        Some(engine) => engine_badge::badge(&engine),
        None => {
            // Automatic chooses Burn for a network that only Burn computes.
            let choice = page.form.with(|form| {
                let RunConfig { engine, .. } = form.config;
                if engine == EngineChoice::Auto && form.config.on_burn() { EngineChoice::Burn } else { engine }
            });
            page.adapter.with(|found| engine_badge::foretell(choice, found, page.workers.get(), browser::cores()))
        }
    };
    let engine = move || answered().map(|engine| engine.class.name());
    let note = move || match answered() {
        Some(engine) if engine.note.is_empty() => engine.name,
        Some(engine) => format!("{}. {}", engine.name, engine.note),
        None => "The next run will be computed here. Change it under Settings, Machine.".into(),
    };
    view! {
        <header class="top-bar">
            <button type="button" id="skip-train" class="text-skip" on:click=move |_| display::go_to_train()>"Go to Train"</button>
            <button type="button" id="skip-settings" class="text-skip" on:click=move |_| display::go_to_settings()>"Go to Settings"</button>
            <h1 translate="no">"Lookahead"</h1>
            <Doors page=page />
            <span id="engine-badge" class="top-badge" translate="no" title=note data-engine=engine>{badge}</span>
            <ProjectorButton page=page />
            <ThemeButton />
        </header>
    }
}

/// The three doors.
#[component]
fn Doors(page: Page) -> impl IntoView {
    let doors = [("Explore", Door::Explore), ("Lessons", Door::Lessons(None)), ("Class", Door::Class)];
    let link = |(name, door): (&'static str, Door)| {
        let (target, address) = (door.clone(), format!("?{}", door.query()));
        let here = move || std::mem::discriminant(&page.door.get()) == std::mem::discriminant(&target);
        let press = move |event: web_sys::MouseEvent| {
            // With a modifier key the browser opens a new tab.
            if !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                door::go(page, door.clone());
            }
        };
        view! { <a href=address aria-current=move || here().then_some("page") on:click=press>{name}</a> }
    };
    view! { <nav class="top-doors" aria-label="Doors">{doors.map(link).collect_view()}</nav> }
}

/// Enters and leaves the projector's view.
#[component]
fn ProjectorButton(page: Page) -> impl IntoView {
    view! { <button type="button" id="projector" class="button-quiet" title="Large letters and strong colours, for a projector (key P; Esc leaves)" aria-pressed=move || page.projector.get().to_string() on:click=move |_| views::set_projector(page, !page.projector.get_untracked())>"Projector"</button> }
}

/// Switches between system, light and dark colours.
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
    view! { <button type="button" id="theme" class="button-quiet" aria-label=move || format!("Colours: {}. Press to change.", label()) on:click=press>{label}</button> }
}
