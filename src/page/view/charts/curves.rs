//! Shares against depth k as curves that are named at their ends: the chart of the story, of a lesson and of a class.

use super::frame::line;
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series, tenth};
use crate::results::DepthScore;
use leptos::prelude::*;

const LEFT: f64 = 44.0;
const TOP: f64 = 12.0;
const BELOW: f64 = 40.0;
/// Height of a name, in pixels: also the smallest distance between two names, so that a finger can touch each.
const NAME: f64 = 24.0;
/// Mean width of a letter of a name, in pixels.
const LETTER: f64 = 7.4;

/// A point of a curve: a share with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub depth: usize,
    pub share: f64,
    /// The ends of its 95 % interval; equal to `share` for a prediction.
    pub interval: (f64, f64),
}

impl Point {
    /// The exact match of a score, with its interval.
    pub fn of(score: &DepthScore) -> Self {
        Self { depth: score.depth, share: score.share(), interval: score.interval() }
    }
}

/// A curve and its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    pub name: String,
    /// Index of its colour and marker.
    pub series: usize,
    pub weight: Weight,
    /// Ascending by depth.
    pub points: Vec<Point>,
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// A measured curve.
    Plain,
    /// A curve to look at first.
    Bold,
    /// One of many: thin, without a name.
    Thin,
    /// Something expected: dashed.
    Dashed,
}

/// A level that belongs to the task: dashed and grey, or a filled floor.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub name: &'static str,
    pub filled: bool,
    /// (depth, share), ascending by depth.
    pub points: Vec<(usize, f64)>,
}

/// Draws the chart. `pressed` is called with the index of a curve whose line or name is pressed; `chosen` is drawn on top.
pub fn draw(curves: &[Curve], levels: &[Level], size: Size, chosen: Option<usize>, pressed: Option<Callback<usize>>) -> AnyView {
    let longest = curves.iter().filter(|curve| curve.weight != Weight::Thin).map(|curve| curve.name.chars().count()).max().unwrap_or(0);
    let right = (longest as f64 * LETTER + 22.0).min(size.width * 0.42);
    let depths = curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.depth));
    let deepest = depths.chain(levels.iter().flat_map(|level| level.points.iter().map(|point| point.0))).fold(4, usize::max);
    let x = Scale { domain: (0.8, deepest as f64 + 0.1), range: (LEFT, size.width - right), log: false };
    let y = Scale { domain: (0.0, 1.0), range: (size.height - BELOW, TOP), log: false };
    let mut order: Vec<usize> = (0..curves.len()).collect();
    order.sort_by_key(|&index| (chosen == Some(index), curves[index].weight != Weight::Thin));
    let names = name_places(curves, &y);
    let drawn = order.into_iter().map(|index| {
        let faded = chosen.is_some_and(|chosen| chosen != index);
        let name = names.iter().find(|(named, _)| *named == index).map(|(_, at)| *at);
        curve_view(&curves[index], index, faded, curve_marks(&curves[index], name, &x, &y), pressed)
    });
    let below = svg!(g;
        svg!(rect width = size.width, height = size.height, fill = "var(--card)"),
        axes(&x, &y, deepest),
        levels.iter().map(|level| level_mark(level, &x, &y)).collect::<Svg>(),
    );
    let view_box = format!("0 0 {} {}", size.width, size.height);
    view! {
        <svg class="curves" width=size.width height=size.height viewBox=view_box role="group" aria-label=spoken(curves) font-family="system-ui, sans-serif" font-size="12.5">
            <g inner_html=below.markup()></g>
            {drawn.collect_view()}
        </svg>
    }
    .into_any()
}

/// The height of each name: beside the end of its curve, and moved down where names would lie over one another.
fn name_places(curves: &[Curve], y: &Scale) -> Vec<(usize, f64)> {
    let named = curves.iter().enumerate().filter(|(_, curve)| curve.weight != Weight::Thin);
    let mut places: Vec<(usize, f64)> = named.filter_map(|(index, curve)| Some((index, y.at(curve.points.last()?.share)))).collect();
    places.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut free = TOP + NAME / 2.0;
    for (_, at) in &mut places {
        *at = at.max(free);
        free = *at + NAME;
    }
    // Names that were pushed below the axis move up again, the lowest first.
    let mut limit = y.range.0;
    for (_, at) in places.iter_mut().rev() {
        *at = at.min(limit);
        limit = *at - NAME;
    }
    places
}

fn axes(x: &Scale, y: &Scale, deepest: usize) -> Svg {
    let (left, right) = x.range;
    let rows = [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().map(|share| {
        let at = tenth(y.at(share));
        svg!(g;
            svg!(path d = format!("M{left} {at}H{right}"), stroke = "var(--line)"),
            svg!(text x = left - 6.0, y = at + 4.0, text-anchor = "end", fill = "var(--soft)"; format!("{:.0} %", share * 100.0)),
        )
    });
    let columns = (1..=deepest).map(|depth| {
        let at = tenth(x.at(depth as f64));
        svg!(text x = at, y = y.range.0 + 17.0, text-anchor = "middle", fill = "var(--soft)"; depth.to_string())
    });
    let middle = tenth((left + right) / 2.0);
    svg!(g;
        rows.collect::<Svg>(),
        columns.collect::<Svg>(),
        svg!(text x = middle, y = y.range.0 + 34.0, text-anchor = "middle", fill = "var(--soft)"; "steps ahead, k"),
    )
}

fn level_mark(level: &Level, x: &Scale, y: &Scale) -> Svg {
    let points: Vec<(f64, f64)> = level.points.iter().map(|&(depth, share)| (depth as f64, share)).collect();
    let Some(first) = points.first() else { return Svg::default() };
    let course = line(x, y, &points);
    if level.filled {
        let (left, right, bottom) = (x.range.0, x.range.1, y.range.0);
        let last = points.last().map_or(0.0, |point| point.1);
        let area = format!("M{left} {bottom}L{left} {}L{}L{right} {}V{bottom}z", tenth(y.at(first.1)), &course[1..], tenth(y.at(last)));
        return svg!(g;
            svg!(path d = area, fill = "var(--wash)"),
            svg!(text x = left + 6.0, y = bottom - 8.0, fill = "var(--soft)", font-size = "11.5"; level.name),
        );
    }
    let (at, above) = (tenth(x.at(first.0)) + 10.0, tenth(y.at(first.1)) - 5.0);
    svg!(g;
        svg!(path d = course, fill = "none", stroke = "var(--soft)", stroke-dasharray = "6 4"),
        svg!(text x = at, y = above, fill = "var(--soft)", font-size = "11.5"; level.name),
    )
}

/// What a curve is drawn of; `name` is the height of its name.
fn curve_marks(curve: &Curve, name: Option<f64>, x: &Scale, y: &Scale) -> Svg {
    let colour = series::colour(curve.series);
    let (width, dash) = match curve.weight {
        Weight::Plain => (2.2, ""),
        Weight::Bold => (3.5, ""),
        Weight::Thin => (1.0, ""),
        Weight::Dashed => (2.0, "6 4"),
    };
    let points: Vec<(f64, f64)> = curve.points.iter().map(|point| (point.depth as f64, point.share)).collect();
    let course = line(x, y, &points);
    // A thin curve has no marks, unless it is a single point.
    let thin = curve.weight == Weight::Thin;
    let dot = curve
        .points
        .first()
        .filter(|_| thin && curve.points.len() == 1)
        .map(|point| svg!(path d = series::marker(0, tenth(x.at(point.depth as f64)), y.at(point.share), 2.5), fill = colour));
    let marks = curve.points.iter().filter(|_| !thin).map(|point| {
        let at = tenth(x.at(point.depth as f64));
        let (low, high) = (tenth(y.at(point.interval.0)), tenth(y.at(point.interval.1)));
        svg!(g;
            svg!(path d = format!("M{at} {high}V{low}"), stroke = colour, stroke-width = "5", opacity = ".3"),
            svg!(path d = series::marker(curve.series, at, y.at(point.share), 4.5), fill = colour, stroke = "var(--card)"),
        )
    });
    let label = name.map(|at| {
        let end = curve.points.last().map_or(x.range.1, |point| x.at(point.depth as f64));
        let near = (end + 9.0).min(x.range.1 + 9.0);
        let wide = curve.name.chars().count() as f64 * LETTER + 10.0;
        svg!(g;
            svg!(rect x = near - 4.0, y = tenth(at) - NAME / 2.0, width = wide, height = NAME, fill = "transparent"),
            svg!(text x = near, y = tenth(at) + 4.0, fill = colour, font-weight = "600"; curve.name.as_str()),
        )
    });
    svg!(g;
        // Wide enough for a finger.
        svg!(path d = course, stroke = "transparent", stroke-width = "18"),
        svg!(path d = course, stroke = colour, stroke-width = width, stroke-dasharray = dash),
        marks.collect::<Svg>(),
        dot,
        label,
    )
}

fn curve_view(curve: &Curve, index: usize, faded: bool, marks: Svg, pressed: Option<Callback<usize>>) -> AnyView {
    let press = move || {
        if let Some(pressed) = pressed {
            pressed.run(index);
        }
    };
    let key = move |event: web_sys::KeyboardEvent| {
        if matches!(event.key().as_str(), "Enter" | " ") {
            event.prevent_default();
            press();
        }
    };
    let opacity = match curve.weight {
        _ if faded => "0.35",
        Weight::Thin => "0.5",
        Weight::Plain | Weight::Bold | Weight::Dashed => "1",
    };
    let (role, reached) = (pressed.map(|_| "button"), pressed.map(|_| "0"));
    let spoken = pressed.map(|_| sentence(curve));
    view! {
        <g class="curve" fill="none" opacity=opacity role=role tabindex=reached aria-label=spoken data-curve=curve.name.clone() on:click=move |_| press() on:keydown=key inner_html=marks.markup()></g>
    }
    .into_any()
}

/// A curve as a sentence: “Straight: k = 1 98 %, k = 2 50 %”.
pub fn sentence(curve: &Curve) -> String {
    let points = curve.points.iter().map(|point| format!("k = {} {:.0} %", point.depth, point.share * 100.0));
    format!("{}: {}", curve.name, points.collect::<Vec<_>>().join(", "))
}

fn spoken(curves: &[Curve]) -> String {
    let told = curves.iter().filter(|curve| curve.weight != Weight::Thin).map(sentence);
    format!("Share of rows right in every cell against steps ahead. {}.", told.collect::<Vec<_>>().join("; "))
}
