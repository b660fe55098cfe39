//! Where a run's weights come from: the field, the button beside a finished run, and the run that an earlier visit left.

use super::term::{self, Side};
use crate::config::shipped::SHIPPED;
use crate::page::run::Run;
use crate::page::sequel::Sequel;
use crate::page::state::{Page, Phase};
use crate::page::{saved, start, words};
use leptos::prelude::*;

const HELP: &str = "A run may begin with weights that were trained before: a checkpoint of this site, a model that you have opened, or the best weights of another run, which its link names and the page trains first where they are not kept here. GRPO needs some.";

/// The field “Starts from”.
#[component]
pub fn StartField(page: Page) -> impl IntoView {
    let value = Memo::new(move |_| page.form.with(|form| form.config.start.text().unwrap_or_default()));
    let error = Memo::new(move |_| page.form.with(|form| form.error("from")));
    let options = move || {
        let mut all: Vec<(String, String)> = vec![(String::new(), "new weights".into())];
        all.extend(SHIPPED.iter().map(|shipped| (shipped.name.into(), format!("{} (from this site)", shipped.label))));
        page.kept.with(|kept| {
            all.extend(kept.iter().map(|kept| (kept.start().text().unwrap_or_default(), format!("{} (kept here)", kept.label))))
        });
        let chosen = value.get();
        if all.iter().all(|(known, _)| *known != chosen) {
            let unknown = page.form.with(|form| start::label(page, &form.config));
            all.push((chosen.clone(), unknown));
        }
        let option = move |(value, label): (String, String)| {
            let chosen = value == chosen;
            view! { <option value=value selected=chosen>{label}</option> }
        };
        all.into_iter().map(option).collect_view()
    };
    let kept = move || page.form.with(|form| start::kept_run(page, &form.config));
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

/// A run that waits for the one in progress, whose weights it starts from.
#[component]
pub fn SequelBanner(page: Page) -> impl IntoView {
    let waiting = move || {
        page.sequels.with(|sequels| sequels.first().map(|last| (last.name(), sequels.len()))).filter(|_| page.phase.get() != Phase::Idle)
    };
    let after =
        |count: usize| if count == 1 { "this run is finished".into() } else { format!("this run and {} more are finished", count - 1) };
    view! {
        {move || waiting().map(|(name, count)| view! {
            <div id="sequel" class="banner" role="status">
                <p>{format!("“{name}” starts from another run's weights, which are not kept here, so that run is trained first. “{name}” begins when {}.", after(count))}</p>
                <button type="button" class="quiet" id="forget-sequel" on:click=move |_| page.sequels.set(Vec::<Sequel>::new())>"Leave it out"</button>
            </div>
        })}
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
