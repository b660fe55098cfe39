//! Where a run's weights come from: the field, and the button next to a finished run.

use super::term::{self, Side};
use crate::config::shipped::SHIPPED;
use crate::page::commands::{buttons, form, kept_weights};
use crate::page::state::run::Run;
use crate::page::state::{Page, Phase};
use leptos::prelude::*;

const HELP: &str = "A run can start from trained weights: a checkpoint of this site, a model that you have opened, or the best weights of another run. The link names that run, and the page trains it first if its weights are not stored here. GRPO needs trained weights.";

/// The field “Starts from”.
#[component]
pub fn StartField(page: Page) -> impl IntoView {
    let value = Memo::new(move |_| page.form.with(|form| form.config.start.text().unwrap_or_default()));
    let error = Memo::new(move |_| page.form.with(|form| form.error("from")));
    let options = move || {
        let mut all: Vec<(String, String)> = vec![(String::new(), "new weights".into())];
        all.extend(SHIPPED.iter().map(|shipped| (shipped.name.into(), format!("{} (from this site)", shipped.label))));
        page.kept_weights.with(|kept| {
            all.extend(kept.iter().map(|kept| (kept.start().text().unwrap_or_default(), format!("{} (kept here)", kept.label))))
        });
        let chosen = value.get();
        if all.iter().all(|(known, _)| *known != chosen) {
            let unknown = page.form.with(|form| kept_weights::label(page, &form.config));
            all.push((chosen.clone(), unknown));
        }
        let option = move |(value, label): (String, String)| {
            let chosen = value == chosen;
            view! { <option value=value selected=chosen>{label}</option> }
        };
        all.into_iter().map(option).collect_view()
    };
    let kept = move || page.form.with(|form| kept_weights::kept_run(page, &form.config));
    view! {
        <div class="field-row" on:focusin=move |event| term::show(page, &event, HELP, Side::Beside) on:focusout=move |_| term::hide(page) on:mouseenter=move |event| term::show(page, &event, HELP, Side::Beside) on:mouseleave=move |_| term::hide(page)>
            <label for="field-from">"Starts from"</label>
            <select id="field-from" aria-invalid=move || error.with(Option::is_some).to_string() aria-describedby="error-from tip" on:change=move |event| form::start_from(page, &event_target_value(&event))>
                {options}
            </select>
            <p class="text-error" id="error-from" role="alert">{move || error.get()}</p>
            {move || kept().map(|hash| view! { <button type="button" class="button-quiet" id="forget-weights" on:click=move |_| kept_weights::forget(page, hash)>"Forget these weights"</button> })}
        </div>
    }
}

/// Sets the form to start from the current run's best weights.
#[component]
pub fn GoOnFromRun(page: Page) -> impl IntoView {
    let off = move || page.phase.get() != Phase::Finished || !page.with_current(Run::begun).unwrap_or(false);
    view! {
        <button type="button" id="go-on-from" disabled=off title="Stores these weights in this browser and sets the form to start from them" on:click=move |_| buttons::start_from_current(page)>
            "Start a new run from it"
        </button>
    }
}
