//! The page, in layers. Each layer uses only the layers above it in this list:
//!
//! - [`browser`], [`dropped`], [`former`], [`slices`], [`split`], [`storage`]: calls into the browser.
//! - [`worker`]: the worker's programs, its messages, its start and its end.
//! - [`state`]: plain data, in signals.
//! - [`commands`]: change the state and talk to the worker.
//! - [`view`]: draws the state and calls commands.
//!
//! A click goes `view → commands → (state, worker)`, a report goes `worker → commands → state → view`.
//!
//! The page contains the task (it draws questions and computes ceilings itself) and the configuration. Tensors, models and engines are in the
//! worker's program.

mod browser;
mod commands;
mod dropped;
mod former;
mod slices;
mod split;
mod state;
mod storage;
mod view;
mod worker;

use commands::{
    adapter, class, display, door, finished_runs, form, kept_weights, lesson, opening, puzzle, references, reports, story, tab,
    unfinished_run, views,
};
use leptos::prelude::*;
use state::Page;
use state::views::Views;
use std::time::Duration;
use view::parts::app::App;
use wasm_bindgen::JsCast;

/// Replaces the skeleton in `index.html` by the page.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        tell_of_panic();
    }));
    let Some(place) = document().get_element_by_id("app").and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) else {
        return;
    };
    leptos::mount::mount_to(place, || {
        let page = Page::new();
        begin(page);
        // The browser answers before the page is drawn, and again before the rest begins: on a slow processor each of them takes long enough.
        let (ready, owner) = (RwSignal::new(false), Owner::current());
        set_timeout(move || ready.set(true), Duration::ZERO);
        move || {
            let owner = owner.clone();
            ready.get().then(|| untrack(|| drawn(page, owner)))
        }
    })
    .forget();
}

/// The page instead of the skeleton.
fn drawn(page: Page, owner: Option<Owner>) -> AnyView {
    browser::remove_all("#app > *");
    let behind = move || match &owner {
        Some(owner) => owner.with(|| begin_behind(page)),
        None => begin_behind(page),
    };
    set_timeout(behind, Duration::ZERO);
    view! { <App page=page /> }.into_any()
}

/// Runs once, before the page is drawn.
fn begin(page: Page) {
    if let Some(workers) = browser::query("workers").and_then(|value| value.parse().ok()) {
        display::set_workers(page, workers);
    }
    reports::listen(page);
    door::follow_address(page);
    views::follow_address(page);
    page.story_open.set(browser::fragment().is_empty() || page.views.with_untracked(|views| views.chosen));
    lesson::follow(page);
    form::open_address(page);
    class::open_seat(page);
    // The user may change the address by hand, by Back, or by a link to this page.
    let _ = window_event_listener(leptos::ev::hashchange, move |_| {
        form::open_address(page);
        class::open_seat(page);
    });
}

/// Runs once, behind the page that is drawn.
fn begin_behind(page: Page) {
    opening::listen(page);
    wasm_bindgen_futures::spawn_local(async move {
        kept_weights::restore(page).await;
        let before = tab::claim(page).await;
        finished_runs::restore(page, before.clone()).await;
        class::restore(page, before).await;
        unfinished_run::look(page);
        puzzle::restore(page).await;
        lesson::restore(page).await;
        // Tests wait for it: what was stored is on the page.
        browser::body_attribute("data-restored", "true");
    });
    story::show(page, Default::default());
    adapter::ask(page);
    references::follow(page);
    reports::watch(page);
    // The engine is large: it loads while the user is still reading.
    if page.views.with_untracked(Views::trains) {
        request_animation_frame(move || commands::worker::open(page));
    }
}

/// Reports a panic of the page. Components can no longer draw, so the sentence is written directly into the document.
fn tell_of_panic() {
    if let Some(main) = document().get_element_by_id("app") {
        let sentence = "<div id=\"failure\" class=\"banner-box banner-bad\" role=\"alert\"><p>This page has an internal error and cannot continue. Reload it: your settings are in the address.</p></div>";
        let _ = main.insert_adjacent_html("afterbegin", sentence);
    }
}
