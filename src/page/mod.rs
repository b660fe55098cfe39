//! The page: state, update, render, one way.
//!
//! `user → actions → (state, worker)`, `worker → update → state`, `state → parts → picture`. [`state`] is plain data in
//! signals, [`update`] turns reports into it, [`actions`] turns what the user does into it and into commands, [`parts`]
//! and [`charts`] draw it and change nothing. [`worker_link`] alone talks to the worker, [`session`] knows when.
//!
//! It knows the task (it draws questions and computes ceilings itself) and the configuration, but no tensor, no model
//! and no engine: those are in the worker's program.

mod actions;
mod adapter;
mod browser;
mod charts;
mod check;
mod downloads;
mod form;
mod glossary;
mod look;
mod opening;
mod pace;
mod parts;
mod program;
mod reads;
mod references;
mod run;
mod saved;
mod sequel;
mod session;
mod start;
mod state;
mod storage;
mod sweep;
mod sweep_data;
mod update;
mod words;
mod worker_link;

use leptos::prelude::*;
use parts::app::App;
use state::Page;
use wasm_bindgen::JsCast;

/// Puts the page in place of the skeleton that `index.html` brings.
pub fn start() {
    std::panic::set_hook(Box::new(|panic| {
        console_error_panic_hook::hook(panic);
        tell_of_panic();
    }));
    let Some(place) = document().get_element_by_id("app").and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) else {
        return;
    };
    place.set_inner_html("");
    leptos::mount::mount_to(place, || {
        let page = Page::new();
        begin(page);
        view! { <App page=page /> }
    })
    .forget();
}

/// What happens once, before anybody does anything.
fn begin(page: Page) {
    if let Some(workers) = browser::query("workers").and_then(|value| value.parse::<usize>().ok()) {
        page.workers.set(workers.min(parts::settings::MOST_WORKERS));
    }
    actions::open_address(page);
    // The address may be changed by hand, by Back, or by a link to this same page.
    let _ = window_event_listener(leptos::ev::hashchange, move |_| actions::open_address(page));
    opening::listen(page);
    start::restore(page);
    saved::look(page);
    adapter::ask(page);
    references::follow(page);
    update::watch(page);
    // The engine is large: it loads while the user is still reading.
    request_animation_frame(move || session::open(page));
}

/// A bug in the page itself: it can draw no more, so the sentence goes straight into the document.
fn tell_of_panic() {
    if let Some(main) = document().get_element_by_id("app") {
        let sentence = "<div id=\"failure\" class=\"banner bad\" role=\"alert\"><p>This page has met a fault of its own and cannot go on. Reload it: your settings are in the address.</p></div>";
        let _ = main.insert_adjacent_html("afterbegin", sentence);
    }
}
