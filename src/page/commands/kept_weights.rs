//! The weights that a run starts from: weights stored in this browser, or a checkpoint of the site. Stored weights may come from a run that can
//! be trained again.

use super::{form, tab};
use crate::config::{RunConfig, Start, link, shipped};
use crate::page::state::kept_weights::{KeptWeights, PREFIX, newest, record};
use crate::page::state::run::{Run, name_of};
use crate::page::state::{Page, same_numbers};
use crate::page::{browser, former, storage};
use crate::replay::EngineClass;
use crate::results::Ending;
use js_sys::Uint8Array;
use leptos::prelude::*;
use thiserror::Error;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// Lists the weights that earlier visits stored.
pub async fn restore(page: Page) {
    for (former, file) in former::weights().await {
        let former::Former { hash, label, link, class, written } = former;
        let kept = KeptWeights { hash, label, link, class, written };
        if storage::write(&record(kept.hash), &kept, Some(&file)).await.is_ok() {
            former::forget(kept.hash).await;
        }
    }
    let stored = storage::descriptions::<KeptWeights>(PREFIX).await;
    let mut listed: Vec<KeptWeights> = stored.into_iter().map(|(_, kept)| kept).collect();
    listed.sort_by(|a, b| a.written.total_cmp(&b.written));
    page.kept_weights.set(listed);
}

/// Stores weights in memory and in the browser's database. Returns the `start` of a run that starts from them.
pub fn keep(page: Page, label: String, config: &RunConfig, class: Option<EngineClass>, bytes: Uint8Array) -> Start {
    let hash = shipped::hash(&bytes.to_vec());
    let kept = KeptWeights { hash, label, link: link::write(config, None), class, written: browser::today() };
    let (start, stored) = (kept.start(), kept.clone());
    page.held.update_value(|held| {
        held.weights.retain(|(known, _)| *known != hash);
        held.weights.push((hash, bytes.clone()));
    });
    page.kept_weights.update(|all| {
        all.retain(|other| other.hash != hash);
        all.push(kept);
    });
    spawn_local(async move {
        if let Err(error) = storage::write(&record(hash), &stored, Some(&bytes)).await {
            tab::tell_refusal(page, error);
        }
    });
    start
}

/// Stores the best weights of the current run.
pub fn keep_current(page: Page, bytes: Uint8Array) -> Option<Start> {
    let (name, (config, class)) = untrack(|| page.with_current(|run| (run.name.clone(), made_again(run))))?;
    Some(keep(page, name, &config, class, bytes))
}

/// The run that reproduces these weights, and its engine's class. If no run does: the run itself and `None`.
fn made_again(run: &Run) -> (RunConfig, Option<EngineClass>) {
    let mut config = run.config.clone();
    if run.ending == Some(Ending::Stopped) {
        config.training.steps = run.step();
    }
    let class = run.engine.as_ref().map(|engine| engine.class);
    let again = !run.opened && config.can_be_started_from();
    if again { (config, class) } else { (run.config.clone(), None) }
}

/// The hash of the stored weights that a run starts from: preferably of the replayed engine, else the newest.
pub fn kept_run(page: Page, config: &RunConfig) -> Option<u64> {
    kept_as_expected(page, config).or_else(|| page.kept_weights.with(|all| newest(all, config, None)))
}

/// The same, but only weights of the replayed engine if the opened link has a fingerprint.
pub fn kept_as_expected(page: Page, config: &RunConfig) -> Option<u64> {
    let replayed = page.replay.get_untracked().filter(|link| same_numbers(&link.config, config));
    let expected = replayed.and_then(|link| link.fingerprint).map(|fingerprint| fingerprint.engine);
    page.kept_weights.with(|all| newest(all, config, expected))
}

/// Deletes stored weights.
pub fn forget(page: Page, hash: u64) {
    page.held.update_value(|held| held.weights.retain(|(known, _)| *known != hash));
    unlist(page, hash);
    spawn_local(async move { storage::remove(&record(hash)).await });
    if page.form.with_untracked(|form| form.config.start == Start::File(hash)) {
        form::start_from(page, "");
    }
}

fn unlist(page: Page, hash: u64) {
    page.kept_weights.update(|all| all.retain(|kept| kept.hash != hash));
}

/// Why the weights that a run starts from are not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StartError {
    #[error("The checkpoint that this run starts from could not be loaded from the site: check your connection, then press Train again.")]
    NotLoaded,
    #[error(
        "This run starts from a file of weights that is not in this browser: open that model (under Runs), then choose it under “Starts from”."
    )]
    NoFile,
    #[error("The weights that this run starts from are gone from this browser: press Train again, and the page trains them first.")]
    Gone,
}

/// The file of weights that a run starts from; `None` if it starts from new weights.
///
/// # Errors
/// If the file is not available.
pub async fn file(page: Page, config: &RunConfig) -> Result<Option<Uint8Array>, StartError> {
    match &config.start {
        Start::Scratch => Ok(None),
        Start::Shipped(name) => fetch(&shipped::address(name)).await.map(Some).ok_or(StartError::NotLoaded),
        Start::File(hash) => held(page, *hash).await.map(Some).ok_or(StartError::NoFile),
        Start::Run(_) => {
            let hash = untrack(|| kept_run(page, config)).ok_or(StartError::Gone)?;
            let bytes = held(page, hash).await;
            if bytes.is_none() {
                unlist(page, hash);
            }
            bytes.map(Some).ok_or(StartError::Gone)
        }
    }
}

/// The stored weights with this hash, from memory or from the browser's database.
async fn held(page: Page, hash: u64) -> Option<Uint8Array> {
    let held = page.held.with_value(|held| held.weights.iter().find(|(known, _)| *known == hash).map(|(_, bytes)| bytes.clone()));
    match held {
        Some(bytes) => Some(bytes),
        // A record whose bytes are not those of its name is damaged.
        None => storage::read::<KeptWeights>(&record(hash))
            .await
            .and_then(|(_, file)| file)
            .filter(|file| shipped::hash(&file.to_vec()) == hash),
    }
}

/// A file of the site; `None` if it could not be loaded.
pub async fn fetch(address: &str) -> Option<Uint8Array> {
    let bytes = JsFuture::from(browser::file(address).await?.array_buffer().ok()?).await.ok()?;
    Some(Uint8Array::new(&bytes))
}

/// The name of a run's start.
pub fn label(page: Page, config: &RunConfig) -> String {
    match &config.start {
        Start::Scratch => "new weights".into(),
        Start::Shipped(name) => shipped::find(name).map_or(name.clone(), |shipped| shipped.label.into()),
        Start::File(hash) => page
            .kept_weights
            .with(|all| all.iter().find(|kept| kept.hash == *hash).map(|kept| kept.label.clone()))
            .unwrap_or_else(|| "a file that is not in this browser".into()),
        Start::Run(run) => format!("{}, trained first", name_of(run)),
    }
}
