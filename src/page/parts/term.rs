//! Words that explain themselves on hover, focus or tap. One box serves the whole page, placed beside its word, so that
//! no table or card can cut it off.

use crate::page::browser;
use crate::page::glossary;
use crate::page::state::{Page, Tip};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// On which side of its subject an explanation appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Under a word, or over it where the window ends.
    Below,
    /// To the right, where there is room: under a field it would hide the next one.
    Beside,
}

/// Shows an explanation of the element that an event is about.
pub fn show(page: Page, event: &web_sys::Event, text: &str, side: Side) {
    let Some(element) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    page.tip.set(Some(Tip { text: text.into(), style: place(&element, side) }));
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
            on:click=move |event| show(page, &event, explanation, Side::Below)
            on:focus=move |event| show(page, &event, explanation, Side::Below)
            on:mouseenter=move |event| show(page, &event, explanation, Side::Below)
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
    on_cleanup(move || escape.remove());
    let style = move || page.tip.with(|tip| tip.as_ref().map_or("display:none".into(), |tip| tip.style.clone()));
    view! { <div id="tip" role="tooltip" style=style>{move || page.tip.with(|tip| tip.as_ref().map(|tip| tip.text.clone()))}</div> }
}

/// Never beyond the window's sides. The place is in the document, so that it scrolls with its subject.
fn place(element: &HtmlElement, side: Side) -> String {
    const WIDTH: f64 = 316.0;
    let (left, top, right, bottom) = browser::place(element);
    let (width, height) = browser::window_size();
    let (x, y) = browser::scrolled();
    if side == Side::Beside && right + WIDTH < width {
        return format!("left:{:.0}px;top:{:.0}px", right + 8.0 + x, top + y);
    }
    let left = left.min(width - WIDTH).max(8.0) + x;
    if bottom + 150.0 < height || top < 150.0 {
        format!("left:{left:.0}px;top:{:.0}px", bottom + 6.0 + y)
    } else {
        format!("left:{left:.0}px;top:{:.0}px;transform:translateY(-100%)", top - 6.0 + y)
    }
}
