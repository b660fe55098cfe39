//! Words that explain themselves on hover, focus or tap. One box serves the whole page, placed beside its word, so that
//! no table or card can cut it off.

use crate::page::browser;
use crate::page::glossary;
use crate::page::state::{Page, Tip};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Shows an explanation beside the element that an event is about.
pub fn show(page: Page, event: &web_sys::Event, text: &str) {
    let Some(element) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    let (left, top, _, bottom) = browser::place(&element);
    page.tip.set(Some(Tip { text: text.into(), left, top, bottom }));
}

pub fn hide(page: Page) {
    if page.tip.with_untracked(Option::is_some) {
        page.tip.set(None);
    }
}

/// A term of the glossary, as a button that explains it. `text` is what it reads here, if not its title.
#[component]
pub fn Term(page: Page, key: &'static str, #[prop(optional)] text: &'static str) -> impl IntoView {
    let entry = glossary::entry(key);
    let title = entry.map_or(key, |entry| entry.title);
    let explanation = entry.map_or("", |entry| entry.text);
    let words = if text.is_empty() { title } else { text };
    view! {
        <button
            type="button"
            class="term"
            aria-describedby="tip"
            on:click=move |event| show(page, &event, explanation)
            on:focus=move |event| show(page, &event, explanation)
            on:mouseenter=move |event| show(page, &event, explanation)
            on:mouseleave=move |_| hide(page)
            on:blur=move |_| hide(page)
        >
            {words}
        </button>
    }
}

/// Where the explanation appears.
#[component]
pub fn TipBox(page: Page) -> impl IntoView {
    let escape = window_event_listener(leptos::ev::keydown, move |event| {
        if event.key() == "Escape" {
            hide(page);
        }
    });
    let scroll = window_event_listener(leptos::ev::scroll, move |_| hide(page));
    on_cleanup(move || {
        escape.remove();
        scroll.remove();
    });
    let style = move || page.tip.with(|tip| tip.as_ref().map_or("display:none".into(), place));
    view! { <div id="tip" role="tooltip" style=style>{move || page.tip.with(|tip| tip.as_ref().map(|tip| tip.text.clone()))}</div> }
}

/// Below its word, or above it where the window ends; never beyond the window's sides.
fn place(tip: &Tip) -> String {
    let measure = |length: Result<wasm_bindgen::JsValue, wasm_bindgen::JsValue>| length.ok().and_then(|value| value.as_f64()).unwrap_or(800.0);
    let (width, height) = (measure(window().inner_width()), measure(window().inner_height()));
    let left = tip.left.min(width - 316.0).max(8.0);
    if tip.bottom + 150.0 < height {
        format!("left:{left:.0}px;top:{:.0}px", tip.bottom + 6.0)
    } else {
        format!("left:{left:.0}px;bottom:{:.0}px", height - tip.top + 6.0)
    }
}
