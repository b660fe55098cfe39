//! The plan of a run, of which every worker has a copy: network, shards of a batch, training examples.

use super::batch::Batch;
use super::loss::BatchTotals;
use super::rollouts::reference;
use crate::config::{Objective, RunConfig};
use crate::engine::ParameterShape;
use crate::model::{Model, Parameter, Role, weights};
use crate::task::{Example, Split};
use std::ops::Range;
use std::sync::Arc;

/// Most tokens in a shard, to bound the memory of one gradient. A longer sequence is a shard by itself.
const SHARD_TOKENS: usize = 4096;
/// Fewest shards of a batch. A batch of fewer sequences has one shard for each sequence.
const SHARDS: usize = 8;
/// Most sequences and most tokens in a job of questions.
const QUESTIONS: usize = 32;
const QUESTION_TOKENS: usize = 8192;

/// The network and the training data of a run.
#[derive(Clone)]
pub struct Plan {
    pub config: RunConfig,
    pub model: Model,
    pub parameters: Arc<[Parameter]>,
    /// The parameters' names and shapes, in the engine's type.
    pub shapes: Arc<[ParameterShape]>,
    /// Labels that count in a whole batch, for each stage. All sequences of a layout have the same number of labels.
    label_counts: Vec<usize>,
}

impl Plan {
    pub fn new(config: &RunConfig) -> Self {
        Self::of(config, Model::of(config))
    }

    /// The plan of a run with `model` instead of the configuration's network.
    pub fn of(config: &RunConfig, model: Model) -> Self {
        let mut parameters = model.parameters();
        match config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => parameters.extend(reference(&parameters)),
        }
        let shapes = weights::shapes(&parameters);
        let mut plan = Self { config: config.clone(), model, parameters: parameters.into(), shapes, label_counts: Vec::new() };
        let firsts = (0..config.stages()).map(|stage| stage * config.training.stage + 1);
        plan.label_counts = firsts.map(|step| plan.batch(step, 0..1).label_count() * config.training.batch).collect();
        plan
    }

    /// The shards of a batch: ranges of its sequences, as even as possible. There are at least [`SHARDS`], if the batch has that many
    /// sequences, and none has more than [`SHARD_TOKENS`] tokens. The shards depend only on the batch, not on the number of workers.
    pub fn shards(&self) -> Vec<Range<usize>> {
        let batch = self.config.training.batch;
        let limit = (SHARD_TOKENS / self.config.tokens_a_position()).max(1);
        let count = SHARDS.max(batch.div_ceil(limit)).min(batch);
        (0..count).map(|shard| shard * batch / count..(shard + 1) * batch / count).collect()
    }

    /// The number of labels that count in the batch of `step`.
    pub fn label_count(&self, step: u64) -> usize {
        self.label_counts[(self.config.stage(step).index as usize).min(self.label_counts.len() - 1)]
    }

    /// Totals of the whole batch of `step`.
    pub fn totals(&self, step: u64) -> BatchTotals {
        let training = &self.config.training;
        BatchTotals { sequences: training.batch, labels: self.label_count(step), ponder: training.ponder }
    }

    /// The number of questions in a job.
    pub fn questions(&self) -> usize {
        (QUESTION_TOKENS / self.config.task.sequence_length()).clamp(1, QUESTIONS)
    }

    /// The trained parameters, without the frozen ones behind them.
    pub fn trained_parameters(&self) -> &[Parameter] {
        let frozen = self.parameters.iter().position(|parameter| parameter.role == Role::Frozen);
        &self.parameters[..frozen.unwrap_or(self.parameters.len())]
    }

    /// The depth of the questions in `step`: the stage's depth, or the task's.
    pub fn depth(&self, step: u64) -> usize {
        self.config.stage(step).depth.unwrap_or(self.config.task.depth)
    }

    /// The index of the training sample at `position` of the batch of `step`.
    pub fn index(&self, step: u64, position: usize) -> u64 {
        let training = &self.config.training;
        let drawn = (step - 1) * training.batch as u64 + position as u64;
        if training.examples == 0 { drawn } else { drawn % training.examples }
    }

    /// The training example at `position` of the batch of `step`.
    fn example(&self, step: u64, position: usize) -> Example {
        let RunConfig { task, seed, loss_on, .. } = &self.config;
        let index = self.index(step, position);
        let depth = self.config.stage(step).depth.unwrap_or_else(|| task.depth_of(*seed, Split::Train, index));
        task.encode(&task.sample(*seed, Split::Train, index), depth, *loss_on)
    }

    /// The batch of `step`, restricted to a range of its sequences.
    pub fn batch(&self, step: u64, positions: Range<usize>) -> Batch {
        let examples: Vec<Example> = positions.map(|position| self.example(step, position)).collect();
        Batch::new(&examples)
    }
}
