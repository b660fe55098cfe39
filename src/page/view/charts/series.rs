//! Colours and marker shapes that distinguish lines. The shapes help readers who do not see the colours.

use super::tenth;

/// Number of colours, and of markers. When the colours repeat, the marker changes.
const COUNT: usize = 6;
const COLOURS: [&str; COUNT] = ["var(--s0)", "var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)"];
const DEPTH_COLOURS: [&str; 4] = ["var(--k1)", "var(--k2)", "var(--k3)", "var(--k4)"];

/// The colour of a run.
pub fn colour(series: usize) -> &'static str {
    COLOURS[series % COUNT]
}

/// The colour of the line of the `position`-th depth.
pub fn depth_colour(position: usize) -> &'static str {
    DEPTH_COLOURS[position % DEPTH_COLOURS.len()]
}

/// The outline of a marker around a point, as path data.
pub fn marker(series: usize, x: f64, y: f64, radius: f64) -> String {
    let (x, y, r) = (tenth(x), tenth(y), radius);
    match (series + series / COUNT) % COUNT {
        0 => format!("M{} {y}a{r} {r} 0 1 0 {} 0a{r} {r} 0 1 0 {} 0z", x - r, 2.0 * r, -2.0 * r),
        1 => format!("M{} {}h{d}v{d}h-{d}z", x - 0.9 * r, y - 0.9 * r, d = tenth(1.8 * r)),
        2 => format!("M{x} {}L{} {}H{}z", y - 1.2 * r, x + 1.15 * r, y + 0.8 * r, x - 1.15 * r),
        3 => format!("M{x} {}L{} {y}L{x} {}L{} {y}z", y - 1.3 * r, x + 1.3 * r, y + 1.3 * r, x - 1.3 * r),
        4 => format!("M{x} {}L{} {}H{}z", y + 1.2 * r, x + 1.15 * r, y - 0.8 * r, x - 1.15 * r),
        _ => format!(
            "M{} {}h{a}v{b}h{a}v{a}h-{a}v{b}h-{a}v-{b}h-{a}v-{a}h{a}z",
            x - 0.4 * r,
            y - 1.2 * r,
            a = tenth(0.8 * r),
            b = tenth(0.8 * r)
        ),
    }
}
