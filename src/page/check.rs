//! “Check with Burn”: the first steps of a run made once more, on Burn, and every loss held beside the run's own.

use super::state::Page;
use super::worker_link::WorkerLink;
use super::{program, start};
use crate::config::{EngineChoice, RunConfig};
use crate::protocol::{Bytes, Command, Engine, Report};
use crate::replay::{Agreement, EngineClass};
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

/// Steps that are compared, where the run has made so many.
const STEPS: usize = 20;

/// A check under way or done.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The run that is checked.
    pub run: usize,
    /// The run's own losses of the steps that are compared.
    pub ours: Vec<f32>,
    /// Burn's, as many as it has made.
    pub theirs: Vec<f32>,
    /// Where Burn computes, once it has answered.
    pub engine: Option<Engine>,
    pub failure: Option<String>,
}

impl Check {
    /// How far the two agree, once Burn has made all steps.
    pub fn agreement(&self) -> Option<Agreement> {
        if self.theirs.len() == self.ours.len() { Agreement::of(&self.ours, &self.theirs) } else { None }
    }

    pub fn busy(&self) -> bool {
        self.failure.is_none() && self.theirs.len() < self.ours.len()
    }
}

/// Begins to check a run, instead of another that is being checked.
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
        match start::file(page, &config).await {
            Ok(bytes) => {
                config.engine = device(class);
                send(page, config, steps, bytes);
            }
            Err(sentence) => fail(page, sentence),
        }
    });
}

/// A run of the graphics card is checked on it, whatever adapter that is.
fn device(class: Option<EngineClass>) -> EngineChoice {
    if class == Some(EngineClass::WebGpu) { EngineChoice::BurnWgpu } else { EngineChoice::Burn }
}

fn send(page: Page, config: RunConfig, steps: u64, bytes: Option<Uint8Array>) {
    let kind = if bytes.is_some() { Bytes::Weights } else { Bytes::None };
    let report = move |report: Report, _: Option<Uint8Array>| match report {
        Report::Ready => {
            let command = Command::Check { config: config.clone(), steps, bytes: kind };
            let sent = page.checker.with_value(|link| link.as_ref().map(|link| link.send(&command, bytes.as_ref())));
            if let Some(Err(sentence)) = sent {
                fail(page, sentence);
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
        // A worker that only checks says nothing else.
        Report::Preparing { .. }
        | Report::Started { .. }
        | Report::Opened { .. }
        | Report::NotOpened { .. }
        | Report::Losses { .. }
        | Report::Measured { .. }
        | Report::Rewarded { .. }
        | Report::Snapshot { .. }
        | Report::Paused { .. }
        | Report::Resumed { .. }
        | Report::Finished { .. }
        | Report::Weights { .. }
        | Report::Looked { .. } => {}
    };
    match WorkerLink::open(program::BURN, report, move |why| fail(page, why)) {
        Ok(link) => page.checker.set_value(Some(link)),
        Err(sentence) => fail(page, sentence),
    }
}

fn fail(page: Page, sentence: String) {
    page.check.update(|check| {
        if let Some(check) = check {
            check.failure = Some(format!("The check could not be made: {sentence} The run itself is not touched; try again."));
        }
    });
    end(page);
}

/// Ends the worker that checks.
pub fn end(page: Page) {
    let link = page.checker.try_update_value(Option::take).flatten();
    if let Some(link) = link {
        link.end();
        // This may run inside one of the link's own closures, which must not be freed while it runs.
        set_timeout(move || drop(link), Duration::ZERO);
    }
}

/// Forgets what was found of a run.
pub fn forget(page: Page, run: usize) {
    if page.check.with_untracked(|check| check.as_ref().is_some_and(|check| check.run == run)) {
        end(page);
        page.check.set(None);
    }
}
