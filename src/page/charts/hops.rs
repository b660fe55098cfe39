//! Hops of adaptive computation time as a heat map: one small panel a looped part, laid out like the rows of the orbit.

use super::tenth;
use leptos::prelude::*;

/// Width of the labels left of a panel's cells.
pub const LABEL: f64 = 50.0;
/// Between the rows shown and those that the model answers.
const GAP: f64 = 6.0;

/// One row of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number, counted from 1.
    pub row: usize,
    /// Whether the model answers it, rather than reads it.
    pub asked: bool,
    /// `[parts][W]`; none before it is measured.
    pub hops: Option<Vec<Vec<u8>>>,
}

/// Everything that the panels draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub lines: Vec<Line>,
    /// W.
    pub cells: usize,
    /// Names of the looped parts.
    pub parts: Vec<String>,
    /// M, the most hops there may be.
    pub most: usize,
    /// The largest side of a cell, CSS pixels.
    pub largest: f64,
}

impl Map {
    /// Side of a cell, CSS pixels.
    pub fn cell(&self) -> f64 {
        (220.0 / self.cells as f64).clamp(4.0, self.largest).floor()
    }

    /// Where a line begins.
    fn top(&self, line: usize) -> f64 {
        1.0 + line as f64 * self.cell() + if self.lines.get(line).is_some_and(|line| line.asked) { GAP } else { 0.0 }
    }

    /// The line and cell at a point of a panel.
    pub fn at(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let cell = ((x - LABEL) / self.cell()).floor();
        let line = (0..self.lines.len()).find(|&line| (0.0..self.cell()).contains(&(y - self.top(line))))?;
        (cell >= 0.0 && (cell as usize) < self.cells).then_some((line, cell as usize))
    }

    /// Mean hops of a part over all lines.
    pub fn mean(&self, part: usize) -> Option<f64> {
        let hops: Vec<f64> =
            self.lines.iter().filter_map(|line| line.hops.as_ref()?.get(part)).flatten().map(|&hops| f64::from(hops)).collect();
        (!hops.is_empty()).then(|| hops.iter().sum::<f64>() / hops.len() as f64)
    }
}

/// The colour of so many hops.
pub fn colour(hops: usize, most: usize) -> String {
    let share = hops.saturating_sub(1) as f64 / most.saturating_sub(1).max(1) as f64;
    format!("color-mix(in oklab, var(--accent) {:.0}%, var(--cell-off))", 100.0 * share)
}

/// Draws one part's panel, with a frame around the cell that is pointed at.
pub fn panel(map: &Map, part: usize, pointed: Option<(usize, usize)>, scale: f64) -> AnyView {
    let cell = map.cell();
    let width = LABEL + map.cells as f64 * cell + 2.0;
    let height = map.top(map.lines.len().saturating_sub(1)) + cell + 1.0;
    let square = |line: usize, index: usize| format!("M{} {}h{cell}v{cell}h-{cell}z", tenth(LABEL + index as f64 * cell), map.top(line));
    let count = |line: usize, index: usize| map.lines[line].hops.as_ref().and_then(|hops| hops.get(part)?.get(index).copied()).unwrap_or(0);
    let places = || (0..map.lines.len()).flat_map(|line| (0..map.cells).map(move |index| (line, index)));
    let of = |hops: usize| -> String {
        places().filter(|&(line, index)| usize::from(count(line, index)) == hops).map(|(line, index)| square(line, index)).collect()
    };
    let labels = map
        .lines
        .iter()
        .enumerate()
        .filter(|&(line, what)| line == 0 || what.asked || line + 1 == map.lines.len() || map.lines[line + 1].asked);
    let labels = labels.filter(|&(line, what)| what.asked || line == 0 || line as f64 * cell >= 12.0).map(|(line, what)| {
        view! { <text x=LABEL - 6.0 y=tenth(map.top(line) + cell / 2.0 + 4.0) text-anchor="end" fill="var(--soft)">{format!("row {}", what.row)}</text> }
    });
    let words = match map.mean(part) {
        Some(mean) => format!("{}: {mean:.2} hops a token on average", map.parts[part]),
        None => format!("{}: not measured yet", map.parts[part]),
    };
    let stroke = if cell >= 6.0 { "var(--grid)" } else { "none" };
    view! {
        <svg width=width * scale height=height * scale viewBox=format!("0 0 {width} {height}") role="img" aria-label=words font-family="system-ui, sans-serif" font-size="11">
            {labels.collect_view()}
            <g shape-rendering="crispEdges" stroke=stroke>
                <path d=of(0) fill="none" stroke="var(--grid)" stroke-dasharray="2 2" />
                {(1..=map.most).map(|hops| view! { <path class="hop" data-hops=hops d=of(hops) fill=colour(hops, map.most) /> }).collect_view()}
            </g>
            <path d=pointed.map(|(line, index)| square(line, index)).unwrap_or_default() fill="none" stroke="var(--wrong)" stroke-width="2.5" />
        </svg>
    }
    .into_any()
}

/// What each colour stands for.
pub fn legend(most: usize) -> AnyView {
    let entries = (1..=most).map(|hops| {
        view! { <span class="hop-key"><i style=format!("background:{}", colour(hops, most))></i>{hops}</span> }
    });
    view! { <p class="hop-legend" id="hops-legend"><span>"hops"</span>{entries.collect_view()}</p> }.into_any()
}
