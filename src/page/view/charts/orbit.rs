//! The space-time picture: the rows shown, then for each asked depth the true row and below it the model's row.

use super::svg::{Svg, svg};
use super::tenth;
use leptos::prelude::AnyView;

/// Width of the labels to the left of the cells, and of the marks to their right.
pub const LABEL: f64 = 66.0;
pub const MARK: f64 = 62.0;

/// One asked row.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub depth: usize,
    pub truth: Vec<u8>,
    /// Whether the truth is drawn; else question marks.
    pub revealed: bool,
    /// The model's row, once there is one; 2 is any token that is not a cell.
    pub answer: Option<Vec<u8>>,
}

impl Asked {
    /// Number of right cells in the answer, once the truth is revealed.
    pub fn right(&self) -> Option<usize> {
        self.answer
            .as_ref()
            .filter(|_| self.revealed)
            .map(|answer| answer.iter().zip(&self.truth).filter(|(given, truth)| given == truth).count())
    }
}

/// One or more questions about the same rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Orbit {
    pub shown: Vec<Vec<u8>>,
    /// Ascending by depth.
    pub asked: Vec<Asked>,
}

/// Draws the picture into a box of this width and about this height, then enlarges it by `scale`.
pub fn draw(orbit: &Orbit, width: f64, height: f64, scale: f64) -> AnyView {
    let cells = orbit.shown.first().map_or(1, Vec::len);
    let gaps = orbit.asked.len() as f64 * 7.0 + 18.0;
    let rows = (orbit.shown.len() + 2 * orbit.asked.len()) as f64;
    let cell = ((width - LABEL - MARK) / cells as f64).min((height - gaps) / rows).clamp(3.0, 24.0);
    let cell = if cell >= 5.0 { cell.floor() } else { tenth(cell) };
    let mut rows = Vec::new();
    let mut y = 1.0;
    for (index, state) in orbit.shown.iter().enumerate() {
        // The last row's label needs room under the first one's.
        let last = index + 1 == orbit.shown.len() && index as f64 * cell >= 12.0;
        let label = if index == 0 || last { format!("row {}", index + 1) } else { String::new() };
        rows.push(svg!(g; text(label, y, cell), strip(state, cell, y)));
        y += cell;
    }
    let mut before = 0;
    for asked in &orbit.asked {
        if asked.depth > before + 1 {
            y += 14.0;
            let hidden = asked.depth - before - 1;
            rows.push(svg!(text x = LABEL + 2.0, y = y - 2.0, fill = "var(--soft)";
                format!("⋮ {hidden} {} not shown", if hidden == 1 { "row" } else { "rows" }),
            ));
        }
        before = asked.depth;
        y += 7.0;
        let pitch = cell.max(12.0);
        rows.push(asked_rows(asked, orbit.shown.len(), cell, y, pitch));
        y += 2.0 * pitch;
    }
    let wide = LABEL + cells as f64 * cell + MARK;
    Svg::picture(wide, y + 3.0, scale, &aria_label(orbit), 11.5, rows.into())
}

fn asked_rows(asked: &Asked, shown: usize, cell: f64, y: f64, pitch: f64) -> Svg {
    let truth = if asked.revealed { strip(&asked.truth, cell, y) } else { unknown(asked.truth.len(), cell, y, true) };
    let below = y + pitch;
    let answer = match &asked.answer {
        Some(answer) => {
            svg!(g; strip(answer, cell, below), asked.revealed.then(|| crosses(answer, &asked.truth, cell, below)))
        }
        None => unknown(asked.truth.len(), cell, below, false),
    };
    let beside = LABEL + asked.truth.len() as f64 * cell + 6.0;
    let (mark, colour) = mark(asked);
    svg!(g;
        text(format!("row {}", shown + asked.depth), y, cell),
        svg!(text x = beside, y = y + cell / 2.0 + 4.0, fill = "var(--soft)"; format!("k = {}", asked.depth)),
        truth,
        text("model".into(), below, cell),
        answer,
        svg!(text x = beside, y = below + cell / 2.0 + 4.0, fill = colour, font-weight = "600"; mark),
    )
}

/// The number of right cells as text, and its colour.
pub fn mark(asked: &Asked) -> (String, &'static str) {
    match asked.right() {
        Some(right) if right == asked.truth.len() => (format!("{right}/{} ✓", asked.truth.len()), "var(--right)"),
        Some(right) => (format!("{right}/{} ✗", asked.truth.len()), "var(--wrong)"),
        None => (String::new(), "var(--soft)"),
    }
}

/// A row's label.
pub fn text(words: String, y: f64, cell: f64) -> Svg {
    svg!(text x = LABEL - 6.0, y = tenth(y + cell / 2.0 + 4.0), text-anchor = "end", fill = "var(--soft)"; words)
}

/// A row of cells, as one path for each colour.
pub fn strip(state: &[u8], cell: f64, y: f64) -> Svg {
    let stroke = if cell >= 6.0 { "var(--grid)" } else { "none" };
    cells(state, cell, cell, y, stroke)
}

/// A row of cells as a thin line.
pub fn thin(state: &[u8], cell: f64, height: f64, y: f64) -> Svg {
    cells(state, cell, height, y, "none")
}

fn cells(state: &[u8], cell: f64, height: f64, y: f64, stroke: &'static str) -> Svg {
    let squares = |wanted: u8| -> String {
        let at = state.iter().enumerate().filter(|&(_, &value)| value == wanted);
        at.map(|(index, _)| format!("M{} {y}h{cell}v{height}h-{cell}z", tenth(LABEL + index as f64 * cell))).collect()
    };
    svg!(g shape-rendering = "crispEdges", stroke = stroke;
        svg!(path d = squares(0), fill = "var(--cell-off)"),
        svg!(path d = squares(1), fill = "var(--cell-on)"),
        svg!(path d = squares(2), fill = "var(--cell-none)"),
    )
}

/// An unknown row: outlined cells with question marks.
pub fn unknown(width: usize, cell: f64, y: f64, asked: bool) -> Svg {
    let outline: String = (0..width).map(|index| format!("M{} {y}h{cell}v{cell}h-{cell}z", tenth(LABEL + index as f64 * cell))).collect();
    let centres: Vec<f64> = match (asked, cell >= 11.0) {
        (false, _) => Vec::new(),
        (true, true) => (0..width).map(|index| LABEL + (index as f64 + 0.5) * cell).collect(),
        (true, false) => vec![LABEL + width as f64 * cell / 2.0],
    };
    let marks =
        centres.into_iter().map(|x| svg!(text x = tenth(x), y = y + cell / 2.0 + 4.0, text-anchor = "middle", fill = "var(--soft)"; "?"));
    svg!(g; svg!(path d = outline, fill = "none", stroke = "var(--grid)", stroke-dasharray = "2 2"), marks.collect::<Svg>())
}

/// A cross on every wrong cell, or a bar below it if cells are too small for a cross.
pub fn crosses(answer: &[u8], truth: &[u8], cell: f64, y: f64) -> Svg {
    let wrong = answer.iter().zip(truth).enumerate().filter(|(_, (given, truth))| given != truth);
    let inset = tenth(cell * 0.22);
    let path: String = wrong
        .map(|(index, _)| {
            let x = tenth(LABEL + index as f64 * cell);
            if cell < 7.0 {
                return format!("M{x} {}h{cell}", y + cell + 2.0);
            }
            let (left, right, top, bottom) = (x + inset, x + cell - inset, y + inset, y + cell - inset);
            format!("M{left} {top}L{right} {bottom}M{right} {top}L{left} {bottom}")
        })
        .collect();
    svg!(g fill = "none", stroke-linecap = "round";
        svg!(path d = path.clone(), stroke = "var(--card)", stroke-width = "4.5"),
        svg!(path d = path, stroke = "var(--wrong)", stroke-width = "2.5"),
    )
}

fn aria_label(orbit: &Orbit) -> String {
    let width = orbit.shown.first().map_or(0, Vec::len);
    let answers =
        orbit.asked.iter().filter_map(|asked| asked.right().map(|right| format!("k = {}: {right} of {width} cells right", asked.depth)));
    let answers = answers.collect::<Vec<_>>().join("; ");
    let said = if answers.is_empty() { "The model has not answered yet".into() } else { format!("The model's answers: {answers}") };
    format!("{} rows of {width} cells shown. {said}.", orbit.shown.len())
}
