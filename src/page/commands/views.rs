//! What the page shows by its address, and the projector's view.

use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::views::Views;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The projector's view in the address's query.
const PROJECTOR: &str = "projector";

/// Shows what the address asks for, and listens to the projector's keys.
pub fn follow_address(page: Page) {
    let value = |name| browser::query(name);
    let views = Views::read(value("show").as_deref(), value("hide").as_deref(), value("embed").as_deref());
    browser::root_attribute("data-embed", views.embed.is_some());
    page.views.set(views);
    let read = move || show_large(page, browser::query(PROJECTOR).is_some());
    read();
    // Going back may lead to an address with the other size, or to another door, whose charts have no width yet.
    let moved = window_event_listener(leptos::ev::popstate, move |_| read());
    let pressed = window_event_listener(leptos::ev::keydown, move |event| key(page, &event));
    on_cleanup(move || {
        moved.remove();
        pressed.remove();
    });
}

/// P switches the projector's view, Escape leaves it.
fn key(page: Page, event: &web_sys::KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || typing(event) || dialog_open() {
        return;
    }
    let large = page.projector.get_untracked();
    match event.key().as_str() {
        "p" | "P" => set_projector(page, !large),
        "Escape" if large => set_projector(page, false),
        _ => {}
    }
}

/// Whether a key was pressed in a field, where it writes.
fn typing(event: &web_sys::KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.closest("input, select, textarea").is_ok_and(|field| field.is_some()))
}

/// Whether a dialog is open. Escape closes that first.
fn dialog_open() -> bool {
    document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some())
}

/// Enters or leaves the projector's view. The address says it, so that it can be linked.
pub fn set_projector(page: Page, large: bool) {
    browser::replace_query(&[PROJECTOR], if large { "projector=" } else { "" });
    show_large(page, large);
}

fn show_large(page: Page, large: bool) {
    // First the attribute: what is redrawn reads it.
    browser::root_attribute(browser::PROJECTOR, large);
    page.projector.set(large);
    browser::remeasure();
}

/// Closes the banner that says what is wrong with the address's query.
pub fn close_fault(page: Page) {
    page.views.update(|views| views.fault = None);
}
