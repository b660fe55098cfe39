//! The task as a picture: the rows shown, the question, the true answer, and the model's answer.

use super::steady::Steady;
use super::term::Term;
use super::writing::{Writing, turn_rows, written};
use crate::page::browser;
use crate::page::commands::display;
use crate::page::state::run::Run;
use crate::page::state::{Page, Phase};
use crate::page::view::charts::chain::{self, Chain};
use crate::page::view::charts::orbit::{self, Asked, Orbit};
use crate::page::view::charts::rule::{self, RulePicture};
use crate::results::Prediction;
use crate::task::{Horizon, Layout, Sample, Split, Task};
use leptos::prelude::*;

/// Number of questions before a run has its own.
const BEFORE: usize = 8;
/// The largest width and height of the rows, in CSS pixels: with the rule next to them, and with a long rule below them.
const BESIDE: (f64, f64) = (340.0, 372.0);
const ABOVE: (f64, f64) = (476.0, 270.0);

/// The content of the picture.
#[derive(Clone, PartialEq)]
pub struct Question {
    pub task: Task,
    pub sample: Sample,
    pub split: Split,
    pub answers: Vec<Prediction>,
    pub position: usize,
    pub count: usize,
}

impl Question {
    /// Whether the model writes its answer row after row.
    pub fn is_chain(&self) -> bool {
        self.task.layout == Layout::ChainOfThought
    }
}

/// The displayed question; `None` while the task is invalid.
pub fn question(page: Page) -> Option<Question> {
    let (task, seed) = page.subject();
    if task.fault().is_some() {
        return None;
    }
    let told = if page.current_is_subject() { page.with_current(answered) } else { None };
    let mut asked = told.unwrap_or_default();
    if asked.is_empty() {
        asked = (0..BEFORE as u64).map(|index| (Split::Validation, index, Vec::new())).collect();
    }
    let (position, count) = (page.example.get() % asked.len(), asked.len());
    let (split, index, answers) = asked.swap_remove(position);
    Some(Question { task, sample: task.sample(seed, split, index), split, answers, position, count })
}

/// The questions that a run has answered, with its answers: those of validation rules first, so that the question shown stays when the run ends
/// and answers its test questions.
fn answered(run: &Run) -> Vec<(Split, u64, Vec<Prediction>)> {
    let of = |split: Split, predictions: &[Prediction]| {
        let mut indices: Vec<u64> = predictions.iter().map(|prediction| prediction.index).collect();
        indices.sort_unstable();
        indices.dedup();
        let answers = |index: u64| predictions.iter().filter(|prediction| prediction.index == index).cloned().collect();
        indices.into_iter().map(|index| (split, index, answers(index))).collect::<Vec<_>>()
    };
    let mut all = of(Split::Validation, &run.practice);
    all.extend(of(run.split, &run.predictions));
    all
}

/// The task picture.
#[component]
pub fn Picture(page: Page) -> impl IntoView {
    let current = Memo::new(move |_| question(page));
    let turn = move |by: isize| {
        let count = current.with_untracked(|question| question.as_ref().map_or(1, |question| question.count));
        display::leaf(page, by, count);
    };
    let key = move |event: web_sys::KeyboardEvent| match event.key().as_str() {
        "ArrowLeft" => turn(-1),
        "ArrowRight" => turn(1),
        "ArrowUp" => turn_rows(page, current, &event, -1),
        "ArrowDown" => turn_rows(page, current, &event, 1),
        _ => {}
    };
    let keys = move || match current.with(|question| question.as_ref().is_some_and(Question::is_chain)) {
        true => "Question. Left and right arrow keys go to other questions, up and down hide and show the rows that the model wrote",
        false => "Question. Left and right arrow keys go to other questions",
    };
    // Pictures of cells are drawn anew where the page becomes large.
    let sized = move || {
        page.projector.track();
        current.get()
    };
    let wide = move || current.with(|question| question.as_ref().is_some_and(|question| is_wide(&question.task)));
    let place = move || {
        current.with(|question| question.as_ref().map(|question| format!("question {} of {}", question.position + 1, question.count)))
    };
    view! {
        <section class="card-box picture-card" aria-label="The task" on:keydown=key>
            <div class="card-heading">
                <h2>"The question"</h2>
                <div class="card-pager">
                    <button type="button" id="previous" class="button-quiet" aria-label="Previous question" on:click=move |_| turn(-1)>"◀"</button>
                    <span aria-live="polite">{place}</span>
                    <button type="button" id="next" class="button-quiet" aria-label="Next question" on:click=move |_| turn(1)>"▶"</button>
                </div>
            </div>
            <div class="card-lead">
                <Steady longest=Signal::derive(move || current.with(|question| question.iter().map(|question| longest(&question.task)).collect()))>
                    <p>
                        {move || current.with(|question| question.as_ref().map(|question| asking(&question.task)))}
                        " Its rule is " <Term page=page key="held-out" text="held out" /> ": the model never trained on it."
                    </p>
                </Steady>
            </div>
            <div class="picture-task" id="task-picture" tabindex="0" role="group" aria-label=keys>
                <div class="picture-rows">{move || sized().map(|question| rows(&question, revealed(page), page.held_back.get()))}</div>
                <div class="rule-box" class:rule-wide=wide>
                    <h3><Term page=page key="rule" text="The hidden rule" /></h3>
                    <div class="rule-drawn" class:rule-hidden=move || !page.rule_shown.get() aria-hidden=move || (!page.rule_shown.get()).to_string()>
                        {move || sized().as_ref().map(rule_view)}
                        <p class="text-hint">"Neighbours above, next colour below. Faded entries never occur in the rows shown, so the model can only guess them."</p>
                    </div>
                    <div class="button-row">
                        <button type="button" id="show-rule" aria-pressed=move || page.rule_shown.get().to_string() on:click=move |_| display::toggle_rule(page)>{move || if page.rule_shown.get() { "Hide the rule" } else { "Show the rule" }}</button>
                        <RevealButton page=page />
                    </div>
                </div>
                <Writing page=page current=current />
            </div>
        </section>
    }
}

/// Whether the true row is drawn: once the run has ended, and earlier if the user asks for it.
fn revealed(page: Page) -> bool {
    page.reveal.get() || page.phase.get() == Phase::Finished && page.current_is_subject()
}

/// Shows the true answer before the run has ended. Afterwards the truth is always next to the prediction.
#[component]
fn RevealButton(page: Page) -> impl IntoView {
    let ended = move || page.phase.get() == Phase::Finished && page.current_is_subject();
    let label = move || if page.reveal.get() { "Hide the answer" } else { "Show the answer" };
    view! {
        <button type="button" id="reveal" hidden=ended aria-pressed=move || page.reveal.get().to_string() on:click=move |_| display::toggle_reveal(page)>
            {label}
        </button>
    }
}

/// The longest sentence about a task with as many rows.
fn longest(task: &Task) -> String {
    let asked = asking(&Task { layout: Layout::OrbitOrbit, horizon: Horizon::Single, depth: task.depth.max(2), ..*task });
    format!("{asked} Its rule is held out: the model never trained on it.")
}

fn asking(task: &Task) -> String {
    let last = task.shown;
    let shown = format!("Rows 1 to {last} are shown");
    let (next, asked) = (last + 1, last + task.max_depth());
    match (task.layout, task.horizon) {
        (_, Horizon::Multi) => format!("{shown}. Which colours will rows {next} to {asked} have? Each row is a separate question."),
        (Layout::OrbitOrbit, _) if task.depth > 1 => {
            format!(
                "{shown}. Which colours will rows {next} to {asked} have? The model answers all rows at once and does not see its own answers."
            )
        }
        (Layout::ChainOfThought, _) if task.depth > 1 => {
            format!("{shown}. The model writes rows {next} to {asked} one after the other, and reads what it has written.")
        }
        (Layout::OrbitRuleState, _) => format!("{shown}. Which rule made them, and which colours will row {asked} have?"),
        (Layout::RuleOrbitState, _) => format!("{shown}, and here the model is shown the rule too. Which colours will row {asked} have?"),
        (Layout::OrbitState | Layout::OrbitOrbit | Layout::ChainOfThought, _) if task.depth == 1 => {
            format!("{shown}. Which colours will row {asked} have?")
        }
        (Layout::OrbitState | Layout::OrbitOrbit | Layout::ChainOfThought, _) => {
            format!("{shown}. Which colours will row {asked} have, {} steps ahead?", task.depth)
        }
    }
}

fn rows(question: &Question, reveal: bool, held_back: usize) -> AnyView {
    let task = &question.task;
    let asked = |depth: usize, answer: Option<Vec<u8>>| {
        let truth = question.sample.states[task.shown - 1 + depth].clone();
        Asked { depth, truth, revealed: reveal, answer }
    };
    let answered = task.depths().into_iter().map(|depth| {
        let answer = question.answers.iter().find(|answer| answer.depth == depth);
        asked(depth, answer.map(|answer| answer.cells.clone()))
    });
    let between = unasked(question).into_iter().enumerate().map(|(index, row)| asked(index + 1, Some(row)));
    let orbit = Orbit { shown: question.sample.states[..task.shown].to_vec(), asked: between.chain(answered).collect() };
    let (width, height) = if is_wide(task) { ABOVE } else { BESIDE };
    let scale = browser::magnification();
    // 48 pixels are the margins of the card and the page on a phone.
    let width = width.min(browser::window_size().0 - 48.0);
    if question.is_chain() {
        return chain::draw(&Chain { orbit, written: written(question, held_back) }, width, height, scale);
    }
    orbit::draw(&orbit, width, height, scale)
}

/// The rows that a network which learns from a reward wrote by itself before its answer: those that are as wide as a row, where there is room
/// for them between the rows shown and the answer.
fn unasked(question: &Question) -> Vec<Vec<u8>> {
    let task = &question.task;
    let [answer] = &question.answers[..] else { return Vec::new() };
    let rows = answer.written.iter().filter(|row| row.len() == task.width);
    rows.take(answer.depth.saturating_sub(1)).cloned().collect()
}

/// Whether the rule or the rows are too wide to be side by side.
fn is_wide(task: &Task) -> bool {
    task.radius.entries() > 8 || task.width > 24
}

fn rule_view(question: &Question) -> AnyView {
    let task = &question.task;
    let used = rule::used(task.radius, &question.sample.states[..task.shown]);
    rule::draw(&RulePicture { radius: task.radius, rule: question.sample.rule.clone(), used, scale: browser::magnification() })
}
