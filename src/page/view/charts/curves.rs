//! Shares against depth k as curves that are named at their ends: the chart of the story, of a lesson and of a class.

use super::frame::line;
use super::scale::Scale;
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
        curve_view(&curves[index], index, faded, name, &x, &y, pressed)
    });
    view! {
        <svg class="curves" width=size.width height=size.height viewBox=format!("0 0 {} {}", size.width, size.height) role="group" aria-label=spoken(curves) font-family="system-ui, sans-serif" font-size="12.5">
            <rect width=size.width height=size.height fill="var(--card)" />
            {axes(&x, &y, deepest)}
            {levels.iter().map(|level| level_view(level, &x, &y)).collect_view()}
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

fn axes(x: &Scale, y: &Scale, deepest: usize) -> AnyView {
    let (left, right) = x.range;
    let rows = [0.0, 0.25, 0.5, 0.75, 1.0].into_iter().map(|share| {
        let at = tenth(y.at(share));
        view! {
            <path d=format!("M{left} {at}H{right}") stroke="var(--line)" />
            <text x=left - 6.0 y=at + 4.0 text-anchor="end" fill="var(--soft)">{format!("{:.0} %", share * 100.0)}</text>
        }
    });
    let columns = (1..=deepest).map(|depth| {
        view! { <text x=tenth(x.at(depth as f64)) y=y.range.0 + 17.0 text-anchor="middle" fill="var(--soft)">{depth}</text> }
    });
    view! {
        {rows.collect_view()}
        {columns.collect_view()}
        <text x=tenth((left + right) / 2.0) y=y.range.0 + 34.0 text-anchor="middle" fill="var(--soft)">"steps ahead, k"</text>
    }
    .into_any()
}

fn level_view(level: &Level, x: &Scale, y: &Scale) -> AnyView {
    let points: Vec<(f64, f64)> = level.points.iter().map(|&(depth, share)| (depth as f64, share)).collect();
    let Some(first) = points.first() else { return ().into_any() };
    let course = line(x, y, &points);
    if level.filled {
        let (left, right, bottom) = (x.range.0, x.range.1, y.range.0);
        let last = points.last().map_or(0.0, |point| point.1);
        let area = format!("M{left} {bottom}L{left} {}L{}L{right} {}V{bottom}z", tenth(y.at(first.1)), &course[1..], tenth(y.at(last)));
        return view! {
            <path d=area fill="var(--wash)" />
            <text x=left + 6.0 y=bottom - 8.0 fill="var(--soft)" font-size="11.5">{level.name}</text>
        }
        .into_any();
    }
    view! {
        <path d=course fill="none" stroke="var(--soft)" stroke-dasharray="6 4" />
        <text x=tenth(x.at(first.0)) + 10.0 y=tenth(y.at(first.1)) - 5.0 fill="var(--soft)" font-size="11.5">{level.name}</text>
    }
    .into_any()
}

fn curve_view(
    curve: &Curve,
    index: usize,
    faded: bool,
    name: Option<f64>,
    x: &Scale,
    y: &Scale,
    pressed: Option<Callback<usize>>,
) -> AnyView {
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
    let dot = curve.points.first().filter(|_| thin && curve.points.len() == 1).map(|point| {
        view! { <path d=series::marker(0, tenth(x.at(point.depth as f64)), y.at(point.share), 2.5) fill=colour /> }
    });
    let marks = curve.points.iter().filter(|_| !thin).map(|point| {
        let at = tenth(x.at(point.depth as f64));
        let (low, high) = (tenth(y.at(point.interval.0)), tenth(y.at(point.interval.1)));
        view! {
            <path d=format!("M{at} {high}V{low}") stroke=colour stroke-width="5" opacity=".3" />
            <path d=series::marker(curve.series, at, y.at(point.share), 4.5) fill=colour stroke="var(--card)" />
        }
    });
    let label = name.map(|at| {
        let end = curve.points.last().map_or(x.range.1, |point| x.at(point.depth as f64));
        let near = (end + 9.0).min(x.range.1 + 9.0);
        let words = curve.name.clone();
        view! {
            <rect x=near - 4.0 y=tenth(at) - NAME / 2.0 width=words.chars().count() as f64 * LETTER + 10.0 height=NAME fill="transparent" />
            <text x=near y=tenth(at) + 4.0 fill=colour font-weight="600">{words}</text>
        }
    });
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
    let button = pressed.is_some().then_some("button");
    let opacity = if faded {
        "0.35"
    } else if curve.weight == Weight::Thin {
        "0.5"
    } else {
        "1"
    };
    view! {
        <g class="curve" fill="none" opacity=opacity role=button tabindex=pressed.map(|_| "0") aria-label=pressed.map(|_| sentence(curve)) data-curve=curve.name.clone() on:click=move |_| press() on:keydown=key>
            <path d=course.clone() stroke="transparent" stroke-width="18" pointer-events=if pressed.is_some() { "stroke" } else { "none" } />
            <path d=course stroke=colour stroke-width=width stroke-dasharray=dash />
            {marks.collect_view()}
            {dot}
            {label}
        </g>
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
