//! The three charts: what of the state each one shows.

use super::figure::Figure;
use crate::config::{Objective, link};
use crate::page::charts::{depth, loss, progress};
use crate::page::references::SAMPLES;
use crate::page::run::Run;
use crate::page::state::Page;
use leptos::prelude::*;

/// Loss over steps, of all visible runs.
#[component]
pub fn LossFigure(page: Page) -> impl IntoView {
    let points = Signal::derive(move || page.with_current(|run| run.losses.len()).unwrap_or(0));
    let draw = move |size| {
        let lines: Vec<loss::Line> = page.runs.with(|runs| {
            visible(runs)
                .filter(|run| !run.losses.is_empty() && in_nats(run))
                .map(|run| loss::Line::of(&run.name, run.series, &run.losses))
                .collect()
        });
        loss::draw(&lines, page.log_loss.get(), size)
    };
    view! {
        <Figure id="loss-chart" name="loss" height=270.0 draw=draw points=points>
            <span class="hint">{move || page.with_current(in_nats).is_some_and(|nats| !nats).then_some("A loss made of rewards is no measure of how well it does, and is not drawn. ")}</span>
            <label class="check">
                <input id="loss-log" type="checkbox" prop:checked=move || page.log_loss.get() on:change=move |event| page.log_loss.set(event_target_checked(&event)) />
                "logarithmic"
            </label>
        </Figure>
    }
}

/// Exact match against depth, of all visible runs.
#[component]
pub fn DepthFigure(page: Page) -> impl IntoView {
    let draw = move |size| {
        let runs: Vec<depth::Points> = page.runs.with(|runs| visible(runs).filter_map(points).collect());
        let subject = page.subject();
        page.references.with(|references| depth::draw(&runs, references.of(&subject), size))
    };
    let samples = move || {
        page.references.with(|references| match (references.samples(), references.growing) {
            (0, _) => "Ceiling and floors: measuring…".to_string(),
            (samples, true) => format!("Ceiling and floors from {samples} of {SAMPLES} questions, still refining"),
            (samples, false) => format!("Ceiling and floors from {samples} questions"),
        })
    };
    let other = move || {
        let subject = page.subject();
        let foreign = page.runs.with(|runs| visible(runs).any(|run| !run.measured.is_empty() && run.subject().0 != subject.0));
        foreign.then_some(" of the task on show; some runs drawn have another task")
    };
    view! {
        <Figure id="depth-chart" name="depth" height=272.0 draw=draw>
            <span class="hint">{samples}{other}"."</span>
        </Figure>
    }
}

/// Exact match over steps, of the current run.
#[component]
pub fn ProgressFigure(page: Page) -> impl IntoView {
    let draw = move |size| {
        let subject = page.with_current(Run::subject).unwrap_or_else(|| page.subject());
        let courses = page.with_current(courses).unwrap_or_default();
        let least = subject.0.depths().first().copied().unwrap_or(1);
        let ceiling = page.references.with(|references| {
            references.of(&subject).iter().find(|estimate| estimate.depth == least).map(|estimate| (least, estimate.ceiling))
        });
        progress::draw(&courses, ceiling, size)
    };
    view! {
        <Figure id="progress-chart" name="progress" height=270.0 draw=draw>
            <span class="hint">{move || page.with_current(|run| format!("Run: {}", run.name))}</span>
        </Figure>
    }
}

/// Whether the run's loss is a cross-entropy.
fn in_nats(run: &Run) -> bool {
    match run.config.training.objective {
        Objective::Examples => true,
        Objective::Grpo => false,
    }
}

fn visible(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter().filter(|run| run.visible)
}

fn points(run: &Run) -> Option<depth::Points> {
    let measurement = run.latest()?;
    let scores = measurement.depths.iter().map(|score| (score.depth, score.exact, score.samples)).collect();
    let mut alike = run.config.clone();
    alike.task.depth = 1;
    Some(depth::Points {
        name: run.name.clone(),
        series: run.series,
        kind: format!("{}{}", run.opened, link::write(&alike, None)),
        step: measurement.step,
        scores,
        hops: measurement.depths.iter().filter_map(|score| Some((score.depth, score.hops?))).collect(),
    })
}

fn courses(run: &Run) -> Vec<progress::Course> {
    let depths = run.config.task.depths();
    let at = |depth: usize| {
        let scores = run.measured.iter().flat_map(|measurement| measurement.depths.iter().map(move |score| (measurement.step, score)));
        scores
            .filter(|(_, score)| score.depth == depth)
            .map(|(step, score)| (step as f64, score.exact as f64 / score.samples.max(1) as f64))
            .collect()
    };
    depths.into_iter().map(|depth| progress::Course { depth, points: at(depth) }).collect()
}
