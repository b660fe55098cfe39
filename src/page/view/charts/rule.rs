//! A rule's table as small pictures: each has a neighbourhood above and the next colour below.

use super::svg::{Svg, svg};
use crate::task::{Radius, Rule};
use leptos::prelude::AnyView;

/// A rule to draw, and which of its entries occur in the rows shown.
pub struct RulePicture {
    pub radius: Radius,
    pub rule: Rule,
    pub used: Vec<bool>,
    /// Factor by which the picture is enlarged.
    pub scale: f64,
}

/// For each entry, whether a transition between these states reads it.
pub fn used(radius: Radius, states: &[Vec<u8>]) -> Vec<bool> {
    let (left, right) = radius.neighbourhood();
    let mut used = vec![false; radius.entries()];
    for state in states.iter().rev().skip(1) {
        let width = state.len();
        for cell in 0..width {
            let code = (0..=left + right).fold(0, |code, offset| code << 1 | usize::from(state[(cell + width - left + offset) % width]));
            used[code] = true;
        }
    }
    used
}

/// Draws the table from all filled to all empty, which is Wolfram's order.
pub fn draw(picture: &RulePicture) -> AnyView {
    let cell: f64 = if picture.radius.entries() > 16 { 7.0 } else { 10.0 } * picture.scale;
    let entries = (0..picture.radius.entries()).rev().map(|code| entry(picture, code, cell));
    svg!(div class = "rule-table", role = "img", aria-label = aria_label(picture); entries.collect::<Svg>()).view()
}

fn entry(picture: &RulePicture, code: usize, cell: f64) -> Svg {
    let cells = picture.radius.cells();
    let (left, _) = picture.radius.neighbourhood();
    let width = cells as f64 * cell;
    let height = 2.0 * cell + 3.0;
    let colour = |value: usize| if value == 1 { "var(--cell-on)" } else { "var(--cell-off)" };
    let above = (0..cells).map(|position| {
        let value = code >> (cells - 1 - position) & 1;
        svg!(rect x = position as f64 * cell, width = cell, height = cell, fill = colour(value), stroke = "var(--grid)")
    });
    let next = usize::from(picture.rule.table[code]);
    let known = picture.used[code];
    let class = if known { "rule-entry" } else { "rule-entry rule-unused" };
    let words = if known { "" } else { "The rows shown never use this entry, so it cannot be known." };
    let (wide, high) = (width + 2.0, height + 2.0);
    let view_box = format!("-1 -1 {wide} {high}");
    svg!(svg class = class, width = wide, height = high, viewBox = view_box, shape-rendering = "crispEdges", aria-hidden = "true";
        svg!(title; words),
        above.collect::<Svg>(),
        svg!(rect x = left as f64 * cell, y = cell + 3.0, width = cell, height = cell, fill = colour(next), stroke = "var(--grid)"),
    )
}

fn aria_label(picture: &RulePicture) -> String {
    let outcomes: String = picture.rule.table.iter().rev().map(|value| if *value == 1 { '1' } else { '0' }).collect();
    let unused = picture.used.iter().filter(|used| !**used).count();
    format!(
        "The hidden rule, outcomes from all-filled to all-empty neighbourhoods: {outcomes}. {unused} of {} entries are not used by the rows shown.",
        picture.used.len()
    )
}
