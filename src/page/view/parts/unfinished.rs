//! The banner of a run that an earlier visit left unfinished.

use crate::page::commands::unfinished_run;
use crate::page::state::Page;
use crate::page::state::unfinished_run::UnfinishedRun;
use crate::page::view::words;
use leptos::prelude::*;

/// Offers to continue a run that an earlier visit left unfinished.
#[component]
pub fn UnfinishedBanner(page: Page) -> impl IntoView {
    let shown = move || page.unfinished_run.get().filter(|_| !page.phase.get().active());
    view! {
        {move || shown().map(|run| {
            let fits = unfinished_run::fits(&run);
            view! {
                <div id="unfinished" class="banner-box" role="status">
                    <p>{sentence(&run, fits)}</p>
                    <button type="button" id="go-on" hidden=!fits on:click=move |_| unfinished_run::go_on(page)>"Continue it"</button>
                    <button type="button" id="take-settings" hidden=fits on:click=move |_| unfinished_run::take_settings(page)>"Use its settings"</button>
                    <button type="button" class="button-quiet" id="forget-run" on:click=move |_| unfinished_run::discard(page)>"Forget it"</button>
                </div>
            }
        })}
    }
}

fn sentence(run: &UnfinishedRun, fits: bool) -> String {
    let told =
        format!("“{}” was not finished when this page was closed. Its last snapshot is at step {}.", run.name, words::thousands(run.step));
    if fits {
        return told;
    }
    format!(
        "{told} An earlier version of this page computed it. This version may compute other numbers, so it cannot continue: start the run again."
    )
}
