//! Cards that are built one after the other, each in a task of its own. All at once they would keep a slow processor from answering for most of a
//! second.

use super::cards::card;
use crate::page::state::Page;
use crate::page::state::views::View;
use leptos::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;

/// The cards that wait for their turn.
#[derive(Clone, Copy)]
pub struct Turns(StoredValue<VecDeque<RwSignal<bool>>>);

impl Turns {
    /// Begins with the first card when the browser has shown what is there.
    pub fn new() -> Self {
        let turns = Self(StoredValue::new(VecDeque::new()));
        turns.begin();
        turns
    }

    fn begin(self) {
        let next = move || {
            let card = self.0.try_update_value(VecDeque::pop_front).flatten();
            if let Some(card) = card {
                card.set(true);
                self.begin();
            }
        };
        set_timeout(next, Duration::ZERO);
    }

    /// The card of a view, in its turn; before that its place.
    pub fn card(self, page: Page, view: View) -> AnyView {
        let built = RwSignal::new(false);
        self.0.update_value(|cards| cards.push_back(built));
        let shown = move || match built.get() {
            true => untrack(|| card(page, view)),
            false => place(view),
        };
        shown.into_any()
    }
}

/// An empty card about as high as this view's, so that little moves when the card comes.
fn place(view: View) -> AnyView {
    // These two are shown for certain runs only.
    let hidden = matches!(view, View::Thinking | View::Reward);
    let class = format!("card-box part-waiting page-{}", view.about().name);
    view! { <div class=class hidden=hidden aria-hidden="true"></div> }.into_any()
}
