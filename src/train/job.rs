//! The work of a run that workers can share: gradients of shards, and answers to held-out questions.

use super::answer::Answer;
use super::rollouts::Rollouts;
use crate::task::Split;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A unit of work. It is small, so that it can be sent to a worker in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// Loss and gradient of a range of shards of the batch of `step` (counted from 1). [`tree_cover`] gives the possible ranges.
    Gradient { step: u64, shards: Range<usize> },
    /// Answers to the questions `first` … `first + count − 1` of a split at one depth. Questions below `free` are also answered
    /// free-running.
    Answers { split: Split, depth: usize, first: u64, count: usize, free: usize },
}

/// The result of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The shards' part of the batch's mean loss, and its gradient with all parameters concatenated.
    Gradient {
        loss: f32,
        #[serde(skip)]
        gradient: Vec<f32>,
        /// Only with GRPO. Loss and gradient are then sums over the tokens drawn, not yet divided.
        rollouts: Option<Rollouts>,
    },
    Answers(Vec<Answer>),
}

/// The two children of a range of shards in the reduction tree. Every engine adds loss and gradient in the order of this tree, so that
/// the result is bitwise the same for every number of workers.
pub fn tree_children(shards: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = shards.start + shards.len().next_power_of_two() / 2;
    (shards.start..middle, middle..shards.end)
}

/// The smallest set of nodes of the reduction tree over `all` that covers `share`. [`tree_children`] gives the children of a node.
pub fn tree_cover(all: Range<usize>, share: &Range<usize>) -> Vec<Range<usize>> {
    if all.end <= share.start || share.end <= all.start {
        return Vec::new();
    }
    if share.start <= all.start && all.end <= share.end {
        return vec![all];
    }
    let (left, right) = tree_children(&all);
    [tree_cover(left, share), tree_cover(right, share)].concat()
}

impl Outcome {
    /// The outcome without its gradient, for the text of a message. The gradient travels beside the text as bytes.
    pub fn without_gradient(&self) -> Self {
        match self {
            Outcome::Gradient { loss, rollouts, .. } => Outcome::Gradient { loss: *loss, gradient: Vec::new(), rollouts: rollouts.clone() },
            Outcome::Answers(answers) => Outcome::Answers(answers.clone()),
        }
    }
}
