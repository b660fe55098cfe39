//! Sends commands to the worker, and chooses its program.

use crate::config::{EngineChoice, RunConfig};
use crate::page::state::Page;
use crate::page::worker::build;
use crate::protocol::Command;
use js_sys::Uint8Array;
use leptos::prelude::*;

/// Starts the worker, if there is none.
pub fn open(page: Page) {
    if !page.worker.is_open() {
        let program = page.form.with_untracked(|form| wanted(page, &form.config));
        page.worker.open(program);
    }
}

/// Sends a command, at once or as soon as the worker is ready.
pub fn send(page: Page, command: Command, bytes: Option<Uint8Array>) {
    match program_for(page, &command) {
        Some(program) => send_to(page, program, command, bytes),
        None => {
            open(page);
            page.worker.send(command, bytes);
        }
    }
}

/// Sends a command to a worker with this program. A worker with another program is replaced.
pub fn send_to(page: Page, program: &'static str, command: Command, bytes: Option<Uint8Array>) {
    if page.worker.is_open() && !page.worker.runs(program) {
        close(page);
    }
    page.worker.open(program);
    page.worker.send(command, bytes);
}

/// Ends the worker. The snapshot stays.
pub fn close(page: Page) {
    page.worker.close();
    if page.attributions.with_untracked(|attributions| attributions.waiting()) {
        page.attributions.update(|attributions| attributions.give_up());
    }
}

/// The program that a command needs; `None` if the present worker can handle it.
fn program_for(page: Page, command: &Command) -> Option<&'static str> {
    match command {
        Command::Start { config, .. } | Command::Check { config, .. } => Some(wanted(page, config)),
        // Any program can read a model's files. It reports if another program must measure the model.
        Command::Open { .. }
        | Command::Pause
        | Command::Resume
        | Command::Step
        | Command::Stop
        | Command::Reach { .. }
        | Command::Save { .. }
        | Command::Attribute { .. } => None,
    }
}

/// The program for a run: the one with Burn if Burn computes it, the one that reproduces the opened link's fingerprint, else the fastest.
fn wanted(page: Page, config: &RunConfig) -> &'static str {
    if config.engine == EngineChoice::Portable {
        return build::SEPARATE;
    }
    let expected =
        page.replay.with_untracked(|link| link.as_ref().and_then(|link| link.fingerprint.as_ref()).map(|fingerprint| fingerprint.engine));
    build::choose(expected, config.on_burn())
}
