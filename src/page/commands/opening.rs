//! Opens a saved model that the user chose or dropped: checks the names of its two files and sends them to the worker, which reads them. The
//! page changes nothing until the worker reports that they fit.

use super::{class, form, kept_weights, runs, worker};
use crate::config::RunConfig;
use crate::config::shipped::{self, Shipped};
use crate::page::browser;
use crate::page::dropped;
use crate::page::state::door::Door;
use crate::page::state::{Page, Phase};
use crate::page::worker::build;
use crate::protocol::{Command, Engine};
use js_sys::{JsString, Uint8Array};
use leptos::prelude::*;
use thiserror::Error;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{DragEvent, File, FileList};

/// The largest file that a browser can open and measure, in bytes.
const LARGEST: f64 = 1e9;

/// Why files are not those of a model.
#[derive(Clone, Debug, PartialEq, Error)]
enum PairError {
    #[error("“{0}” is not a file of a saved model. {BOTH}", BOTH = BOTH)]
    Foreign(String),
    #[error("“{0}” and “{1}” are of the same kind, but a model has one file of each kind. {BOTH}", BOTH = BOTH)]
    SameKind(String, String),
    #[error("“{name}” has {gigabytes:.1} GB, and a browser can open 1 GB at most: use lookahead eval on the command line.")]
    TooLarge { name: String, gigabytes: f64 },
    #[error("“{0}” only describes the network, and its weights are missing. {BOTH}", BOTH = BOTH)]
    NoWeights(String),
    #[error("No file was chosen. {BOTH}", BOTH = BOTH)]
    NoFile,
}

const BOTH: &str = "Choose both files that were saved together: model.safetensors and config.json.";

/// The files of a model. The weights' file may hold the description too.
struct Pair {
    weights: File,
    description: Option<File>,
}

/// Finds the two files of a model. Other programs save more beside them (a tokenizer, generation_config.json, training_args.bin); these are
/// set aside.
///
/// # Errors
/// A sentence that says which file is missing, comes twice or does not belong to a model.
fn pair(files: Vec<File>) -> Result<Pair, PairError> {
    let ends = |file: &File, ending: &str| file.name().rsplit('.').next().is_some_and(|found| found.eq_ignore_ascii_case(ending));
    let one = |mut kind: Vec<File>| match kind.len() {
        0 | 1 => Ok(kind.pop()),
        _ => Err(PairError::SameKind(kind[0].name(), kind[1].name())),
    };
    let foreign = files.iter().find(|file| !ends(file, "safetensors") && !ends(file, "json")).map(File::name);
    let weights = one(files.iter().filter(|file| ends(file, "safetensors")).cloned().collect())?;
    let named: Vec<File> = files.iter().filter(|file| file.name().eq_ignore_ascii_case("config.json")).cloned().collect();
    let described = if named.is_empty() { files.into_iter().filter(|file| ends(file, "json")).collect() } else { named };
    let description = one(described)?;
    if let (Some(name), None) = (foreign, &weights) {
        return Err(PairError::Foreign(name));
    }
    match (weights, description) {
        (Some(weights), _) if weights.size() > LARGEST => {
            Err(PairError::TooLarge { name: weights.name(), gigabytes: weights.size() / 1e9 })
        }
        (Some(weights), description) => Ok(Pair { weights, description }),
        (None, Some(description)) => Err(PairError::NoWeights(description.name())),
        (None, None) => Err(PairError::NoFile),
    }
}

/// Opens the model in these files.
pub fn open(page: Page, files: Option<FileList>) {
    open_all(page, files.map(|list| (0..list.length()).filter_map(|index| list.get(index)).collect()).unwrap_or_default());
}

fn open_all(page: Page, files: Vec<File>) {
    // In the class's room, files are what the class handed in.
    if page.door.get_untracked() == Door::Class {
        class::open_files(page, files);
        return;
    }
    if page.phase.get_untracked().active() {
        refuse(page, "A run is in progress: stop it first, then open the model.".into());
        return;
    }
    match pair(files) {
        Ok(pair) => spawn_local(read(page, pair)),
        Err(error) => refuse(page, error.to_string()),
    }
}

async fn read(page: Page, pair: Pair) {
    let text = match &pair.description {
        Some(file) => JsFuture::from(file.text()).await.ok().and_then(|text| text.dyn_into::<JsString>().ok()),
        None => Some("".into()),
    };
    let bytes = JsFuture::from(pair.weights.array_buffer()).await.ok();
    let (Some(text), Some(bytes)) = (text, bytes) else {
        refuse(page, "The browser could not read the files. They may have been moved: choose them again.".into());
        return;
    };
    send(page, &Uint8Array::new(&bytes), text.into());
}

/// Opens a checkpoint of the site and sets the form to the run that trained it.
pub fn take(page: Page, shipped: &'static Shipped) {
    spawn_local(async move {
        match (kept_weights::fetch(&shipped::address(shipped.name)).await, shipped.config()) {
            (Some(bytes), Ok(config)) if !page.phase.get_untracked().active() => {
                form::fill(page, config);
                send(page, &bytes, String::new());
            }
            (Some(_), _) => refuse(page, "A run is in progress: stop it first, then take the weights.".into()),
            (None, _) => {
                refuse(page, "The weights could not be loaded from the site: check your connection, then press the button again.".into())
            }
        }
    });
}

/// Sends weights to the worker, which reads them.
fn send(page: Page, bytes: &Uint8Array, config_json: String) {
    // A run may have begun while the browser read the files.
    if page.phase.get_untracked().active() {
        refuse(page, "A run is in progress: stop it first, then open the model.".into());
        return;
    }
    page.unopened.set(None);
    page.before_opening.set(Some(page.phase.get_untracked()));
    page.preparing.set("Opening the model…".into());
    page.phase.set(Phase::Preparing);
    let config = page.form.with_untracked(|form| form.config.clone());
    let command = Command::Open { config, config_json, workers: page.workers.get_untracked() };
    page.held.update_value(|held| held.opening = Some((command.clone(), copy(bytes))));
    worker::send(page, command, Some(copy(bytes)));
}

/// A copy of the bytes. Sending a message moves its bytes to the worker, so the page keeps a copy.
fn copy(bytes: &Uint8Array) -> Uint8Array {
    bytes.slice(0, bytes.length())
}

/// The files fit, but need Burn: replaces the worker by one with Burn and sends the command again.
pub fn on_burn(page: Page) {
    let asked = page.held.with_value(|held| held.opening.as_ref().map(|(command, bytes)| (command.clone(), copy(bytes))));
    if let Some((command, bytes)) = asked {
        worker::send_to(page, build::BURN, command, Some(bytes));
    }
}

/// Refuses the files with a sentence. The rest of the page stays unchanged.
pub fn refuse(page: Page, sentence: String) {
    page.unopened.set(Some(sentence));
    if let Some(before) = page.before_opening.get_untracked() {
        page.before_opening.set(None);
        page.phase.set(before);
    }
}

/// The files fit: adds a run to the list and sets the form to the model's network.
pub fn opened(page: Page, config: RunConfig, engine: Engine, parameters: usize) {
    page.before_opening.set(None);
    page.failure.set(None);
    runs::add(page, config.clone(), true);
    page.change_current(|run| {
        run.engine = Some(engine);
        run.parameters = parameters;
    });
    page.faults.set(None);
    let label = untrack(|| page.with_current(|run| run.name.clone())).unwrap_or_default();
    if let Some((_, bytes)) = page.held.try_update_value(|held| held.opening.take()).flatten() {
        kept_weights::keep(page, label, &config, None, bytes);
    }
    form::fill(page, config);
    page.runs.notify();
}

/// Lets the user drop files anywhere on the page.
pub fn listen(page: Page) {
    let over = window_event_listener(leptos::ev::dragover, move |event| {
        if holds_files(&event) {
            event.prevent_default();
            page.dragging.set(true);
        }
    });
    let left = window_event_listener(leptos::ev::dragleave, move |event| {
        // The files have left the window only if they have not entered another element.
        if event.related_target().is_none() {
            page.dragging.set(false);
        }
    });
    let dropped = window_event_listener(leptos::ev::drop, move |event| {
        page.dragging.set(false);
        if holds_files(&event) {
            event.prevent_default();
            let entries = dropped::entries(&event);
            if entries.is_empty() {
                open(page, event.data_transfer().and_then(|data| data.files()));
            } else {
                spawn_local(async move { open_all(page, dropped::files(entries).await) });
            }
        }
    });
    for listener in [over, left, dropped] {
        on_cleanup(move || listener.remove());
    }
}

fn holds_files(event: &DragEvent) -> bool {
    event.data_transfer().is_some_and(|data| data.types().includes(&"Files".into(), 0))
}

/// Opens the browser's file dialog.
pub fn choose() {
    browser::click("open-files");
}
