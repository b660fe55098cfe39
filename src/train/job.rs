//! The shareable work of a run: gradients of shards and answers to held-out questions.

use super::batch::Batch;
use super::evaluation::{self, Answer};
use super::loss;
use crate::config::RunConfig;
use crate::engine::{Device, Tensor, read};
use crate::model::{Model, Parameter, Weights};
use crate::task::{Example, Split};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;

/// Most sequences in a shard.
const SHARD_LIMIT: usize = 16;
/// Most bytes of one layer's attention weights in a shard: with [`SHARD_LIMIT`] this bounds the memory of one gradient.
const SHARD_BYTES: usize = 64 << 20;
/// Shards that a batch is cut into at least, where it has as many sequences.
const SHARDS: usize = 4;
/// Most sequences in a question job.
const QUESTIONS: usize = 32;

/// What every worker of a run knows.
#[derive(Clone)]
pub struct Plan {
    pub config: RunConfig,
    pub model: Model,
    pub parameters: Arc<[Parameter]>,
}

/// A piece of work, small enough to send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Job {
    /// Loss and gradient of one shard of the batch of `step` (counted from 1).
    Gradient { step: u64, shard: usize },
    /// Answers to the questions `first` … `first + count − 1` of a split at one depth; the first `free` of the split also free-running.
    Answers { split: Split, depth: usize, first: u64, count: usize, free: usize },
}

/// What a job gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The shard's part of the batch's mean loss, and of its gradient, all parameters one after the other.
    Gradient {
        loss: f32,
        #[serde(skip)]
        gradient: Vec<f32>,
    },
    Answers(Vec<Answer>),
}

impl Plan {
    pub fn new(config: &RunConfig) -> Self {
        let model = Model { config: config.model.clone(), vocabulary: config.task.vocabulary.size() };
        let parameters = model.parameters().into();
        Self { config: config.clone(), model, parameters }
    }

    /// The shards of a batch, as ranges of its sequences: at least [`SHARDS`] and none past the limits above, as even as can
    /// be. They depend on the batch alone, never on who computes them.
    pub fn shards(&self) -> Vec<Range<usize>> {
        let batch = self.config.training.batch;
        let limit = (SHARD_BYTES / self.config.attention_bytes()).clamp(1, SHARD_LIMIT);
        let count = SHARDS.max(batch.div_ceil(limit)).min(batch);
        (0..count).map(|shard| shard * batch / count..(shard + 1) * batch / count).collect()
    }

    /// Sequences in a question job.
    pub fn questions(&self) -> usize {
        (2 * SHARD_BYTES / self.config.attention_bytes()).clamp(1, QUESTIONS)
    }

    /// Training example of position `position` in the batch of `step`.
    fn example(&self, step: u64, position: usize) -> Example {
        let RunConfig { task, training, seed, loss_on, .. } = &self.config;
        let drawn = (step - 1) * training.batch as u64 + position as u64;
        let index = if training.examples == 0 { drawn } else { drawn % training.examples };
        let depth = task.depth_of(*seed, Split::Train, index);
        task.encode(&task.sample(*seed, Split::Train, index), depth, *loss_on)
    }

    /// A range of the batch of `step`.
    pub fn batch(&self, step: u64, positions: Range<usize>) -> Batch {
        let examples: Vec<Example> = positions.map(|position| self.example(step, position)).collect();
        Batch::new(&examples)
    }

    /// Labels that count in a whole batch; every sequence of a layout has as many.
    pub fn asked(&self) -> usize {
        self.batch(1, 0..1).asked() * self.config.training.batch
    }

    /// Does one job with these weights.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn perform(&self, weights: &Weights, job: &Job) -> Result<Outcome, String> {
        match job {
            Job::Gradient { step, shard } => {
                let (loss, gradients) = self.shard_gradient(weights, *step, *shard);
                let loss = read(loss).await?[0];
                Ok(Outcome::Gradient { loss, gradient: read(Tensor::cat(gradients, 0)).await? })
            }
            Job::Answers { split, depth, first, count, free } => {
                let answers = evaluation::answers(self, weights, *split, *depth, *first..*first + *count as u64, *free).await?;
                Ok(Outcome::Answers(answers))
            }
        }
    }

    /// Loss and gradient of one shard, left on the device.
    pub fn shard_gradient(&self, weights: &Weights, step: u64, shard: usize) -> (Tensor<1>, Vec<Tensor<1>>) {
        let range = self.shards()[shard].clone();
        loss::gradient(&self.model, weights, &self.batch(step, range), self.asked())
    }

    /// The weights on a device from their flat values.
    pub fn upload(&self, values: &[f32], device: &Device) -> Weights {
        Weights::upload(&self.parameters, values, device)
    }
}
