//! The live blocks of a lesson.

use super::super::puzzle::Puzzle;
use super::place::Place;
use super::{compare, expect, predict, run};
use crate::lesson::Live;
use crate::page::browser;
use crate::page::commands::{lesson, puzzle};
use leptos::prelude::*;

/// A live block and its words. `number` is its place in the lesson.
pub fn view(place: &Place, live: &Live, words: &str, number: usize, open: RwSignal<Option<usize>>) -> AnyView {
    let words = words.to_string();
    match live {
        Live::Question { depth, rule } => question(place, *depth, *rule, words, number, open),
        Live::Predict { id, depths } => predict::view(place, id, depths, words),
        Live::Run { id, config } => run::view(place, id, config, words),
        Live::Compare { sources } => compare::view(place, sources, words, number),
        Live::Explain { id } => explain(place, id, words),
        Live::Expect { id, config, rows } => expect::view(place, id, config, rows),
    }
}

/// A question for the visitor. The puzzle stands in one block at a time.
fn question(place: &Place, depth: usize, rule: bool, words: String, number: usize, open: RwSignal<Option<usize>>) -> AnyView {
    let page = place.page;
    let here = Memo::new(move |_| open.get() == Some(number));
    let press = move |_| {
        open.set(Some(number));
        puzzle::ask(page, depth, rule);
        request_animation_frame(|| browser::focus("cell-0"));
    };
    let told = format!("k = {depth}, rule {}", if rule { "shown" } else { "hidden" });
    let inner = move || {
        if here.get() {
            view! { <Puzzle page=page /> }.into_any()
        } else {
            view! { <p class="lesson-row"><button type="button" on:click=press>"Show a question"</button> <span class="text-hint">{told.clone()}</span></p> }.into_any()
        }
    };
    view! { <div class="live-box" data-live="question"><div class="lesson-prose" inner_html=words></div>{inner}</div> }.into_any()
}

/// A question to answer in words.
fn explain(place: &Place, id: &str, words: String) -> AnyView {
    let Place { page, lesson, .. } = *place;
    let (own, name) = (id.to_string(), format!("explain-{id}"));
    let given = {
        let id = own.clone();
        Memo::new(move |_| page.work.with(|work| work.words(lesson, &id).to_string()))
    };
    view! {
        <div class="live-box" data-live="explain">
            <label for=name.clone() class="lesson-prose" inner_html=words></label>
            <textarea id=name rows="4" prop:value=move || given.get() on:input=move |event| lesson::explain(page, lesson, &own, event_target_value(&event))></textarea>
            // Paper shows all of it: a text area would show its first lines.
            <p class="text-printed" aria-hidden="true">{move || given.get()}</p>
        </div>
    }
    .into_any()
}
