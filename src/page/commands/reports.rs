//! Turns the worker's reports into state, and handles the end and the failure of a run.

use super::{downloads, finished_runs, form, kept_weights, opening, queue, runs, unfinished_run, worker};
use crate::page::browser;
use crate::page::state::run::Measurement;
use crate::page::state::{Failure, Page, Phase, Snapshot, WeightsFor};
use crate::page::worker::session::Event;
use crate::protocol::{Engine, Report};
use crate::replay::EngineClass;
use crate::results::Ending;
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;

/// The shortest time between two redraws of the charts.
const PULSE: Duration = Duration::from_millis(100);
/// The page shows a banner if the worker has not reported for this long, in milliseconds.
const SILENCE: f64 = 60_000.0;

const RELOAD: &str = "Reload the page. If it happens again, try a current Chrome, Edge, Firefox or Safari.";
const GO_ON: &str = "The page has the run up to its last snapshot: press Resume to continue from there with a new engine.";

/// Handles every event of the worker's session.
pub fn listen(page: Page) {
    page.worker.listen(move |event| match event {
        Event::Report(said, bytes) => report(page, said, bytes),
        Event::Lost(sentence) => lost(page, Failure { sentence, remedy: remedy(page).into() }),
        Event::Unsent(sentence) => failed(page, Failure { sentence, remedy: remedy(page).into() }),
        Event::Refused(sentence) => failed(page, Failure { sentence, remedy: String::new() }),
    });
}

/// What to do, if the worker cannot say it itself.
fn remedy(page: Page) -> &'static str {
    let kept = page.held.with_value(|held| held.snapshot.is_some());
    if kept { GO_ON } else { RELOAD }
}

fn failed(page: Page, failure: Failure) {
    runs::fail(page, failure.clone());
    queue::run_failed(page, &failure);
}

/// Handles the end of the worker after an error.
fn lost(page: Page, failure: Failure) {
    worker::close(page);
    failed(page, failure);
}

/// Handles one report and its bytes.
fn report(page: Page, report: Report, bytes: Option<Uint8Array>) {
    page.held.update_value(|held| held.heard = browser::now());
    match report {
        Report::Ready => {
            if let Some((command, bytes)) = page.worker.ready() {
                worker::send(page, command, bytes);
            }
        }
        Report::Preparing { sentence } => page.preparing.set(sentence),
        Report::Started { engine, parameters, step } => started(page, engine, parameters, step),
        Report::Opened { config, engine, parameters, converted } => {
            opening::opened(page, *config, engine, parameters);
            if let Some(kind) = converted {
                page.tell(&format!("The weights are {kind}. Each of them is exactly a float32, so nothing is lost."));
            }
        }
        Report::NotOpened { sentence } => opening::refuse(page, sentence),
        Report::OpensOnBurn => opening::on_burn(page),
        Report::Losses { first, losses, seconds } => {
            page.change_current(|run| run.add_losses(first, &losses, seconds));
            page.pace.update_untracked(|pace| pace.note(browser::now(), first + losses.len() as u64 - 1));
        }
        Report::Rewarded { first, steps, group } => page.change_current(|run| run.add_rewards(first, &steps, group)),
        Report::Measured { step, seconds, split, depths, predictions, best } => {
            page.change_current(|run| run.add_measurement(Measurement { step, seconds, split, depths }, predictions, best));
        }
        Report::Snapshot { step } => keep(page, step, bytes),
        Report::Paused { .. } => {
            page.pace.update_untracked(|pace| pace.rest());
            page.phase.set(Phase::Paused);
        }
        Report::Resumed { .. } => {
            page.change_current(|run| run.ending = None);
            page.pace.update_untracked(|pace| pace.rest());
            page.phase.set(Phase::Running);
        }
        Report::Finished { seconds, why, .. } => finished(page, seconds, why),
        Report::Weights { step, config_json, .. } => weights(page, step, bytes, &config_json),
        Report::Attributed { split, index, depth, layers, .. } => {
            page.attributions.update(|attributions| attributions.answer(split, index, depth, layers));
        }
        // Only the checking worker sends this, to `check`.
        Report::Checked { .. } => {}
        Report::Failed { sentence, remedy } => {
            let remedy = if remedy.is_empty() { self::remedy(page).into() } else { remedy };
            lost(page, Failure { sentence, remedy });
        }
    }
    pulse(page);
}

fn started(page: Page, engine: Engine, parameters: usize, step: u64) {
    page.change_current(|run| {
        run.rewind(step);
        run.engine = Some(continued(run.engine.take(), engine, step));
        run.parameters = parameters;
    });
    page.pace.update_untracked(|pace| pace.rest());
    page.failure.set(None);
    page.phase.set(Phase::Running);
    page.runs.notify();
}

/// The engine of a run that continues at `step`. If it ran on engines of two classes, it no longer promises equal bits.
fn continued(before: Option<Engine>, mut now: Engine, step: u64) -> Engine {
    if step > 0 && before.is_some_and(|before| before.class != now.class) {
        now.note = format!("The run began on another engine and continues on {}. {}", now.name, now.note);
        now.class = EngineClass::WebGpu;
    }
    now
}

fn keep(page: Page, step: u64, bytes: Option<Uint8Array>) {
    let (Some(bytes), Some(run)) = (bytes, page.current.get_untracked()) else { return };
    unfinished_run::keep(page, step, &bytes);
    runs::keep_snapshot(page, step, Snapshot { run, bytes });
}

fn weights(page: Page, step: u64, bytes: Option<Uint8Array>, config_json: &str) {
    let Some(bytes) = bytes else { return };
    match page.weights_for.get_untracked() {
        WeightsFor::Download => downloads::weights(page, step, &bytes),
        WeightsFor::Description => downloads::description(page, config_json),
        WeightsFor::Queue => queue::weights_arrived(page, bytes),
        WeightsFor::Form => {
            if let Some(start) = kept_weights::keep_current(page, bytes) {
                form::start_from(page, &start.text().unwrap_or_default());
                page.tell("The form now starts from these weights: change what you like, then press Train.");
            }
        }
    }
}

fn finished(page: Page, seconds: f64, why: Ending) {
    page.change_current(|run| {
        run.seconds = run.earlier + seconds;
        run.ending = Some(why);
    });
    page.stopping.set(false);
    page.phase.set(Phase::Finished);
    unfinished_run::forget(page);
    finished_runs::keep(page);
    page.runs.notify();
    queue::run_ended(page);
}

/// Redraws soon. All reports within one [`PULSE`] share one redraw.
pub fn pulse(page: Page) {
    let due = page.held.try_update_value(|held| std::mem::replace(&mut held.pulse_due, true));
    if due == Some(false) {
        set_timeout(
            move || {
                page.held.update_value(|held| held.pulse_due = false);
                page.runs.notify();
            },
            PULSE,
        );
    }
}

/// Shows a banner when the worker stops reporting during a run. The worker may only be slow, so it is not ended.
pub fn watch(page: Page) {
    set_interval(
        move || {
            let heard = page.held.with_value(|held| held.heard);
            let silent = page.phase.get_untracked() == Phase::Running && browser::now() - heard > SILENCE;
            if page.silent.get_untracked() != silent {
                page.silent.set(silent);
            }
        },
        Duration::from_secs(2),
    );
}
