//! Estimates the time left from the steps completed in the last minute of wall-clock time, measurements included.

use std::collections::VecDeque;

/// The period used for the estimate, in milliseconds of wall-clock time.
const WINDOW: f64 = 60_000.0;
/// The shortest period that gives an estimate, in milliseconds.
const LEAST: f64 = 3_000.0;

/// Times and steps, as (milliseconds, step), within the last [`WINDOW`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    marks: VecDeque<(f64, u64)>,
}

impl Pace {
    /// Notes that `step` was completed at `now`, in milliseconds of one clock.
    pub fn note(&mut self, now: f64, step: u64) {
        self.marks.push_back((now, step));
        while self.marks.front().is_some_and(|&(then, _)| now - then > WINDOW) && self.marks.len() > 2 {
            self.marks.pop_front();
        }
    }

    /// Forgets all marks, because a pause must not count as training.
    pub fn rest(&mut self) {
        self.marks.clear();
    }

    /// Steps per second; `None` until there is enough time to estimate it.
    pub fn rate(&self) -> Option<f64> {
        let (&(from, first), &(to, last)) = (self.marks.front()?, self.marks.back()?);
        (to - from >= LEAST && last > first).then(|| (last - first) as f64 / (to - from) * 1_000.0)
    }

    /// “12.0 steps/s · about 2 min left”, or that the time left is not known yet.
    pub fn sentence(&self, step: u64, target: u64) -> String {
        let Some(rate) = self.rate() else { return "time left: measuring…".into() };
        let left = target.saturating_sub(step) as f64 / rate;
        let pace = if rate >= 1.0 { format!("{rate:.1} steps/s") } else { format!("{:.1} s per step", 1.0 / rate) };
        format!("{pace} · {}", about(left))
    }
}

/// A duration in rounded words.
pub fn about(seconds: f64) -> String {
    if seconds < 10.0 {
        return "a few seconds left".into();
    }
    if seconds < 90.0 {
        return format!("about {} s left", (seconds / 5.0).round() * 5.0);
    }
    let minutes = seconds / 60.0;
    if minutes < 90.0 { format!("about {minutes:.0} min left") } else { format!("about {:.1} h left", minutes / 60.0) }
}
