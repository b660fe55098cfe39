//! The completions of one training step in numbers, and the reference weights that GRPO compares the policy with.

use crate::model::{Parameter, Role};
use crate::results::{Completion, StepReward};
use serde::{Deserialize, Serialize};

/// Prefix in the names of the reference weights: the frozen copy of the weights at the start of the run.
pub const REFERENCE: &str = "reference.";
/// Sums over the completions of a step, or of a part of its batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rollouts {
    pub completions: u64,
    /// Tokens drawn. Tokens after a completion's `<eos>` do not count.
    pub tokens: u64,
    /// Sum of rewards.
    pub reward: f64,
    /// Completions whose answer has every cell right.
    pub exact: u64,
    /// KL distance from the reference: the sum over the tokens; after the step, their mean.
    pub distance: f32,
    /// The completions of the first prompt.
    pub group: Vec<Completion>,
}

impl Rollouts {
    /// Means per completion, for a report.
    pub fn summary(&self) -> StepReward {
        let completions = self.completions.max(1) as f64;
        StepReward {
            tokens: self.tokens,
            reward: self.reward / completions,
            exact: self.exact as f64 / completions,
            kl: f64::from(self.distance),
        }
    }

    /// The sums of both parts, with the group of `self`.
    pub fn and(self, other: Self) -> Self {
        Self {
            completions: self.completions + other.completions,
            tokens: self.tokens + other.tokens,
            reward: self.reward + other.reward,
            exact: self.exact + other.exact,
            distance: self.distance + other.distance,
            group: self.group,
        }
    }
}

/// Frozen copies of these parameters under [`REFERENCE`]. They follow the trained parameters in memory.
pub fn reference(parameters: &[Parameter]) -> Vec<Parameter> {
    let frozen =
        |parameter: &Parameter| Parameter { name: format!("{REFERENCE}{}", parameter.name), role: Role::Frozen, ..parameter.clone() };
    parameters.iter().map(frozen).collect()
}
