//! The worker's life: started early, asked only once it is ready, replaced after a failure.

use super::state::{Failure, Page, Phase};
use super::update;
use super::worker_link::WorkerLink;
use super::{look, program, sweep};
use crate::config::ModelKind;
use crate::protocol::Command;
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;

const RELOAD: &str = "Reload the page. If it happens again, try a current Chrome, Edge, Firefox or Safari.";
const GO_ON: &str = "The run is kept up to its last snapshot: press Resume to go on from there in a fresh engine.";

/// Bytes to go on from in a new worker.
#[derive(Clone)]
pub struct Snapshot {
    /// The run they belong to.
    pub run: usize,
    pub bytes: Uint8Array,
}

/// The worker and what is kept for it.
#[derive(Default)]
pub struct Session {
    link: Option<WorkerLink>,
    /// The program it runs.
    program: &'static str,
    /// Whether the worker has said that it is ready.
    ready: bool,
    /// The command that waits for it to be.
    waiting: Option<(Command, Option<Uint8Array>)>,
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The weights that the worker is reading.
    pub opening: Option<Uint8Array>,
    /// Weights that runs can start from, by their hashes.
    pub kept: Vec<(u64, Uint8Array)>,
    /// Whether the run is being written down, and when it last was, milliseconds.
    pub writing: bool,
    pub written: f64,
    /// Whether a pulse is due: see [`update::pulse`].
    pub pulse_due: bool,
    /// When the worker last said something, milliseconds.
    pub heard: f64,
}

impl Session {
    /// Whether a worker is there and listens.
    pub fn is_ready(&self) -> bool {
        self.link.is_some() && self.ready
    }
}

/// Starts the worker unless there is one.
pub fn open(page: Page) {
    if page.session.with_value(|session| session.link.is_some()) {
        return;
    }
    let program = page.form.with_untracked(|form| wanted(page, form.config.on_burn()));
    open_program(page, program);
}

fn open_program(page: Page, program: &'static str) {
    let opened = WorkerLink::open(
        program,
        move |report, bytes| update::report(page, report, bytes),
        move |why| lose(page, Failure { sentence: why, remedy: remedy(page).into() }),
    );
    match opened {
        Ok(link) => page.session.update_value(|session| {
            session.link = Some(link);
            session.program = program;
            session.ready = false;
        }),
        Err(sentence) => fail(page, Failure { sentence, remedy: RELOAD.into() }),
    }
}

/// The worker's program for a run: the one with Burn where that computes it, the one that reproduces the opened link, if it carries a
/// fingerprint, and else the quickest.
fn wanted(page: Page, on_burn: bool) -> &'static str {
    let expected =
        page.replay.with_untracked(|link| link.as_ref().and_then(|link| link.fingerprint.as_ref()).map(|fingerprint| fingerprint.engine));
    program::choose(expected, on_burn)
}

/// Sends a command, at once or as soon as the worker is ready. Only one can wait: nothing but a start is sent that early.
pub fn send(page: Page, command: Command, bytes: Option<Uint8Array>) {
    if let Some(program) = program_for(page, &command) {
        if page.session.with_value(|session| session.link.is_some() && session.program != program) {
            close(page);
        }
        if page.session.with_value(|session| session.link.is_none()) {
            open_program(page, program);
        }
    }
    open(page);
    let sent = page.session.try_update_value(|session| match &session.link {
        Some(link) if session.ready => link.send(&command, bytes.as_ref()),
        Some(_) | None => {
            session.waiting = Some((command, bytes));
            Ok(())
        }
    });
    if let Some(Err(sentence)) = sent {
        fail(page, Failure { sentence, remedy: remedy(page).into() });
    }
}

/// The program that a command needs; none where the one that is there will do.
fn program_for(page: Page, command: &Command) -> Option<&'static str> {
    match command {
        Command::Start { config, .. } | Command::Check { config, .. } => Some(wanted(page, config.on_burn())),
        // Any program measures an opened model, but for a network that has no kernels.
        Command::Open { config, config_json, .. } => {
            let described: serde_json::Value = serde_json::from_str(config_json).unwrap_or_default();
            let kind = described["model_type"].as_str().unwrap_or_default();
            let without = ModelKind::ALL.into_iter().any(|known| !known.has_kernels() && kind.ends_with(known.key()));
            (without || config.engine.is_burn()).then_some(program::BURN)
        }
        Command::Pause
        | Command::Resume
        | Command::Step
        | Command::Stop
        | Command::Reach { .. }
        | Command::Save { .. }
        | Command::Look { .. } => None,
    }
}

/// What to do when the worker is gone without saying it itself.
fn remedy(page: Page) -> &'static str {
    let kept = page.session.with_value(|session| session.snapshot.is_some());
    if kept { GO_ON } else { RELOAD }
}

/// The worker is ready: what waited goes out.
pub fn ready(page: Page) {
    let waiting = page.session.try_update_value(|session| {
        session.ready = true;
        session.waiting.take()
    });
    if let Some(Some((command, bytes))) = waiting {
        send(page, command, bytes);
    }
}

/// Ends the worker; the snapshot stays.
pub fn close(page: Page) {
    let link = page.session.try_update_value(|session| {
        session.ready = false;
        session.waiting = None;
        session.link.take()
    });
    look::give_up(page);
    if let Some(Some(link)) = link {
        link.end();
        // This may run inside one of the link's own closures, which must not be freed while it runs.
        set_timeout(move || drop(link), Duration::ZERO);
    }
}

/// Tells of a failure; the run and its snapshot are kept.
pub fn fail(page: Page, failure: Failure) {
    page.failure.set(Some(failure.clone()));
    page.before_opening.set(None);
    page.stopping.set(false);
    page.phase.set(Phase::Failed);
    page.runs.notify();
    sweep::failed(page, &failure);
}

/// The worker is gone.
pub fn lose(page: Page, failure: Failure) {
    close(page);
    fail(page, failure);
}
