//! The numbers of the depth chart as a table. Every column head explains its term.

use super::term::Term;
use crate::page::state::Page;
use crate::page::view::words::percent;
use crate::results::DepthScore;
use crate::stats::wilson;
use crate::task::Estimate;
use leptos::prelude::*;

/// One row: a depth, the current run's score at it, and the ceiling and floors.
struct Row {
    depth: usize,
    score: Option<DepthScore>,
    estimate: Option<Estimate>,
}

/// The table below the depth chart, of the current run.
#[component]
pub fn DepthTable(page: Page) -> impl IntoView {
    let looped = Memo::new(move |_| page.about().model.halting_units() > 0);
    let rows = move || {
        let subject = page.subject();
        let scores = if page.current_is_subject() {
            page.with_current(|run| run.latest().map(|measurement| measurement.depths.clone())).flatten()
        } else {
            None
        };
        let scores = scores.unwrap_or_default();
        page.references.with(|references| {
            let estimates = references.of(&subject);
            let depths = subject.0.depths().into_iter();
            depths
                .map(|depth| Row {
                    depth,
                    score: scores.iter().find(|score| score.depth == depth).cloned(),
                    estimate: estimates.iter().find(|estimate| estimate.depth == depth).copied(),
                })
                .map(|each| row(each, looped.get()))
                .collect_view()
        })
    };
    let rule = move || {
        let subject = page.subject();
        let asked = subject.0.layout.asks_rule() && page.current_is_subject();
        let score = page.with_current(|run| run.latest().and_then(|measurement| measurement.depths.first()?.rule_bits)).flatten();
        let best = page.references.with(|references| references.of(&subject).first().map(|estimate| estimate.rule));
        let words = score.filter(|_| asked).map(|share| {
            let best = best.map(|best| format!("; the best possible is {}", percent(best))).unwrap_or_default();
            format!("Entries of the rule right: {}{best}.", percent(share))
        });
        words.map(|words| view! { <p class="text-hint" id="rule-entries">{words}</p> })
    };
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Scores at each depth">
            <table id="depth-table" class:depth-looped=looped>
                <thead>
                    <tr>
                        <th scope="col" class="depth-k"><Term page=page key="depth" text="k" /></th>
                        <th scope="col"><Term page=page key="em" /></th>
                        <th scope="col" class="depth-interval"><Term page=page key="wilson" text="95 % interval" /></th>
                        <th scope="col"><Term page=page key="ceiling" /></th>
                        <th scope="col"><Term page=page key="copy" /></th>
                        <th scope="col"><Term page=page key="cycle" text="Cycle floor" /></th>
                        <th scope="col"><Term page=page key="teacher-forced" text="Cells right, forced" /></th>
                        <th scope="col"><Term page=page key="free-running" text="Cells right, free" /></th>
                        <th scope="col" class="depth-n"><Term page=page key="n" /></th>
                        {move || looped.get().then(|| view! { <th scope="col"><Term page=page key="hops" text="Mean hops" /></th> })}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {rule}
    }
}

fn row(row: Row, looped: bool) -> AnyView {
    let dash = || "–".to_string();
    let score = row.score.as_ref();
    let of = |read: fn(&DepthScore) -> String| score.map_or_else(dash, read);
    let reference = |read: fn(&Estimate) -> f64| row.estimate.as_ref().map_or_else(dash, |estimate| percent(read(estimate)));
    let interval = |score: &DepthScore| {
        let (low, high) = wilson(score.exact, score.samples);
        format!("{} … {}", percent(low).trim_end_matches(" %"), percent(high))
    };
    let free = score.map(|score| {
        format!("measured on {} of the questions, {} of them right in every cell", score.free_samples, score.exact_free_running)
    });
    let hops = score.and_then(|score| score.hops).map_or_else(dash, |hops| format!("{hops:.2}"));
    view! {
        <tr>
            <th scope="row">{row.depth}</th>
            <td class="depth-exact">{of(|score| percent(score.share()))}</td>
            <td>{of(interval)}</td>
            <td>{reference(|estimate| estimate.ceiling)}</td>
            <td>{reference(|estimate| estimate.copy)}</td>
            <td>{reference(|estimate| estimate.cycle)}</td>
            <td>{of(|score| percent(score.bits_teacher_forced))}</td>
            <td title=free>{of(|score| percent(score.bits_free_running))}</td>
            <td>{of(|score| score.samples.to_string())}</td>
            {looped.then(|| view! { <td>{hops}</td> })}
        </tr>
    }
    .into_any()
}
