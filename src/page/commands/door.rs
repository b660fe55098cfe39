//! Goes through the page's doors.

use crate::page::browser;
use crate::page::state::Page;
use crate::page::state::door::Door;
use leptos::prelude::*;

/// Goes where the address leads, now and whenever the visitor goes back or forward.
pub fn follow_address(page: Page) {
    let read = move || page.door.set(Door::read(browser::query("lesson").as_deref(), browser::query("class").as_deref()));
    read();
    let moved = window_event_listener(leptos::ev::popstate, move |_| read());
    on_cleanup(move || moved.remove());
}

/// Goes through a door.
pub fn go(page: Page, door: Door) {
    browser::push_query(&["lesson", "class"], &door.query());
    page.door.set(door);
    browser::scroll_to_top();
    // A chart behind a closed door has no width.
    browser::remeasure();
}
