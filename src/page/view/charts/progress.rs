//! Exact match at each depth over the steps. It shows at which step a run finds the rule.

use super::frame::{Frame, Key, LegendEntry, line};
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series};
use crate::page::view::words::percent;
use leptos::prelude::AnyView;

/// One depth of one run over its measurements.
pub struct Course {
    pub depth: usize,
    /// (step, exact match).
    pub points: Vec<(f64, f64)>,
}

/// Draws the chart. `ceiling` is (depth, exact match) of the smallest asked depth.
pub fn draw(courses: &[Course], ceiling: Option<(usize, f64)>, size: Size) -> AnyView {
    let named = courses.iter().enumerate().map(|(position, course)| LegendEntry {
        key: Key::Marked { series: position, colour: series::depth_colour(position) },
        text: format!("k = {}", course.depth),
    });
    let best = ceiling.map(|(depth, share)| LegendEntry {
        key: Key::Line { dash: "7 4", colour: "var(--ink)" },
        text: format!("ceiling at k = {depth}: {}", percent(share)),
    });
    let frame = Frame {
        size,
        title: "Exact match as it learns",
        x_label: "training step".into(),
        y_label: "exact match",
        legend: named.chain(best).collect(),
    };
    let last = courses.iter().filter_map(|course| course.points.last()).map(|&(step, _)| step).fold(20.0, f64::max);
    let x = frame.x((0.0, last));
    let y = frame.y((0.0, 1.0), false);
    let ticks = x.ticks(if size.width < 500.0 { 4 } else { 8 });
    let level = ceiling.map(|(_, share)| line(&x, &y, &[(0.0, share), (last, share)])).unwrap_or_default();
    let marks = svg!(g;
        svg!(path d = level, stroke = "var(--ink)", stroke-width = "1.5", stroke-dasharray = "7 4", fill = "none"),
        courses.iter().enumerate().map(|(position, course)| one(position, course, &x, &y)).collect::<Svg>(),
    );
    frame.draw(&x, &y, ticks, marks, aria_label(courses))
}

fn one(position: usize, course: &Course, x: &Scale, y: &Scale) -> Svg {
    let colour = series::depth_colour(position);
    // With many measurements only some get a marker, so that the markers do not hide the line.
    let every = course.points.len().div_ceil(40).max(1);
    let marks = course.points.iter().enumerate().filter(|(index, _)| (course.points.len() - 1 - index).is_multiple_of(every)).map(
        |(_, &(step, share))| {
            let words = format!("k = {} at step {step}: {} exact", course.depth, percent(share));
            svg!(path d = series::marker(position, x.at(step), y.at(share), 3.5), fill = colour; svg!(title; words))
        },
    );
    svg!(g fill = "none";
        svg!(path d = line(x, y, &course.points), stroke = colour, stroke-width = "1.8", stroke-linejoin = "round"),
        marks.collect::<Svg>(),
    )
}

fn aria_label(courses: &[Course]) -> String {
    let words = courses
        .iter()
        .filter_map(|course| course.points.last().map(|(step, share)| format!("k = {}: {} at step {step}", course.depth, percent(*share))));
    let words = words.collect::<Vec<_>>().join("; ");
    if words.is_empty() {
        "Exact match over training steps: nothing measured yet.".into()
    } else {
        format!("Exact match over training steps. {words}.")
    }
}
