//! The Lessons door: the list of lessons, or one of them.

mod compare;
mod expect;
mod live;
mod page;
mod place;
mod predict;
mod run;

use super::later::{SplitPart, later};
use crate::lesson::{NAMES, base};
use crate::page::browser;
use crate::page::commands::door;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::door::Door;
use leptos::prelude::*;
use place::{Place, to};
use wasm_split_helpers::wasm_split;

/// What the Lessons door shows.
#[component]
pub fn Lessons(page: Page) -> impl IntoView {
    let here = Memo::new(move |_| matches!(page.door.get(), Door::Lessons(_)));
    move || here.get().then(|| later(lessons_part, move |lessons| lessons(page)))
}

#[wasm_split(lessons, fallible)]
fn lessons_part() -> Result<SplitPart, NotLoaded> {
    Ok(lessons)
}

fn lessons(page: Page) -> AnyView {
    let door = Memo::new(move |_| page.door.get());
    let shown = Memo::new(move |_| page.lessons.with(|lessons| lessons.shown.clone()));
    let view = move || match door.get() {
        Door::Explore | Door::Class => ().into_any(),
        Door::Lessons(None) => list(page, None),
        Door::Lessons(Some(name)) => match (base(&name), shown.get().filter(|shown| shown.name == name)) {
            (None, _) => list(page, Some(name)),
            (Some(_), None) => card("Loading the lesson…".into()),
            (Some(lesson), Some(shown)) => match shown.read {
                Ok(read) => page::view(Place { page, lesson, read }, &name),
                Err(sentence) => card(sentence),
            },
        },
    };
    // Links between lessons are in the files, as HTML. A run in progress goes on when one is pressed.
    let press = move |event: web_sys::MouseEvent| {
        if let Some(name) = browser::clicked(&event, "data-lesson") {
            event.prevent_default();
            door::go(page, Door::read(Some(&name), None));
            browser::focus("lesson-top");
        }
    };
    view! { <div id="lesson-top" class="lesson-top" tabindex="-1" on:click=press>{view}</div> }.into_any()
}

/// Words where the lesson will be, or would be.
fn card(words: String) -> AnyView {
    view! { <section class="card-box lesson-card" aria-label="Lesson"><p role="status">{words}</p><p>{to("", "All lessons".into())}</p></section> }.into_any()
}

/// The list of lessons, and why the visitor is here if she asked for another name.
fn list(page: Page, unknown: Option<String>) -> AnyView {
    let told = unknown.map(
        |name| view! { <p class="banner-box banner-bad" role="alert">{format!("There is no lesson “{name}”. These are the lessons:")}</p> },
    );
    let item = move |(at, name): (usize, &'static str)| {
        let head = Memo::new(move |_| page.lessons.with(|lessons| lessons.heads.get(at).cloned()));
        let title = move || match head.get() {
            None => String::new(),
            // It can be opened all the same, and then says what is wrong.
            Some(head) if head.title.is_empty() => name.replace('-', " "),
            Some(head) => head.title,
        };
        let minutes = move || head.get().filter(|head| head.minutes > 0).map(|head| format!("{} minutes", head.minutes));
        view! {
            <li class="lesson-item">
                <a class="lesson-link" href=format!("?lesson={name}") data-lesson=name>{format!("{}. ", at + 1)} {title}</a>
                <p>{move || head.get().map(|head| head.question)}</p>
                <p class="text-hint">{minutes}</p>
            </li>
        }
    };
    view! {
        <section class="card-box lesson-card" aria-label="Lessons" id="lesson-list">
            <h2 class="story-title">"Lessons"</h2>
            {told}
            <p>"In every lesson you predict, run, compare and explain. The networks train in your browser. Your answers stay in this browser until you clear them."</p>
            <ol class="lesson-items">{NAMES.into_iter().enumerate().map(item).collect_view()}</ol>
        </section>
    }
    .into_any()
}
