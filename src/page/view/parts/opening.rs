//! Opening a saved model: the button, the hint while the user drags files over the page, and why files were refused.

use crate::page::commands::{display, opening};
use crate::page::state::Page;
use crate::page::state::door::Door;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// The button, and the browser's file input that it opens.
#[component]
pub fn OpenModel(page: Page) -> impl IntoView {
    let changed = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        opening::open(page, input.files());
        // Without this, choosing the same files again would send no event.
        input.set_value("");
    };
    view! {
        <div class="model-opening">
            <button type="button" id="open-model" on:click=move |_| opening::choose()>"Open a model…"</button>
            <input id="open-files" type="file" multiple accept=".safetensors,.json" class="text-unseen" tabindex="-1" aria-label="The two files of a model" on:change=changed />
            <span class="text-hint">"or drop model.safetensors and config.json anywhere on this page"</span>
        </div>
    }
}

/// Covers the page while the user drags files over it.
#[component]
pub fn DropHint(page: Page) -> impl IntoView {
    let busy = move || page.phase.get().active();
    view! {
        <div id="drop-hint" hidden=move || !page.dragging.get() aria-hidden="true">
            <p>{move || if page.door.get() == Door::Class { "Drop files of results here: lines of JSON" } else if busy() { "A run is in progress: stop it before you open a model" } else { "Drop model.safetensors here to open the model, with its config.json if it has one beside it" }}</p>
        </div>
    }
}

/// Why files were refused. It stays visible when the page is scrolled.
#[component]
pub fn UnopenedBanner(page: Page) -> impl IntoView {
    view! {
        {move || page.unopened.get().map(|sentence| view! {
            <div id="unopened" class="banner-box banner-bad banner-afloat" role="alert">
                <p><strong>"The model was not opened."</strong> " " {sentence} " Nothing else on the page has changed."</p>
                <button type="button" class="button-quiet" on:click=move |_| display::close_unopened(page)>"Close"</button>
            </div>
        })}
    }
}
