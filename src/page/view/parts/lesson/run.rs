//! A run of a lesson: its button, its progress and its result.

use super::place::Place;
use crate::config::RunConfig;
use crate::page::commands::lesson;
use crate::page::view::words::percent;
use crate::results::DepthScore;
use leptos::prelude::*;

/// The button of a run and what came of it.
pub fn view(place: &Place, id: &str, config: &RunConfig, words: String) -> AnyView {
    let Place { page, lesson, .. } = *place;
    let wanted = config.clone();
    // (steps made, whether it is in progress) of this run, if it is the current one.
    let current = Memo::new(move |_| {
        let made = page.with_current(|run| (run.config == wanted).then(|| run.step())).flatten();
        made.map(|step| (step, page.phase.get().active()))
    });
    let going = move || current.get().filter(|(_, active)| *active).map(|(step, _)| step);
    let (own, wanted) = (id.to_string(), config.clone());
    let scores = Memo::new(move |_| page.work.with(|work| work.scores(lesson, &own, &wanted).to_vec()));
    let busy = move || page.phase.get().active();
    let told = Memo::new(move |_| match (going().is_some(), scores.with(|scores| told(scores))) {
        (true, _) => "It is training. Watch the charts.".into(),
        (false, Some(result)) => result,
        (false, None) if busy() => "Another run is in progress. Wait for its end, or stop it.".into(),
        (false, None) => "You have not trained it to its end yet.".into(),
    });
    let (steps, config) = (config.training.steps.to_string(), config.clone());
    let own = id.to_string();
    let press = move |_| lesson::run(page, lesson, &own, config.clone());
    view! {
        <div class="live-box" data-live="run" data-run=id.to_string() data-result=move || scores.with(Vec::len).to_string()>
            // It keeps the keyboard focus while it trains.
            <button type="button" class="button-main lesson-run" aria-disabled=move || busy().to_string() on:click=press inner_html=words></button>
            <progress aria-label="Steps completed" class:progress-off=move || going().is_none() max=steps value=move || going().unwrap_or(0).to_string()></progress>
            <p role="status" class="lesson-told">{told}</p>
        </div>
    }
    .into_any()
}

/// The result of a run; `None` if there is none.
fn told(scores: &[DepthScore]) -> Option<String> {
    let one = |score: &DepthScore| format!("k = {}: {} of {} right, {}", score.depth, score.exact, score.samples, percent(score.share()));
    (!scores.is_empty()).then(|| format!("{}.", scores.iter().map(one).collect::<Vec<_>>().join("; ")))
}
