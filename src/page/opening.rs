//! A saved model, chosen or dropped: which of the files are its two, what is wrong with them as far as names tell, and off to the
//! worker, which reads them. Nothing on the page changes before they are known to fit.

use super::session;
use super::state::{Page, Phase};
use super::{actions, browser, start};
use crate::config::RunConfig;
use crate::protocol::{Command, Engine};
use js_sys::{JsString, Uint8Array};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileList};

/// A file larger than this no browser can open and measure, bytes.
const LARGEST: f64 = 1e9;
const BOTH: &str = "Choose both files that were saved together: model.safetensors and config.json.";

/// The two files of a model.
struct Pair {
    weights: File,
    description: File,
}

/// Which of these files make a model.
///
/// # Errors
/// A sentence that says which file is missing, stands twice or does not belong.
fn pair(files: Vec<File>) -> Result<Pair, String> {
    let (mut weights, mut description) = (None, None);
    for file in files {
        let name = file.name();
        let place = match name.rsplit('.').next() {
            Some(ending) if ending.eq_ignore_ascii_case("safetensors") => &mut weights,
            Some(ending) if ending.eq_ignore_ascii_case("json") => &mut description,
            Some(_) | None => return Err(format!("“{name}” is no file of a saved model. {BOTH}")),
        };
        if let Some(other) = place.replace(file) {
            let other: File = other;
            return Err(format!("“{}” and “{name}” are of the same kind, and a model has one of each. {BOTH}", other.name()));
        }
    }
    match (weights, description) {
        (Some(weights), Some(_)) if weights.size() > LARGEST => Err(format!(
            "“{}” has {:.1} GB, more than a browser can open: use lookahead eval on the command line.",
            weights.name(),
            weights.size() / 1e9
        )),
        (Some(weights), Some(description)) => Ok(Pair { weights, description }),
        (Some(_), None) => Err(format!("The config.json is missing, which says what network the weights belong to. {BOTH}")),
        (None, Some(description)) => Err(format!("“{}” only describes a network; its weights are missing. {BOTH}", description.name())),
        (None, None) => Err(format!("No file was chosen. {BOTH}")),
    }
}

/// Opens the model that these files make.
pub fn open(page: Page, files: Option<FileList>) {
    let files: Vec<File> = files.map(|list| (0..list.length()).filter_map(|index| list.get(index)).collect()).unwrap_or_default();
    if page.phase.get_untracked().active() {
        refuse(page, "A run is in progress: stop it first, then open the model.".into());
        return;
    }
    match pair(files) {
        Ok(pair) => wasm_bindgen_futures::spawn_local(read(page, pair)),
        Err(sentence) => refuse(page, sentence),
    }
}

async fn read(page: Page, pair: Pair) {
    let text = JsFuture::from(pair.description.text()).await.ok().and_then(|text| text.dyn_into::<JsString>().ok());
    let bytes = JsFuture::from(pair.weights.array_buffer()).await.ok();
    let (Some(text), Some(bytes)) = (text, bytes) else {
        refuse(page, "The browser could not read the files: they may have been moved. Choose them again.".into());
        return;
    };
    // A run may have begun while the files were read.
    if page.phase.get_untracked().active() {
        refuse(page, "A run is in progress: stop it first, then open the model.".into());
        return;
    }
    page.unopened.set(None);
    page.before_opening.set(Some(page.phase.get_untracked()));
    page.preparing.set("Opening the model…".into());
    page.phase.set(Phase::Preparing);
    let bytes = Uint8Array::new(&bytes);
    // The bytes beside the message move to the worker.
    page.session.update_value(|session| session.opening = Some(bytes.slice(0, bytes.length())));
    let config = page.form.with_untracked(|form| form.config.clone());
    let command = Command::Open { config, config_json: text.into(), workers: page.workers.get_untracked() };
    session::send(page, command, Some(bytes));
}

/// The worker has found the files to be no model for this task: everything is as before.
pub fn refuse(page: Page, sentence: String) {
    page.unopened.set(Some(sentence));
    if let Some(before) = page.before_opening.get_untracked() {
        page.before_opening.set(None);
        page.phase.set(before);
    }
}

/// The files fit: a run of its own in the list, and the form with the network's shape.
pub fn opened(page: Page, config: RunConfig, engine: Engine, parameters: usize) {
    page.before_opening.set(None);
    page.failure.set(None);
    actions::add_run(page, config.clone(), true);
    page.change_current(|run| {
        run.engine = Some(engine);
        run.parameters = parameters;
    });
    page.faults.set(None);
    let label = untrack(|| page.with_current(|run| run.name.clone())).unwrap_or_default();
    if let Some(bytes) = page.session.try_update_value(|session| session.opening.take()).flatten() {
        start::keep(page, label, &config, None, bytes);
    }
    actions::fill(page, config);
    page.runs.notify();
}

/// Lets files be dropped anywhere on the page.
pub fn listen(page: Page) {
    let over = window_event_listener(leptos::ev::dragover, move |event| {
        if holds_files(&event) {
            event.prevent_default();
            page.dragging.set(true);
        }
    });
    let left = window_event_listener(leptos::ev::dragleave, move |event| {
        // It has left the window only if it has not entered another element.
        if event.related_target().is_none() {
            page.dragging.set(false);
        }
    });
    let dropped = window_event_listener(leptos::ev::drop, move |event| {
        page.dragging.set(false);
        if holds_files(&event) {
            event.prevent_default();
            open(page, event.data_transfer().and_then(|data| data.files()));
        }
    });
    for listener in [over, left, dropped] {
        on_cleanup(move || listener.remove());
    }
}

fn holds_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Asks for files by the browser's own window.
pub fn choose() {
    browser::click("open-files");
}
