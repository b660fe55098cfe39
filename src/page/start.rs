//! What a run starts from: weights kept in this browser, or a checkpoint that the site carries.

use super::state::Page;
use super::{actions, storage};
use crate::config::link;
use crate::config::{RunConfig, Start, shipped};
use crate::protocol::Which;
use js_sys::Uint8Array;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The note that lists what is kept.
const INDEX: &str = "lookahead-weights";

/// Weights that a run can start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    pub hash: u64,
    /// What a person calls them.
    pub label: String,
    /// The run that made them, whose network they fit.
    pub link: String,
}

impl Kept {
    /// Their file.
    fn name(&self) -> String {
        format!("weights-{:016x}.safetensors", self.hash)
    }
}

/// Lists what earlier visits have kept.
pub fn restore(page: Page) {
    page.kept.set(serde_json::from_str(&storage::note(INDEX)).unwrap_or_default());
}

/// Keeps weights, here and beyond the page's life, and gives what a run says that starts from them.
pub fn keep(page: Page, label: String, config: &RunConfig, bytes: Uint8Array) -> Start {
    let hash = shipped::hash(&bytes.to_vec());
    let kept = Kept { hash, label, link: link::write(config, None) };
    let name = kept.name();
    page.session.update_value(|session| {
        session.kept.retain(|(known, _)| *known != hash);
        session.kept.push((hash, bytes.clone()));
    });
    page.kept.update(|all| {
        all.retain(|other| other.hash != hash);
        all.push(kept);
    });
    let index = page.kept.with_untracked(|all| serde_json::to_string(all).unwrap_or_default());
    storage::set_note(INDEX, &index);
    spawn_local(async move {
        if let Err(sentence) = storage::write(&name, &bytes).await {
            page.tell(&sentence);
        }
    });
    Start::File(hash)
}

/// Forgets weights.
pub fn forget(page: Page, hash: u64) {
    let name = page.kept.with_untracked(|all| all.iter().find(|kept| kept.hash == hash).map(Kept::name));
    page.kept.update(|all| all.retain(|kept| kept.hash != hash));
    page.session.update_value(|session| session.kept.retain(|(known, _)| *known != hash));
    let index = page.kept.with_untracked(|all| serde_json::to_string(all).unwrap_or_default());
    storage::set_note(INDEX, &index);
    if let Some(name) = name {
        spawn_local(async move { storage::remove(&name).await });
    }
    if page.form.with_untracked(|form| form.config.start == Start::File(hash)) {
        choose(page, "");
    }
}

/// Asks for the current run's best weights, to start another run from.
pub fn go_on_from_run(page: Page) {
    page.keeping.set(true);
    actions::save(page, Which::Best);
}

/// The weights that were asked for are here: kept, and what the form starts from.
pub fn arrived(page: Page, bytes: Option<Uint8Array>) {
    page.keeping.set(false);
    let run = untrack(|| page.with_current(|run| (run.name.clone(), run.config.clone())));
    if let (Some((name, config)), Some(bytes)) = (run, bytes) {
        let start = keep(page, name, &config, bytes);
        let text = start.text().unwrap_or_default();
        choose(page, &text);
        page.tell("The form now starts from these weights: change what you like, then press Train.");
    }
}

/// Sets what the form's run starts from, by its value in links; the network follows.
pub fn choose(page: Page, value: &str) {
    let mut config = page.form.with_untracked(|form| form.config.clone());
    config.start = if value.is_empty() { Start::Scratch } else { Start::read(value).unwrap_or(Start::Scratch) };
    if let Some(made) = maker(page, &config.start) {
        config.task.vocabulary = made.task.vocabulary;
        let (looped, hops) = (config.model.looped, config.model.hops);
        config.set_model(made.model);
        (config.model.looped, config.model.hops) = (looped, hops);
    }
    actions::fill(page, config);
}

/// The run that made these weights, where it is known.
fn maker(page: Page, start: &Start) -> Option<RunConfig> {
    match start {
        Start::Scratch => None,
        Start::Shipped(name) => shipped::find(name)?.config().ok(),
        Start::File(hash) => {
            let link = page.kept.with_untracked(|all| all.iter().find(|kept| kept.hash == *hash).map(|kept| kept.link.clone()))?;
            link::read(&link).ok().map(|link| link.config)
        }
    }
}

/// The file that a run starts from; none for one that starts anew.
///
/// # Errors
/// A sentence when it is not here.
pub async fn file(page: Page, start: &Start) -> Result<Option<Uint8Array>, String> {
    match start {
        Start::Scratch => Ok(None),
        Start::Shipped(name) => fetch(&format!("checkpoints/{name}.safetensors")).await.map(Some).ok_or(
            "The checkpoint that this run starts from could not be loaded from the site: check the connection, then press Train again."
                .into(),
        ),
        Start::File(hash) => {
            let held =
                page.session.with_value(|session| session.kept.iter().find(|(known, _)| known == hash).map(|(_, bytes)| bytes.clone()));
            if held.is_some() {
                return Ok(held);
            }
            let name = format!("weights-{hash:016x}.safetensors");
            storage::read(&name).await.map(Some).ok_or(
                "This run starts from a file of weights that is not in this browser: open that model (under Runs), then choose it where the run starts from.".into(),
            )
        }
    }
}

async fn fetch(address: &str) -> Option<Uint8Array> {
    let response: web_sys::Response = JsFuture::from(window().fetch_with_str(address)).await.ok()?.dyn_into().ok()?;
    let bytes = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    response.ok().then(|| Uint8Array::new(&bytes))
}

/// A name for what a run starts from.
pub fn label(page: Page, start: &Start) -> String {
    match start {
        Start::Scratch => "new weights".into(),
        Start::Shipped(name) => shipped::find(name).map_or(name.clone(), |shipped| shipped.label.into()),
        Start::File(hash) => page
            .kept
            .with(|all| all.iter().find(|kept| kept.hash == *hash).map(|kept| kept.label.clone()))
            .unwrap_or_else(|| "a file that is not in this browser".into()),
    }
}
