//! Exact match against depth k: the points of every run with their intervals, and the ceiling and floors.

use super::frame::{Frame, Key, LegendEntry, line};
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series, tenth};
use crate::config::SentScore;
use crate::page::view::words::percent;
use crate::stats::wilson;
use crate::task::Estimate;
use leptos::prelude::AnyView;

/// A run's newest measurement.
pub struct Points {
    pub name: String,
    pub series: usize,
    /// Equal for runs that differ only in the depth asked.
    pub kind: String,
    /// Whether it has another task than the references: it is drawn faintly.
    pub foreign: bool,
    /// The step of the measurement; 0 for opened weights.
    pub step: u64,
    /// (depth, right, asked), ascending by depth.
    pub scores: Vec<(usize, usize, usize)>,
    /// (depth, mean hops), for runs with adaptive computation time.
    pub hops: Vec<(usize, f64)>,
}

/// A reference line: its name, its dash pattern, its colour and the score that it takes from an estimate.
struct Reference {
    text: &'static str,
    /// The name where there is little room.
    short: &'static str,
    dash: &'static str,
    colour: &'static str,
    read: fn(&Estimate) -> f64,
}

const REFERENCES: [Reference; 3] = [
    Reference {
        text: "ceiling: best possible",
        short: "best possible",
        dash: "7 4",
        colour: "var(--ink)",
        read: |estimate| estimate.ceiling,
    },
    Reference {
        text: "trick without the rule: repeat the last row",
        short: "trick: repeat the last row",
        dash: "2 4",
        colour: "var(--soft)",
        read: |estimate| estimate.copy,
    },
    Reference {
        text: "trick without the rule: continue a cycle",
        short: "trick: continue a cycle",
        dash: "7 3 2 3",
        colour: "var(--soft)",
        read: |estimate| estimate.cycle,
    },
];

/// Draws the chart. `sent` are the scores that an opened link tells; `references` belong to the displayed task, ascending by depth; empty while they are unknown.
pub fn draw(runs: &[Points], sent: &[SentScore], references: &[Estimate], size: Size) -> AnyView {
    let lines = REFERENCES.iter().map(|reference| {
        let text = if size.width < 500.0 { reference.short } else { reference.text };
        LegendEntry { key: Key::Line { dash: reference.dash, colour: reference.colour }, text: text.into() }
    });
    let named = runs.iter().filter(|run| !run.foreign).map(|run| LegendEntry {
        key: Key::Marked { series: run.series, colour: series::colour(run.series) },
        text: if run.step == 0 { run.name.clone() } else { format!("{}, step {}", run.name, run.step) },
    });
    let told = sent.first().map(|_| LegendEntry { key: Key::Ring, text: "ring: the link's run".into() });
    let asked = runs.iter().flat_map(|run| run.scores.iter().map(|&(_, _, samples)| samples));
    let n = match (asked.clone().min(), asked.max()) {
        (Some(low), Some(high)) if low == high => format!(", n = {low} questions per depth"),
        (Some(low), Some(high)) => format!(", n = {low} … {high} questions per depth"),
        (_, _) => String::new(),
    };
    let frame = Frame {
        size,
        title: "How far ahead does it see?",
        x_label: format!("depth k, steps ahead{n}"),
        y_label: "exact match",
        legend: named.chain(lines).chain(told).collect(),
    };
    let measured = runs.iter().flat_map(|run| run.scores.iter().map(|score| score.0));
    let depths = references.iter().map(|estimate| estimate.depth).chain(sent.iter().map(|score| score.depth)).chain(measured);
    let deepest = depths.fold(4, usize::max);
    let x = frame.x((0.5, deepest as f64 + 0.5));
    let y = frame.y((0.0, 1.0), false);
    let ticks = (1..=deepest).map(|depth| depth as f64).collect();
    let marks = svg!(g;
        REFERENCES.iter().map(|reference| reference_line(reference, references, &x, &y)).collect::<Svg>(),
        joints(runs).into_iter().map(|joint| joint.draw(&x, &y)).collect::<Svg>(),
        svg!(g id = "sent-scores"; sent.iter().map(|score| ring(score, &x, &y)).collect::<Svg>()),
        runs.iter().enumerate().map(|(position, run)| points(run, offset(position, runs.len()), &x, &y)).collect::<Svg>(),
    );
    frame.draw(&x, &y, ticks, marks, aria_label(runs, sent))
}

fn share_of(score: &SentScore) -> f64 {
    score.exact as f64 / score.samples.max(1) as f64
}

/// The sender's score.
fn ring(score: &SentScore, x: &Scale, y: &Scale) -> Svg {
    let SentScore { depth, exact, samples } = *score;
    let share = share_of(score);
    let words = format!("the link's run, k = {depth}: {} exact ({exact} of {samples})", percent(share));
    let (cx, cy) = (tenth(x.at(depth as f64)), tenth(y.at(share)));
    svg!(circle cx = cx, cy = cy, r = "8", fill = "none", stroke = "var(--soft)", stroke-width = "1.5"; svg!(title; words))
}

/// Runs are drawn side by side, so that their intervals do not hide each other.
fn offset(position: usize, count: usize) -> f64 {
    (position as f64 - (count as f64 - 1.0) / 2.0) * (0.3 / count as f64).min(0.08)
}

/// A thin line through runs that differ only in the depth asked: together they are a depth curve.
struct Joint(Vec<(f64, f64)>);

fn joints(runs: &[Points]) -> Vec<Joint> {
    let mut kinds: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    for (position, run) in runs.iter().enumerate() {
        if let [(depth, right, asked)] = run.scores[..] {
            let point = (depth as f64 + offset(position, runs.len()), right as f64 / asked.max(1) as f64);
            match kinds.iter_mut().find(|(kind, _)| *kind == run.kind) {
                Some((_, points)) => points.push(point),
                None => kinds.push((&run.kind, vec![point])),
            }
        }
    }
    let sorted = |(_, mut points): (&str, Vec<(f64, f64)>)| {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Joint(points)
    };
    kinds.into_iter().map(sorted).collect()
}

impl Joint {
    fn draw(self, x: &Scale, y: &Scale) -> Svg {
        svg!(path d = line(x, y, &self.0), fill = "none", stroke = "var(--soft)", stroke-width = "1.5", stroke-dasharray = "1 3")
    }
}

fn reference_line(reference: &Reference, references: &[Estimate], x: &Scale, y: &Scale) -> Svg {
    let points: Vec<(f64, f64)> = references.iter().map(|estimate| (estimate.depth as f64, (reference.read)(estimate))).collect();
    let words = |estimate: &Estimate| {
        format!("{} at k = {}: {} ({} samples)", reference.text, estimate.depth, percent((reference.read)(estimate)), estimate.samples)
    };
    let dots = references.iter().map(|estimate| {
        let (horizontal, vertical) = (tenth(x.at(estimate.depth as f64)), tenth(y.at((reference.read)(estimate))));
        svg!(path d = format!("M{} {vertical}h10", horizontal - 5.0), stroke = reference.colour, stroke-width = "2";
            svg!(title; words(estimate)),
        )
    });
    svg!(g fill = "none";
        svg!(path d = line(x, y, &points), stroke = reference.colour, stroke-width = "1.5", stroke-dasharray = reference.dash),
        dots.collect::<Svg>(),
    )
}

fn points(run: &Points, shift: f64, x: &Scale, y: &Scale) -> Svg {
    let colour = series::colour(run.series);
    let share = |right: usize, asked: usize| right as f64 / asked.max(1) as f64;
    let course: Vec<(f64, f64)> = run.scores.iter().map(|&(depth, right, asked)| (depth as f64 + shift, share(right, asked))).collect();
    let marks = run.scores.iter().map(|&(depth, right, asked)| {
        let (low, high) = wilson(right, asked);
        let at = tenth(x.at(depth as f64 + shift));
        let (top, bottom) = (tenth(y.at(high)), tenth(y.at(low)));
        let words = format!(
            "{}, k = {depth}: {} exact ({right} of {asked}), 95 % interval {} to {}",
            run.name,
            percent(share(right, asked)),
            percent(low),
            percent(high)
        );
        svg!(g;
            svg!(path d = format!("M{at} {top}V{bottom}M{} {top}h8M{} {bottom}h8", at - 4.0, at - 4.0), stroke = colour, stroke-width = "1.5"),
            svg!(path d = series::marker(run.series, at, y.at(share(right, asked)), 5.0), fill = colour, stroke = "var(--card)";
                svg!(title; words),
            ),
        )
    });
    svg!(g fill = "none", opacity = if run.foreign { "0.3" } else { "1" };
        svg!(path d = line(x, y, &course), stroke = colour, stroke-width = "2"),
        marks.collect::<Svg>(),
    )
}

fn aria_label(runs: &[Points], sent: &[SentScore]) -> String {
    if runs.is_empty() && sent.is_empty() {
        return "Exact match against depth k: no run has been measured yet.".into();
    }
    let words = runs.iter().map(|run| {
        let hops =
            |depth: usize| run.hops.iter().find(|hops| hops.0 == depth).map(|hops| format!(" with {:.2} hops", hops.1)).unwrap_or_default();
        let scores = run
            .scores
            .iter()
            .map(|&(depth, right, asked)| format!("k = {depth} {}{}", percent(right as f64 / asked.max(1) as f64), hops(depth)));
        format!("{}: {}", run.name, scores.collect::<Vec<_>>().join(", "))
    });
    let told = sent.iter().map(|score| format!("the link's run: k = {} {}", score.depth, percent(share_of(score))));
    format!("Exact match against depth k. {}.", words.chain(told).collect::<Vec<_>>().join("; "))
}
