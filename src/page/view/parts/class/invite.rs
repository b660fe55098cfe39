//! “A link for your class”: one link that asks every student for a number.

use super::super::qr::Qr;
use super::super::share;
use crate::class::invitation;
use crate::lesson::NAMES;
use crate::page::browser;
use crate::page::commands::display;
use crate::page::state::Page;
use crate::page::state::run::name_of;
use crate::page::state::views::Sharing;
use leptos::prelude::*;

/// The run and the lesson of the link, and the link.
#[component]
pub fn Invite(page: Page) -> impl IntoView {
    // A run by its id; `None` for the settings of the form.
    let (run, lesson) = (RwSignal::new(None::<usize>), RwSignal::new(String::new()));
    let config = move || {
        let chosen = run.get().and_then(|id| page.with_run(id, |run| run.config.clone()));
        chosen.unwrap_or_else(|| page.form.with(|form| form.config.clone()))
    };
    let sharing = RwSignal::new(Sharing::default());
    let query = move || sharing.get().query();
    let address = Memo::new(move |_| invitation(browser::page_url("").trim_end_matches('#'), &lesson.get(), &query(), &config()));
    let engine = move || {
        if address.with(|address| address.contains("&engine=portable")) {
            "The link uses the engine whose numbers are the same on every machine to the last bit. It runs on the CPU."
        } else {
            "Only Burn computes this network. Its numbers are nearly the same on every machine, but not to the last bit."
        }
    };
    let form = move || format!("The settings on Explore: {}", page.form.with(|form| name_of(&form.config)));
    let ids = Memo::new(move |_| page.runs.with(|runs| runs.iter().rev().map(|run| (run.id, run.name.clone())).collect::<Vec<_>>()));
    let runs = move || ids.get().into_iter().map(|(id, name)| view! { <option value=id.to_string()>{name}</option> }).collect_view();
    view! {
        <h2>"A link for your class"</h2>
        <p class="text-hint">"Every student opens the same link and types a number. The number is the seed of the run, so every student trains another network. At the end each student hands in one line."</p>
        <div class="class-form">
            <label for="class-run">"What the class trains"</label>
            <select id="class-run" on:change=move |event| run.set(event_target_value(&event).parse().ok())>
                <option value="">{form}</option>
                {runs}
            </select>
            <label for="class-lesson">"Lesson beside it"</label>
            <select id="class-lesson" on:change=move |event| lesson.set(event_target_value(&event))>
                <option value="">"none"</option>
                {NAMES.map(|name| view! { <option value=name>{name.replace('-', " ")}</option> }).collect_view()}
            </select>
            <label for="class-link">"The link"</label>
            <input id="class-link" type="text" readonly prop:value=move || address.get() on:focus=move |_| browser::select("class-link") />
        </div>
        <details class="class-seen">
            <summary>"What students see"</summary>
            {share::views("seen", "The page of a student shows", sharing)}
            <p class="text-hint" aria-live="polite">{move || sharing.get().sentence()}</p>
        </details>
        <div class="button-row">
            <button type="button" id="class-copy" class="button-main" on:click=move |_| display::copy(page, &address.get_untracked())>"Copy the link"</button>
            <span class="text-hint" role="status">{move || page.notice.get()}</span>
        </div>
        <p class="text-hint">{engine}</p>
        <div id="class-qr" data-link=move || address.get()><Qr link=address /></div>
    }
}
