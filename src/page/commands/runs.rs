//! Begins runs, continues them from a snapshot, asks for their weights, and handles their failure.

use super::{finished_runs, kept_weights, worker};
use crate::config::{RunConfig, Start};
use crate::page::state::run::{Run, free_series};
use crate::page::state::{Failure, Page, Phase, Snapshot, WeightsFor};
use crate::page::worker::session::Event;
use crate::protocol::{Bytes, Command, Which};
use crate::results::Ending;
use leptos::prelude::*;

/// Starts a new run. Its start weights must be available.
pub fn begin_new(page: Page, config: RunConfig, name: String) {
    add(page, config.clone(), false);
    page.change_current(|run| run.name = name);
    page.runs.notify();
    forget_snapshot(page);
    begin(page, config, None);
}

/// Adds a new run to the list and makes it the current one.
pub fn add(page: Page, config: RunConfig, opened: bool) {
    let id = page.runs.with_untracked(|runs| runs.iter().map(|run| run.id + 1).max().unwrap_or(0));
    let free = page.runs.with_untracked(|runs| free_series(runs.iter().map(|run| run.series)));
    let run = if opened { Run::opened(id, free, config) } else { Run::new(id, free, config) };
    page.runs.update(|runs| runs.push(run));
    page.current.set(Some(id));
}

/// Stores the snapshot of a run, so that a new worker can continue from it.
pub fn keep_snapshot(page: Page, step: u64, snapshot: Snapshot) {
    page.held.update_value(|held| held.snapshot = Some(snapshot));
    page.snapshot_step.set(Some(step));
}

/// Drops the snapshot.
pub fn forget_snapshot(page: Page) {
    page.held.update_value(|held| held.snapshot = None);
    page.snapshot_step.set(None);
}

/// Continues the run of the newest snapshot in a new worker.
pub fn recover(page: Page) {
    let Some(snapshot) = page.held.with_value(|held| held.snapshot.clone()) else { return };
    let config = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == snapshot.run).map(|run| run.config.clone()));
    let Some(config) = config else { return };
    worker::close(page);
    page.current.set(Some(snapshot.run));
    begin(page, config, Some(snapshot));
}

fn begin(page: Page, config: RunConfig, snapshot: Option<Snapshot>) {
    page.failure.set(None);
    page.unfinished_run.set(None);
    page.silent.set(false);
    page.stopping.set(false);
    page.pace.update_untracked(|pace| pace.rest());
    page.preparing.set("Loading the engine…".into());
    page.phase.set(Phase::Preparing);
    let workers = page.workers.get_untracked();
    if let Some(snapshot) = snapshot {
        worker::send(page, Command::Start { config, workers, bytes: Bytes::Snapshot }, Some(snapshot.bytes));
        return;
    }
    if config.start == Start::Scratch {
        worker::send(page, Command::Start { config, workers, bytes: Bytes::None }, None);
        return;
    }
    let run = page.current.get_untracked();
    wasm_bindgen_futures::spawn_local(async move {
        let file = kept_weights::file(page, &config).await;
        // The user may have stopped the run meanwhile.
        if page.phase.get_untracked() != Phase::Preparing || page.current.get_untracked() != run {
            return;
        }
        match file {
            Ok(bytes) => worker::send(page, Command::Start { config, workers, bytes: Bytes::Weights }, bytes),
            Err(error) => page.worker.tell(Event::Refused(error.to_string())),
        }
    });
}

/// The current run has ended without a last word of its worker. Its snapshot stays.
pub fn end(page: Page) {
    page.change_current(|run| run.ending = Some(Ending::Stopped));
    page.stopping.set(false);
    page.phase.set(Phase::Finished);
    finished_runs::keep(page);
    page.runs.notify();
}

/// Asks for the weights of the current run, and notes their purpose.
pub fn save(page: Page, which: Which, purpose: WeightsFor) {
    page.weights_for.set(purpose);
    worker::send(page, Command::Save { which }, None);
}

/// Reports a failure. The run and its snapshot are kept.
pub fn fail(page: Page, failure: Failure) {
    page.failure.set(Some(failure));
    page.before_opening.set(None);
    page.stopping.set(false);
    page.phase.set(Phase::Failed);
    finished_runs::keep(page);
    page.runs.notify();
}
