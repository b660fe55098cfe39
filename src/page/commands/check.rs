//! “Check with Burn”: repeats the first steps of a run on Burn and compares every loss with the run's own.

use super::kept_weights;
use crate::config::{EngineChoice, RunConfig};
use crate::page::state::Page;
use crate::page::state::check::Check;
use crate::page::worker::build;
use crate::page::worker::link::WorkerLink;
use crate::protocol::{Bytes, Command, Report};
use crate::replay::EngineClass;
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// Number of steps to compare, if the run has that many.
const STEPS: usize = 20;

/// Begins to check a run. A check in progress is ended.
pub fn begin(page: Page, id: usize) {
    end(page);
    let run = page.runs.with_untracked(|runs| {
        let run = runs.iter().find(|run| run.id == id)?;
        let ours: Vec<f32> = run.losses.iter().take(STEPS).copied().collect();
        Some((run.config.clone(), run.engine.as_ref().map(|engine| engine.class), ours))
    });
    let Some((mut config, class, ours)) = run.filter(|(_, _, ours)| !ours.is_empty()) else { return };
    let steps = ours.len() as u64;
    page.check.set(Some(Check { run: id, ours, theirs: Vec::new(), engine: None, failure: None }));
    spawn_local(async move {
        match kept_weights::file(page, &config).await {
            Ok(bytes) => {
                config.engine = device(class);
                send(page, config, steps, bytes);
            }
            Err(error) => fail(page, error.to_string()),
        }
    });
}

/// Burn's device for the check: a run on WebGPU is checked on WebGPU too, also on a software adapter.
fn device(class: Option<EngineClass>) -> EngineChoice {
    if class == Some(EngineClass::WebGpu) { EngineChoice::BurnWgpu } else { EngineChoice::Burn }
}

fn send(page: Page, config: RunConfig, steps: u64, bytes: Option<Uint8Array>) {
    let kind = if bytes.is_some() { Bytes::Weights } else { Bytes::None };
    let report = move |report: Report, _: Option<Uint8Array>| match report {
        Report::Ready => {
            let command = Command::Check { config: config.clone(), steps, bytes: kind };
            let sent = page.checker.with_value(|link| link.as_ref().map(|link| link.send(&command, bytes.as_ref())));
            if let Some(Err(error)) = sent {
                fail(page, error.to_string());
            }
        }
        Report::Checked { engine, losses } => {
            page.check.update(|check| {
                if let Some(check) = check {
                    (check.engine, check.theirs) = (Some(engine), losses);
                }
            });
            if page.check.with_untracked(|check| check.as_ref().is_some_and(|check| !check.busy())) {
                end(page);
            }
        }
        Report::Failed { sentence, .. } => fail(page, sentence),
        // A worker that only checks sends no other reports.
        Report::Preparing { .. }
        | Report::Started { .. }
        | Report::Opened { .. }
        | Report::NotOpened { .. }
        | Report::OpensOnBurn
        | Report::Losses { .. }
        | Report::Measured { .. }
        | Report::Rewarded { .. }
        | Report::Snapshot { .. }
        | Report::Paused { .. }
        | Report::Resumed { .. }
        | Report::Finished { .. }
        | Report::Weights { .. }
        | Report::Attributed { .. } => {}
    };
    match WorkerLink::open(build::BURN, report, move |why| fail(page, why)) {
        Ok(link) => page.checker.set_value(Some(link)),
        Err(error) => fail(page, error.to_string()),
    }
}

fn fail(page: Page, sentence: String) {
    page.check.update(|check| {
        if let Some(check) = check {
            check.failure = Some(format!("The check failed: {sentence} Your run has not changed; try again."));
        }
    });
    end(page);
}

/// Ends the checking worker.
pub fn end(page: Page) {
    let link = page.checker.try_update_value(Option::take).flatten();
    if let Some(link) = link {
        link.end();
        // This may run inside one of the link's own closures, which must not be freed while it runs.
        set_timeout(move || drop(link), Duration::ZERO);
    }
}

/// Removes the check of a run.
pub fn forget(page: Page, run: usize) {
    if page.check.with_untracked(|check| check.as_ref().is_some_and(|check| check.run == run)) {
        end(page);
        page.check.set(None);
    }
}
