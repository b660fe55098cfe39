//! Charts: pure functions from plain data to SVG. Colours are written as `var(--name)`, so that a chart follows the page's
//! colour scheme. [`crate::page::commands::downloads::svg`] replaces them by real colours when it saves a chart.

pub mod cells;
pub mod chain;
pub mod curves;
pub mod depth;
pub mod frame;
pub mod group;
pub mod loss;
pub mod orbit;
pub mod progress;
pub mod qr;
pub mod reward;
pub mod rule;
pub mod scale;
pub mod schematic;
pub mod series;
pub mod svg;
pub mod sweep;
pub mod trace;

/// Width and height in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    pub width: f64,
    pub height: f64,
}

/// Rounds to a tenth of a pixel. Finer steps are invisible, and this keeps the markup short.
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
