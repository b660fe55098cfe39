//! The visitor's own questions: sets cells, checks answers, and keeps the answers in this browser.

use super::tab;
use crate::page::state::Page;
use crate::page::state::puzzle::{Answer, Puzzle};
use crate::page::{browser, storage};
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

const PREFIX: &str = "answers ";

/// Takes up the answers of earlier visits. This tab's own are stored under its name, so that two tabs do not overwrite each other.
pub async fn restore(page: Page) {
    let stored = storage::descriptions::<Vec<Answer>>(PREFIX).await;
    let earlier: Vec<Answer> = stored.into_iter().flat_map(|(_, answers)| answers).collect();
    page.puzzle.update(|puzzle| {
        let (depth, count) = (puzzle.depth, (puzzle.answers.len() + earlier.len()) as u64);
        puzzle.answers.splice(0..0, earlier);
        // Questions that were answered before do not come again. A question that is being answered stays.
        if puzzle.begun.is_none() && puzzle.checked.is_none() {
            let answers = std::mem::take(&mut puzzle.answers);
            let (rule_shown, rule_seen) = (puzzle.rule_shown, puzzle.rule_seen);
            *puzzle = Puzzle { answers, rule_shown, rule_seen, ..Puzzle::new(depth, count) };
        }
    });
}

/// Turns a cell over.
pub fn turn(page: Page, cell: usize) {
    page.puzzle.update(|puzzle| puzzle.turn(cell, browser::now()));
}

/// Sets a cell, by a key.
pub fn set(page: Page, cell: usize, value: u8) {
    page.puzzle.update(|puzzle| puzzle.set(cell, value, browser::now()));
}

/// Checks the answer and keeps it.
pub fn check(page: Page) {
    page.puzzle.update(|puzzle| puzzle.check(browser::now()));
    if let Some(answer) = page.puzzle.with_untracked(|puzzle| puzzle.checked) {
        keep(page, vec![answer]);
    }
}

/// Takes up answers that the visitor has saved in a file. Those that are here already are left out.
pub fn take_back(page: Page, mut answers: Vec<Answer>) {
    page.puzzle.update(|puzzle| {
        answers.retain(|answer| !puzzle.answers.contains(answer));
        puzzle.answers.extend_from_slice(&answers);
    });
    keep(page, answers);
}

/// Adds answers to this tab's record.
fn keep(page: Page, answers: Vec<Answer>) {
    let tab = page.held.with_value(|held| held.tab.clone());
    spawn_local(async move {
        let name = format!("{PREFIX}{tab}");
        let mut mine: Vec<Answer> = storage::read(&name).await.map(|(answers, _)| answers).unwrap_or_default();
        mine.extend(answers);
        if let Err(error) = storage::write(&name, &mine, None).await {
            tab::tell_refusal(page, error);
        }
    });
}

/// Goes to the next question, at this depth.
pub fn next(page: Page, depth: usize) {
    page.puzzle.update(|puzzle| puzzle.next(depth));
}

/// Asks a question of a lesson: at its depth, with the rule shown or hidden.
pub fn ask(page: Page, depth: usize, rule: bool) {
    page.puzzle.update(|puzzle| {
        puzzle.rule_shown = rule;
        puzzle.next(depth);
    });
}

/// Shows or hides the rule.
pub fn toggle_rule(page: Page) {
    page.puzzle.update(|puzzle| {
        puzzle.rule_shown = !puzzle.rule_shown;
        puzzle.rule_seen |= puzzle.rule_shown && puzzle.checked.is_none();
    });
}
