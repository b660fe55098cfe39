//! One queue of runs. When no run is in progress, the next one begins, unless the queue is paused. Stop pauses the queue; a failed run does not.
//! A run that starts from another run's weights waits behind that run, which is trained first unless its weights are stored here.

use super::{form, kept_weights, runs};
use crate::config::presets::{Preset, SMALL_PAPER};
use crate::config::{RunConfig, Start};
use crate::page::state::comparison;
use crate::page::state::queue::Queued;
use crate::page::state::run::Run;
use crate::page::state::sweep::{Axis, Sweep, read};
use crate::page::state::{Failure, Page, Phase, WeightsFor};
use crate::protocol::Which;
use crate::results::Ending;
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;

/// Begins a run at once, ahead of the list. If another run must be trained before it, that run begins.
pub fn begin(page: Page, config: RunConfig) {
    begin_queued(page, Queued::unlisted(config));
}

fn begin_queued(page: Page, queued: Queued) {
    page.queue.update(|queue| queue.drop_dependents());
    let listed = queued.listed;
    let (mut dependents, mut next) = (Vec::new(), queued);
    while let Some(first) = prerequisite(page, &next.config) {
        let trained = page.phase.get_untracked() == Phase::Finished && current_leads_to(page, &next.config.start);
        dependents.insert(0, next);
        if trained {
            page.queue.update(|queue| queue.depend(dependents));
            ask_for_weights(page);
            return;
        }
        next = Queued { listed, ..Queued::unlisted(first) };
    }
    page.queue.update(|queue| queue.depend(dependents));
    begin_here(page, next);
}

/// Begins a run whose start weights are available.
fn begin_here(page: Page, queued: Queued) {
    runs::begin_new(page, queued.config.clone(), queued.name.clone());
    let id = page.current.get_untracked();
    page.queue.update(|queue| queue.began(&queued, id));
}

/// The run that must be trained before this one; `None` if there is none or its weights are stored here.
fn prerequisite(page: Page, config: &RunConfig) -> Option<RunConfig> {
    config.first().filter(|_| untrack(|| kept_weights::kept_as_expected(page, config)).is_none())
}

/// Whether the current run was trained to its own end and is the one that `start` names.
fn current_leads_to(page: Page, start: &Start) -> bool {
    let made = untrack(|| page.with_current(|run| (Start::from_run(&run.config), run.ending)));
    made.is_some_and(|(made, ending)| match ending {
        Some(Ending::Reached | Ending::Target) => made == *start,
        Some(Ending::Stopped | Ending::Opened) | None => false,
    })
}

fn ask_for_weights(page: Page) {
    runs::save(page, Which::Best, WeightsFor::Queue);
}

/// Called when the current run has ended. A run that starts from it gets its weights; else the next run of the list begins.
pub fn run_ended(page: Page) {
    let dependent = page.queue.with_untracked(|queue| queue.dependents().next().map(|queued| queued.config.start.clone()));
    let leads = dependent.is_some_and(|start| current_leads_to(page, &start));
    if leads || list_needs_current(page) && untrack(|| page.with_current(Run::complete)) == Some(true) {
        ask_for_weights(page);
        return;
    }
    if let Some(last) = page.queue.with_untracked(|queue| queue.dependents().next_back().map(|queued| queued.name.clone())) {
        page.tell(&format!("“{last}” was not begun, because you stopped the run that it starts from."));
        page.queue.update(|queue| queue.drop_dependents());
    }
    advance_soon(page);
}

/// Stores the best weights of the current run, and begins the run that waits for them.
pub fn weights_arrived(page: Page, bytes: Uint8Array) {
    kept_weights::keep_current(page, bytes);
    match page.queue.try_update(|queue| queue.next_dependent()).flatten() {
        Some(next) => set_timeout(move || begin_here(page, next), Duration::ZERO),
        None => advance_soon(page),
    }
}

/// Called when a run failed. For a run of the list it adds a sentence to the queue, because the next run clears the page's banner.
pub fn run_failed(page: Page, failure: &Failure) {
    let current = page.current.get_untracked();
    if page.queue.try_update(|queue| queue.fail(current)) == Some(true) {
        let name = page.runs.with_untracked(|runs| runs.iter().find(|run| Some(run.id) == current).map(|run| run.name.clone()));
        let sentence = format!("{} failed: {}", name.unwrap_or_else(|| "A run".into()), failure.sentence);
        page.queue.update(|queue| queue.failed.push(sentence));
    }
    advance_soon(page);
}

/// Chooses the setting that a sweep varies, and suggests values.
pub fn choose_axis(page: Page, axis: Axis) {
    page.sweep.set(Sweep::over(axis));
}

/// Stores the values typed for a sweep.
pub fn type_values(page: Page, text: String) {
    page.sweep.update(|sweep| sweep.text = text);
}

/// Adds the runs of the form's sweep to the queue.
pub fn queue_sweep(page: Page) {
    let base = page.form.with_untracked(|form| form.config.clone());
    let Sweep { axis, text } = page.sweep.get_untracked();
    let asked = page.runs.with_untracked(|runs| read(axis, &text, &base, runs));
    put(page, asked.runs.into_iter().map(|config| Queued::swept(axis, config)));
}

/// The runs of “The paper in small” that this page has not trained yet.
pub fn small_paper(page: Page) -> Vec<Queued> {
    let run = |preset: &Preset| Queued::listed((preset.config)());
    let trained = |queued: &Queued| page.runs.with(|runs| runs.iter().any(|run| run.config == queued.config && run.complete()));
    SMALL_PAPER.iter().map(run).filter(|queued| !trained(queued)).collect()
}

/// Adds the runs of “The paper in small” to the queue.
pub fn queue_small_paper(page: Page) {
    let runs = untrack(|| small_paper(page));
    // The chart then shows the ceiling and floors of their task.
    if let Some(first) = runs.first() {
        form::fill(page, first.config.clone());
    }
    put(page, runs.into_iter());
}

/// Adds the runs of “Does thinking aloud help?” that this page has not trained yet.
pub fn queue_comparison(page: Page) {
    let trained = |config: &RunConfig| page.runs.with_untracked(|runs| runs.iter().any(|run| run.config == *config && run.complete()));
    let runs: Vec<Queued> = comparison::runs().into_iter().filter(|config| !trained(config)).map(Queued::listed).collect();
    if let Some(first) = runs.first() {
        form::fill(page, first.config.clone());
    }
    put(page, runs.into_iter());
}

/// Adds these runs to the queue.
pub fn add(page: Page, runs: Vec<Queued>) {
    put(page, runs.into_iter());
}

fn put(page: Page, runs: impl Iterator<Item = Queued>) {
    page.queue.update(|queue| {
        queue.failed.clear();
        queue.held = false;
        runs.for_each(|queued| queue.push(queued));
    });
    advance(page);
}

/// Whether a run of the list starts from the current run, directly or through others. False while the list is paused.
fn list_needs_current(page: Page) -> bool {
    let Some(current) = untrack(|| page.with_current(|run| Start::from_run(&run.config))) else { return false };
    let behind = |queued: &Queued| queued.config.firsts().any(|first| Start::from_run(&first) == current);
    page.queue.with_untracked(|queue| !queue.held && queue.list().any(behind))
}

/// Begins the next run of the list, if no run is in progress and the list is not paused.
fn advance(page: Page) {
    if page.phase.get_untracked().active() || page.queue.with_untracked(|queue| queue.held) {
        return;
    }
    if let Some(next) = page.queue.try_update(|queue| queue.next()).flatten() {
        begin_queued(page, next);
    }
}

/// As [`advance`], after the present event.
fn advance_soon(page: Page) {
    if page.queue.with_untracked(|queue| queue.list().next().is_some()) {
        set_timeout(move || advance(page), Duration::ZERO);
    }
}

/// Pauses the list, because the user stopped a run.
pub fn hold(page: Page) {
    if page.queue.with_untracked(|queue| queue.list().next().is_some()) {
        page.queue.update(|queue| queue.held = true);
    }
}

/// Resumes the list.
pub fn go_on(page: Page) {
    page.queue.update(|queue| queue.held = false);
    advance(page);
}

/// Empties the list. The run in progress continues.
pub fn clear(page: Page) {
    page.queue.update(|queue| queue.clear());
}

/// Removes one run from the list.
pub fn drop_one(page: Page, position: usize) {
    page.queue.update(|queue| queue.remove(position));
}

/// Drops the runs that depend on the run in progress.
pub fn drop_dependents(page: Page) {
    page.queue.update(|queue| queue.drop_dependents());
}
