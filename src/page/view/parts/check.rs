//! “Check with Burn”, next to a run: compares the losses of its first steps on its own engine and on Burn.

use super::later::{SplitPartOf, later};
use crate::page::commands::check;
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::check::Check;
use crate::page::state::run::Run;
use crate::page::view::engine_badge;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// Whether a run can be checked: it has completed steps on another engine than Burn.
fn checkable(run: &Run) -> bool {
    !run.losses.is_empty() && !run.config.on_burn() && run.engine.as_ref().is_some_and(|engine| !engine.class.is_burn())
}

/// The button in a run's row.
#[component]
pub fn CheckButton(page: Page, id: usize) -> impl IntoView {
    let hidden = move || !page.with_run(id, checkable).unwrap_or(false);
    let busy = move || page.check.with(|check| check.as_ref().is_some_and(|check| check.run == id && check.busy()));
    view! {
        <button
            type="button"
            class="button-quiet check-run"
            title="Repeats the first steps of this run on Burn and compares the losses. Burn computes every operator from its plain definition"
            hidden=hidden
            disabled=busy
            on:click=move |_| check::begin(page, id)
        >
            "Check with Burn"
        </button>
    }
}

/// The result of the check, below the row.
#[component]
pub fn CheckResult(page: Page, id: usize) -> impl IntoView {
    let own = Memo::new(move |_| page.check.with(|check| check.as_ref().is_some_and(|check| check.run == id)));
    move || own.get().then(|| later(check_part, move |check| check(page, id)))
}

#[wasm_split(extras, fallible)]
fn check_part() -> Result<SplitPartOf<usize>, NotLoaded> {
    Ok(result)
}

fn result(page: Page, id: usize) -> AnyView {
    let own = Memo::new(move |_| page.check.get().filter(|check| check.run == id));
    let words = move || own.get().as_ref().map(words).unwrap_or_default();
    let state = move || match own.get() {
        None => "none",
        Some(check) if check.failure.is_some() => "failed",
        Some(check) if check.busy() => "busy",
        Some(check) => {
            if check.agreement().is_some_and(|agreement| agreement.same()) {
                "same"
            } else {
                "differs"
            }
        }
    };
    let rows = move || own.get().map(|check| rows(&check)).unwrap_or_default();
    let computed_by = move || own.get().and_then(|check| check.engine).map(|engine| engine_badge::badge(&engine)).unwrap_or_default();
    view! {
        <div class="run-checked" data-check=state>
            <p aria-live="polite">{words}</p>
            <details hidden=move || own.get().is_none_or(|check| check.theirs.is_empty())>
                <summary>"Step by step"</summary>
                <p class="text-hint">{computed_by}</p>
                <div class="table-scroll">
                    <table>
                        <thead><tr><th scope="col">"Step"</th><th scope="col">"This run"</th><th scope="col">"Burn"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </details>
        </div>
    }
    .into_any()
}

fn words(check: &Check) -> String {
    if let Some(failure) = &check.failure {
        return failure.clone();
    }
    let (made, of) = (check.theirs.len(), check.ours.len());
    match (&check.engine, check.agreement()) {
        (None, _) => "Loading Burn…".into(),
        (Some(_), None) if made < of => format!("Burn repeats the steps: {made} of {of} done."),
        (Some(_), None) => "A loss is NaN or infinite, so the losses cannot be compared.".into(),
        (Some(_), Some(agreement)) => agreement.sentence(),
    }
}

fn rows(check: &Check) -> Vec<AnyView> {
    let row = |(index, (ours, theirs)): (usize, (&f32, &f32))| {
        view! { <tr><td>{index + 1}</td><td>{format!("{ours:.7}")}</td><td>{format!("{theirs:.7}")}</td></tr> }.into_any()
    };
    check.ours.iter().zip(&check.theirs).enumerate().map(row).collect()
}
