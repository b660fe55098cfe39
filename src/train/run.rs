//! A run in progress.

use super::checkpoint::{self, Best, Snapshot};
use super::evaluation::{self, Measurement};
use super::job::{Job, Outcome, Plan};
use super::optimizer::{self, Moments};
use super::pool::Pool;
use crate::config::RunConfig;
use crate::engine::{Device, Tensor, cpu, read};
use crate::model::{Weights, weights};
use crate::protocol::Ending;
use crate::stats::progress;
use crate::task::{Split, estimate};

/// Held-out questions a depth that a measurement on the way also answers free-running; the last one asks more.
const FREE_ON_THE_WAY: usize = 8;
const FREE_AT_THE_END: usize = 64;
/// Sequences that the floor and the ceiling of the early stop are estimated on.
const ESTIMATED: u64 = 2_000;
/// Most tokens, and most bytes of one layer's attention weights, of one gradient on a device of its own: they bound its memory.
const DEVICE_TOKENS: usize = 16_384;
const DEVICE_BYTES: usize = 128 << 20;

/// Where gradients are computed.
pub enum Place {
    /// On the CPU engine, shared by a pool.
    Pool(Box<dyn Pool>),
    /// On this device alone, without reading anything back.
    Device(Device),
}

/// Weights, moments and step of a run, and where it computes.
pub struct Run {
    pub plan: Plan,
    place: Place,
    weights: Weights,
    moments: Vec<Moments>,
    step: u64,
    /// Losses not yet handed out, oldest first.
    pending: Vec<Tensor<1>>,
    best: Option<Best>,
    /// Floor and ceiling of exact match at the smallest depth, where the run may stop early.
    goal: Option<(f64, f64)>,
    reached_goal: bool,
    diverged: bool,
}

impl Run {
    /// A run at step 0 with its initial weights.
    pub fn new(config: &RunConfig, place: Place) -> Self {
        let plan = Plan::new(config);
        let values = weights::initial(&plan.parameters, config.seed);
        Self::with(plan, place, &values)
    }

    fn with(plan: Plan, place: Place, values: &[f32]) -> Self {
        let device = match &place {
            Place::Pool(_) => cpu(),
            Place::Device(device) => device.clone(),
        };
        let weights = plan.upload(values, &device);
        let moments = optimizer::moments(plan.config.training.optimizer, &plan.parameters, &weights.tensors);
        let goal = (plan.config.training.stop_at > 0.0).then(|| goal(&plan));
        Self { plan, place, weights, moments, step: 0, pending: Vec::new(), best: None, goal, reached_goal: false, diverged: false }
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is broken or of another configuration.
    pub fn resume(config: &RunConfig, place: Place, bytes: &[u8]) -> Result<Self, String> {
        let plan = Plan::new(config);
        let snapshot = Snapshot::read(&plan, bytes)?;
        let mut run = Self::with(plan, place, &snapshot.values);
        let device = run.weights.tensors[0].device();
        run.moments = snapshot.moments(&run.plan, &device);
        run.step = snapshot.step;
        run.best = snapshot.best;
        Ok(run)
    }

    /// Steps made.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Workers that share a batch.
    pub fn workers(&self) -> usize {
        match &self.place {
            Place::Pool(pool) => pool.workers(),
            Place::Device(_) => 1,
        }
    }

    /// Why the run is over, if it is.
    pub fn ended(&self) -> Option<Ending> {
        if self.reached_goal {
            Some(Ending::Target)
        } else if self.step >= self.plan.config.training.steps {
            Some(Ending::Reached)
        } else {
            None
        }
    }

    /// Whether a loss was not a number.
    pub fn diverged(&self) -> bool {
        self.diverged
    }

    /// Changes the step count to reach.
    pub fn reach(&mut self, steps: u64) {
        self.plan.config.training.steps = steps;
    }

    /// Whether a measurement is due after the step just made.
    pub fn measurement_due(&self) -> bool {
        self.step.is_multiple_of(self.plan.config.training.eval_every)
    }

    /// One training step; its loss waits for [`Self::losses`].
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn step(&mut self) -> Result<(), String> {
        let step = self.step + 1;
        let (loss, gradients) = match &mut self.place {
            Place::Pool(pool) => pooled_gradient(&self.plan, &self.weights, pool.as_mut(), step).await?,
            Place::Device(_) => device_gradient(&self.plan, &self.weights, step),
        };
        optimizer::update(&self.plan.config.training, &self.plan.parameters, &mut self.weights.tensors, &mut self.moments, gradients, step);
        self.pending.push(loss);
        self.step = step;
        Ok(())
    }

    /// The losses of the steps since the last call.
    ///
    /// # Errors
    /// When the device failed, or a loss is not a number: the sentence names the step.
    pub async fn losses(&mut self) -> Result<Vec<f32>, String> {
        if self.pending.is_empty() {
            return Ok(Vec::new());
        }
        let first = self.step + 1 - self.pending.len() as u64;
        let losses = read(Tensor::cat(std::mem::take(&mut self.pending), 0)).await?;
        match losses.iter().position(|loss| !loss.is_finite()) {
            Some(index) => {
                self.diverged = true;
                Err(format!("The loss of step {} is not a number: the run has diverged.", first + index as u64))
            }
            None => Ok(losses),
        }
    }

    /// Measures on held-out rules; on the validation split the best weights so far are kept.
    /// Returns what was found and whether it is the best so far.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub async fn measure(&mut self, split: Split) -> Result<(Measurement, bool), String> {
        let free = match split {
            Split::Test => FREE_AT_THE_END,
            Split::Train | Split::Validation => FREE_ON_THE_WAY,
        };
        let samples = self.plan.config.training.eval_samples;
        let values = self.weights.read().await?;
        let measured = measure(&self.plan, &mut self.place, &self.weights, &values, split, samples, free).await?;
        let best = split == Split::Validation && self.best.as_ref().is_none_or(|best| measured.exact() > best.exact);
        if best {
            self.best = Some(Best { exact: measured.exact(), step: self.step, values });
        }
        if let (Some((floor, ceiling)), Some(first), Split::Validation) = (self.goal, measured.depths.first(), split) {
            let share = first.exact as f64 / first.samples.max(1) as f64;
            self.reached_goal = share >= ceiling || progress(share, floor, ceiling) >= self.plan.config.training.stop_at;
        }
        Ok((measured, best))
    }

    /// Everything needed to go on from here, as bytes.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn snapshot(&self) -> Result<Vec<u8>, String> {
        checkpoint::snapshot(&self.plan, self.step, &self.weights, &self.moments, self.best.as_ref()).await
    }

    /// The weights of the last step, or of the best measurement (the last step's where there was none), with their step.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn values(&self, best: bool) -> Result<(u64, Vec<f32>), String> {
        match &self.best {
            Some(kept) if best => Ok((kept.step, kept.values.clone())),
            Some(_) | None => Ok((self.step, self.weights.read().await?)),
        }
    }
}

/// Answers and scores `samples` questions a depth wherever the run computes.
///
/// # Errors
/// When a worker or the device failed.
pub async fn measure(
    plan: &Plan,
    place: &mut Place,
    weights: &Weights,
    values: &[f32],
    split: Split,
    samples: usize,
    free: usize,
) -> Result<Measurement, String> {
    let jobs = evaluation::jobs(plan, split, samples, free);
    let outcomes = match place {
        Place::Pool(pool) => pool.perform(values, jobs).await?,
        Place::Device(_) => {
            let mut outcomes = Vec::with_capacity(jobs.len());
            for job in &jobs {
                outcomes.push(plan.perform(weights, job).await?);
            }
            outcomes
        }
    };
    Ok(evaluation::score(plan, split, outcomes))
}

/// Floor (the better of copying and continuing a cycle) and ceiling at the smallest asked depth.
fn goal(plan: &Plan) -> (f64, f64) {
    let task = &plan.config.task;
    let depth = task.depths()[0];
    let estimate = estimate(task, plan.config.seed, Split::Validation, 0..ESTIMATED, depth);
    (estimate.copy.max(estimate.cycle), estimate.ceiling)
}

/// Loss and gradient of a step from a pool, the shards added in their order.
async fn pooled_gradient(plan: &Plan, weights: &Weights, pool: &mut dyn Pool, step: u64) -> Result<(Tensor<1>, Vec<Tensor<1>>), String> {
    let values = weights.read().await?;
    let jobs = (0..plan.shards().len()).map(|shard| Job::Gradient { step, shard }).collect();
    let mut total = vec![0.0f32; values.len()];
    let mut mean = 0.0f32;
    for outcome in pool.perform(&values, jobs).await? {
        match outcome {
            Outcome::Gradient { loss, gradient } => {
                mean += loss;
                total.iter_mut().zip(&gradient).for_each(|(sum, part)| *sum += part);
            }
            Outcome::Answers(_) => return Err("A worker answered a question where a gradient was asked.".into()),
        }
    }
    let device = weights.tensors[0].device();
    Ok((crate::engine::upload(&[mean], &device), weights::split(&plan.parameters, &total, &device)))
}

/// Loss and gradient of a step on a device of its own.
fn device_gradient(plan: &Plan, weights: &Weights, step: u64) -> (Tensor<1>, Vec<Tensor<1>>) {
    let batch = plan.config.training.batch;
    let fitting = (DEVICE_TOKENS / plan.config.task.sequence_length()).min(DEVICE_BYTES / plan.config.attention_bytes());
    let size = fitting.clamp(1, batch);
    let asked = plan.asked();
    let part = |start: usize| super::loss::gradient(&plan.model, weights, &plan.batch(step, start..(start + size).min(batch)), asked);
    let (mut loss, mut gradients) = part(0);
    for start in (size..batch).step_by(size) {
        let (other, more) = part(start);
        loss = loss + other;
        gradients = gradients.into_iter().zip(more).map(|(sum, part)| sum + part).collect();
    }
    (loss, gradients)
}
