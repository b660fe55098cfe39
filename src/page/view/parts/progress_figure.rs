//! The chart of accuracy over steps.

use super::figure::Figure;
use crate::page::state::Page;
use crate::page::state::run::Run;
use crate::page::view::charts::progress;
use leptos::prelude::*;

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
            <span class="text-hint">{move || page.with_current(|run| format!("Run: {}", run.name))}</span>
        </Figure>
    }
}

fn courses(run: &Run) -> Vec<progress::Course> {
    let depths = run.config.task.depths();
    let at = |depth: usize| {
        let scores = run.measured.iter().flat_map(|measurement| measurement.depths.iter().map(move |score| (measurement.step, score)));
        scores.filter(|(_, score)| score.depth == depth).map(|(step, score)| (step as f64, score.share())).collect()
    };
    depths.into_iter().map(|depth| progress::Course { depth, points: at(depth) }).collect()
}
