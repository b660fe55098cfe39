//! What a run starts from: weights kept in this browser, those of a run that can be trained again among them, or a checkpoint that the site
//! carries.

use super::run::{Run, name_of};
use super::state::Page;
use super::{actions, sequel, storage};
use crate::config::link;
use crate::config::{EngineChoice, RunConfig, Start, shipped};
use crate::protocol::{Ending, Which};
use crate::replay::EngineClass;
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
    /// The engine that made them, where that run's link makes them again.
    #[serde(default)]
    class: Option<EngineClass>,
}

impl Kept {
    /// Their file.
    fn name(&self) -> String {
        format!("weights-{:016x}.safetensors", self.hash)
    }

    fn config(&self) -> Option<RunConfig> {
        link::read(&self.link).ok().map(|link| link.config)
    }

    /// What a run says that starts from them.
    pub fn start(&self) -> Start {
        let run = self.class.and_then(|_| self.config());
        run.map_or(Start::File(self.hash), |run| Start::from_run(&run))
    }

    /// Whether they are what `config` starts from, as an engine of the class `expected` makes them.
    fn begins(&self, config: &RunConfig, expected: Option<EngineClass>) -> bool {
        if config.start == Start::File(self.hash) {
            return true;
        }
        let Some(class) = self.class else { return false };
        let engine = match config.engine {
            EngineChoice::Auto => true,
            EngineChoice::Cpu => !class.is_burn() && class != EngineClass::WebGpu,
            EngineChoice::WebGpu => class == EngineClass::WebGpu,
            EngineChoice::Burn => class.is_burn(),
            EngineChoice::BurnFlex => class == EngineClass::BurnFlex,
            EngineChoice::BurnWgpu => class == EngineClass::BurnWgpu,
        };
        engine && expected.is_none_or(|expected| expected == class) && config.start == self.start()
    }
}

/// Lists what earlier visits have kept, but for what the browser has cleared since.
pub fn restore(page: Page) {
    let listed: Vec<Kept> = serde_json::from_str(&storage::note(INDEX)).unwrap_or_default();
    page.kept.set(listed.clone());
    spawn_local(async move {
        for kept in listed {
            if !storage::has(&kept.name()).await {
                forget_index(page, kept.hash);
            }
        }
    });
}

/// Keeps weights, here and beyond the page's life, and gives what a run says that starts from them.
pub fn keep(page: Page, label: String, config: &RunConfig, class: Option<EngineClass>, bytes: Uint8Array) -> Start {
    let hash = shipped::hash(&bytes.to_vec());
    let kept = Kept { hash, label, link: link::write(config, None), class };
    let (name, start) = (kept.name(), kept.start());
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
    start
}

/// Keeps the best weights of the current run.
pub fn keep_current(page: Page, bytes: Uint8Array) -> Option<Start> {
    let (name, (config, class)) = untrack(|| page.with_current(|run| (run.name.clone(), made_again(run))))?;
    Some(keep(page, name, &config, class, bytes))
}

/// The run that makes these weights again, and on what engine; where nothing does, their run as it is.
fn made_again(run: &Run) -> (RunConfig, Option<EngineClass>) {
    let mut config = run.config.clone();
    if run.ending == Some(Ending::Stopped) {
        config.training.steps = run.step();
    }
    let class = run.engine.as_ref().map(|engine| engine.class);
    let again = !run.opened && config.can_be_started_from();
    if again { (config, class) } else { (run.config.clone(), None) }
}

/// The hash of the weights kept here that a run starts from: the newest, but rather those of the engine that is being replayed.
pub fn kept_run(page: Page, config: &RunConfig) -> Option<u64> {
    kept_as_expected(page, config).or_else(|| page.kept.with(|all| newest(all, config, None)))
}

/// The same, of no other engine than the one that is being replayed.
pub fn kept_as_expected(page: Page, config: &RunConfig) -> Option<u64> {
    let replayed = page.replay.get_untracked().filter(|link| super::state::same_numbers(&link.config, config));
    let expected = replayed.and_then(|link| link.fingerprint).map(|fingerprint| fingerprint.engine);
    page.kept.with(|all| newest(all, config, expected))
}

fn newest(all: &[Kept], config: &RunConfig, expected: Option<EngineClass>) -> Option<u64> {
    all.iter().rev().find(|kept| kept.begins(config, expected)).map(|kept| kept.hash)
}

/// Forgets weights.
pub fn forget(page: Page, hash: u64) {
    let name = page.kept.with_untracked(|all| all.iter().find(|kept| kept.hash == hash).map(Kept::name));
    page.session.update_value(|session| session.kept.retain(|(known, _)| *known != hash));
    forget_index(page, hash);
    if let Some(name) = name {
        spawn_local(async move { storage::remove(&name).await });
    }
    if page.form.with_untracked(|form| form.config.start == Start::File(hash)) {
        choose(page, "");
    }
}

fn forget_index(page: Page, hash: u64) {
    page.kept.update(|all| all.retain(|kept| kept.hash != hash));
    let index = page.kept.with_untracked(|all| serde_json::to_string(all).unwrap_or_default());
    storage::set_note(INDEX, &index);
}

/// Asks for the current run's best weights, to start another run from.
pub fn go_on_from_run(page: Page) {
    page.keeping.set(true);
    actions::save(page, Which::Best);
}

/// The weights that were asked for are here: kept, and what the form starts from.
pub fn arrived(page: Page, bytes: Option<Uint8Array>) {
    page.keeping.set(false);
    let Some(bytes) = bytes else { return };
    if sequel::arrived(page, &bytes) {
        return;
    }
    if let Some(start) = keep_current(page, bytes) {
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
        Start::File(hash) => page.kept.with_untracked(|all| all.iter().find(|kept| kept.hash == *hash).and_then(Kept::config)),
        Start::Run(run) => Some((**run).clone()),
    }
}

/// The file that a run starts from; none for one that starts anew.
///
/// # Errors
/// A sentence when it is not here.
pub async fn file(page: Page, config: &RunConfig) -> Result<Option<Uint8Array>, String> {
    match &config.start {
        Start::Scratch => Ok(None),
        Start::Shipped(name) => fetch(&format!("checkpoints/{name}.safetensors")).await.map(Some).ok_or(
            "The checkpoint that this run starts from could not be loaded from the site: check the connection, then press Train again."
                .into(),
        ),
        Start::File(hash) => held(page, *hash).await.map(Some).ok_or(
            "This run starts from a file of weights that is not in this browser: open that model (under Runs), then choose it where the run starts from.".into(),
        ),
        Start::Run(_) => {
            let gone = || "The weights that this run starts from are gone from this browser: press Train again, and they are trained first.".to_string();
            let hash = untrack(|| kept_run(page, config)).ok_or_else(gone)?;
            let bytes = held(page, hash).await;
            if bytes.is_none() {
                forget_index(page, hash);
            }
            bytes.map(Some).ok_or_else(gone)
        }
    }
}

/// Kept weights.
async fn held(page: Page, hash: u64) -> Option<Uint8Array> {
    let held = page.session.with_value(|session| session.kept.iter().find(|(known, _)| *known == hash).map(|(_, bytes)| bytes.clone()));
    match held {
        Some(bytes) => Some(bytes),
        None => storage::read(&format!("weights-{hash:016x}.safetensors")).await,
    }
}

async fn fetch(address: &str) -> Option<Uint8Array> {
    let response: web_sys::Response = JsFuture::from(window().fetch_with_str(address)).await.ok()?.dyn_into().ok()?;
    let bytes = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    response.ok().then(|| Uint8Array::new(&bytes))
}

/// A name for what a run starts from.
pub fn label(page: Page, config: &RunConfig) -> String {
    match &config.start {
        Start::Scratch => "new weights".into(),
        Start::Shipped(name) => shipped::find(name).map_or(name.clone(), |shipped| shipped.label.into()),
        Start::File(hash) => page
            .kept
            .with(|all| all.iter().find(|kept| kept.hash == *hash).map(|kept| kept.label.clone()))
            .unwrap_or_else(|| "a file that is not in this browser".into()),
        Start::Run(run) => format!("{}, trained first", name_of(run)),
    }
}
