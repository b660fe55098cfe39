//! Heat maps: cells coloured by level, one small panel for each part of the network, laid out like the rows of the orbit. They show hops and
//! attribution.

use super::svg::{Svg, svg};
use super::tenth;
use leptos::prelude::AnyView;

/// Width of the labels to the left of a panel's cells.
pub const LABEL: f64 = 50.0;
/// The gap between the rows shown and the rows that the model answers.
const GAP: f64 = 6.0;

/// One row of cells.
#[derive(Clone, Debug, PartialEq)]
pub struct MapLine {
    /// The row's number, counted from 1.
    pub row: usize,
    /// Whether the model answers the row; else it reads it.
    pub asked: bool,
    /// `[parts][W]`: levels from 1 on, 0 for no level; `None` before a measurement.
    pub levels: Option<Vec<Vec<u8>>>,
}

/// One panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    pub name: String,
    /// The text below the panel.
    pub caption: String,
    /// For a panel about pairs of rows instead of cells: the level of rows t and t + 1, 0 for no level.
    pub bands: Option<Vec<u8>>,
}

/// The data of all panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub lines: Vec<MapLine>,
    /// Cells in a row, W.
    pub cells: usize,
    pub parts: Vec<Part>,
    /// The highest possible level.
    pub most: usize,
    /// Runs of cells to outline: (line, first cell, number of cells).
    pub outlined: Vec<(usize, usize, usize)>,
    /// The largest side of a cell, in CSS pixels.
    pub largest: f64,
}

impl Map {
    /// Side of a cell, in CSS pixels.
    pub fn cell(&self) -> f64 {
        (220.0 / self.cells as f64).clamp(4.0, self.largest).floor()
    }

    /// The top of a line, in CSS pixels.
    fn top(&self, line: usize) -> f64 {
        1.0 + line as f64 * self.cell() + if self.lines.get(line).is_some_and(|line| line.asked) { GAP } else { 0.0 }
    }

    /// The line and cell at a point of a panel.
    pub fn at(&self, x: f64, y: f64) -> Option<(usize, usize)> {
        let cell = ((x - LABEL) / self.cell()).floor();
        let line = (0..self.lines.len()).find(|&line| (0.0..self.cell()).contains(&(y - self.top(line))))?;
        (cell >= 0.0 && (cell as usize) < self.cells).then_some((line, cell as usize))
    }

    /// The outline of `count` cells of a line, as path data.
    fn run(&self, line: usize, index: usize, count: usize) -> String {
        let (side, width) = (self.cell(), count as f64 * self.cell());
        format!("M{} {}h{width}v{side}h-{width}z", tenth(LABEL + index as f64 * side), tenth(self.top(line)))
    }

    /// The labels of a panel's lines. Labels of bands are between two rows.
    fn labels(&self, bands: bool) -> Svg {
        let side = self.cell();
        let ends = |line: usize| line == 0 || line + 1 == self.lines.len() || self.lines[line].asked || self.lines[line + 1].asked;
        let room = |line: usize| line == 0 || self.lines[line].asked || line as f64 * side >= 12.0;
        let text = |line: usize| {
            let (row, between) = (self.lines[line].row, bands && !self.lines[line].asked);
            let words = if between { format!("{row} and {}", row + 1) } else { format!("row {row}") };
            let y = tenth(self.top(line) + if between { side } else { side / 2.0 } + 4.0);
            svg!(text x = LABEL - 6.0, y = y, text-anchor = "end", fill = "var(--soft)"; words)
        };
        let shown = self.lines.iter().filter(|line| !line.asked).count();
        // A band is between two rows, so there is one band fewer than rows.
        let label = |line: usize| match bands {
            true => line == 0 || line + 2 == shown && room(line) || self.lines[line].asked,
            false => ends(line) && room(line),
        };
        (0..self.lines.len()).filter(|&line| label(line)).map(text).collect::<Svg>()
    }

    /// The shapes of one level.
    fn of(&self, part: usize, level: usize) -> String {
        let bands = self.parts[part].bands.as_ref();
        let number = |line: usize, index: usize| {
            let levels = self.lines[line].levels.as_ref();
            usize::from(levels.and_then(|levels| levels.get(part)?.get(index).copied()).unwrap_or(0))
        };
        let places = (0..self.lines.len()).flat_map(|line| (0..self.cells).map(move |index| (line, index)));
        let squares = places.filter(|&(line, index)| (bands.is_none() || self.lines[line].asked) && number(line, index) == level);
        let squares: String = squares.map(|(line, index)| self.run(line, index, 1)).collect();
        let (side, width) = (self.cell(), self.cells as f64 * self.cell());
        let band = |(line, _): (usize, &u8)| {
            format!("M{LABEL} {}h{width}v{}h-{width}z", tenth(self.top(line) + 0.5 * side + 1.0), tenth(side - 2.0))
        };
        let bands = bands.into_iter().flatten().enumerate().filter(|(_, of)| usize::from(**of) == level);
        squares + &bands.map(band).collect::<String>()
    }
}

/// The colour of a level.
pub fn colour(level: usize, most: usize) -> String {
    let share = level.saturating_sub(1) as f64 / most.saturating_sub(1).max(1) as f64;
    format!("color-mix(in oklab, var(--accent) {:.0}%, var(--cell-off))", 100.0 * share)
}

/// Draws one part's panel, with a frame around the chosen cell.
pub fn panel(map: &Map, part: usize, pointed: Option<(usize, usize)>, scale: f64) -> AnyView {
    let cell = map.cell();
    let width = LABEL + map.cells as f64 * cell + 2.0;
    let height = map.top(map.lines.len().saturating_sub(1)) + cell + 1.0;
    let stroke = if cell >= 6.0 { "var(--grid)" } else { "none" };
    let Part { caption, bands, .. } = &map.parts[part];
    let outlined: String = match bands {
        None => map.outlined.iter().map(|&(line, first, count)| map.run(line, first, count)).collect(),
        Some(_) => String::new(),
    };
    let level = |level: usize| svg!(path class = "cell-level", data-level = level, d = map.of(part, level), fill = colour(level, map.most));
    let pointed = pointed.map(|(line, index)| map.run(line, index, 1)).unwrap_or_default();
    let inside = svg!(g;
        map.labels(bands.is_some()),
        svg!(g shape-rendering = "crispEdges", stroke = stroke;
            svg!(path d = map.of(part, 0), fill = "none", stroke = "var(--grid)", stroke-dasharray = "2 2"),
            (1..=map.most).map(level).collect::<Svg>(),
        ),
        svg!(path class = "cell-outlined", d = outlined, fill = "none", stroke = "var(--ink)", stroke-width = "2"),
        svg!(path d = pointed, fill = "none", stroke = "var(--wrong)", stroke-width = "2.5"),
    );
    Svg::picture(width, height, scale, caption, 11.0, inside)
}

/// The legend of the levels, from the lowest.
pub fn keys<T: ToString>(names: &[T]) -> AnyView {
    let most = names.len();
    let key = |(index, name): (usize, &T)| {
        let colour = format!("background:{}", colour(index + 1, most));
        svg!(span class = "level-key"; svg!(i style = colour), name.to_string())
    };
    names.iter().enumerate().map(key).collect::<Svg>().view()
}
