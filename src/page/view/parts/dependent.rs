//! The banner of a run that waits for the weights it starts from.

use crate::page::commands::queue;
use crate::page::state::{Page, Phase};
use leptos::prelude::*;

/// Names the run that waits for the run in progress, because it starts from that run's weights.
#[component]
pub fn DependentBanner(page: Page) -> impl IntoView {
    let waiting = move || {
        let last = page.queue.with(|queue| queue.dependents().next_back().map(|last| (last.name.clone(), queue.dependents().count())));
        last.filter(|_| page.phase.get() != Phase::Idle)
    };
    let after =
        |count: usize| if count == 1 { "this run is finished".into() } else { format!("this run and {} more are finished", count - 1) };
    view! {
        {move || waiting().map(|(name, count)| view! {
            <div id="sequel" class="banner-box" role="status">
                <p>{format!("“{name}” starts from another run's weights. They are not stored here, so that run is trained first. “{name}” begins when {}.", after(count))}</p>
                <button type="button" class="button-quiet" id="forget-sequel" on:click=move |_| queue::drop_dependents(page)>"Do not start it"</button>
            </div>
        })}
    }
}
