//! What the user does becomes state and commands.

use super::form::Form;
use super::run::Run;
use super::session::{self, Snapshot};
use super::state::{Failure, Faults, Page, Phase};
use super::{browser, charts::series};
use super::{check, sequel, start, sweep};
use crate::config::fields::{self, Field};
use crate::config::presets::{self, Preset};
use crate::config::{ModelKind, RunConfig, Start, link};
use crate::protocol::{Bytes, Command, Which};
use leptos::prelude::*;

/// Starts a new run of what the form says.
pub fn train(page: Page) {
    let form = page.form.get_untracked();
    if page.phase.get_untracked().active() || !form.reasons().is_empty() {
        return;
    }
    sequel::begin(page, form.config, None);
}

/// Starts a new run, called so if not after its settings. The weights that it starts from are here.
pub fn begin_run(page: Page, config: RunConfig, name: Option<String>) {
    add_run(page, config.clone(), false);
    if let Some(name) = name {
        page.change_current(|run| run.name = name);
        page.runs.notify();
    }
    page.session.update_value(|session| session.snapshot = None);
    page.snapshot_step.set(None);
    begin(page, config, None);
}

/// Puts a new run into the list and makes it the current one.
pub fn add_run(page: Page, config: RunConfig, opened: bool) {
    let id = page.runs.with_untracked(|runs| runs.iter().map(|run| run.id + 1).max().unwrap_or(0));
    let free = page.runs.with_untracked(|runs| series::free(runs.iter().map(|run| run.series)));
    let run = if opened { Run::opened(id, free, config) } else { Run::new(id, free, config) };
    page.runs.update(|runs| runs.push(run));
    page.current.set(Some(id));
}

/// Goes on with the current run from its newest snapshot, in a new worker.
pub fn recover(page: Page) {
    let Some(snapshot) = page.session.with_value(|session| session.snapshot.clone()) else { return };
    let config = page.runs.with_untracked(|runs| runs.iter().find(|run| run.id == snapshot.run).map(|run| run.config.clone()));
    let Some(config) = config else { return };
    session::close(page);
    page.current.set(Some(snapshot.run));
    begin(page, config, Some(snapshot));
}

fn begin(page: Page, config: RunConfig, snapshot: Option<Snapshot>) {
    page.failure.set(None);
    page.unfinished.set(None);
    page.silent.set(false);
    page.stopping.set(false);
    page.pace.update_untracked(|pace| pace.rest());
    page.preparing.set("Loading the engine…".into());
    page.phase.set(Phase::Preparing);
    let workers = page.workers.get_untracked();
    if let Some(snapshot) = snapshot {
        session::send(page, Command::Start { config, workers, bytes: Bytes::Snapshot }, Some(snapshot.bytes));
        return;
    }
    if config.start == Start::Scratch {
        session::send(page, Command::Start { config, workers, bytes: Bytes::None }, None);
        return;
    }
    let run = page.current.get_untracked();
    wasm_bindgen_futures::spawn_local(async move {
        let file = start::file(page, &config).await;
        // Somebody may have stopped the run meanwhile.
        if page.phase.get_untracked() != Phase::Preparing || page.current.get_untracked() != run {
            return;
        }
        match file {
            Ok(bytes) => session::send(page, Command::Start { config, workers, bytes: Bytes::Weights }, bytes),
            Err(sentence) => session::fail(page, Failure { sentence, remedy: String::new() }),
        }
    });
}

/// What the one main button does in each phase.
pub fn main_button(page: Page) {
    match page.phase.get_untracked() {
        Phase::Idle | Phase::Finished | Phase::Failed => train(page),
        Phase::Preparing => {}
        Phase::Running => session::send(page, Command::Pause, None),
        Phase::Paused => session::send(page, Command::Resume, None),
    }
}

/// Makes one step while paused.
pub fn step(page: Page) {
    if page.phase.get_untracked() == Phase::Paused {
        session::send(page, Command::Step, None);
    }
}

/// Ends the run. Before its first step there is nothing to measure, so the worker is simply replaced.
pub fn stop(page: Page) {
    match page.phase.get_untracked() {
        Phase::Running | Phase::Paused => {
            page.stopping.set(true);
            sweep::hold(page);
            session::send(page, Command::Stop, None);
        }
        Phase::Preparing => {
            session::close(page);
            page.before_opening.set(None);
            page.sequels.set(Vec::new());
            sweep::hold(page);
            let id = page.current.get_untracked();
            page.runs.update(|runs| runs.retain(|run| Some(run.id) != id || run.begun()));
            page.phase.set(Phase::Idle);
            session::open(page);
        }
        Phase::Idle | Phase::Finished | Phase::Failed => {}
    }
}

/// Changes the step count that the current run is to reach. A form that described this run goes on describing it.
pub fn reach(page: Page, steps: u64) {
    let Some(config) = untrack(|| page.with_current(|run| run.config.clone())) else { return };
    let followed = page.form.with_untracked(|form| form.config == config);
    page.change_current(|run| run.reach(steps));
    page.runs.notify();
    session::send(page, Command::Reach { steps }, None);
    if followed {
        let mut config = config;
        config.training.steps = steps;
        fill(page, config);
    }
}

/// Asks for the weights; the report brings the downloads.
pub fn save(page: Page, which: Which) {
    session::send(page, Command::Save { which }, None);
}

/// Fills the form from a configuration.
pub fn fill(page: Page, config: RunConfig) {
    page.form.set(Form::of(config));
    page.filled.update(|count| *count += 1);
    page.example.set(0);
    show_in_address(page);
}

pub fn load_preset(page: Page, preset: &Preset) {
    page.faults.set(None);
    page.replay.set(None);
    fill(page, (preset.config)());
}

/// Sets the form to another network. Where the form is a network's quick preset, unchanged, it becomes the other's, which learns the same task
/// with settings that suit it; else the other settings stay.
pub fn choose_model(page: Page, kind: ModelKind) {
    let config = page.form.with_untracked(|form| form.config.clone());
    if ModelKind::ALL.into_iter().any(|other| presets::quick_of(other) == config) {
        fill(page, presets::quick_of(kind));
        return;
    }
    let Some(field) = fields::field("model") else { return };
    page.form.update(|form| form.set(field, kind.key()));
    page.filled.update(|count| *count += 1);
    show_in_address(page);
}

/// Takes over what was typed into a field.
pub fn edit(page: Page, field: &'static Field, text: &str) {
    page.form.update(|form| form.set(field, text));
    show_in_address(page);
}

/// Sets one field for the user, by its key.
pub fn put(page: Page, (key, value): (&'static str, &'static str)) {
    let Some(field) = fields::field(key) else { return };
    page.form.update(|form| form.set(field, value));
    page.filled.update(|count| *count += 1);
    show_in_address(page);
}

/// Keeps the address bar's fragment the link of the form, so that a bookmark or a reload keeps it too.
fn show_in_address(page: Page) {
    let config = page.form.with_untracked(|form| form.config.clone());
    // An opened link keeps its fingerprint in the address for as long as it describes the form.
    let kept = page.replay.get_untracked().filter(|link| link.config == config).and_then(|link| link.fingerprint);
    browser::set_fragment(&link::write(&config, kept.as_ref()));
}

/// Opens the link in the address bar, if there is one.
pub fn open_address(page: Page) {
    let text = browser::fragment();
    if text.is_empty() {
        return;
    }
    match link::read(&text) {
        Ok(link) => {
            page.faults.set(None);
            page.form.set(Form::of(link.config.clone()));
            page.filled.update(|count| *count += 1);
            page.example.set(0);
            page.replay.set(link.fingerprint.is_some().then_some(link));
        }
        Err(sentences) => {
            // The address is left as it came, for the user to mend; the form stays, so that nothing typed is lost.
            page.replay.set(None);
            page.faults.set(Some(Faults { link: browser::page_url(&text), sentences }));
        }
    }
}

/// The link that Copy link gives: of the form, with the current run's fingerprint where the form describes that run.
pub fn form_fragment(page: Page) -> String {
    let config = page.form.with(|form| form.config.clone());
    let fingerprint = page.with_current(|run| if run.config == config { run.fingerprint() } else { None }).flatten();
    link::write(&config, fingerprint.as_ref())
}

/// Copies a link and says so beside the button.
pub fn copy_link(page: Page, fragment: &str) {
    let told = move |done| page.tell(if done { "Copied" } else { "Copying is not allowed here: select the link and copy it by hand." });
    browser::copy(&browser::page_url(fragment), told);
}

/// Removes a run from the page; the one the worker is busy with stays.
pub fn remove(page: Page, id: usize) {
    if page.current.get_untracked() == Some(id) {
        if page.phase.get_untracked().active() {
            return;
        }
        page.current.set(None);
        page.session.update_value(|session| session.snapshot = None);
        page.snapshot_step.set(None);
        page.phase.set(Phase::Idle);
    }
    check::forget(page, id);
    page.runs.update(|runs| runs.retain(|run| run.id != id));
}
