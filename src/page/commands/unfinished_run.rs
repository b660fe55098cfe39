//! Stores the run in progress in the browser: its newest snapshot and the page's data about it. After a reload, the page offers to continue
//! the run.

use super::{form, runs, tab};
use crate::config::shipped;
use crate::page::state::unfinished_run::{Stamp, UnfinishedRun};
use crate::page::state::{Page, Snapshot};
use crate::page::{browser, storage};
use js_sys::Uint8Array;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen_futures::spawn_local;

const PREFIX: &str = "run ";
/// The shortest time between two writes, in milliseconds.
const PAUSE: f64 = 3_000.0;
/// When to look for a stored run again, in milliseconds: the lock of a tab that was just closed may be free a little later.
const LOOKS: [u64; 4] = [0, 500, 1_500, 4_000];

/// The record of a tab's run.
fn record(tab: &str) -> String {
    format!("{PREFIX}{tab}")
}

/// Stores the current run at its newest snapshot, if the last write is long enough ago.
pub fn keep(page: Page, step: u64, bytes: &Uint8Array) {
    let due = page.held.try_update_value(|held| {
        let due = !held.writing && !held.run_record.is_empty() && browser::now() - held.written > PAUSE;
        held.writing |= due;
        due
    });
    if due != Some(true) {
        return;
    }
    let tab = page.held.with_value(|held| held.run_record.clone());
    let name = record(&tab);
    let stamp = Stamp { tab, build: browser::build(), written: browser::today(), hash: shipped::hash(&bytes.to_vec()) };
    let saved = untrack(|| page.with_current(|run| UnfinishedRun::of(run, step, stamp)));
    let bytes = bytes.clone();
    spawn_local(async move {
        let written = match &saved {
            Some(saved) => storage::write(&name, saved, Some(&bytes)).await,
            None => Ok(()),
        };
        page.held.update_value(|held| {
            held.writing = false;
            held.written = browser::now();
        });
        match written {
            // The run may have ended meanwhile.
            Ok(()) if !page.phase.get_untracked().active() => storage::remove(&name).await,
            Ok(()) => browser::body_attribute("data-stored", &step.to_string()),
            Err(error) => tab::tell_refusal(page, error),
        }
    });
}

/// Deletes this tab's stored run, because it has ended.
pub fn forget(page: Page) {
    let tab = page.held.with_value(|held| held.run_record.clone());
    spawn_local(async move { storage::remove(&record(&tab)).await });
}

/// Deletes the offered run, because the user does not want it, and offers the next one.
pub fn discard(page: Page) {
    let Some(offered) = page.unfinished_run.get_untracked() else { return };
    page.unfinished_run.set(None);
    spawn_local(async move {
        if tab::take(&offered.tab).await || page.held.with_value(|held| held.tab == offered.tab) {
            storage::remove(&record(&offered.tab)).await;
        }
        look(page);
    });
}

/// Looks for a run that a closed tab left unfinished.
pub fn look(page: Page) {
    look_from(page, 0);
}

fn look_from(page: Page, turn: usize) {
    let Some(&wait) = LOOKS.get(turn) else { return };
    let looked = move || {
        spawn_local(async move {
            let found = newest(page).await;
            if page.phase.get_untracked().active() || page.unfinished_run.get_untracked().is_some() {
                return;
            }
            match found {
                Some(found) => page.unfinished_run.set(Some(found)),
                None => look_from(page, turn + 1),
            }
        });
    };
    set_timeout(looked, Duration::from_millis(wait));
}

/// The stored run that was written last, of those that no open tab has.
async fn newest(page: Page) -> Option<UnfinishedRun> {
    let stored = storage::descriptions::<UnfinishedRun>(PREFIX).await;
    let mut runs: Vec<UnfinishedRun> = stored.into_iter().map(|(_, run)| run).collect();
    let mut free = tab::gone(runs.iter().map(|run| run.tab.clone()).collect()).await;
    free.push(page.held.with_value(|held| held.tab.clone()));
    runs.retain(|run| free.contains(&run.tab));
    runs.into_iter().max_by(|a, b| a.written.total_cmp(&b.written))
}

/// Whether this page can continue the run with the same numbers.
pub fn fits(run: &UnfinishedRun) -> bool {
    run.build == browser::build()
}

/// Fills the form with the settings of the offered run, which this page cannot continue.
pub fn take_settings(page: Page) {
    if let Some(offered) = page.unfinished_run.get_untracked() {
        form::fill(page, offered.config);
    }
}

/// Continues the offered run, if no other tab does and its record is whole.
pub fn go_on(page: Page) {
    let Some(offered) = page.unfinished_run.get_untracked() else { return };
    if page.phase.get_untracked().active() || !fits(&offered) {
        return;
    }
    page.unfinished_run.set(None);
    spawn_local(async move {
        let own = page.held.with_value(|held| held.run_record == offered.tab);
        if !own && !tab::take(&offered.tab).await {
            page.tell("Another tab has continued this run.");
            return;
        }
        let stored = storage::read::<UnfinishedRun>(&record(&offered.tab)).await;
        match stored.and_then(|(saved, file)| Some((saved, file?))) {
            Some((saved, bytes)) if saved.hash == shipped::hash(&bytes.to_vec()) && fits(&saved) => resume(page, saved, bytes),
            Some(_) => {
                storage::remove(&record(&offered.tab)).await;
                page.tell("The run's snapshot is damaged, so it cannot be continued. Start the run again.");
            }
            None => page.tell("The run's snapshot is gone, because the browser has cleared it. Start the run again."),
        }
    });
}

fn resume(page: Page, saved: UnfinishedRun, bytes: Uint8Array) {
    // From here on this tab has the record of that run.
    page.held.update_value(|held| held.run_record.clone_from(&saved.tab));
    runs::add(page, saved.config.clone(), false);
    page.change_current(|run| {
        run.engine.clone_from(&saved.engine);
        run.losses.clone_from(&saved.losses);
        run.rewards.clone_from(&saved.rewards);
        run.measured.clone_from(&saved.measured);
        run.best_step = saved.best_step;
    });
    page.runs.notify();
    form::fill(page, saved.config.clone());
    if let Some(run) = page.current.get_untracked() {
        page.held.update_value(|held| held.snapshot = Some(Snapshot { run, bytes }));
        page.snapshot_step.set(Some(saved.step));
        runs::recover(page);
    }
}
