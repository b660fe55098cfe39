//! Opening a saved model: the button, the hint while files are held over the page, and why files were refused.

use crate::page::opening;
use crate::page::state::Page;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

/// The button, and the browser's own input behind it.
#[component]
pub fn OpenModel(page: Page) -> impl IntoView {
    let changed = move |event: web_sys::Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        opening::open(page, input.files());
        // The same files may be chosen again, after they were mended.
        input.set_value("");
    };
    view! {
        <div class="open">
            <button type="button" id="open-model" on:click=move |_| opening::choose()>"Open a model…"</button>
            <input id="open-files" type="file" multiple accept=".safetensors,.json" class="unseen" tabindex="-1" aria-label="The two files of a model" on:change=changed />
            <span class="hint">"or drop its model.safetensors and config.json anywhere on this page"</span>
        </div>
    }
}

/// Covers the page while files are held over it.
#[component]
pub fn DropHint(page: Page) -> impl IntoView {
    let busy = move || page.phase.get().active();
    view! {
        <div id="drop-hint" hidden=move || !page.dragging.get() aria-hidden="true">
            <p>{move || if busy() { "A run is in progress: stop it before you open a model" } else { "Drop model.safetensors and config.json here to open the model" }}</p>
        </div>
    }
}

/// Why files were refused; it stays in sight wherever the page is scrolled to.
#[component]
pub fn UnopenedBanner(page: Page) -> impl IntoView {
    view! {
        {move || page.unopened.get().map(|sentence| view! {
            <div id="unopened" class="banner bad afloat" role="alert">
                <p><strong>"The model was not opened."</strong> " " {sentence} " Everything on the page is as it was."</p>
                <button type="button" class="quiet" on:click=move |_| page.unopened.set(None)>"Close"</button>
            </div>
        })}
    }
}
