//! The chart of accuracy against depth.

use super::figure::{Figure, visible};
use crate::config::link;
use crate::page::state::Page;
use crate::page::state::references::SAMPLES;
use crate::page::state::run::Run;
use crate::page::view::charts::depth;
use leptos::prelude::*;

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
            (samples, true) => format!("Ceiling and floors from {samples} of {SAMPLES} questions so far"),
            (samples, false) => format!("Ceiling and floors from {samples} questions"),
        })
    };
    let other = move || {
        let subject = page.subject();
        let foreign = page.runs.with(|runs| visible(runs).any(|run| !run.measured.is_empty() && run.subject().0 != subject.0));
        foreign.then_some(" of the current task; some of the runs drawn have another task")
    };
    view! {
        <Figure id="depth-chart" name="depth" height=272.0 draw=draw>
            <span class="text-hint" data-samples=move || page.references.with(|references| references.samples().to_string())>{samples}{other}"."</span>
        </Figure>
    }
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
