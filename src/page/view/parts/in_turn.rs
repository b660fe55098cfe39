//! Parts that are built one after the other, in slices. All at once they would keep a slow processor from answering for most of a second.

use crate::page::browser;
use crate::page::slices::Slices;
use leptos::prelude::*;
use leptos::task::{spawn_local, tick};
use std::collections::VecDeque;
use std::time::Duration;

/// How long parts out of sight are held for a visitor who only reads.
const PATIENCE: Duration = Duration::from_secs(10);

/// The parts that wait for their turn. It is in the context of the page's parts.
#[derive(Clone, Copy)]
pub struct Turns(StoredValue<Waiting>);

#[derive(Default)]
struct Waiting {
    parts: VecDeque<RwSignal<bool>>,
    /// Those after them that nobody sees yet.
    held: Option<VecDeque<RwSignal<bool>>>,
    /// Whether somebody takes one after the other.
    taken: bool,
}

impl Turns {
    pub fn new() -> Self {
        let turns = Self(StoredValue::default());
        provide_context(turns);
        turns
    }

    /// Holds the parts that are asked for from now on.
    pub fn hold(self) {
        self.0.update_value(|waiting| waiting.held = Some(VecDeque::new()));
    }

    /// Lets the parts that are held have their turns: at once if the element that contains them is in the window; else when the visitor does
    /// anything, or nothing for a while.
    pub fn release(self, container: &'static str) {
        let release = async move {
            if browser::is_below(container) {
                browser::touched(PATIENCE).await;
            }
            let held = self.0.try_update_value(|waiting| waiting.held.take()).flatten();
            held.into_iter().flatten().for_each(|part| self.wait(part));
        };
        set_timeout(move || spawn_local(release), Duration::ZERO);
    }

    /// The first of the waiting parts; nobody takes any more if there is none.
    fn next(self) -> Option<RwSignal<bool>> {
        self.0.try_update_value(|waiting| {
            let next = waiting.parts.pop_front();
            waiting.taken = next.is_some();
            next
        })?
    }

    async fn all(self) {
        let mut slices = Slices::new();
        // A part that is built may bring further ones.
        while let Some(part) = self.next() {
            part.set(true);
            tick().await;
            slices.pause_if_due().await;
        }
    }

    fn wait(self, part: RwSignal<bool>) {
        let begins = self.0.try_update_value(|waiting| match &mut waiting.held {
            Some(held) => {
                held.push_back(part);
                false
            }
            None => {
                waiting.parts.push_back(part);
                !std::mem::replace(&mut waiting.taken, true)
            }
        });
        if begins == Some(true) {
            // The browser first shows what is there.
            set_timeout(move || spawn_local(self.all()), Duration::ZERO);
        }
    }

    /// A part in its turn; before that what stands in its place.
    pub fn part(self, build: impl Fn() -> AnyView + Send + 'static, place: impl Fn() -> AnyView + Send + 'static) -> AnyView {
        let built = RwSignal::new(false);
        self.wait(built);
        let shown = move || match built.get() {
            true => untrack(&build),
            false => place(),
        };
        shown.into_any()
    }
}

/// A part of a card in its turn, which takes no place before; at once where nothing is built in turn.
pub fn in_turn(build: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    match use_context::<Turns>() {
        Some(turns) => turns.part(build, || view! { <span class="part-waiting" hidden></span> }.into_any()),
        None => build(),
    }
}
