//! Scales from values to pixels, and round values for ticks.

/// A linear or logarithmic map from `domain` to `range`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub domain: (f64, f64),
    pub range: (f64, f64),
    pub log: bool,
}

impl Scale {
    /// The pixel of a value. Values outside the domain are drawn on its border.
    pub fn at(&self, value: f64) -> f64 {
        let bend = |value: f64| if self.log { value.max(1e-12).ln() } else { value };
        let (low, high) = (bend(self.domain.0), bend(self.domain.1));
        let share = ((bend(value) - low) / (high - low).max(1e-12)).clamp(0.0, 1.0);
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Round values within the domain, about `wanted` of them.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.log { self.log_ticks(wanted) } else { linear_ticks(self.domain, wanted) }
    }

    fn log_ticks(&self, wanted: usize) -> Vec<f64> {
        let (low, high) = self.domain;
        let decades = (high / low).log10();
        let steps: &[f64] = if decades > 3.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let exponents = low.log10().floor() as i32..=high.log10().ceil() as i32;
        let all = exponents.flat_map(|exponent| steps.iter().map(move |step| step * 10f64.powi(exponent)));
        let ticks: Vec<f64> = all.filter(|tick| (low..=high).contains(tick)).collect();
        // Less than a decade may contain few round values. The scale is then nearly linear.
        if ticks.len() < 3 { linear_ticks(self.domain, wanted) } else { ticks }
    }
}

fn linear_ticks((low, high): (f64, f64), wanted: usize) -> Vec<f64> {
    let rough = ((high - low) / wanted.max(1) as f64).max(1e-9);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough * 0.999).unwrap_or(power);
    let first = (low / step).ceil() as i64;
    let last = (high / step + 1e-6).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// A tick's label, without trailing zeros.
pub fn label(value: f64) -> String {
    if value.abs() >= 10_000.0 {
        let thousands = value / 1_000.0;
        return if thousands.fract().abs() < 1e-9 { format!("{thousands:.0}k") } else { format!("{thousands:.1}k") };
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() || text == "-0" { "0".into() } else { text.into() }
}
