//! The visitor's work as one file, and the machine for the next student.

use super::{finished_runs, lesson};
use crate::page::state::Page;
use crate::page::state::lesson::Saved;
use crate::page::state::run::Run;
use crate::page::{browser, storage};
use crate::wire;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::File;

/// The version of the file.
const VERSION: u32 = 1;

/// The file: finished runs, answers to the questions, and what was given to lessons.
#[derive(Serialize, Deserialize)]
struct Work {
    lookahead_work: u32,
    runs: Vec<Run>,
    #[serde(flatten)]
    given: Saved,
}

/// Saves everything that this visitor has made, as one file. Weights are files of their own.
pub fn save(page: Page) {
    let work = Work { lookahead_work: VERSION, runs: finished_runs::ended(page), given: lesson::save(page) };
    match wire::to_json(&work) {
        Ok(text) => {
            browser::download_text("lookahead-work.json", "application/json", &text);
            tell(page, "Handed to the browser: lookahead-work.json.".into());
        }
        Err(error) => tell(page, format!("Your work could not be written: {error}. Save your runs one by one, as JSON.")),
    }
}

/// Takes back the work of a file. What is here already stays.
pub fn open(page: Page, file: File) {
    spawn_local(async move {
        let text = JsFuture::from(file.text()).await.ok().and_then(|text| text.as_string());
        let read = text.as_deref().map(wire::from_json::<Work>);
        let sentence = match read {
            Some(Ok(work)) if work.lookahead_work == VERSION => {
                let (runs, answers) = (work.runs.len(), work.given.answers.len());
                finished_runs::take_back(page, work.runs);
                lesson::take_back(page, work.given);
                format!("Your work is back: {runs} finished runs, {answers} answered questions, and your lessons.")
            }
            Some(Ok(work)) => format!(
                "“{}” is of version {}, and this page reads version {VERSION}: load this page again to get its newest version.",
                file.name(),
                work.lookahead_work
            ),
            Some(Err(_)) => {
                format!("“{}” is not a file of saved work: choose the lookahead-work.json that “Save my work” gave you.", file.name())
            }
            None => format!("The browser could not read “{}”. It may have been moved: choose it again.", file.name()),
        };
        tell(page, sentence);
    });
}

/// Removes everything that was made on this machine from the browser, and opens the page anew. A class link asks for the next number.
pub fn next_student(page: Page) {
    spawn_local(async move {
        match storage::clear().await {
            Ok(()) => {
                browser::forget_tab();
                browser::open_anew();
            }
            Err(error) => tell(page, format!("The browser did not remove the work. {error}")),
        }
    });
}

fn tell(page: Page, sentence: String) {
    page.work_said.set(sentence);
}
