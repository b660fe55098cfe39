//! The queue: the runs that wait, and those that failed.

use crate::page::commands::queue;
use crate::page::state::Page;
use crate::page::state::queue::Queued;
use leptos::prelude::*;

/// The list of waiting runs.
#[component]
pub fn Waiting(page: Page) -> impl IntoView {
    let waiting = Memo::new(move |_| page.queue.with(|queue| queue.list().cloned().collect::<Vec<_>>()));
    let held = move || page.queue.with(|queue| queue.held);
    let empty = move || waiting.with(Vec::is_empty);
    let item = move |(position, queued): (usize, &Queued)| {
        let name = queued.name.clone();
        let label = format!("Remove {name} from the queue");
        view! {
            <li>
                <span>{name}</span>
                <button type="button" class="button-quiet" aria-label=label on:click=move |_| queue::drop_one(page, position)>"✕"</button>
            </li>
        }
    };
    let failed = move || page.queue.with(|queue| queue.failed.iter().map(|sentence| view! { <li>{sentence.clone()}</li> }).collect_view());
    view! {
        <div class="queue-list">
            <h3 hidden=empty>{move || if held() { "The queue is paused" } else { "Waiting" }}</h3>
            <ol id="sweep-waiting">{move || waiting.with(|waiting| waiting.iter().enumerate().map(item).collect_view())}</ol>
            <div class="button-row" hidden=empty>
                <button type="button" id="sweep-go" hidden=move || !held() on:click=move |_| queue::go_on(page)>"Go on"</button>
                <button type="button" id="sweep-clear" on:click=move |_| queue::clear(page)>"Clear the queue"</button>
            </div>
            <p class="text-hint" hidden=empty>"Stop ends the run in progress and pauses the queue until you press Go on. Clearing the queue lets that run finish. If a run fails, it is listed here and the next one begins."</p>
            <ul id="sweep-failed" class="sweep-notes" role="status">{failed}</ul>
        </div>
    }
}
