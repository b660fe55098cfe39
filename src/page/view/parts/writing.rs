//! Stepping through a chain of thought: a slider over the rows that the model wrote, and a sentence about each row.

use super::picture::Question;
use super::steady::Steady;
use super::term::Term;
use crate::page::commands::display;
use crate::page::state::{Page, Phase};
use crate::task::next_state;
use leptos::prelude::*;

/// Number of displayed rows of a chain.
pub fn written(question: &Question, held_back: usize) -> usize {
    question.task.depth.saturating_sub(held_back)
}

/// Shows one row of a chain more or less when an arrow key is pressed. The key then does not scroll the page.
pub fn turn_rows(page: Page, current: Memo<Option<Question>>, event: &web_sys::KeyboardEvent, by: isize) {
    let answered = |question: &Question| (question.is_chain() && !question.answers.is_empty()).then_some(question.task.depth);
    let Some(depth) = current.with_untracked(|question| question.as_ref().and_then(answered)) else { return };
    event.prevent_default();
    let held = page.held_back.get_untracked().min(depth);
    display::hold_back(page, held.saturating_add_signed(-by).min(depth));
}

/// The slider and its sentence, shown if the task is a chain of thought.
#[component]
pub fn Writing(page: Page, current: Memo<Option<Question>>) -> impl IntoView {
    let depth = Memo::new(move |_| {
        current.with(|question| question.as_ref().filter(|question| question.is_chain()).map(|question| question.task.depth))
    });
    let unanswered = move || current.with(|question| question.as_ref().is_none_or(|question| question.answers.is_empty()));
    let on_show = move || depth.get().map(|depth| depth.saturating_sub(page.held_back.get()));
    let words = Memo::new(move |_| {
        current.with(|question| question.as_ref().map(|question| sentence(question, written(question, page.held_back.get()))))
    });
    let said = move || words.get().unwrap_or_default();
    let slide = move |event| {
        if let (Some(depth), Ok(rows)) = (depth.get_untracked(), event_target_value(&event).parse::<usize>()) {
            display::hold_back(page, depth.saturating_sub(rows));
        }
    };
    // During a run the answers change all the time, so screen readers do not read them aloud.
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    view! {
        <div class="chain-writing" hidden=move || depth.get().is_none()>
            <label for="written"><Term page=page key="chain" text="Rows written" /></label>
            <input
                id="written" type="range" min="0" step="1" max=move || depth.get().unwrap_or(1).to_string() prop:value=move || on_show().unwrap_or(0).to_string()
                disabled=unanswered aria-valuetext=said on:input=slide on:keydown=|event| event.stop_propagation()
            />
            <output for="written">{move || depth.get().map(|depth| format!("{} of {depth}", on_show().unwrap_or(0)))}</output>
            <Steady longest=Signal::derive(move || current.with(|question| question.iter().flat_map(longest).collect()))>
                <p id="written-from" aria-live=live>{said}</p>
            </Steady>
        </div>
    }
}

/// The sentence about the last displayed row: which rows it was written from, and how many cells are right.
fn sentence(question: &Question, written: usize) -> String {
    let shown = question.task.shown;
    let at = |depth: usize| question.answers.iter().find(|answer| answer.depth == depth);
    if question.answers.is_empty() {
        return "After the model has answered, you can go through its rows one by one.".into();
    }
    let Some(answer) = at(written) else {
        return unwritten(shown);
    };
    let truth = |depth: usize| &question.sample.states[shown - 1 + depth];
    let wrong = answer.cells.iter().zip(truth(written)).filter(|(given, truth)| given != truth).count();
    let follows = at(written - 1).filter(|before| &before.cells != truth(written - 1) && before.cells.iter().all(|&cell| cell < 2));
    let follows = follows.map(|before| next_state(question.task.radius, &question.sample.rule, &before.cells) == answer.cells);
    row_sentence(question, written, wrong, follows)
}

fn unwritten(shown: usize) -> String {
    format!(
        "Nothing is written yet: the model reads rows 1 to {shown}. To see what it writes, use the slider, or the down arrow key in the picture."
    )
}

/// `follows` says whether the row follows by the rule from the row before, if that one was wrong.
fn row_sentence(question: &Question, written: usize, wrong: usize, follows: Option<bool>) -> String {
    let shown = question.task.shown;
    let row = shown + written;
    let own = match written {
        1 => String::new(),
        2 => format!(" and row {}, which it wrote itself", row - 1),
        _ => format!(" and rows {} to {}, which it wrote itself", shown + 1, row - 1),
    };
    let score = match wrong {
        0 => format!("All {} cells are right.", question.task.width),
        1 => "One cell is wrong.".into(),
        wrong => format!("{wrong} cells are wrong."),
    };
    let follows = match follows {
        Some(true) => format!(" It follows by the rule from row {} as the model wrote it, with its mistakes.", row - 1),
        Some(false) => format!(" Row {} was wrong already.", row - 1),
        None => String::new(),
    };
    format!("Row {row} (k = {written}) was written from rows 1 to {shown}{own}. {score}{follows}")
}

/// The longest sentences about a question's rows.
fn longest(question: &Question) -> [String; 2] {
    [unwritten(question.task.shown), row_sentence(question, question.task.depth, question.task.width, Some(true))]
}
