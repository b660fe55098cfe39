//! The loss over the steps: for each run a smoothed line on top of a faint raw line.

use super::frame::{Frame, Key, LegendEntry, line};
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series, tenth, trace};
use leptos::prelude::AnyView;
use std::f64::consts::LN_2;

/// A run's losses.
pub struct LossLine {
    pub name: String,
    pub series: usize,
    /// The raw losses, as [`trace::envelope`] gives them.
    pub raw: Vec<(f64, f64)>,
    /// The smoothed losses.
    pub smooth: Vec<(f64, f64)>,
}

impl LossLine {
    pub fn of(name: &str, series: usize, losses: &[f32]) -> Self {
        let smooth = trace::smooth(losses, trace::span(losses.len()));
        Self { name: name.into(), series, raw: trace::envelope(losses), smooth }
    }
}

/// Draws the chart. `sent` are the (step, loss) that an opened link recorded.
pub fn draw(lines: &[LossLine], sent: &[(f64, f64)], log: bool, size: Size) -> AnyView {
    let guessing = LegendEntry { key: Key::Line { dash: "2 4", colour: "var(--soft)" }, text: "guessing (ln 2)".into() };
    let runs = lines
        .iter()
        .map(|line| LegendEntry { key: Key::Marked { series: line.series, colour: series::colour(line.series) }, text: line.name.clone() });
    let frame = Frame {
        size,
        title: "Loss",
        x_label: "training step".into(),
        y_label: if log { "nats per cell, log scale" } else { "nats per cell" },
        legend: runs.chain([guessing]).collect(),
    };
    let last = lines.iter().filter_map(|line| line.raw.last()).chain(sent.last()).map(|&(step, _)| step).fold(20.0, f64::max);
    let x = frame.x((0.0, last));
    let y = frame.y(domain(lines, sent, log), log);
    let ring = |&(step, loss): &(f64, f64)| {
        svg!(circle cx = tenth(x.at(step)), cy = tenth(y.at(loss)), r = "4.5", fill = "none", stroke = "var(--soft)", stroke-width = "1.5";
            svg!(title; format!("the link's run: loss {loss:.4} at step {step}")),
        )
    };
    let ticks = x.ticks(if size.width < 500.0 { 4 } else { 8 });
    let marks = svg!(g;
        svg!(path d = line(&x, &y, &[(0.0, LN_2), (last, LN_2)]), stroke = "var(--soft)", stroke-dasharray = "2 4"),
        svg!(g id = "sent-losses"; sent.iter().map(ring).collect::<Svg>()),
        lines.iter().map(|line| run(line, &x, &y)).collect::<Svg>(),
    );
    frame.draw(&x, &y, ticks, marks, aria_label(lines))
}

fn run(run: &LossLine, x: &Scale, y: &Scale) -> Svg {
    let colour = series::colour(run.series);
    let end = run.smooth.last().copied();
    let marker = end.map(|(step, loss)| series::marker(run.series, x.at(step), y.at(loss), 4.5)).unwrap_or_default();
    let words = end.map(|(step, loss)| format!("{}: smoothed loss {loss:.4} at step {step}", run.name)).unwrap_or_default();
    svg!(g fill = "none", stroke = colour, stroke-linejoin = "round";
        svg!(path d = line(x, y, &run.raw), stroke-opacity = "0.28"),
        svg!(path d = line(x, y, &run.smooth), stroke-width = "2"),
        svg!(path d = marker, fill = colour, stroke = "none"; svg!(title; words)),
    )
}

fn domain(lines: &[LossLine], sent: &[(f64, f64)], log: bool) -> (f64, f64) {
    let values = || lines.iter().flat_map(|line| &line.raw).chain(sent).map(|&(_, loss)| loss);
    let high = values().fold(0.75, f64::max);
    if !log {
        return (0.0, high * 1.04);
    }
    let low = values().filter(|loss| *loss > 0.0).fold(0.5, f64::min);
    (low * 0.9, high * 1.1)
}

fn aria_label(lines: &[LossLine]) -> String {
    if lines.is_empty() {
        return "Loss over training steps: nothing to show yet.".into();
    }
    let ends = lines.iter().filter_map(|line| line.smooth.last().map(|(step, loss)| format!("{}: {loss:.3} at step {step}", line.name)));
    format!("Loss over training steps. {}.", ends.collect::<Vec<_>>().join("; "))
}
