//! Where a run's weights come from: the field, the button beside a finished run, and the run that an earlier visit left.

use super::term::{self, Side};
use crate::config::shipped::SHIPPED;
use crate::page::run::Run;
use crate::page::state::{Page, Phase};
use crate::page::{saved, start, words};
use leptos::prelude::*;

const HELP: &str = "A run may begin with weights that were trained before: a checkpoint of this site, a model that you have opened, or the best weights of a run on this page. GRPO needs some.";

/// The field “Starts from”.
#[component]
pub fn StartField(page: Page) -> impl IntoView {
    let value = Memo::new(move |_| page.form.with(|form| form.config.start.text().unwrap_or_default()));
    let error = Memo::new(move |_| page.form.with(|form| form.error("from")));
    let options = move || {
        let mut all: Vec<(String, String)> = vec![(String::new(), "new weights".into())];
        all.extend(SHIPPED.iter().map(|shipped| (shipped.name.into(), format!("{} (from this site)", shipped.label))));
        page.kept
            .with(|kept| all.extend(kept.iter().map(|kept| (format!("file-{:016x}", kept.hash), format!("{} (kept here)", kept.label)))));
        let chosen = value.get();
        if all.iter().all(|(known, _)| *known != chosen) {
            let unknown = start::label(page, &page.form.with(|form| form.config.start.clone()));
            all.push((chosen.clone(), unknown));
        }
        let option = move |(value, label): (String, String)| {
            let chosen = value == chosen;
            view! { <option value=value selected=chosen>{label}</option> }
        };
        all.into_iter().map(option).collect_view()
    };
    let kept = move || {
        page.form.with(|form| match form.config.start {
            crate::config::Start::File(hash) => page.kept.with(|all| all.iter().any(|kept| kept.hash == hash)).then_some(hash),
            crate::config::Start::Scratch | crate::config::Start::Shipped(_) => None,
        })
    };
    view! {
        <div class="field" on:focusin=move |event| term::show(page, &event, HELP, Side::Beside) on:focusout=move |_| term::hide(page) on:mouseenter=move |event| term::show(page, &event, HELP, Side::Beside) on:mouseleave=move |_| term::hide(page)>
            <label for="field-from">"Starts from"</label>
            <select id="field-from" aria-invalid=move || error.with(Option::is_some).to_string() aria-describedby="error-from tip" on:change=move |event| start::choose(page, &event_target_value(&event))>
                {options}
            </select>
            <p class="error" id="error-from" role="alert">{move || error.get()}</p>
            {move || kept().map(|hash| view! { <button type="button" class="quiet" id="forget-weights" on:click=move |_| start::forget(page, hash)>"Forget these weights"</button> })}
        </div>
    }
}

/// Lets the next run start from the current one's best weights.
#[component]
pub fn GoOnFromRun(page: Page) -> impl IntoView {
    let off = move || page.phase.get() != Phase::Finished || !page.with_current(Run::begun).unwrap_or(false);
    view! {
        <button type="button" id="go-on-from" disabled=off title="Keeps these weights in this browser and sets the form to start from them" on:click=move |_| start::go_on_from_run(page)>
            "Start a new run from it"
        </button>
    }
}

/// A run that an earlier visit left unfinished.
#[component]
pub fn UnfinishedBanner(page: Page) -> impl IntoView {
    let shown = move || page.unfinished.get().filter(|_| !page.phase.get().active());
    view! {
        {move || shown().map(|run| view! {
            <div id="unfinished" class="banner" role="status">
                <p>{format!("“{}” was not finished when this page was closed: it stands at step {}.", run.name, words::thousands(run.step))}</p>
                <button type="button" id="go-on" on:click=move |_| saved::go_on(page)>"Go on with it"</button>
                <button type="button" class="quiet" id="forget-run" on:click=move |_| saved::forget(page)>"Forget it"</button>
            </div>
        })}
    }
}
