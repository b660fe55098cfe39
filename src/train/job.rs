//! The shareable work of a run: gradients of shards and answers to held-out questions.

use super::batch::Batch;
use super::evaluation::Answer;
use super::loss::Whole;
use crate::config::RunConfig;
use crate::model::{Model, Parameter};
use crate::task::{Example, Split};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Most tokens in a shard, or one sequence if that has more: it bounds the memory of one gradient.
const SHARD_TOKENS: usize = 4096;
/// Shards that a batch is cut into at least, where it has as many sequences.
const SHARDS: usize = 8;
/// Most sequences, and most tokens, in a question job.
const QUESTIONS: usize = 32;
const QUESTION_TOKENS: usize = 8192;

/// What every worker of a run knows.
#[derive(Clone)]
pub struct Plan {
    pub config: RunConfig,
    pub model: Model,
    pub parameters: Arc<[Parameter]>,
    /// Labels that count in a whole batch, by stage; every sequence of a layout has as many.
    asked: Vec<usize>,
}

/// A piece of work, small enough to send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// Loss and gradient of some shards of the batch of `step` (counted from 1): one of the ranges that [`nodes`] gives.
    Gradient { step: u64, shards: Range<usize> },
    /// Answers to the questions `first` … `first + count − 1` of a split at one depth; the first `free` of the split also free-running.
    Answers { split: Split, depth: usize, first: u64, count: usize, free: usize },
}

/// What a job gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The shards' part of the batch's mean loss, and of its gradient, all parameters one after the other.
    Gradient {
        loss: f32,
        #[serde(skip)]
        gradient: Vec<f32>,
    },
    Answers(Vec<Answer>),
}

/// Where a range of shards is cut in two: its parts are added in this order and no other, whoever computes them, so that
/// the number of workers does not change a bit.
pub fn halves(shards: &Range<usize>) -> (Range<usize>, Range<usize>) {
    let middle = shards.start + shards.len().next_power_of_two() / 2;
    (shards.start..middle, middle..shards.end)
}

/// The fewest ranges that make up `share`, of those that cutting `all` by [`halves`] again and again gives.
pub fn nodes(all: Range<usize>, share: &Range<usize>) -> Vec<Range<usize>> {
    if all.end <= share.start || share.end <= all.start {
        return Vec::new();
    }
    if share.start <= all.start && all.end <= share.end {
        return vec![all];
    }
    let (left, right) = halves(&all);
    [nodes(left, share), nodes(right, share)].concat()
}

impl Outcome {
    /// What goes into a message's text; gradients go beside it.
    pub fn without_gradient(&self) -> Self {
        match self {
            Outcome::Gradient { loss, .. } => Outcome::Gradient { loss: *loss, gradient: Vec::new() },
            Outcome::Answers(answers) => Outcome::Answers(answers.clone()),
        }
    }
}

impl Plan {
    pub fn new(config: &RunConfig) -> Self {
        let model = Model::of(config);
        let parameters = model.parameters().into();
        let mut plan = Self { config: config.clone(), model, parameters, asked: Vec::new() };
        let firsts = (0..config.stages()).map(|stage| stage * config.training.stage + 1);
        plan.asked = firsts.map(|step| plan.batch(step, 0..1).asked() * config.training.batch).collect();
        plan
    }

    /// The shards of a batch, as ranges of its sequences: at least [`SHARDS`] and none past the limit above, as even as can
    /// be. They depend on the batch alone, never on who computes them.
    pub fn shards(&self) -> Vec<Range<usize>> {
        let batch = self.config.training.batch;
        let limit = (SHARD_TOKENS / self.config.task.sequence_length()).max(1);
        let count = SHARDS.max(batch.div_ceil(limit)).min(batch);
        (0..count).map(|shard| shard * batch / count..(shard + 1) * batch / count).collect()
    }

    /// Labels that count in the batch of `step`.
    pub fn asked(&self, step: u64) -> usize {
        self.asked[(self.config.stage(step).index as usize).min(self.asked.len() - 1)]
    }

    /// What the whole batch of `step` has.
    pub fn whole(&self, step: u64) -> Whole {
        let training = &self.config.training;
        Whole { sequences: training.batch, labels: self.asked(step), ponder: training.ponder }
    }

    /// Sequences in a question job.
    pub fn questions(&self) -> usize {
        (QUESTION_TOKENS / self.config.task.sequence_length()).clamp(1, QUESTIONS)
    }

    /// Training example of position `position` in the batch of `step`.
    fn example(&self, step: u64, position: usize) -> Example {
        let RunConfig { task, training, seed, loss_on, .. } = &self.config;
        let drawn = (step - 1) * training.batch as u64 + position as u64;
        let index = if training.examples == 0 { drawn } else { drawn % training.examples };
        let depth = self.config.stage(step).depth.unwrap_or_else(|| task.depth_of(*seed, Split::Train, index));
        task.encode(&task.sample(*seed, Split::Train, index), depth, *loss_on)
    }

    /// A range of the batch of `step`.
    pub fn batch(&self, step: u64, positions: Range<usize>) -> Batch {
        let examples: Vec<Example> = positions.map(|position| self.example(step, position)).collect();
        Batch::new(&examples)
    }
}
