//! “Check with Burn”: the losses of a run, and Burn's losses for the same first steps.

use crate::protocol::Engine;
use crate::replay::Agreement;

/// A check, in progress or finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The id of the run that is checked.
    pub run: usize,
    /// The run's own losses of the compared steps.
    pub ours: Vec<f32>,
    /// Burn's losses so far.
    pub theirs: Vec<f32>,
    /// Burn's device, once it has answered.
    pub engine: Option<Engine>,
    pub failure: Option<String>,
}

impl Check {
    /// How far the two agree; `None` until Burn has completed all steps, or if a loss is not finite.
    pub fn agreement(&self) -> Option<Agreement> {
        if self.theirs.len() == self.ours.len() { Agreement::of(&self.ours, &self.theirs) } else { None }
    }

    pub fn busy(&self) -> bool {
        self.failure.is_none() && self.theirs.len() < self.ours.len()
    }
}
