//! The shareable work of a run: gradients of shards and answers to held-out questions.

use super::batch::Batch;
use super::checkpoint;
use super::evaluation::Answer;
use super::grpo::{self, Rollouts};
use super::loss::Whole;
use crate::config::{Objective, RunConfig, Start, shipped};
use crate::model::{Model, Parameter, Role, weights};
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
        /// Where a policy learns from what it drew: then loss and gradient are sums over its tokens.
        rollouts: Option<Rollouts>,
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
            Outcome::Gradient { loss, rollouts, .. } => Outcome::Gradient { loss: *loss, gradient: Vec::new(), rollouts: rollouts.clone() },
            Outcome::Answers(answers) => Outcome::Answers(answers.clone()),
        }
    }
}

impl Plan {
    pub fn new(config: &RunConfig) -> Self {
        let model = Model::of(config);
        let mut parameters = model.parameters();
        match config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => parameters.extend(grpo::reference(&parameters)),
        }
        let parameters = parameters.into();
        let mut plan = Self { config: config.clone(), model, parameters, asked: Vec::new() };
        let firsts = (0..config.stages()).map(|stage| stage * config.training.stage + 1);
        plan.asked = firsts.map(|step| plan.batch(step, 0..1).asked() * config.training.batch).collect();
        plan
    }

    /// The shards of a batch, as ranges of its sequences: at least [`SHARDS`] and none past the limit above, as even as can
    /// be. They depend on the batch alone, never on who computes them.
    pub fn shards(&self) -> Vec<Range<usize>> {
        let batch = self.config.training.batch;
        let limit = (SHARD_TOKENS / self.config.tokens_a_position()).max(1);
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

    /// The parameters that learn.
    pub fn own(&self) -> &[Parameter] {
        let frozen = self.parameters.iter().position(|parameter| parameter.role == Role::Frozen);
        &self.parameters[..frozen.unwrap_or(self.parameters.len())]
    }

    /// The weights that the run begins with, all parameters one after the other: those of the file, if it starts from one, with what the file
    /// lacks of a loop's units drawn anew.
    ///
    /// # Errors
    /// A sentence when the file is missing, another than the run names, or does not fit.
    pub fn initial(&self, file: Option<&[u8]>) -> Result<Vec<f32>, String> {
        let mut values = weights::initial(self.own(), self.config.seed);
        match (&self.config.start, file) {
            (Start::Scratch, _) => {}
            (Start::Shipped(_) | Start::File(_) | Start::Run(_), Some(file)) => {
                if let Start::File(hash) = self.config.start
                    && shipped::hash(file) != hash
                {
                    return Err(
                        "This file of weights is another than the one that the link starts from: choose that one, or train without it."
                            .into(),
                    );
                }
                checkpoint::read_over(self.own(), file, &mut values)?;
            }
            (Start::Shipped(_) | Start::File(_) | Start::Run(_), None) => {
                return Err("This run starts from saved weights, and they are not here: open their file first.".into());
            }
        }
        match self.config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => values.extend_from_within(..),
        }
        Ok(values)
    }

    /// The depth asked for in `step`, where it is one for all.
    pub fn depth(&self, step: u64) -> usize {
        self.config.stage(step).depth.unwrap_or(self.config.task.depth)
    }

    /// The number of the training sample at `position` of the batch of `step`.
    pub fn index(&self, step: u64, position: usize) -> u64 {
        let training = &self.config.training;
        let drawn = (step - 1) * training.batch as u64 + position as u64;
        if training.examples == 0 { drawn } else { drawn % training.examples }
    }

    /// Training example of position `position` in the batch of `step`.
    fn example(&self, step: u64, position: usize) -> Example {
        let RunConfig { task, seed, loss_on, .. } = &self.config;
        let index = self.index(step, position);
        let depth = self.config.stage(step).depth.unwrap_or_else(|| task.depth_of(*seed, Split::Train, index));
        task.encode(&task.sample(*seed, Split::Train, index), depth, *loss_on)
    }

    /// A range of the batch of `step`.
    pub fn batch(&self, step: u64, positions: Range<usize>) -> Batch {
        let examples: Vec<Example> = positions.map(|position| self.example(step, position)).collect();
        Batch::new(&examples)
    }
}
