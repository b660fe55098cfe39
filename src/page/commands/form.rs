//! Changes the form and the address bar. Presets, links and models fill the form; the user edits it field by field.

use super::display;
use crate::config::fields::{self, Field};
use crate::config::presets::{self, Preset};
use crate::config::{ModelKind, RunConfig, Start, link, sentences, shipped, short};
use crate::page::browser;
use crate::page::state::form::Form;
use crate::page::state::kept_weights::KeptWeights;
use crate::page::state::{Faults, Page};
use leptos::prelude::*;

/// Fills the form from a configuration.
pub fn fill(page: Page, config: RunConfig) {
    page.form.set(Form::of(config));
    page.filled.update(|count| *count += 1);
    page.example.set(0);
    show_in_address(page);
}

pub fn load_preset(page: Page, preset: &Preset) {
    page.faults.set(None);
    page.link_note.set(None);
    page.replay.set(None);
    fill(page, (preset.config)());
}

/// Sets the form to another network. If the form has a network's unchanged quick preset, it gets the new network's quick preset, which has the
/// same task and settings that suit that network. Otherwise all other settings stay.
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

/// Sets a field to the typed text.
pub fn edit(page: Page, field: &'static Field, text: &str) {
    page.form.update(|form| form.set(field, text));
    show_in_address(page);
}

/// Sets a field to a text that the user did not type. The input then takes it.
pub fn put_text(page: Page, field: &'static Field, text: &str) {
    page.form.update(|form| form.set(field, text));
    page.filled.update(|count| *count += 1);
    show_in_address(page);
}

/// Sets one field by its key, for a button.
pub fn put(page: Page, (key, value): (&'static str, &'static str)) {
    let Some(field) = fields::field(key) else { return };
    put_text(page, field, value);
}

/// Writes the form's link into the address bar, so that a bookmark or a reload keeps the settings.
fn show_in_address(page: Page) {
    let config = page.form.with_untracked(|form| form.config.clone());
    // An opened link keeps what it tells of its run in the address while the form has its settings.
    let kept = page.replay.get_untracked().filter(|link| link.config == config).map(|link| link.seal());
    browser::set_fragment(&kept.unwrap_or_else(|| link::seal(&config, None)));
}

/// Opens the link in the address bar, if there is one.
pub fn open_address(page: Page) {
    let text = browser::fragment();
    if text.is_empty() {
        return;
    }
    page.link_note.set(None);
    match short::read(&text) {
        Ok((link, notes)) => {
            page.faults.set(None);
            page.link_note.set(notes.sentence(&link.config, browser::cores()));
            page.form.set(Form::of(link.config.clone()));
            page.filled.update(|count| *count += 1);
            page.example.set(0);
            page.replay.set(link.fingerprint.is_some().then_some(link));
            if notes.short {
                // A name may mean another run one day; the whole link never does.
                show_in_address(page);
            }
        }
        Err(errors) => {
            // The address stays unchanged, so that the user can correct it. The form stays too, so that no input is lost.
            page.replay.set(None);
            page.faults.set(Some(Faults { link: browser::page_url(&text), sentences: sentences(&errors) }));
        }
    }
}

/// The link that Copy link copies: the form's, with the current run's result if the form has that run's settings.
pub fn form_fragment(page: Page) -> String {
    let config = page.form.with(|form| form.config.clone());
    let run = page.with_current(|run| (run.config == config).then(|| run.fragment())).flatten();
    run.unwrap_or_else(|| link::seal(&config, None))
}

/// Copies the link of the form's run for a class: on the engine whose bits are equal on every machine. The form then has that engine too, so
/// that the teacher sees what the class will see.
pub fn copy_class_link(page: Page) {
    if let Some(field) = fields::field("engine") {
        put_text(page, field, "portable");
    }
    copy_link(page, &untrack(|| form_fragment(page)));
}

/// Copies a link and shows a confirmation next to the button.
pub fn copy_link(page: Page, fragment: &str) {
    display::copy(page, &browser::page_url(fragment));
}

/// Sets the start of the form's run, by its value in links. The form gets the network of those weights.
pub fn start_from(page: Page, value: &str) {
    let mut config = page.form.with_untracked(|form| form.config.clone());
    config.start = if value.is_empty() { Start::Scratch } else { Start::read(value).unwrap_or(Start::Scratch) };
    if let Some(made) = maker(page, &config.start) {
        config.task.vocabulary = made.task.vocabulary;
        let (looped, hops) = (config.model.looped, config.model.hops);
        config.set_model(made.model);
        (config.model.looped, config.model.hops) = (looped, hops);
    }
    fill(page, config);
}

/// The run that trained these weights, if it is known.
fn maker(page: Page, start: &Start) -> Option<RunConfig> {
    match start {
        Start::Scratch => None,
        Start::Shipped(name) => shipped::find(name)?.config().ok(),
        Start::File(hash) => {
            page.kept_weights.with_untracked(|all| all.iter().find(|kept| kept.hash == *hash).and_then(KeptWeights::config))
        }
        Start::Run(run) => Some((**run).clone()),
    }
}
