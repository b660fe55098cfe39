//! Stepping through a chain of thought: a slider over the rows that the model wrote, and what each was written from.

use super::picture::Question;
use super::term::Term;
use crate::page::state::{Page, Phase};
use crate::task::next_state;
use leptos::prelude::*;

/// How many of the rows of a chain are on show.
pub fn written(question: &Question, held_back: usize) -> usize {
    question.task.depth.saturating_sub(held_back)
}

/// Shows one row of a chain more or less, by an arrow key that then does not scroll the page.
pub fn turn_rows(page: Page, current: Memo<Option<Question>>, event: &web_sys::KeyboardEvent, by: isize) {
    let answered = |question: &Question| (question.is_chain() && !question.answers.is_empty()).then_some(question.task.depth);
    let Some(depth) = current.with_untracked(|question| question.as_ref().and_then(answered)) else { return };
    event.prevent_default();
    page.held_back.update(|held| *held = (*held).min(depth).saturating_add_signed(-by).min(depth));
}

/// The slider and its sentence, where the task is a chain of thought.
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
            page.held_back.set(depth.saturating_sub(rows));
        }
    };
    // While a run goes on the answers change by themselves: nobody wants them all read aloud.
    let live = move || if page.phase.get() == Phase::Running { "off" } else { "polite" };
    view! {
        <div class="writing" hidden=move || depth.get().is_none()>
            <label for="written"><Term page=page key="chain" text="Rows written" /></label>
            <input
                id="written" type="range" min="0" step="1" max=move || depth.get().unwrap_or(1).to_string() prop:value=move || on_show().unwrap_or(0).to_string()
                disabled=unanswered aria-valuetext=said on:input=slide on:keydown=|event| event.stop_propagation()
            />
            <output for="written">{move || depth.get().map(|depth| format!("{} of {depth}", on_show().unwrap_or(0)))}</output>
            <p id="written-from" aria-live=live>{said}</p>
        </div>
    }
}

/// Which row is on show last, what it was written from, and how right it is.
fn sentence(question: &Question, written: usize) -> String {
    let shown = question.task.shown;
    let at = |depth: usize| question.answers.iter().find(|answer| answer.depth == depth);
    if question.answers.is_empty() {
        return "Once the model has answered, you can go through what it wrote row by row.".into();
    }
    let Some(answer) = at(written) else {
        return format!(
            "Nothing is written yet: the model reads rows 1 to {shown}. Show what it writes with the slider, or with the down arrow in the picture."
        );
    };
    let truth = |depth: usize| &question.sample.states[shown - 1 + depth];
    let row = shown + written;
    let own = match written {
        1 => String::new(),
        2 => format!(" and row {}, which it wrote itself", row - 1),
        _ => format!(" and rows {} to {}, which it wrote itself", shown + 1, row - 1),
    };
    let wrong = answer.cells.iter().zip(truth(written)).filter(|(given, truth)| given != truth).count();
    let score = match wrong {
        0 => format!("All {} cells are right.", answer.cells.len()),
        1 => "One cell is wrong.".into(),
        wrong => format!("{wrong} cells are wrong."),
    };
    let follows = at(written - 1).filter(|before| &before.cells != truth(written - 1) && before.cells.iter().all(|&cell| cell < 2));
    let follows = follows.map(|before| next_state(question.task.radius, &question.sample.rule, &before.cells) == answer.cells);
    let follows = match follows {
        Some(true) => format!(" It follows by the rule from row {} as the model wrote it, mistakes included.", row - 1),
        Some(false) => format!(" Row {} was wrong already.", row - 1),
        None => String::new(),
    };
    format!("Row {row} (k = {written}) was written from rows 1 to {shown}{own}. {score}{follows}")
}
