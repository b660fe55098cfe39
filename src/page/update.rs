//! Reports become state. Nothing here draws.

use super::run::Measurement;
use super::session::{self, Snapshot};
use super::state::{Failure, Page, Phase};
use super::{browser, downloads, look, opening, saved, sequel, start, sweep};
use crate::protocol::{Ending, Engine, Report};
use crate::replay::EngineClass;
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;

/// Charts are redrawn at most this often.
const PULSE: Duration = Duration::from_millis(100);
/// A worker silent for so long, in milliseconds, is remarked upon.
const SILENCE: f64 = 60_000.0;

/// Takes over one report and the bytes beside it.
pub fn report(page: Page, report: Report, bytes: Option<Uint8Array>) {
    page.session.update_value(|session| session.heard = browser::now());
    match report {
        Report::Ready => session::ready(page),
        Report::Preparing { sentence } => page.preparing.set(sentence),
        Report::Started { engine, parameters, step } => started(page, engine, parameters, step),
        Report::Opened { config, engine, parameters } => opening::opened(page, *config, engine, parameters),
        Report::NotOpened { sentence } => opening::refuse(page, sentence),
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
        Report::Weights { .. } if page.keeping.get_untracked() => start::arrived(page, bytes),
        Report::Weights { step, config_json, .. } => downloads::weights(page, step, bytes, &config_json),
        Report::Looked { split, index, depth, layers, .. } => look::arrived(page, (split, index, depth), layers),
        // Asked of another worker, which `check` listens to.
        Report::Checked { .. } => {}
        Report::Failed { sentence, remedy } => session::lose(page, Failure { sentence, remedy }),
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

/// The engine of a run that goes on at `step`: on two of different classes it promises no more bits than the weaker one.
fn continued(before: Option<Engine>, mut now: Engine, step: u64) -> Engine {
    if step > 0 && before.is_some_and(|before| before.class != now.class) {
        now.note = format!("The run began on another engine and goes on on {}. {}", now.name, now.note);
        now.class = EngineClass::WebGpu;
    }
    now
}

fn keep(page: Page, step: u64, bytes: Option<Uint8Array>) {
    let (Some(bytes), Some(run)) = (bytes, page.current.get_untracked()) else { return };
    saved::keep(page, step, &bytes);
    page.session.update_value(|session| session.snapshot = Some(Snapshot { run, bytes }));
    page.snapshot_step.set(Some(step));
}

fn finished(page: Page, seconds: f64, why: Ending) {
    page.change_current(|run| {
        run.seconds = run.earlier + seconds;
        run.ending = Some(why);
    });
    page.stopping.set(false);
    page.phase.set(Phase::Finished);
    saved::forget(page);
    page.runs.notify();
    if !sequel::follows(page) {
        sweep::advance_soon(page);
    }
}

/// Redraws soon: many reports within one [`PULSE`] make one redrawing.
pub fn pulse(page: Page) {
    let due = page.session.try_update_value(|session| std::mem::replace(&mut session.pulse_due, true));
    if due == Some(false) {
        set_timeout(
            move || {
                page.session.update_value(|session| session.pulse_due = false);
                page.runs.notify();
            },
            PULSE,
        );
    }
}

/// Notices a worker that has stopped answering while a run goes on. It may only be slow, so it is remarked upon, not ended.
pub fn watch(page: Page) {
    set_interval(
        move || {
            let heard = page.session.with_value(|session| session.heard);
            let silent = page.phase.get_untracked() == Phase::Running && browser::now() - heard > SILENCE;
            if page.silent.get_untracked() != silent {
                page.silent.set(silent);
            }
        },
        Duration::from_secs(2),
    );
}
