//! The chart of accuracy against depth.

use super::figure::{Figure, visible};
use crate::config::link;
use crate::page::state::Page;
use crate::page::state::references::SAMPLES;
use crate::page::state::run::Run;
use crate::page::view::charts::depth;
use crate::task::Task;
use leptos::prelude::*;

/// Exact match against depth, of all visible runs.
#[component]
pub fn DepthFigure(page: Page) -> impl IntoView {
    let draw = move |size| {
        let subject = page.subject();
        let points = |run: &Run| points(run, alike(&run.subject(), &subject));
        let runs: Vec<depth::Points> = page.runs.with(|runs| visible(runs).filter_map(points).collect());
        let sent = page.replay.with(|link| link.as_ref().map_or_else(Vec::new, |link| link.scores.clone()));
        page.references.with(|references| depth::draw(&runs, &sent, references.of(&subject), size))
    };
    let samples = move || {
        page.references.with(|references| match (references.samples(), references.growing) {
            (0, _) => "Ceiling and floors: measuring…".to_string(),
            (samples, true) => format!("Ceiling and floors from {samples} of {SAMPLES} questions so far"),
            (samples, false) => format!("Ceiling and floors from {samples} questions"),
        })
    };
    let other = move || {
        let subject = page.subject();
        let foreign = page.runs.with(|runs| visible(runs).any(|run| !run.measured.is_empty() && !alike(&run.subject(), &subject)));
        foreign.then_some(" of the current task. Faint runs have another task")
    };
    let lucky = move || {
        let subject = page.subject();
        let ceilings = page.references.with(|references| references.of(&subject).to_vec());
        let above = |run: &Run| {
            let scores = run.latest().map(|last| last.depths.clone()).unwrap_or_default();
            scores.into_iter().find(|score| {
                let ceiling = ceilings.iter().find(|estimate| estimate.depth == score.depth).map_or(1.0, |estimate| estimate.ceiling);
                score.exact as f64 > ceiling * score.samples as f64
            })
        };
        let found = page.runs.with(|runs| visible(runs).filter(|run| run.subject() == subject).find_map(above));
        found.map(|score| format!(". A score of {} questions can lie above the ceiling by luck", score.samples))
    };
    view! {
        <Figure id="depth-chart" name="depth" height=272.0 draw=draw>
            <span class="text-hint" data-samples=move || page.references.with(|references| references.samples().to_string())>{samples}{other}{lucky}"."</span>
        </Figure>
    }
}

/// Whether two subjects have one task, whatever the depth and the way of answering: their ceilings and floors are the same.
fn alike(a: &(Task, u64), b: &(Task, u64)) -> bool {
    let bare = |task: &Task| (task.radius, task.width, task.shown);
    bare(&a.0) == bare(&b.0)
}

fn points(run: &Run, alike: bool) -> Option<depth::Points> {
    let measurement = run.latest()?;
    let scores = measurement.depths.iter().map(|score| (score.depth, score.exact, score.samples)).collect();
    let mut first = run.config.clone();
    first.task.depth = 1;
    Some(depth::Points {
        name: run.name.clone(),
        series: run.series,
        foreign: !alike,
        kind: format!("{}{}", run.opened, link::write(&first, None)),
        step: measurement.step,
        scores,
        hops: measurement.depths.iter().filter_map(|score| Some((score.depth, score.hops?))).collect(),
    })
}
