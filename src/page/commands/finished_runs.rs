//! Stores the runs of this tab, so that they are still there after a reload.

use super::tab;
use crate::page::state::Page;
use crate::page::state::run::Run;
use crate::page::{browser, storage};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::spawn_local;

/// How long the runs of a closed tab are kept for whoever opens it again, in milliseconds.
const LIFETIME: f64 = 86_400_000.0;

/// The record of a tab's runs.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Milliseconds since 1970.
    written: f64,
    runs: Vec<Run>,
}

const PREFIX: &str = "finished ";

fn record(tab: &str) -> String {
    format!("{PREFIX}{tab}")
}

/// Stores all runs that have results and are not in progress.
pub fn keep(page: Page) {
    let tab = page.held.with_value(|held| held.tab.clone());
    if tab.is_empty() {
        return;
    }
    let runs = ended(page);
    spawn_local(async move {
        if let Err(error) = storage::write(&record(&tab), &Record { written: browser::today(), runs }, None).await {
            tab::tell_refusal(page, error);
        }
    });
}

/// All runs that have results and are not in progress.
pub fn ended(page: Page) -> Vec<Run> {
    let going = page.current.get_untracked().filter(|_| page.phase.get_untracked().active());
    let ended = |run: &&Run| run.begun() && Some(run.id) != going;
    page.runs.with_untracked(|runs| runs.iter().filter(ended).cloned().collect())
}

/// Adds the runs of a file of saved work, but for those that are here already.
pub fn take_back(page: Page, mut runs: Vec<Run>) {
    page.runs.with_untracked(|here| runs.retain(|run| !here.iter().any(|own| own.config == run.config && own.losses == run.losses)));
    add(page, runs);
    keep(page);
}

/// Shows the runs that this tab had before it was loaded again, and removes those of tabs that were closed long ago.
pub async fn restore(page: Page, before: Option<String>) {
    if let Some(before) = before
        && let Some((stored, _)) = storage::read::<Record>(&record(&before)).await
    {
        add(page, stored.runs);
    }
    let all = storage::descriptions::<Record>(PREFIX).await.into_iter();
    let tabs =
        all.filter(|(_, record)| browser::today() - record.written > LIFETIME).map(|(name, _)| name[PREFIX.len()..].to_string()).collect();
    for tab in tab::gone(tabs).await {
        storage::remove(&record(&tab)).await;
    }
}

/// Puts earlier runs before those that this page has begun meanwhile.
fn add(page: Page, mut earlier: Vec<Run>) {
    page.runs.update(|runs| {
        let free = runs.iter().map(|run| run.id + 1).max().unwrap_or(0);
        for (index, run) in earlier.iter_mut().enumerate() {
            run.id = free + index;
        }
        runs.splice(0..0, earlier);
    });
    if page.current.get_untracked().is_none() {
        page.current.set(page.runs.with_untracked(|runs| runs.last().map(|run| run.id)));
    }
}
