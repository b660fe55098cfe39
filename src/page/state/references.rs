//! Ceiling and floors of the displayed task.

use crate::task::{Estimate, MULTI_DEPTHS, Task};

/// Number of held-out samples to average over.
pub const SAMPLES: u64 = 1_000;

/// Estimates for one task and seed, one per depth, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct References {
    pub subject: Option<(Task, u64)>,
    pub estimates: Vec<Estimate>,
    /// Whether more samples are to come.
    pub growing: bool,
}

impl References {
    /// The estimates of this subject; empty if there are none yet, or if they belong to another subject.
    pub fn of(&self, subject: &(Task, u64)) -> &[Estimate] {
        let ready = self.subject.as_ref() == Some(subject) && self.samples() > 0;
        if ready { &self.estimates } else { &[] }
    }

    /// Samples averaged over so far, at every depth.
    pub fn samples(&self) -> usize {
        self.estimates.iter().map(|estimate| estimate.samples).min().unwrap_or(0)
    }
}

/// The depths that the depth chart shows: 1 … 4 and the asked depths.
pub fn depths(task: &Task) -> Vec<usize> {
    let mut depths: Vec<usize> = (1..=MULTI_DEPTHS).chain(task.depths()).collect();
    depths.sort_unstable();
    depths.dedup();
    depths
}
