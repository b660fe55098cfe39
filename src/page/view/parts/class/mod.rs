//! The class: the student's card, the line that is handed in, and the teacher's room.

mod found;
mod hand_in;
mod invite;
mod lines;
mod seat;

pub use hand_in::HandIn;
pub use seat::Seat;

use crate::page::state::Page;
use crate::page::state::door::Door;
use leptos::prelude::*;

/// The teacher's room.
#[component]
pub fn Room(page: Page) -> impl IntoView {
    let here = Memo::new(move |_| page.door.get() == Door::Class);
    let room = move || {
        view! {
            <div class="class-room" id="class-room">
                <section class="card-box" aria-label="A link for your class"><invite::Invite page=page /></section>
                <section class="card-box" aria-label="What the class found"><found::Found page=page /></section>
                <section class="card-box class-wide" aria-label="Lines"><lines::Listed page=page /></section>
            </div>
        }
        .into_any()
    };
    move || here.get().then(room)
}
