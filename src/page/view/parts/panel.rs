//! One panel of a [`cells::Map`] that reacts to the mouse.

use crate::page::browser;
use crate::page::state::Page;
use crate::page::view::charts::cells::{self, Map};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, MouseEvent};

/// A line of the map and one of its cells.
pub type Place = Option<(usize, usize)>;

/// Draws panel `part` with a frame around the cell `framed`. `pointed` is set to the cell under the mouse.
#[component]
pub fn Panel(page: Page, map: Memo<Option<Map>>, part: usize, framed: Memo<Place>, pointed: RwSignal<Place>) -> impl IntoView {
    let moved = move |event: MouseEvent| {
        let Some(panel) = event.current_target().and_then(|target| target.dyn_into::<HtmlElement>().ok()) else { return };
        let ((left, top, _, _), scale) = (browser::place(&panel), browser::magnification());
        let (x, y) = (f64::from(event.client_x()) - left, f64::from(event.client_y()) - top);
        pointed.set(map.with_untracked(|map| map.as_ref().and_then(|map| map.at(x / scale, y / scale))));
    };
    let caption = move || map.with(|map| map.as_ref().and_then(|map| map.parts.get(part)).map(|part| part.caption.clone()));
    let drawn = move || {
        // Drawn anew where the page becomes large.
        page.projector.track();
        let place = framed.get();
        let draw = |map: &Map| cells::panel(map, part, place, browser::magnification());
        map.with(|map| map.as_ref().filter(|map| part < map.parts.len()).map(draw))
    };
    view! {
        <div class="panel-box">
            <div on:mousemove=moved>{drawn}</div>
            <p class="text-hint">{caption}</p>
        </div>
    }
}
