//! The place where a run computes: it holds weights and moments, and performs steps and questions.

use super::error::TrainError;
use super::evaluation::Respondent;
use super::job::{Job, Outcome, tree_children, tree_cover};
use super::optimizer;
use super::plan::Plan;
use super::pool::{Pool, collect, deal};
use super::rollouts::Rollouts;
use crate::engine::cpu::{Kernel, Moments, Updater};
use std::collections::VecDeque;
use std::ops::Range;

pub use super::device::Device;

/// An engine that has no run yet.
pub enum Backend {
    /// The CPU engine or Burn: a pool computes the gradients, this thread applies the update.
    Pool(Box<dyn Pool>, Kernel),
    /// The WebGPU engine: weights, moments and update stay on the device.
    Device(crate::engine::gpu::Gpu),
}

/// Weights and moments of a run in host memory.
pub struct Host {
    pub pool: Box<dyn Pool>,
    weights: Vec<f32>,
    moments: Moments,
    updater: Updater,
    /// Losses that [`Trainer::losses`] has not yet returned, oldest first.
    losses: Vec<f32>,
    rollouts: Vec<Rollouts>,
}

/// Weights and moments of a run, in host memory or on a device.
pub enum Trainer {
    Host(Box<Host>),
    Device(Box<Device>),
}

impl Trainer {
    /// Moves weights and moments to an engine.
    ///
    /// # Errors
    /// When the device has too little memory for them.
    pub async fn new(plan: &Plan, place: Backend, weights: Vec<f32>, moments: Moments) -> Result<Self, TrainError> {
        match place {
            Backend::Pool(pool, kernel) => {
                let update = optimizer::update(&plan.config.training, &plan.parameters);
                Ok(Self::Host(Box::new(Host {
                    pool,
                    weights,
                    moments,
                    updater: Updater::new(update, kernel),
                    losses: Vec::new(),
                    rollouts: Vec::new(),
                })))
            }
            Backend::Device(gpu) => Ok(Self::Device(Box::new(Device::new(plan, &gpu, &weights, &moments).await?))),
        }
    }

    /// The number of workers that share a batch.
    pub fn workers(&self) -> usize {
        match self {
            Self::Host(host) => host.pool.workers(),
            Self::Device(_) => 1,
        }
    }

    /// One training step. [`Self::losses`] returns its loss later.
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), TrainError> {
        match self {
            Self::Host(host) => host.step(plan, step).await,
            Self::Device(device) => device.step(plan, step).await,
        }
    }

    /// The losses of the steps since the last call.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn losses(&mut self) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Host(host) => Ok(std::mem::take(&mut host.losses)),
            Self::Device(device) => device.losses().await,
        }
    }

    /// The rollouts of the steps whose losses were returned last; empty without GRPO.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        match self {
            Self::Host(host) => std::mem::take(&mut host.rollouts),
            Self::Device(device) => device.rollouts(),
        }
    }

    /// All weights, the parameters concatenated.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn weights(&self) -> Result<Vec<f32>, TrainError> {
        match self {
            Self::Host(host) => Ok(host.weights.clone()),
            Self::Device(device) => device.weights().await,
        }
    }

    /// The optimiser's moments.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn moments(&self) -> Result<Moments, TrainError> {
        match self {
            Self::Host(host) => Ok(host.moments.clone()),
            Self::Device(device) => device.moments().await,
        }
    }

    /// Performs jobs of questions with the current weights.
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn answer(&mut self, plan: &Plan, jobs: Vec<Job>) -> Result<Vec<Outcome>, TrainError> {
        match self {
            Self::Host(host) => {
                let shares = deal(jobs, host.pool.workers());
                Ok(collect(host.pool.perform(&host.weights, shares).await?))
            }
            Self::Device(device) => {
                let mut outcomes = Vec::with_capacity(jobs.len());
                for job in jobs {
                    outcomes.push(answer(plan, device.as_mut(), job).await?);
                }
                Ok(outcomes)
            }
        }
    }
}

/// Performs one job of questions.
///
/// # Errors
/// When the engine failed, or the job asks for a gradient.
pub async fn answer(plan: &Plan, respondent: &mut impl Respondent, job: Job) -> Result<Outcome, TrainError> {
    match job {
        Job::Answers { split, depth, first, count, free } => {
            let range = first..first + count as u64;
            Ok(Outcome::Answers(super::evaluation::answers(plan, respondent, split, depth, range, free).await?))
        }
        Job::Gradient { .. } => Err(TrainError::NotAQuestion),
    }
}

impl Host {
    /// One step: the pool computes loss and gradient, then the update is applied. Each worker gets adjacent shards, so that it can add up
    /// whole nodes of the reduction tree itself.
    async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), TrainError> {
        let (count, workers) = (plan.shards().len(), self.pool.workers());
        let share = |worker: usize| worker * count / workers..(worker + 1) * count / workers;
        let ranges: Vec<Vec<Range<usize>>> = (0..workers).map(|worker| tree_cover(0..count, &share(worker))).collect();
        let jobs = |ranges: &Vec<Range<usize>>| ranges.iter().map(|shards| Job::Gradient { step, shards: shards.clone() }).collect();
        let outcomes = self.pool.perform(&self.weights, ranges.iter().map(jobs).collect()).await?;
        let mut parts: VecDeque<_> = ranges.into_iter().flatten().zip(outcomes.into_iter().flatten()).collect();
        let (mut loss, mut gradient, rollouts) = add_up(0..count, &mut parts)?;
        if let Some(mut rollouts) = rollouts {
            // The number of tokens in the batch is known only after all completions are drawn.
            let share = 1.0 / rollouts.tokens.max(1) as f32;
            gradient.iter_mut().for_each(|slope| *slope *= share);
            loss *= share;
            rollouts.distance *= share;
            self.rollouts.push(rollouts);
        }
        if plan.config.stage(step).begins_anew() {
            self.moments = Moments::zero(self.weights.len());
        }
        let rates = optimizer::rates(&plan.config, step);
        self.updater.apply(&rates, &mut self.weights, &mut gradient, &mut self.moments);
        self.losses.push(loss);
        Ok(())
    }
}

/// Sums of loss, gradient and rollouts over some shards.
type Sum = (f32, Vec<f32>, Option<Rollouts>);

/// The sum over a range of shards, from the sums over its parts, added in the order of [`tree_children`].
fn add_up(shards: Range<usize>, parts: &mut VecDeque<(Range<usize>, Outcome)>) -> Result<Sum, TrainError> {
    if parts.front().is_some_and(|(range, _)| *range == shards) {
        return match parts.pop_front() {
            Some((_, Outcome::Gradient { loss, gradient, rollouts })) => Ok((loss, gradient, rollouts)),
            Some((_, Outcome::Answers(_))) | None => Err(TrainError::NotAGradient),
        };
    }
    if parts.is_empty() || shards.len() < 2 {
        return Err(TrainError::PartLeftOut);
    }
    let (left, right) = tree_children(&shards);
    let (loss, mut gradient, rollouts) = add_up(left, parts)?;
    let (more, part, others) = add_up(right, parts)?;
    gradient.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
    Ok((loss + more, gradient, rollouts.zip(others).map(|(rollouts, others)| rollouts.and(others))))
}
