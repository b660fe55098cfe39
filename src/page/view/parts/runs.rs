//! The list of runs on this page.

use super::check::{CheckButton, CheckResult};
use super::class::HandIn;
use super::opening::OpenModel;
use super::start::GoOnFromRun;
use super::term::Term;
use crate::page::commands::{buttons, downloads, form};
use crate::page::state::Page;
use crate::page::state::run::Run;
use crate::page::view::charts::series;
use crate::page::view::words::{percent, thousands};
use crate::protocol::Which;
use leptos::prelude::*;

/// The list of runs.
#[component]
pub fn Runs(page: Page) -> impl IntoView {
    let ids = Memo::new(move |_| page.runs.with(|runs| runs.iter().rev().map(|run| run.id).collect::<Vec<_>>()));
    view! {
        <section class="card-box" aria-label="Runs">
            <h2>"Runs"</h2>
            <p class="text-hint" hidden=move || !ids.with(Vec::is_empty)>"None yet. The page keeps every run that you train until you close it. The charts draw all runs together, so that you can compare them."</p>
            <ul id="runs">
                <For each=move || ids.get() key=|id| *id children=move |id| view! { <RunItem page=page id=id /> } />
            </ul>
            <SaveWeights page=page />
            <OpenModel page=page />
        </section>
    }
}

#[component]
fn RunItem(page: Page, id: usize) -> impl IntoView {
    let read = move |read: fn(&Run) -> String| page.with_run(id, read).unwrap_or_default();
    let visible = Memo::new(move |_| page.with_run(id, |run| run.visible).unwrap_or(false));
    let toggle = move |_| buttons::toggle_visible(page, id);
    let busy = move || page.current.get() == Some(id) && page.phase.get().active();
    let copy = move |_| {
        let fragment = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == id).map(Run::fragment));
        if let Some(fragment) = fragment {
            form::copy_link(page, &fragment);
        }
    };
    let opened = page.runs.with_untracked(|runs| runs.iter().any(|run| run.id == id && run.opened));
    let link_title = if opened {
        "Copies a link to these settings. A link does not contain weights: save them as files"
    } else {
        "Copies a link to this run"
    };
    let load = move |_| {
        let config = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == id).map(|run| run.config.clone()));
        if let Some(config) = config {
            form::fill(page, config);
        }
    };
    let handing = RwSignal::new(false);
    let complete = Memo::new(move |_| page.with_run(id, Run::complete).unwrap_or(false));
    let with =
        move |act: fn(Page, &Run)| page.runs.with_untracked(|runs| runs.iter().filter(|run| run.id == id).for_each(|run| act(page, run)));
    view! {
        <li class="run-item">
            <label class="box-label">
                <input type="checkbox" prop:checked=visible on:change=toggle aria-label=move || format!("Draw {}", read(|run| run.name.clone())) />
                {swatch(page, id)}
                <strong>{move || read(|run| run.name.clone())}</strong>
            </label>
            <p class="run-scores">{move || read(scores)}</p>
            <div class="button-row">
                <button type="button" class="button-quiet" title=link_title on:click=copy>"Link"</button>
                <button type="button" class="button-quiet" hidden=move || !complete.get() aria-expanded=move || handing.get().to_string() title="This run as one line, for your teacher" on:click=move |_| handing.update(|open| *open = !*open)>"Hand in"</button>
                <button type="button" class="button-quiet" title="Fill the form with this run's settings" on:click=load>"Settings"</button>
                <button type="button" class="button-quiet" on:click=move |_| with(|_, run| downloads::csv(run))>"CSV"</button>
                <button type="button" class="button-quiet" on:click=move |_| with(downloads::json)>"JSON"</button>
                <button type="button" class="button-quiet" disabled=busy title="Remove this run from the page" on:click=move |_| buttons::remove(page, id)>"Remove"</button>
                <CheckButton page=page id=id />
            </div>
            {move || (handing.get() && complete.get()).then(|| view! { <HandIn page=page id=id /> })}
            <CheckResult page=page id=id />
        </li>
    }
}

/// The run's line as the charts draw it.
fn swatch(page: Page, id: usize) -> AnyView {
    let series = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == id).map_or(0, |run| run.series));
    view! {
        <svg width="24" height="12" aria-hidden="true">
            <path d="M1 6h22" stroke=series::colour(series) stroke-width="2" />
            <path d=series::marker(series, 12.0, 6.0, 4.0) fill=series::colour(series) />
        </svg>
    }
    .into_any()
}

fn scores(run: &Run) -> String {
    let step = if run.opened { "not trained here".into() } else { format!("step {}", thousands(run.step())) };
    let Some(measurement) = run.latest() else { return format!("{step}, not measured yet") };
    let exact = measurement.depths.iter().map(|score| format!("k={} {}", score.depth, percent(score.share())));
    format!("{step} · exact: {}", exact.collect::<Vec<_>>().join(", "))
}

/// Saves the weights of the run that the worker holds, as files that `transformers` can open.
#[component]
fn SaveWeights(page: Page) -> impl IntoView {
    let held = move || page.phase.get().active() || page.phase.get() == crate::page::state::Phase::Finished;
    let off = move || !held() || !page.with_current(Run::begun).unwrap_or(false);
    let best = move || {
        page.with_current(|run| run.best_step.map(|step| format!("Best weights (step {})", thousands(step))))
            .flatten()
            .unwrap_or_else(|| "Best weights".into())
    };
    let parameters = move || page.with_current(|run| (run.parameters > 0).then(|| thousands(run.parameters as u64))).flatten();
    view! {
        <div class="run-weights" hidden=move || page.runs.with(Vec::is_empty)>
            <p class="text-hint">
                "Save the trained model as one file, model.safetensors, which this page opens again. Hugging Face transformers also need its config.json."
                {move || parameters().map(|count| view! { " " {count} " " <Term page=page key="parameters" text="parameters" /> "." })}
            </p>
            <div class="button-row">
                <button type="button" id="save-best" disabled=move || off() || page.with_current(|run| run.best_step.is_none()).unwrap_or(true) on:click=move |_| buttons::download_weights(page, Which::Best)>{best}</button>
                <GoOnFromRun page=page />
                <button type="button" id="save-latest" disabled=off on:click=move |_| buttons::download_weights(page, Which::Latest)>"Latest weights"</button>
                <button type="button" id="save-config" class="button-quiet" disabled=off on:click=move |_| buttons::download_description(page)>"config.json"</button>
            </div>
        </div>
    }
}
