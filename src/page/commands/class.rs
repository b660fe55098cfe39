//! The class: a student takes a number, and a teacher collects lines, reads them and makes their runs again.

use super::{form, queue, tab};
use crate::class::{self, Handed, Lines};
use crate::page::split::NotLoaded;
use crate::page::state::Page;
use crate::page::state::class::{Class, LISTED, Seat, Source};
use crate::page::state::door::Door;
use crate::page::state::queue::Queued;
use crate::page::{browser, storage};
use crate::wire;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_split_helpers::wasm_split;
use web_sys::File;

/// The length of a slice of reading in milliseconds: less than a frame.
const SLICE: f64 = 12.0;
/// The largest file that is read, and the most text that is stored in the browser, in bytes.
const LARGEST: f64 = 200e6;
const STORED: usize = 8_000_000;
/// How long the lines of a closed tab are kept, in milliseconds: they are the work of students.
const LIFETIME: f64 = 86_400_000.0;
const PREFIX: &str = "class ";

/// The record of a tab's lines.
#[derive(Serialize, Deserialize)]
struct Record {
    /// Milliseconds since 1970.
    written: f64,
    sources: Vec<Source>,
}

/// Reads the number in the address, or asks for one. A link that cannot be read gives no run, so its banner comes first.
pub fn open_seat(page: Page) {
    let Some(text) = browser::query("seat").filter(|_| page.faults.with_untracked(Option::is_none)) else { return };
    match class::seat(&text) {
        Some(number) => take_seat(page, number),
        None => page.seat.set(Seat::Asked),
    }
}

/// Takes a number: the form's run gets it as its seed, and the address keeps it.
pub fn take_seat(page: Page, number: u64) {
    let mut config = page.form.with_untracked(|form| form.config.clone());
    config.seed = number;
    page.replay.set(None);
    browser::replace_query(&["seat"], &format!("seat={number}"));
    form::fill(page, config.clone());
    page.seat.set(Seat::Taken { number, config: Box::new(config) });
}

/// Asks for the number again.
pub fn leave_seat(page: Page) {
    browser::replace_query(&["seat"], "seat=");
    page.seat.set(Seat::Asked);
}

/// Saves a student's line as a file.
pub fn save_line(line: &str, seed: u64) {
    browser::download_text(&format!("lookahead-{seed}.jsonl"), "application/json", &format!("{line}\n"));
}

/// Saves all lines whose form is right as one file.
pub fn save_all(page: Page) {
    let text = page.class.with_untracked(|class| {
        let lines = class.right().filter_map(|line| wire::to_json(&line.record).ok());
        lines.fold(String::new(), |text, line| text + &line + "\n")
    });
    browser::download_text("lookahead-class.jsonl", "application/json", &text);
}

/// Reads pasted text.
pub fn add_text(page: Page, text: String) {
    if !text.trim().is_empty() {
        add(page, vec![Source { name: String::new(), text }], true);
    }
}

/// Reads files.
pub fn open_files(page: Page, files: Vec<File>) {
    spawn_local(async move {
        let mut sources = Vec::new();
        for file in files {
            let name = file.name();
            if file.size() > LARGEST {
                page.tell(&format!("“{name}” has {:.0} MB, and the page reads 200 MB at most: cut it into parts.", file.size() / 1e6));
                continue;
            }
            match JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string()) {
                Some(text) => sources.push(Source { name, text }),
                None => page.tell(&format!("The browser could not read “{name}”. It may have been moved: choose it again.")),
            }
        }
        add(page, sources, true);
    });
}

/// Adds texts. `new` texts are stored, if they are not too large. They are read as soon as the teacher's room is open.
fn add(page: Page, sources: Vec<Source>, new: bool) {
    page.class.update_untracked(|class| {
        if class.stored.iter().chain(&sources).map(|source| source.text.len()).sum::<usize>() <= STORED {
            class.stored.extend(sources.iter().cloned());
        } else {
            page.tell("These lines are too many to be stored in the browser: open the file again after a reload.");
        }
        class.unread.extend(sources);
    });
    if new {
        keep(page);
    }
    if page.door.with_untracked(|door| *door == Door::Class) {
        spawn_local(async move {
            // The room is a part of the same files: if they do not come, it says so, and reads the texts when they do.
            if let Ok(read) = reader().await {
                read(page);
            }
        });
    }
}

#[wasm_split(class, fallible)]
fn reader() -> Result<fn(Page), NotLoaded> {
    Ok(read)
}

/// Reads the texts that are not read yet in slices, so that the page stays alive with thousands of lines.
pub fn read(page: Page) {
    let unread = page.class.with_untracked(|class| !class.unread.is_empty());
    // A text that is being read goes on with these.
    if !unread || page.class_reading.get_untracked().is_some() {
        return;
    }
    page.class_reading.set(Some(0));
    spawn_local(async move {
        let next = |class: &mut Class| (!class.unread.is_empty()).then(|| (class.unread.remove(0), class.cleared));
        while let Some((source, cleared)) = page.class.try_update_untracked(next).flatten() {
            let mut lines = Lines::of(&source.text);
            while !slice(page, &source.name, &mut lines, cleared) {
                browser::breathe().await;
            }
        }
        page.class_reading.set(None);
        page.class.notify();
    });
}

/// Reads lines for a short time. Returns whether the text has ended, or was cleared meanwhile.
fn slice(page: Page, name: &str, lines: &mut Lines, cleared: u32) -> bool {
    let begun = browser::now();
    let read = |class: &mut Class| {
        while class.cleared == cleared && browser::now() - begun < SLICE {
            let Some(item) = lines.next() else { return true };
            let line = class.reader.read(wire::from_json, name, &item);
            class.lines.push(line);
        }
        class.cleared != cleared
    };
    let ended = page.class.try_update_untracked(read).unwrap_or(true);
    page.class_reading.set(Some(page.class.with_untracked(|class| class.lines.len())));
    ended
}

/// Stores the texts, so that they are still there after a reload.
fn keep(page: Page) {
    let sources = page.class.with_untracked(|class| class.stored.clone());
    let tab = page.held.with_value(|held| held.tab.clone());
    if tab.is_empty() || sources.is_empty() {
        return;
    }
    spawn_local(async move {
        if let Err(error) = storage::write(&format!("{PREFIX}{tab}"), &Record { written: browser::today(), sources }, None).await {
            tab::tell_refusal(page, error);
        }
    });
}

/// Takes up the lines that this tab had before it was loaded again, and removes those of tabs that were closed long ago.
pub async fn restore(page: Page, before: Option<String>) {
    if let Some(before) = before
        && let Some((stored, _)) = storage::read::<Record>(&format!("{PREFIX}{before}")).await
    {
        add(page, stored.sources, false);
    }
    let all = storage::descriptions::<Record>(PREFIX).await.into_iter();
    let old = all.filter(|(_, record)| browser::today() - record.written > LIFETIME).map(|(name, _)| name[PREFIX.len()..].to_string());
    for tab in tab::gone(old.collect()).await {
        storage::remove(&format!("{PREFIX}{tab}")).await;
    }
}

/// Removes all lines, from the page and from the browser's storage.
pub fn clear(page: Page) {
    page.class.update(|class| *class = Class { cleared: class.cleared + 1, ..Class::default() });
    let tab = page.held.with_value(|held| held.tab.clone());
    spawn_local(async move { storage::remove(&format!("{PREFIX}{tab}")).await });
}

/// What a line is called: its label, or the number of its student.
pub fn name_of(line: &Handed) -> String {
    let label = line.record.label.as_deref().unwrap_or_default().trim();
    if label.is_empty() { format!("Number {}", line.config.seed) } else { label.chars().take(40).collect() }
}

/// Makes the run of a line again, or those of all listed lines that were not made again.
pub fn run_again(page: Page, line: Option<usize>) {
    let runs = page.class.with_untracked(|class| {
        let made = page.runs.with_untracked(|runs| class.verdicts(runs));
        let wanted = |index: &usize| line.map_or(!made.iter().any(|(made, _)| made == index), |line| line == *index);
        let run = |index: usize| class.lines.get(index)?.read.as_deref().ok();
        let queued = |line: &Handed| Queued { name: format!("Again: {}", name_of(line)), ..Queued::listed(line.again()) };
        let indices: Vec<usize> = line.map_or_else(|| class.listed(), |line| vec![line]);
        indices.into_iter().filter(wanted).filter_map(run).map(queued).take(LISTED).collect()
    });
    queue::add(page, runs);
}
