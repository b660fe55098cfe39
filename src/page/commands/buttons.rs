//! The actions of the buttons.

use super::{check, finished_runs, form, queue, runs, worker};
use crate::page::state::{Page, Phase, WeightsFor};
use crate::protocol::{Command, Which};
use leptos::prelude::*;

/// Starts a new run with the settings of the form.
pub fn train(page: Page) {
    let form = page.form.get_untracked();
    if page.phase.get_untracked().active() || !form.reasons().is_empty() {
        return;
    }
    queue::begin(page, form.config);
}

/// The action of the main button in each phase.
pub fn main_button(page: Page) {
    match page.phase.get_untracked() {
        Phase::Idle | Phase::Finished | Phase::Failed => train(page),
        Phase::Preparing => {}
        Phase::Running => worker::send(page, Command::Pause, None),
        Phase::Paused => worker::send(page, Command::Resume, None),
    }
}

/// Computes one step while paused.
pub fn step(page: Page) {
    if page.phase.get_untracked() == Phase::Paused {
        worker::send(page, Command::Step, None);
    }
}

/// Ends the run with a last measurement; pressed again, at once and without it. Before its first step there is nothing to measure. Whatever must
/// end at once ends with its worker, which may be in the middle of something long.
pub fn stop(page: Page) {
    match page.phase.get_untracked() {
        Phase::Running | Phase::Paused if page.stopping.get_untracked() => {
            worker::close(page);
            runs::end(page);
            queue::run_ended(page);
            worker::open(page);
        }
        Phase::Running | Phase::Paused => {
            page.stopping.set(true);
            queue::hold(page);
            worker::send(page, Command::Stop, None);
        }
        Phase::Preparing => {
            worker::close(page);
            page.before_opening.set(None);
            queue::drop_dependents(page);
            queue::hold(page);
            let id = page.current.get_untracked();
            page.runs.update(|runs| runs.retain(|run| Some(run.id) != id || run.begun()));
            page.phase.set(Phase::Idle);
            worker::open(page);
        }
        Phase::Idle | Phase::Finished | Phase::Failed => {}
    }
}

/// Changes the step at which the current run ends. If the form had the same configuration as this run, it gets the new one too.
pub fn reach(page: Page, steps: u64) {
    let Some(config) = untrack(|| page.with_current(|run| run.config.clone())) else { return };
    let followed = page.form.with_untracked(|form| form.config == config);
    page.change_current(|run| run.reach(steps));
    page.runs.notify();
    worker::send(page, Command::Reach { steps }, None);
    if followed {
        let mut config = config;
        config.training.steps = steps;
        form::fill(page, config);
    }
}

/// Saves the description of the current run's network as a file.
pub fn download_description(page: Page) {
    runs::save(page, Which::Latest, WeightsFor::Description);
}

/// Saves the weights of the current run as a file.
pub fn download_weights(page: Page, which: Which) {
    runs::save(page, which, WeightsFor::Download);
}

/// Asks for the current run's best weights, so that another run can start from them.
pub fn start_from_current(page: Page) {
    runs::save(page, Which::Best, WeightsFor::Form);
}

/// Removes a run from the page. The run in progress cannot be removed.
pub fn remove(page: Page, id: usize) {
    if page.current.get_untracked() == Some(id) {
        if page.phase.get_untracked().active() {
            return;
        }
        page.current.set(None);
        runs::forget_snapshot(page);
        page.phase.set(Phase::Idle);
    }
    check::forget(page, id);
    page.runs.update(|runs| runs.retain(|run| run.id != id));
    finished_runs::keep(page);
}

/// Shows or hides a run in the charts.
pub fn toggle_visible(page: Page, id: usize) {
    page.runs.update(|runs| runs.iter_mut().filter(|run| run.id == id).for_each(|run| run.visible = !run.visible));
}
