//! The run in progress, kept beyond the page's life: its newest snapshot and what the page knows of it. After a reload it is offered to be
//! gone on with.

use super::run::{Measurement, Run};
use super::session::Snapshot;
use super::state::Page;
use super::{actions, browser, storage};
use crate::config::RunConfig;
use crate::protocol::{Engine, StepReward};
use js_sys::Uint8Array;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

const SNAPSHOT: &str = "run.safetensors";
const DESCRIPTION: &str = "run.json";
/// Says in the browser's small memory that there is a run, so that most visits need not look.
const NOTE: &str = "lookahead-run";
/// Between two writings, milliseconds.
const PAUSE: f64 = 3_000.0;

/// What is known of a kept run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    pub name: String,
    /// The step of its snapshot.
    pub step: u64,
    config: RunConfig,
    engine: Option<Engine>,
    losses: Vec<f32>,
    rewards: Vec<StepReward>,
    measured: Vec<Measurement>,
    best_step: Option<u64>,
}

impl Saved {
    fn of(run: &Run, step: u64) -> Self {
        Self {
            name: run.name.clone(),
            step,
            config: run.config.clone(),
            engine: run.engine.clone(),
            losses: run.losses[..run.losses.len().min(step as usize)].to_vec(),
            rewards: run.rewards.clone(),
            measured: run.measured.clone(),
            best_step: run.best_step,
        }
    }
}

/// Keeps the current run as it stands at its newest snapshot, now and then.
pub fn keep(page: Page, step: u64, bytes: &Uint8Array) {
    let due = page.session.try_update_value(|session| {
        let due = !session.writing && browser::now() - session.written > PAUSE;
        session.writing |= due;
        due
    });
    if due != Some(true) {
        return;
    }
    let Some(saved) = untrack(|| page.with_current(|run| Saved::of(run, step))) else {
        page.session.update_value(|session| session.writing = false);
        return;
    };
    let bytes = bytes.clone();
    spawn_local(async move {
        let text = serde_json::to_string(&saved).unwrap_or_default();
        let mut written = storage::write(SNAPSHOT, &bytes).await;
        if written.is_ok() {
            written = storage::write(DESCRIPTION, &JsValue::from_str(&text)).await;
        }
        page.session.update_value(|session| {
            session.writing = false;
            session.written = browser::now();
        });
        match written {
            // It may have ended meanwhile.
            Ok(()) if page.phase.get_untracked().active() => storage::set_note(NOTE, "kept"),
            Ok(()) => forget(page),
            // Told once: what cannot be kept now will not be kept a minute later.
            Err(sentence) if storage::note(NOTE) != "refused" => {
                storage::set_note(NOTE, "refused");
                page.tell(&sentence);
            }
            Err(_) => {}
        }
    });
}

/// The run has ended, or nobody wants it: nothing is left to go on with.
pub fn forget(page: Page) {
    page.unfinished.set(None);
    storage::set_note(NOTE, "");
    spawn_local(async move {
        storage::remove(DESCRIPTION).await;
        storage::remove(SNAPSHOT).await;
    });
}

/// Looks for a run that an earlier visit left unfinished.
pub fn look(page: Page) {
    if storage::note(NOTE) != "kept" {
        return;
    }
    spawn_local(async move {
        let Some(bytes) = storage::read(DESCRIPTION).await else { return };
        let saved = serde_json::from_slice::<Saved>(&bytes.to_vec()).ok();
        if !page.phase.get_untracked().active() {
            page.unfinished.set(saved);
        }
    });
}

/// Goes on with it.
pub fn go_on(page: Page) {
    let Some(saved) = page.unfinished.get_untracked() else { return };
    if page.phase.get_untracked().active() {
        return;
    }
    spawn_local(async move {
        let Some(bytes) = storage::read(SNAPSHOT).await else {
            forget(page);
            page.tell("The run's snapshot is gone: the browser has cleared it.");
            return;
        };
        page.unfinished.set(None);
        actions::add_run(page, saved.config.clone(), false);
        page.change_current(|run| {
            run.engine.clone_from(&saved.engine);
            run.losses.clone_from(&saved.losses);
            run.rewards.clone_from(&saved.rewards);
            run.measured.clone_from(&saved.measured);
            run.best_step = saved.best_step;
        });
        page.runs.notify();
        actions::fill(page, saved.config.clone());
        if let Some(run) = page.current.get_untracked() {
            page.session.update_value(|session| session.snapshot = Some(Snapshot { run, bytes }));
            page.snapshot_step.set(Some(saved.step));
            actions::recover(page);
        }
    });
}
