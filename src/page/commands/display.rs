//! Changes what the page displays. Nothing here changes a run.

use crate::page::browser;
use crate::page::state::{Page, Tip};
use leptos::prelude::*;

/// The largest number of CPU workers that the user can ask for.
pub const MOST_WORKERS: usize = 64;

/// Sets the number of CPU workers to ask for; 0 means that the engine chooses.
pub fn set_workers(page: Page, workers: usize) {
    page.workers.set(workers.min(MOST_WORKERS));
}

/// Shows or hides the story.
pub fn open_story(page: Page, open: bool) {
    page.story_open.set(open);
}

/// Puts the keyboard focus on the main button, whichever it is now.
pub fn go_to_train() {
    ["train", "pause", "resume"].into_iter().for_each(browser::focus);
}

/// Puts the keyboard focus on the settings.
pub fn go_to_settings() {
    browser::focus("settings");
}

/// Copies a text and confirms it next to Copy link.
pub fn copy(page: Page, text: &str) {
    let told = move |done| {
        page.tell(if done { "Copied" } else { "The browser does not allow copying here: select the text and copy it by hand." })
    };
    browser::copy(text, told);
}

/// Closes the note on a link.
pub fn close_link_note(page: Page) {
    page.link_note.set(None);
}

/// Closes the list of a link's faults.
pub fn close_faults(page: Page) {
    page.faults.set(None);
}

/// Closes the banner that says why a model's files were refused.
pub fn close_unopened(page: Page) {
    page.unopened.set(None);
}

/// Draws losses on a logarithmic or a linear axis.
pub fn set_log_loss(page: Page, log: bool) {
    page.log_loss.set(log);
}

/// Moves by `by` within `count` example questions.
pub fn leaf(page: Page, by: isize, count: usize) {
    page.example.update(|position| *position = (*position as isize + by).rem_euclid(count.max(1) as isize) as usize);
}

/// Shows or hides the rule of the question.
pub fn toggle_rule(page: Page) {
    page.rule_shown.update(|shown| *shown = !*shown);
}

/// Shows or hides the true answer before the run has ended.
pub fn toggle_reveal(page: Page) {
    page.reveal.update(|shown| *shown = !*shown);
}

/// Sets how many of a chain of thought's last rows the picture hides.
pub fn hold_back(page: Page, rows: usize) {
    page.held_back.set(rows);
}

/// Shows an explanation, or hides it.
pub fn set_tip(page: Page, tip: Option<Tip>) {
    page.tip.set(tip);
}
