//! An honest time left: from the steps that the last minute of wall clock brought, measurements included.

use std::collections::VecDeque;

/// The wall clock looked back upon, milliseconds.
const WINDOW: f64 = 60_000.0;
/// Less wall clock than this says nothing, milliseconds.
const LEAST: f64 = 3_000.0;

/// When which step was reached, over the last [`WINDOW`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pace {
    marks: VecDeque<(f64, u64)>,
}

impl Pace {
    /// Notes that `step` was reached at `now`, milliseconds of any one clock.
    pub fn note(&mut self, now: f64, step: u64) {
        self.marks.push_back((now, step));
        while self.marks.front().is_some_and(|&(then, _)| now - then > WINDOW) && self.marks.len() > 2 {
            self.marks.pop_front();
        }
    }

    /// Forgets everything: a pause is not work.
    pub fn rest(&mut self) {
        self.marks.clear();
    }

    /// Steps a second, once it can be told.
    pub fn rate(&self) -> Option<f64> {
        let (&(from, first), &(to, last)) = (self.marks.front()?, self.marks.back()?);
        (to - from >= LEAST && last > first).then(|| (last - first) as f64 / (to - from) * 1_000.0)
    }

    /// “12 steps/s · about 2 min left”, or that it is still being measured.
    pub fn sentence(&self, step: u64, target: u64) -> String {
        let Some(rate) = self.rate() else { return "time left: measuring…".into() };
        let left = target.saturating_sub(step) as f64 / rate;
        let pace = if rate >= 1.0 { format!("{rate:.1} steps/s") } else { format!("{:.1} s a step", 1.0 / rate) };
        format!("{pace} · {}", about(left))
    }
}

/// A duration as one says it.
fn about(seconds: f64) -> String {
    if seconds < 10.0 {
        return "a few seconds left".into();
    }
    if seconds < 90.0 {
        return format!("about {} s left", (seconds / 5.0).round() * 5.0);
    }
    let minutes = seconds / 60.0;
    if minutes < 90.0 { format!("about {minutes:.0} min left") } else { format!("about {:.1} h left", minutes / 60.0) }
}
