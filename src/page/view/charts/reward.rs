//! Progress of learning from a reward: reward and exact match over the steps on one chart, KL divergence from the start on another.

use super::frame::{Frame, Key, LegendEntry, line};
use super::scale::Scale;
use super::svg::{Svg, svg};
use super::{Size, series, trace};
use crate::page::view::words::percent;
use crate::results::StepReward;
use leptos::prelude::AnyView;

/// One value per step: the raw curve and the smoothed one.
struct Curve {
    name: &'static str,
    series: usize,
    raw: Vec<(f64, f64)>,
    smooth: Vec<(f64, f64)>,
}

impl Curve {
    fn of(name: &'static str, series: usize, steps: &[StepReward], value: impl Fn(&StepReward) -> f64) -> Self {
        let values: Vec<f32> = steps.iter().map(|step| value(step) as f32).collect();
        Self { name, series, raw: trace::envelope(&values), smooth: trace::smooth(&values, trace::span(values.len())) }
    }

    fn entry(&self) -> LegendEntry {
        LegendEntry { key: Key::Marked { series: self.series, colour: series::colour(self.series) }, text: self.name.into() }
    }

    fn draw(&self, x: &Scale, y: &Scale) -> Svg {
        let colour = series::colour(self.series);
        let end = self.smooth.last().copied();
        let marker = end.map(|(step, value)| series::marker(self.series, x.at(step), y.at(value), 4.5)).unwrap_or_default();
        let words = end.map(|(step, value)| format!("{}: {value:.3} at step {step}, smoothed", self.name)).unwrap_or_default();
        svg!(g fill = "none", stroke = colour, stroke-linejoin = "round";
            svg!(path d = line(x, y, &self.raw), stroke-opacity = "0.28"),
            svg!(path d = line(x, y, &self.smooth), stroke-width = "2"),
            svg!(path d = marker, fill = colour, stroke = "none"; svg!(title; words)),
        )
    }

    fn aria_label(&self) -> Option<String> {
        self.smooth.last().map(|(step, value)| format!("{}: {value:.3} at step {step}", self.name))
    }
}

/// Mean reward and the share of answers right in every cell. `ceiling` is (depth, exact match).
pub fn draw(steps: &[StepReward], ceiling: Option<(usize, f64)>, size: Size) -> AnyView {
    let curves = [Curve::of("mean reward", 0, steps, |step| step.reward), Curve::of("right in every cell", 2, steps, |step| step.exact)];
    let best = ceiling.map(|(depth, share)| LegendEntry {
        key: Key::Line { dash: "7 4", colour: "var(--ink)" },
        text: format!("ceiling of whole rows at k = {depth}: {}", percent(share)),
    });
    let legend = curves.iter().map(Curve::entry).chain(best).collect();
    let level = ceiling.map(|(_, share)| share);
    plot(Frame { size, title: "Reward", x_label: "training step".into(), y_label: "share", legend }, &curves, 1.0, level)
}

/// The KL divergence from the network that the run began with, in millinats per token.
pub fn draw_distance(steps: &[StepReward], size: Size) -> AnyView {
    let curves = [Curve::of("KL from the start", 1, steps, |step| 1e3 * step.kl)];
    let legend = curves.iter().map(Curve::entry).collect();
    let high = curves[0].raw.iter().map(|&(_, value)| value).fold(10.0, f64::max) * 1.05;
    plot(
        Frame { size, title: "Distance from the start", x_label: "training step".into(), y_label: "millinats per token", legend },
        &curves,
        high,
        None,
    )
}

fn plot(frame: Frame, curves: &[Curve], high: f64, level: Option<f64>) -> AnyView {
    let last = curves.iter().filter_map(|curve| curve.raw.last()).map(|&(step, _)| step).fold(20.0, f64::max);
    let (x, y) = (frame.x((0.0, last)), frame.y((0.0, high), false));
    let ticks = x.ticks(if frame.size.width < 500.0 { 4 } else { 8 });
    let level = level.map(|share| line(&x, &y, &[(0.0, share), (last, share)])).unwrap_or_default();
    let marks = svg!(g;
        svg!(path d = level, stroke = "var(--ink)", stroke-width = "1.5", stroke-dasharray = "7 4", fill = "none"),
        curves.iter().map(|curve| curve.draw(&x, &y)).collect::<Svg>(),
    );
    let words = curves.iter().filter_map(Curve::aria_label).collect::<Vec<_>>().join("; ");
    let spoken = if words.is_empty() { "nothing drawn yet".into() } else { words };
    let spoken = format!("{} over training steps. {spoken}.", frame.title);
    frame.draw(&x, &y, ticks, marks, spoken)
}
