//! Predictions and measurements, as a chart and as a table.

use super::expect::interval;
use super::place::Place;
use crate::lesson::{Source, partner};
use crate::page::view::charts::curves::{self, Curve, Point, Weight};
use crate::page::view::parts::figure::Figure;
use crate::page::view::parts::story::{self, YOU};
use crate::page::view::words::percent;
use crate::task::MULTI_DEPTHS;
use leptos::prelude::*;

/// One curve, with the depths at which it has or will have points.
struct Line {
    key: String,
    name: String,
    series: usize,
    depths: Vec<usize>,
    points: Vec<Point>,
    /// Why there are no points.
    waits: &'static str,
}

impl Line {
    fn at(&self, depth: usize) -> Option<&Point> {
        self.points.iter().find(|point| point.depth == depth)
    }
}

/// The chart and its table.
pub fn view(place: &Place, sources: &[Source], words: String, number: usize) -> AnyView {
    let (chart, table, first) = (place.clone(), place.clone(), place.clone());
    let (all, same, others) = (sources.to_vec(), sources.to_vec(), sources.to_vec());
    let draw = move |size| curves::draw(&drawn(&chart, &all), &[], size, None, None);
    let gate = Memo::new(move |_| !predicted(&first, &others));
    let told = move || if gate.get() { "Predict first: then the measured curves that come with this page appear." } else { "" };
    let came = sources.iter().any(|source| matches!(source, Source::Reference(_)));
    let came = came.then(|| view! { <p class="text-hint">"Curves that come with this page are the middle one of three seeds, at most, of 256 questions each."</p> });
    view! {
        <div class="live-box" data-live="compare">
            <div class="lesson-prose" inner_html=words></div>
            {sources.iter().any(|source| matches!(source, Source::Reference(_))).then(|| view! { <p class="lesson-told" role="status">{told}</p> })}
            <Figure id=format!("compare-{number}") name="lesson" height=260.0 draw=draw />
            <div class="table-scroll" tabindex="0" role="region" aria-label=format!("Predicted and measured, {number}")>
                <table class="compare-table">
                    <thead><tr><td class="compare-name"></td><th scope="col" class="compare-k">"k"</th><th scope="col">"predicted"</th><th scope="col">"measured"</th><th scope="col" class="compare-interval">"95 % interval"</th><th scope="col">"difference"</th></tr></thead>
                    <tbody>{move || rows(&table, &same)}</tbody>
                </table>
            </div>
            {came}
        </div>
    }
    .into_any()
}

/// Whether the predictions among these are complete.
fn predicted(place: &Place, sources: &[Source]) -> bool {
    place.page.work.with(|work| {
        sources.iter().all(|source| match source {
            Source::Prediction(id) => work.predicted(place.lesson, id, place.read.predicted(id)),
            Source::Run(_) | Source::You | Source::Reference(_) => true,
        })
    })
}

/// The predictions, then the measured curves.
fn lines(place: &Place, sources: &[Source]) -> (Vec<Line>, Vec<Line>) {
    let open = predicted(place, sources);
    let guesses = sources.iter().filter(|source| matches!(source, Source::Prediction(_))).count();
    let (mut predictions, mut measured) = (Vec::new(), Vec::new());
    for (index, source) in sources.iter().enumerate() {
        match source {
            Source::Prediction(id) => predictions.push(prediction(place, id, guesses)),
            // Below the colours of the references: each run of the lesson its own, with another marker.
            Source::Run(id) => measured.push(run(place, id, 6 + index)),
            Source::You => measured.push(you(place)),
            Source::Reference(method) => measured.push(reference(place, *method, open)),
        }
    }
    (predictions, measured)
}

fn prediction(place: &Place, id: &str, guesses: usize) -> Line {
    let points = place.page.work.with(|work| {
        let given = work.prediction(place.lesson, id).iter();
        given.map(|&(depth, share)| Point { depth, share, interval: (share, share) }).collect()
    });
    let name = match guesses {
        1 => "predicted".into(),
        _ => format!("{} (guess)", id.strip_prefix("guess-").unwrap_or(id).replace('-', " ")),
    };
    Line { key: id.into(), name, series: YOU, depths: place.read.predicted(id).to_vec(), points, waits: "" }
}

fn run(place: &Place, id: &str, series: usize) -> Line {
    let (mut depths, mut points) = (Vec::new(), Vec::new());
    if let Some(config) = place.read.run(id) {
        depths = config.task.depths();
        place.page.work.with(|work| {
            let scores = work.scores(place.lesson, id, config).iter();
            points = scores.map(Point::of).collect();
        });
    }
    Line { key: id.into(), name: id.replace('-', " "), series, depths, points, waits: "run it" }
}

fn you(place: &Place) -> Line {
    let points = place.page.puzzle.with(|puzzle| story::you(&puzzle.scores(false))).map(|curve| curve.points).unwrap_or_default();
    Line { key: "you".into(), name: "You".into(), series: YOU, depths: (1..=MULTI_DEPTHS).collect(), points, waits: "answer" }
}

fn reference(place: &Place, method: crate::config::Method, open: bool) -> Line {
    let points = place.page.story.with(|story| {
        let groups = story.reference(method).filter(|_| open).map(|reference| {
            reference
                .groups
                .iter()
                .map(|group| {
                    let (share, interval) = group.share();
                    Point { depth: group.depth, share, interval }
                })
                .collect()
        });
        groups.unwrap_or_default()
    });
    let waits = if open { "loading" } else { "predict" };
    Line {
        key: method.key().into(),
        name: method.name().into(),
        series: story::series(method),
        depths: (1..=MULTI_DEPTHS).collect(),
        points,
        waits,
    }
}

/// The place of each measured line's prediction.
fn partners(predictions: &[Line], measured: &[Line]) -> Vec<Option<usize>> {
    let keys = |lines: &[Line]| lines.iter().map(|line| line.key.clone()).collect::<Vec<_>>();
    let (own, others) = (keys(predictions), keys(measured));
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    (0..others.len()).map(|index| partner(&own, &others, index)).collect()
}

/// The curves. A prediction has the colour of what it predicts.
fn drawn(place: &Place, sources: &[Source]) -> Vec<Curve> {
    let (mut predictions, measured) = lines(place, sources);
    for (line, found) in measured.iter().zip(partners(&predictions, &measured)).rev() {
        if let Some(prediction) = found.and_then(|at| predictions.get_mut(at)) {
            prediction.series = line.series;
        }
    }
    let curve = |line: Line, weight| Curve { name: line.name, series: line.series, weight, points: line.points };
    let measured = measured.into_iter().map(|line| curve(line, Weight::Plain));
    let drawn = predictions.into_iter().map(|line| curve(line, Weight::Dashed)).chain(measured);
    drawn.filter(|curve| !curve.points.is_empty()).collect()
}

/// The rows of the table. They stand before there are numbers, so that nothing moves when these arrive.
fn rows(place: &Place, sources: &[Source]) -> AnyView {
    let (predictions, measured) = lines(place, sources);
    let mut rows = Vec::new();
    for (line, found) in measured.iter().zip(partners(&predictions, &measured)) {
        let prediction = found.and_then(|at| predictions.get(at));
        let mut depths = line.depths.clone();
        if let Some(prediction) = prediction.filter(|_| measured.len() == 1) {
            depths.extend(&prediction.depths);
            depths.sort_unstable();
            depths.dedup();
        }
        for depth in depths {
            rows.push(row(line, prediction.and_then(|line| line.at(depth)), depth));
        }
    }
    rows.into_any()
}

fn row(line: &Line, guess: Option<&Point>, depth: usize) -> AnyView {
    let dash = || "–".to_string();
    let point = line.at(depth);
    let waits = if line.points.is_empty() && line.depths.contains(&depth) { line.waits.into() } else { dash() };
    let difference = point.zip(guess).map(|(point, guess)| format!("{:+.0} points", (point.share - guess.share) * 100.0));
    view! {
        <tr>
            <th scope="row">{line.name.clone()}</th>
            <td>{depth}</td>
            <td>{guess.map_or_else(dash, |guess| percent(guess.share))}</td>
            <td>{point.map_or(waits, |point| percent(point.share))}</td>
            <td>{point.map_or_else(dash, |point| interval(point.interval))}</td>
            <td>{difference.unwrap_or_else(dash)}</td>
        </tr>
    }
    .into_any()
}
