//! Terms that show their explanation on hover, focus or tap. The whole page shares one box, which is placed in the document next to the
//! term, so that no table or card cuts it off.

use crate::page::browser;
use crate::page::commands::display;
use crate::page::state::{Page, Tip};
use crate::page::view::glossary;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// The side on which an explanation appears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Under a word, or above it near the window's bottom.
    Below,
    /// To the right if there is room, because under a field it would hide the next field.
    Beside,
}

/// Shows an explanation next to the element that received the event.
pub fn show(page: Page, event: &web_sys::Event, text: &str, side: Side) {
    let Some(element) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
    display::set_tip(page, Some(Tip { text: text.into(), style: place(&element, side) }));
}

pub fn hide(page: Page) {
    if page.tip.with_untracked(Option::is_some) {
        display::set_tip(page, None);
    }
}

/// A term of the glossary, as a button that explains it. `text` is its label here; if empty, the label is the term's title.
#[component]
pub fn Term(page: Page, key: &'static str, #[prop(optional)] text: &'static str) -> impl IntoView {
    let entry = glossary::entry(key);
    let title = entry.map_or(key, |entry| entry.title);
    let explanation = entry.map_or("", |entry| entry.text);
    let words = if text.is_empty() { title } else { text };
    view! {
        <button
            type="button"
            class="button-term"
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

/// The box in which the explanation appears.
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

/// The box's position as CSS, inside the window's sides. It is relative to the document, so that the box scrolls with its term.
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
