//! A small picture of each network that shows how it carries information along the sequence: tokens below, the answer at the top right.

use super::svg::{Svg, svg};
use super::tenth;
use crate::config::ModelKind;
use leptos::prelude::AnyView;

const WIDTH: f64 = 132.0;
const HEIGHT: f64 = 60.0;
/// Number of tokens drawn.
const TOKENS: usize = 6;
/// Heights of the row of tokens, and of the row above it that reads them.
const FLOOR: f64 = 52.0;
const MIDDLE: f64 = 30.0;
const TOP: f64 = 8.0;

/// Which tokens are drawn as filled cells. They follow no rule.
const FULL: [bool; TOKENS] = [true, false, true, true, false, true];

/// The picture of a network. It fills its container's width.
pub fn draw(kind: ModelKind) -> AnyView {
    let marks = match kind {
        ModelKind::GptNeox => transformer(),
        ModelKind::Lstm => lstm(),
        ModelKind::Mamba => mamba(),
        ModelKind::Armt => armt(),
        ModelKind::DeltaNet => deltanet(),
    };
    let view_box = format!("0 0 {WIDTH} {HEIGHT}");
    svg!(svg class = "model-schematic", viewBox = view_box, aria-hidden = "true", fill = "none", stroke-linecap = "round"; marks).view()
}

/// The middle of a token's column.
fn column(token: usize) -> f64 {
    13.0 + token as f64 * 21.2
}

fn token(x: f64, full: bool) -> Svg {
    let colour = if full { "var(--cell-on)" } else { "var(--cell-off)" };
    svg!(rect x = tenth(x - 4.0), y = FLOOR - 4.0, width = "8", height = "8", fill = colour, stroke = "var(--grid)", stroke-width = "0.8")
}

fn tokens() -> Svg {
    (0..TOKENS).map(|index| token(column(index), FULL[index])).collect::<Svg>()
}

/// Straight lines, all in one path.
fn lines(ends: impl Iterator<Item = ((f64, f64), (f64, f64))>) -> String {
    ends.map(|((x, y), (to_x, to_y))| format!("M{} {}L{} {}", tenth(x), tenth(y), tenth(to_x), tenth(to_y))).collect()
}

fn dots(y: f64, last_only: bool) -> Svg {
    let dot = |index: usize| {
        let last = index + 1 == TOKENS;
        let colour = if last { "var(--accent)" } else { "var(--grid)" };
        (last || !last_only).then(|| svg!(circle cx = tenth(column(index)), cy = y, r = "3.2", fill = colour))
    };
    (0..TOKENS).filter_map(dot).collect::<Svg>()
}

/// Two rounds of looking back, from every position to all earlier ones. The answer's lines have the accent colour.
fn transformer() -> Svg {
    let back = |y: f64, from: usize, to_y: f64| (0..=from).map(move |index| ((column(from), y), (column(index), to_y)));
    let faint = lines((0..TOKENS - 1).flat_map(|from| back(MIDDLE, from, FLOOR - 4.0)));
    let strong = lines(back(TOP, TOKENS - 1, MIDDLE).chain(back(MIDDLE, TOKENS - 1, FLOOR - 4.0)));
    svg!(g;
        svg!(path d = faint, stroke = "var(--grid)", stroke-width = "0.7"),
        svg!(path d = strong, stroke = "var(--accent)", stroke-width = "1.1"),
        tokens(),
        dots(MIDDLE, false),
        dots(TOP, true),
    )
}

/// One box of constant size that is passed from token to token.
fn lstm() -> Svg {
    let last = column(TOKENS - 1);
    let up = lines((0..TOKENS).map(|index| ((column(index), FLOOR - 4.0), (column(index), MIDDLE + 6.0))));
    let along = lines((0..TOKENS - 1).map(|index| ((column(index) + 6.0, MIDDLE), (column(index + 1) - 7.0, MIDDLE))));
    let boxes = (0..TOKENS).map(|index| {
        svg!(rect x = tenth(column(index) - 6.0), y = MIDDLE - 6.0, width = "12", height = "12", rx = "2.5", fill = "var(--wash)", stroke = "var(--accent)", stroke-width = "1.2")
    });
    svg!(g;
        svg!(path d = up, stroke = "var(--grid)", stroke-width = "1"),
        svg!(path d = along, stroke = "var(--accent)", stroke-width = "1.6"),
        svg!(path d = heads(), stroke = "var(--accent)", stroke-width = "1.2"),
        svg!(path d = lines([((last, MIDDLE - 6.0), (last, TOP + 3.0))].into_iter()), stroke = "var(--accent)", stroke-width = "1.1"),
        boxes.collect::<Svg>(),
        tokens(),
        dots(TOP, true),
    )
}

/// Arrow heads before every box except the first.
fn heads() -> String {
    (1..TOKENS).map(|index| format!("M{} {}l2.6 2.6l-2.6 2.6", tenth(column(index) - 9.8), MIDDLE - 2.6)).collect()
}

/// One stream through all tokens. Each token opens its own valve as far as it decides.
fn mamba() -> Svg {
    const OPEN: [f64; TOKENS] = [5.0, 1.0, 3.2, 0.8, 1.2, 4.4];
    let last = column(TOKENS - 1);
    let valves = OPEN.iter().enumerate().map(|(index, width)| {
        let x = tenth(column(index));
        let fill = if *width > 3.0 { "var(--accent)" } else { "var(--card)" };
        svg!(g;
            svg!(path d = format!("M{x} {}V{MIDDLE}", FLOOR - 4.0), stroke = "var(--accent)", stroke-width = *width, stroke-linecap = "butt"),
            svg!(path d = format!("M{} {}l4.4 4.4l-4.4 4.4l-4.4 -4.4z", x, MIDDLE + 4.0), fill = fill, stroke = "var(--accent)", stroke-width = "1"),
        )
    });
    svg!(g;
        valves.collect::<Svg>(),
        svg!(path d = format!("M4 {MIDDLE}H{last}"), stroke = "var(--accent)", stroke-width = "5", stroke-opacity = "0.9"),
        svg!(path d = format!("M4 {MIDDLE}H{last}"), stroke = "var(--card)", stroke-width = "1.4", stroke-dasharray = "1.5 4"),
        svg!(path d = lines([((last, MIDDLE - 2.0), (last, TOP + 3.0))].into_iter()), stroke = "var(--accent)", stroke-width = "1.1"),
        tokens(),
        dots(TOP, true),
    )
}

/// Segments that see only themselves, and a memory above them. Each segment writes it and the next one reads it.
fn armt() -> Svg {
    const SEGMENTS: usize = 3;
    let left = |segment: usize| 3.0 + segment as f64 * 44.0;
    let segments = (0..SEGMENTS).map(|segment| {
        let (x, inside) = (left(segment), |index: usize| left(segment) + 7.0 + index as f64 * 12.0);
        let cells = (0..3).map(|index| token(inside(index), FULL[(segment * 2 + index) % TOKENS]));
        let arcs: String =
            (0..2).map(|index| format!("M{} 46Q{} 36 {} 46", inside(index), (inside(index) + inside(2)) / 2.0, inside(2))).collect();
        svg!(g;
            svg!(rect x = x, y = "33", width = "38", height = "26", rx = "4", stroke = "var(--grid)", stroke-width = "1"),
            svg!(path d = arcs, stroke = "var(--accent)", stroke-width = "1"),
            cells.collect::<Svg>(),
        )
    });
    let arrow = |x: f64, from: f64, to: f64| {
        let tip = if to < from { 2.4 } else { -2.4 };
        format!("M{x} {from}V{to}M{} {}L{x} {to}L{} {}", x - 2.2, to + tip, x + 2.2, to + tip)
    };
    let write: String = (0..SEGMENTS - 1).map(|segment| arrow(left(segment) + 29.0, 32.0, 19.0)).collect();
    let read: String = (1..SEGMENTS).map(|segment| arrow(left(segment) + 9.0, 19.0, 32.0)).collect();
    let slots: String = (1..12).map(|slot| format!("M{} 5v11", tenth(3.0 + f64::from(slot) * 10.5))).collect();
    svg!(g;
        svg!(rect x = "3", y = "5", width = "126", height = "11", rx = "2.5", fill = "var(--wash)", stroke = "var(--accent)", stroke-width = "1.2"),
        svg!(path d = slots, stroke = "var(--accent)", stroke-width = "0.6"),
        svg!(path d = write, stroke = "var(--accent)", stroke-width = "1.4"),
        svg!(path d = read, stroke = "var(--accent)", stroke-width = "1.4", stroke-dasharray = "1.5 2.4"),
        segments.collect::<Svg>(),
    )
}

/// A table between tokens and answer. Each token replaces one row of it.
fn deltanet() -> Svg {
    const ROWS: [usize; TOKENS] = [1, 0, 2, 1, 2, 0];
    let (left, right, top, height) = (column(0) - 6.0, column(TOKENS - 1) + 6.0, MIDDLE - 13.0, 7.0);
    let middle = |row: usize| top + height * (row as f64 + 0.5);
    let lines_between: String = (1..3).map(|row| format!("M{left} {}H{right}", tenth(top + height * row as f64))).collect();
    let writes: String =
        ROWS.iter().enumerate().map(|(token, row)| format!("M{} {}V{}", tenth(column(token)), FLOOR - 4.0, tenth(middle(*row)))).collect();
    let written = ROWS.iter().enumerate().map(|(token, row)| {
        let x = tenth(column(token) - 4.0);
        svg!(rect x = x, y = tenth(middle(*row) - 2.2), width = "8", height = "4.4", rx = "1", fill = "var(--accent)")
    });
    let last = column(TOKENS - 1);
    svg!(g;
        svg!(rect x = left, y = top, width = right - left, height = 3.0 * height, rx = "2.5", fill = "var(--wash)", stroke = "var(--accent)", stroke-width = "1.2"),
        svg!(path d = lines_between, stroke = "var(--accent)", stroke-width = "0.6"),
        svg!(path d = writes, stroke = "var(--accent)", stroke-width = "1.1", stroke-dasharray = "1.5 2"),
        svg!(path d = lines([((last, top), (last, TOP + 3.0))].into_iter()), stroke = "var(--accent)", stroke-width = "1.1"),
        written.collect::<Svg>(),
        tokens(),
        dots(TOP, true),
    )
}
