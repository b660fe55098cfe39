//! The class: the student's card, the line that is handed in, and the teacher's room.

mod found;
mod hand_in;
mod invite;
mod lines;
mod seat;

use super::later::{SplitPart, SplitPartOf, later};
use crate::page::commands::class;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::class::Seat as Number;
use crate::page::state::door::Door;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// The teacher's room.
#[component]
pub fn Room(page: Page) -> impl IntoView {
    let here = Memo::new(move |_| page.door.get() == Door::Class);
    move || here.get().then(|| later(room_part, move |room| room(page)))
}

/// The student's card. It is on the page only after a class link was opened.
#[component]
pub fn Seat(page: Page) -> impl IntoView {
    let here = Memo::new(move |_| page.seat.with(|seat| *seat != Number::None) && page.door.get() != Door::Class);
    move || here.get().then(|| later(seat_part, move |seat| seat(page)))
}

/// The line of a run, for the teacher.
#[component]
pub fn HandIn(page: Page, id: usize) -> impl IntoView {
    later(hand_in_part, move |hand_in| hand_in(page, id))
}

#[wasm_split(class, fallible)]
fn room_part() -> Result<SplitPart, NotLoaded> {
    Ok(room)
}

#[wasm_split(class, fallible)]
fn seat_part() -> Result<SplitPart, NotLoaded> {
    Ok(seat::card)
}

#[wasm_split(class, fallible)]
fn hand_in_part() -> Result<SplitPartOf<usize>, NotLoaded> {
    Ok(hand_in::line)
}

fn room(page: Page) -> AnyView {
    class::read(page);
    view! {
        <div class="class-room" id="class-room">
            <section class="card-box" aria-label="A link for your class"><invite::Invite page=page /></section>
            <section class="card-box" aria-label="What the class found"><found::Found page=page /></section>
            <section class="card-box class-wide" aria-label="Lines"><lines::Listed page=page /></section>
        </div>
    }
    .into_any()
}
