//! Exact match against the layers or the width of a model: one line for each network and depth, and the ceiling and floors.

use super::frame::{Frame, Key, LegendEntry, line};
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series, tenth};
use crate::config::ModelKind;
use crate::page::state::sweep::Axis;
use crate::page::state::sweep_table::{Point, SweepLine};
use crate::page::view::words::percent;
use crate::stats::wilson;
use crate::task::Estimate;
use leptos::prelude::AnyView;

/// A line's colour and marker.
#[derive(Clone, Copy)]
struct Look {
    colour: &'static str,
    marker: usize,
    /// How far its points are moved sideways so that intervals do not hide each other, in pixels.
    shift: f64,
}

/// Draws the chart. `references` belong to the lines' task; empty while they are unknown.
pub fn draw(axis: Axis, lines: &[SweepLine], references: &[Estimate], size: Size) -> AnyView {
    let looks = looks(lines);
    let named = lines.iter().zip(&looks).map(|(line, look)| LegendEntry {
        key: Key::Marked { series: look.marker, colour: look.colour },
        text: format!("{}, k = {}", line.kind.name(), line.depth),
    });
    let known: Vec<(&Estimate, &'static str)> = depths(lines)
        .into_iter()
        .filter_map(|depth| references.iter().find(|estimate| estimate.depth == depth))
        .map(|estimate| (estimate, series::depth_colour(estimate.depth - 1)))
        .collect();
    let reference = |dash: &'static str, text: &str| LegendEntry { key: Key::Line { dash, colour: "var(--soft)" }, text: text.into() };
    let told = [reference("7 4", "ceiling of that k"), reference("2 4", "higher floor of that k")];
    let frame = Frame {
        size,
        title: match axis {
            Axis::Layers => "How many layers does it take?",
            Axis::Width => "How wide must it be?",
        },
        x_label: format!("{}{}", axis.label(), asked(lines)),
        y_label: "exact match on test rules",
        legend: named.chain(told.into_iter().filter(|_| !known.is_empty())).collect(),
    };
    let mut values: Vec<usize> = lines.iter().flat_map(|line| line.points.iter().map(|point| point.value)).collect();
    values.sort_unstable();
    values.dedup();
    let x = frame.x(domain(&values, axis));
    let y = frame.y((0.0, 1.0), false);
    let marks = svg!(g;
        known.iter().map(|(estimate, colour)| levels(estimate, colour, &x, &y)).collect::<Svg>(),
        lines.iter().zip(&looks).map(|(line, look)| course(line, *look, axis, &x, &y)).collect::<Svg>(),
    );
    let ticks = values.iter().map(|value| *value as f64).collect();
    frame.draw(&x, &y, ticks, marks, aria_label(axis, lines))
}

fn depths(lines: &[SweepLine]) -> Vec<usize> {
    let mut depths: Vec<usize> = lines.iter().map(|line| line.depth).collect();
    depths.sort_unstable();
    depths.dedup();
    depths
}

/// Colours distinguish depths and markers distinguish networks. With only one depth, colours distinguish networks too.
fn looks(lines: &[SweepLine]) -> Vec<Look> {
    let one = depths(lines).len() < 2;
    let look = |(position, line): (usize, &SweepLine)| {
        let marker = match line.kind {
            ModelKind::GptNeox => 0,
            ModelKind::Lstm => 1,
            ModelKind::Mamba => 2,
            ModelKind::Armt => 3,
            ModelKind::DeltaNet => 4,
        };
        let colour = if one { series::colour(marker) } else { series::depth_colour(line.depth - 1) };
        Look { colour, marker, shift: (position as f64 - (lines.len() as f64 - 1.0) / 2.0) * (24.0 / lines.len() as f64).min(5.0) }
    };
    lines.iter().enumerate().map(look).collect()
}

/// The horizontal domain: the values with a little room on both sides.
fn domain(values: &[usize], axis: Axis) -> (f64, f64) {
    let (low, high) = match (values.first(), values.last(), axis) {
        (Some(low), Some(high), _) => (*low as f64, *high as f64),
        (_, _, Axis::Layers) => (1.0, 12.0),
        (_, _, Axis::Width) => (16.0, 128.0),
    };
    let room = ((high - low) * 0.06).max(0.5);
    (low - room, high + room)
}

fn asked(lines: &[SweepLine]) -> String {
    let asked = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.samples));
    match (asked().min(), asked().max()) {
        (Some(low), Some(high)) if low == high => format!(", n = {low} questions per point"),
        (Some(low), Some(high)) => format!(", n = {low} … {high} questions per point"),
        (_, _) => String::new(),
    }
}

fn levels(estimate: &Estimate, colour: &'static str, x: &Scale, y: &Scale) -> Svg {
    let level = |share: f64| line(x, y, &[(x.domain.0, share), (x.domain.1, share)]);
    let floor = estimate.copy.max(estimate.cycle);
    let words = |what: &str, share: f64| format!("{what} at k = {}: {} ({} samples)", estimate.depth, percent(share), estimate.samples);
    svg!(g fill = "none", stroke = colour, stroke-width = "1.2", stroke-opacity = "0.75";
        svg!(path d = level(estimate.ceiling), stroke-dasharray = "7 4"; svg!(title; words("ceiling", estimate.ceiling))),
        svg!(path d = level(floor), stroke-dasharray = "2 4"; svg!(title; words("higher floor", floor))),
    )
}

fn course(course: &SweepLine, look: Look, axis: Axis, x: &Scale, y: &Scale) -> Svg {
    let path: String = course
        .points
        .iter()
        .enumerate()
        .map(|(index, point)| {
            format!("{}{} {}", if index == 0 { 'M' } else { 'L' }, tenth(x.at(point.value as f64) + look.shift), tenth(y.at(point.share())))
        })
        .collect();
    let marks = course.points.iter().map(|point| {
        let (low, high) = wilson(point.exact, point.samples);
        let at = tenth(x.at(point.value as f64) + look.shift);
        svg!(g;
            svg!(path d = format!("M{at} {}V{}", tenth(y.at(high)), tenth(y.at(low))), stroke = look.colour, stroke-width = "1.5"),
            svg!(path d = series::marker(look.marker, at, y.at(point.share()), 4.5), fill = look.colour, stroke = "var(--card)";
                svg!(title; words(course, point, axis)),
            ),
        )
    });
    svg!(g fill = "none";
        svg!(path d = path, stroke = look.colour, stroke-width = "2", stroke-linejoin = "round"),
        marks.collect::<Svg>(),
    )
}

fn words(line: &SweepLine, point: &Point, axis: Axis) -> String {
    let (low, high) = wilson(point.exact, point.samples);
    format!(
        "{}, k = {}, {} {}: {} exact ({} of {}), 95 % interval {} to {}",
        line.kind.name(),
        line.depth,
        axis.label(),
        point.value,
        percent(point.share()),
        point.exact,
        point.samples,
        percent(low),
        percent(high)
    )
}

fn aria_label(axis: Axis, lines: &[SweepLine]) -> String {
    if lines.is_empty() {
        return format!("Exact match against {}: no run has been trained to its end yet.", axis.label());
    }
    let words = lines.iter().map(|line| {
        let scores = line.points.iter().map(|point| format!("{} {}", point.value, percent(point.share())));
        format!("{} at k = {}: {}", line.kind.name(), line.depth, scores.collect::<Vec<_>>().join(", "))
    });
    format!("Exact match against {}. {}.", axis.label(), words.collect::<Vec<_>>().join("; "))
}
