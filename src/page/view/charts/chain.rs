//! A chain of thought: the rows shown, and below them the rows that the model wrote, in the order in which it wrote them.

use super::orbit::{LABEL, MARK, Orbit, crosses, mark, strip, text, thin, unknown};
use super::svg::{Svg, svg};
use super::tenth;
use leptos::prelude::AnyView;

/// The true row below each written row: the gap to it, its height, and the gap to the next row.
const NEAR: f64 = 1.5;
const TRUTH: f64 = 5.0;
const FAR: f64 = 5.5;
/// Height of a line of text.
const LINE: f64 = 12.0;
/// Width of the key below the picture.
const KEY: f64 = 130.0;

/// A chain and how much of it is displayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub orbit: Orbit,
    /// Number of the model's rows that are drawn.
    pub written: usize,
}

/// Draws the chain into a box of this width and about this height, then enlarges it by `scale`.
pub fn draw(chain: &Chain, width: f64, height: f64, scale: f64) -> AnyView {
    let Orbit { shown, asked } = &chain.orbit;
    let cells = shown.first().map_or(1, Vec::len);
    let gaps = asked.len() as f64 * (NEAR + TRUTH + FAR) + 26.0;
    let fitting = (height - gaps) / (shown.len() + asked.len()) as f64;
    // A label needs twelve pixels, so a long chain makes the picture higher instead of its rows smaller.
    let cell = ((width - LABEL - MARK) / cells as f64).min(fitting.max(LINE)).clamp(3.0, 24.0);
    let cell = if cell >= 5.0 { cell.floor() } else { tenth(cell) };
    let begin = 1.0 + shown.len() as f64 * cell + 7.0;
    let pitch = cell.max(LINE) + NEAR + TRUTH + FAR;
    let bottom = begin + asked.len() as f64 * pitch + 16.0;
    let above = shown.iter().enumerate().map(|(index, state)| {
        let y = 1.0 + index as f64 * cell;
        let last = index + 1 == shown.len() && index as f64 * cell >= 12.0;
        let label = if index == 0 || last { format!("row {}", index + 1) } else { String::new() };
        svg!(g; text(label, y, cell), strip(state, cell, y))
    });
    let below = (0..asked.len()).map(|index| thought(chain, index, cell, begin + index as f64 * pitch));
    let answered = asked.iter().any(|asked| asked.answer.is_some() && asked.revealed);
    let key = if answered { "thin line: the true row" } else { "" };
    let wide = LABEL + (cells as f64 * cell + MARK).max(KEY);
    let inside = svg!(g;
        above.collect::<Svg>(),
        below.collect::<Svg>(),
        svg!(text x = LABEL, y = bottom - 4.0, fill = "var(--soft)"; key),
    );
    Svg::picture(wide, bottom, scale, &aria_label(chain), 11.5, inside)
}

/// One row of the model: written, or an empty place for it.
fn thought(chain: &Chain, index: usize, cell: f64, y: f64) -> Svg {
    let asked = &chain.orbit.asked[index];
    let width = asked.truth.len();
    let beside = LABEL + width as f64 * cell + 6.0;
    let label = text(format!("row {}", chain.orbit.shown.len() + asked.depth), y, cell);
    let Some(answer) = asked.answer.as_ref().filter(|_| index < chain.written) else {
        let hidden = asked.answer.is_none();
        let row = if asked.revealed && hidden { strip(&asked.truth, cell, y) } else { unknown(width, cell, y, hidden) };
        return svg!(g; label, row, svg!(text x = beside, y = y + cell / 2.0 + 4.0, fill = "var(--soft)"; format!("k = {}", asked.depth)));
    };
    let (words, colour) = mark(asked);
    let newest = index + 1 == chain.written;
    let outline = if newest { "var(--accent)" } else { "none" };
    svg!(g class = "chain-row", data-depth = asked.depth;
        label,
        strip(answer, cell, y),
        asked.revealed.then(|| crosses(answer, &asked.truth, cell, y)),
        asked.revealed.then(|| thin(&asked.truth, cell, TRUTH, y + cell + NEAR)),
        svg!(rect x = LABEL - 1.0, y = y - 1.0, width = width as f64 * cell + 2.0, height = cell + 2.0, fill = "none", stroke = outline, stroke-width = "2"),
        svg!(text x = beside, y = y + cell / 2.0 + 4.0, fill = colour, font-weight = "600"; words),
    )
}

fn aria_label(chain: &Chain) -> String {
    let Orbit { shown, asked } = &chain.orbit;
    let cells = shown.first().map_or(0, Vec::len);
    let row = |depth: usize| shown.len() + depth;
    let written = asked.iter().take(chain.written).filter_map(|asked| asked.right().map(|right| (row(asked.depth), right)));
    let words = written.map(|(row, right)| format!("row {row}: {right} of {cells} cells right")).collect::<Vec<_>>().join("; ");
    let words = if words.is_empty() { "The model has written nothing yet".into() } else { format!("The model wrote {words}") };
    format!("{} rows of {cells} cells shown. {words}.", shown.len())
}
