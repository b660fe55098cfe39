//! The fair comparison: straight against aloud, with a chart and a table of its own.

use super::figure::Figure;
use super::later::{SplitPartOf, later};
use super::story::series;
use crate::config::{Method, RunConfig};
use crate::page::commands::queue;
use crate::page::split::NotLoaded;
use crate::page::state::comparison::{Line, lines, runs, seconds_left, sentence};
use crate::page::state::{Page, Phase, pace};
use crate::page::view::charts::Size;
use crate::page::view::charts::curves::{self, Curve, Point, Weight};
use crate::page::view::words::percent;
use leptos::prelude::*;
use wasm_split_helpers::wasm_split;

/// The button that begins the comparison.
#[component]
pub fn CompareButton(page: Page) -> impl IntoView {
    let busy = move || page.phase.get().active() || page.queue.with(|queue| queue.list().next().is_some());
    // A disabled button would lose the keyboard focus when it is pressed.
    let begin = move |_| {
        if !untrack(busy) {
            queue::queue_comparison(page);
        }
    };
    view! {
        <div class="compare-offer">
            <button type="button" id="compare-aloud" aria-disabled=move || busy().to_string() on:click=begin>"Does thinking aloud help?"</button>
            <span class="text-hint">"Trains the same network straight, for one to four rows ahead, and aloud, and compares them: about four minutes."</span>
        </div>
    }
}

/// Its results, once it has begun.
#[component]
pub fn Comparison(page: Page) -> impl IntoView {
    let found = Memo::new(move |_| page.runs.with(|done| lines(done)));
    let left = Memo::new(move |_| {
        page.queue
            .with(|queue| queue.list().map(|queued| queued.config.clone()).filter(|config| runs().contains(config)).collect::<Vec<_>>())
    });
    let going = Memo::new(move |_| page.phase.get().active() && page.with_current(|run| runs().contains(&run.config)).unwrap_or(false));
    let ended = Memo::new(move |_| found.with(|found| found.iter().map(|line| usize::from(!line.scores.is_empty())).sum::<usize>()));
    let shown = Memo::new(move |_| going.get() || !left.with(Vec::is_empty) || ended.get() == 2);
    move || shown.get().then(|| later(comparison_part, move |comparison| comparison(page, Here { found, left, going })))
}

/// What is known of the comparison.
#[derive(Clone, Copy)]
struct Here {
    found: Memo<Vec<Line>>,
    /// The runs that wait.
    left: Memo<Vec<RunConfig>>,
    going: Memo<bool>,
}

#[wasm_split(sweep, fallible)]
fn comparison_part() -> Result<SplitPartOf<Here>, NotLoaded> {
    Ok(comparison)
}

fn comparison(page: Page, Here { found, left, going }: Here) -> AnyView {
    let draw = move |size: Size| found.with(|found| curves::draw(&found.iter().map(curve).collect::<Vec<_>>(), &[], size, None, None));
    let said = move || match (found.with(|found| sentence(found)), going.get() || !left.with(Vec::is_empty)) {
        (Some(sentence), false) => sentence,
        (_, true) => progress(page, &left.get()),
        (None, false) => "The comparison was stopped. Press “Does thinking aloud help?” to train the runs that are missing.".into(),
    };
    view! {
        <section class="card-box" id="comparison" aria-label="Does thinking aloud help?">
            <h2>"Does thinking aloud help?"</h2>
            <p class="card-lead" id="comparison-said" aria-live="polite">{said}</p>
            <div class="page-pair">
                <Figure id="comparison-chart" name="aloud" height=240.0 draw=draw />
                <div class="table-scroll">
                    <table class="comparison-table">
                        <thead><tr><th scope="col">"Method"</th>{(1..=4).map(|depth| view! { <th scope="col">{format!("k = {depth}")}</th> }).collect_view()}</tr></thead>
                        <tbody>{move || found.with(|found| found.iter().map(row).collect_view())}</tbody>
                    </table>
                    <p class="text-hint">"Share of 256 questions answered right in every cell, with its 95 % interval. Same network, same task, 1,500 steps, seed 1."</p>
                </div>
            </div>
        </section>
    }
    .into_any()
}

fn progress(page: Page, left: &[RunConfig]) -> String {
    let all = runs().len();
    let number = all.saturating_sub(left.len());
    let rate = page.pace.with(|pace| pace.rate());
    let current = page.with_current(|run| (run.config.training.steps.saturating_sub(run.step()), Method::of(&run.config)));
    let time = match (rate, current, page.phase.get()) {
        (Some(rate), Some(current), Phase::Running) => pace::about(seconds_left(left, current, rate)),
        (_, _, _) => "time left: measuring…".into(),
    };
    format!("Run {number} of {all}, {time}.")
}

fn curve(line: &Line) -> Curve {
    let points = line.scores.iter().map(Point::of);
    Curve { name: line.method.name().into(), series: series(line.method), weight: Weight::Plain, points: points.collect() }
}

fn row(line: &Line) -> AnyView {
    let cell = |depth: usize| {
        let score = line.scores.iter().find(|score| score.depth == depth);
        let words = score.map(|score| {
            let (low, high) = score.interval();
            view! { <strong>{percent(score.share())}</strong> <br /> <span class="text-hint">{format!("{:.0} … {:.0}", low * 100.0, high * 100.0)}</span> }
        });
        view! { <td>{words}</td> }
    };
    view! { <tr><th scope="row">{line.method.name()}</th>{(1..=4).map(cell).collect_view()}</tr> }.into_any()
}
