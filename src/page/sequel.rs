//! Runs that start from another run: that one is trained first, unless its weights are kept here.

use super::state::{Page, Phase};
use super::{actions, start, sweep};
use crate::config::{RunConfig, Start};
use crate::protocol::{Ending, Which};
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;

/// A run that waits for the one it starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequel {
    config: RunConfig,
    /// What it is to be called, if not after its settings.
    name: Option<String>,
}

impl Sequel {
    /// Whether it is a run of these settings.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        self.config == *config
    }

    /// Its run's name.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| super::run::name_of(&self.config))
    }
}

/// Begins a run, or what must be trained before it. Whatever waited until now does so no longer.
pub fn begin(page: Page, config: RunConfig, name: Option<String>) {
    page.sequels.set(Vec::new());
    begin_or_wait(page, config, name);
}

fn begin_or_wait(page: Page, config: RunConfig, name: Option<String>) {
    let Some(first) = config.first().filter(|_| untrack(|| start::kept_as_expected(page, &config)).is_none()) else {
        actions::begin_run(page, config, name);
        return;
    };
    page.sequels.update(|sequels| sequels.push(Sequel { config, name }));
    if page.phase.get_untracked() == Phase::Finished && waited_for(page) {
        ask(page);
    } else {
        begin_or_wait(page, first, None);
    }
}

/// Whether the next run starts from the current one, and that was trained to its own end.
fn waited_for(page: Page) -> bool {
    let wanted = page.sequels.with_untracked(|sequels| sequels.last().map(|sequel| sequel.config.start.clone()));
    let made = untrack(|| page.with_current(|run| (Start::from_run(&run.config), run.ending)));
    made.is_some_and(|(start, ending)| match ending {
        Some(Ending::Reached | Ending::Target) => wanted == Some(start),
        Some(Ending::Stopped | Ending::Opened) | None => false,
    })
}

fn ask(page: Page) {
    page.keeping.set(true);
    actions::save(page, Which::Best);
}

/// The current run has ended. Says whether its weights were asked for, for a run that starts from them.
pub fn follows(page: Page) -> bool {
    if waited_for(page) || sweep::awaits_weights(page) && untrack(|| page.with_current(sweep::complete)) == Some(true) {
        ask(page);
        return true;
    }
    if let Some(last) = page.sequels.with_untracked(|sequels| sequels.first().map(Sequel::name)) {
        page.tell(&format!("“{last}” was not begun: the run that it starts from was stopped."));
        page.sequels.set(Vec::new());
    }
    false
}

/// The current run's best weights are here. Says whether a run waited for them.
pub fn arrived(page: Page, bytes: &Uint8Array) -> bool {
    let next = page.sequels.try_update(Vec::pop).flatten();
    if next.is_none() && !sweep::awaits_weights(page) {
        return false;
    }
    start::keep_current(page, bytes.clone());
    let Some(next) = next else {
        sweep::advance_soon(page);
        return true;
    };
    set_timeout(
        move || {
            let before = page.current.get_untracked();
            actions::begin_run(page, next.config, next.name);
            sweep::went_on(page, before);
        },
        Duration::ZERO,
    );
    true
}
