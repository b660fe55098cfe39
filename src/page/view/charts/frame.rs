//! The frame of all charts: title, axes, grid, legend.

use super::scale::{Scale, label};
use super::svg::{Svg, svg};
use super::{Size, series, tenth};
use leptos::prelude::AnyView;

const TEXT: &str = "var(--soft)";
const LEFT: f64 = 50.0;
const RIGHT: f64 = 12.0;
const TITLE: f64 = 24.0;
const LEGEND_ROW: f64 = 17.0;
/// Number of legend rows that fit into a chart's height.
const LEGEND_ROWS: usize = 3;
const BELOW: f64 = 40.0;
/// Mean width of a letter at font size 11.5, in pixels.
const LETTER: f64 = 6.6;

/// How a legend entry is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key {
    /// A line with the marker of a series, in the series' colour.
    Marked { series: usize, colour: &'static str },
    /// A line of this dash pattern.
    Line { dash: &'static str, colour: &'static str },
    /// A ring, as what an opened link tells is drawn.
    Ring,
}

/// One entry of the legend.
#[derive(Clone, Debug, PartialEq)]
pub struct LegendEntry {
    pub key: Key,
    pub text: String,
}

/// Everything around a plot.
pub struct Frame {
    pub size: Size,
    pub title: &'static str,
    pub x_label: String,
    pub y_label: &'static str,
    pub legend: Vec<LegendEntry>,
}

impl Frame {
    /// The place of each legend entry: (x, row).
    fn places(&self) -> Vec<(f64, usize)> {
        let (mut x, mut row) = (LEFT, 0);
        let mut places = Vec::new();
        for entry in &self.legend {
            let width = 36.0 + self.fitting(&entry.text).chars().count() as f64 * LETTER;
            if x > LEFT && x + width > self.size.width {
                x = LEFT;
                row += 1;
            }
            places.push((x, row));
            x += width;
        }
        places
    }

    /// Rows of the legend.
    fn rows(&self) -> usize {
        self.places().last().map_or(0, |&(_, row)| row + 1)
    }

    fn top(&self) -> f64 {
        TITLE + self.rows() as f64 * LEGEND_ROW + 8.0
    }

    /// A legend of many runs makes the chart taller; the plot keeps its height.
    fn height(&self) -> f64 {
        self.size.height + self.rows().saturating_sub(LEGEND_ROWS) as f64 * LEGEND_ROW
    }

    /// The horizontal scale over a domain.
    pub fn x(&self, domain: (f64, f64)) -> Scale {
        Scale { domain, range: (LEFT, self.size.width - RIGHT), log: false }
    }

    /// The vertical scale over a domain.
    pub fn y(&self, domain: (f64, f64), log: bool) -> Scale {
        Scale { domain, range: (self.height() - BELOW, self.top()), log }
    }

    /// The whole chart: this frame around `marks`. `spoken` is the description for screen readers.
    pub fn draw(&self, x: &Scale, y: &Scale, x_ticks: Vec<f64>, marks: Svg, spoken: String) -> AnyView {
        let (width, height) = (self.size.width, self.height());
        let middle = (y.range.0 + y.range.1) / 2.0;
        let inside = svg!(g;
            svg!(text x = "2", y = "15", font-size = "14", font-weight = "600", fill = "var(--ink)"; self.title),
            self.legend_view(),
            y_axis(x, y),
            x_axis(x, y, x_ticks),
            svg!(text x = tenth((x.range.0 + x.range.1) / 2.0), y = height - 6.0, text-anchor = "middle", fill = TEXT;
                self.x_label.clone(),
            ),
            svg!(text x = "12", y = middle, transform = format!("rotate(-90 12 {middle})"), text-anchor = "middle", fill = TEXT;
                self.y_label,
            ),
            marks,
        );
        Svg::picture(width, height, 1.0, &spoken, 11.5, inside)
    }

    fn legend_view(&self) -> Svg {
        let entries = self.legend.iter().zip(self.places()).map(|(entry, (x, row))| {
            let y = TITLE + 9.0 + row as f64 * LEGEND_ROW;
            let line = |dash: &str, colour: &str| {
                svg!(path d = format!("M{x} {y}h22"), stroke = colour, stroke-width = "2", stroke-dasharray = dash, fill = "none")
            };
            let sign = match entry.key {
                Key::Marked { series, colour } => {
                    svg!(g; line("", colour), svg!(path d = series::marker(series, x + 11.0, y, 4.0), fill = colour))
                }
                Key::Line { dash, colour } => line(dash, colour),
                Key::Ring => svg!(circle cx = x + 11.0, cy = y, r = "6", fill = "none", stroke = TEXT, stroke-width = "1.5"),
            };
            svg!(g; sign, svg!(text x = x + 27.0, y = y + 4.0, fill = "var(--ink)"; self.fitting(&entry.text)))
        });
        entries.collect::<Svg>()
    }

    /// A text of the legend, cut off where the chart ends.
    fn fitting(&self, text: &str) -> String {
        let room = ((self.size.width - LEFT - 30.0) / LETTER).max(8.0) as usize;
        if text.chars().count() <= room { text.into() } else { text.chars().take(room - 1).chain(['…']).collect() }
    }
}

fn y_axis(x: &Scale, y: &Scale) -> Svg {
    let (left, right) = x.range;
    let ticks = y.ticks(5).into_iter().map(|tick| {
        let at = tenth(y.at(tick));
        svg!(g;
            svg!(path d = format!("M{left} {at}H{right}"), stroke = "var(--line)"),
            svg!(text x = left - 6.0, y = at + 4.0, text-anchor = "end", fill = TEXT; label(tick)),
        )
    });
    ticks.collect::<Svg>()
}

fn x_axis(x: &Scale, y: &Scale, ticks: Vec<f64>) -> Svg {
    let (left, right) = x.range;
    let bottom = y.range.0;
    let ticks = ticks.into_iter().map(|tick| {
        let at = tenth(x.at(tick));
        svg!(g;
            svg!(path d = format!("M{at} {bottom}v4"), stroke = TEXT),
            svg!(text x = at, y = bottom + 16.0, text-anchor = "middle", fill = TEXT; label(tick)),
        )
    });
    svg!(g; svg!(path d = format!("M{left} {bottom}H{right}"), stroke = TEXT), ticks.collect::<Svg>())
}

/// Points as path data.
pub fn line(x: &Scale, y: &Scale, points: &[(f64, f64)]) -> String {
    let mut path = String::with_capacity(points.len() * 12);
    for (index, &(horizontal, vertical)) in points.iter().enumerate() {
        let verb = if index == 0 { 'M' } else { 'L' };
        path.push_str(&format!("{verb}{} {}", tenth(x.at(horizontal)), tenth(y.at(vertical))));
    }
    path
}
