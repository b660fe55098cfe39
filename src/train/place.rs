//! Where a run computes: its weights and moments, and who makes them move.

use super::evaluation::Respondent;
use super::grpo::Rollouts;
use super::job::{Job, Outcome, Plan, halves, nodes};
use super::optimizer;
use super::pool::{Pool, collect, deal};
use crate::engine::cpu::{Kernel, Moments, Updater};
use std::collections::VecDeque;
use std::ops::Range;

#[cfg(feature = "webgpu")]
pub use super::device::Device;

/// An engine, before a run lives on it.
pub enum Place {
    /// The CPU engine: gradients from a pool, the update in this thread.
    Pool(Box<dyn Pool>, Kernel),
    /// A device of its own, without reading anything back.
    #[cfg(feature = "webgpu")]
    Device(crate::engine::gpu::Gpu),
}

/// A run's numbers on the CPU engine.
pub struct Host {
    pub pool: Box<dyn Pool>,
    weights: Vec<f32>,
    moments: Moments,
    updater: Updater,
    /// Losses not yet handed out, oldest first.
    losses: Vec<f32>,
    rollouts: Vec<Rollouts>,
}

/// A run's numbers, wherever they are.
pub enum State {
    Host(Box<Host>),
    #[cfg(feature = "webgpu")]
    Device(Box<Device>),
}

impl State {
    /// Takes weights and moments to a place.
    ///
    /// # Errors
    /// When the device has no room for them.
    pub async fn new(plan: &Plan, place: Place, weights: Vec<f32>, moments: Moments) -> Result<Self, String> {
        match place {
            Place::Pool(pool, kernel) => {
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
            #[cfg(feature = "webgpu")]
            Place::Device(gpu) => Ok(Self::Device(Box::new(Device::new(plan, &gpu, &weights, &moments).await?))),
        }
    }

    /// Workers that share a batch.
    pub fn workers(&self) -> usize {
        match self {
            Self::Host(host) => host.pool.workers(),
            #[cfg(feature = "webgpu")]
            Self::Device(_) => 1,
        }
    }

    /// One training step; its loss waits for [`Self::losses`].
    ///
    /// # Errors
    /// When a worker failed.
    pub async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), String> {
        match self {
            Self::Host(host) => host.step(plan, step).await,
            #[cfg(feature = "webgpu")]
            Self::Device(device) => device.step(plan, step).await,
        }
    }

    /// The losses of the steps since the last call.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn losses(&mut self) -> Result<Vec<f32>, String> {
        match self {
            Self::Host(host) => Ok(std::mem::take(&mut host.losses)),
            #[cfg(feature = "webgpu")]
            Self::Device(device) => device.losses().await,
        }
    }

    /// What a policy drew in the steps whose losses were just handed out; nothing where no policy learns.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        match self {
            Self::Host(host) => std::mem::take(&mut host.rollouts),
            #[cfg(feature = "webgpu")]
            Self::Device(device) => device.rollouts(),
        }
    }

    /// All weights, one parameter after the other.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn weights(&self) -> Result<Vec<f32>, String> {
        match self {
            Self::Host(host) => Ok(host.weights.clone()),
            #[cfg(feature = "webgpu")]
            Self::Device(device) => device.weights().await,
        }
    }

    /// The optimiser's moments.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn moments(&self) -> Result<Moments, String> {
        match self {
            Self::Host(host) => Ok(host.moments.clone()),
            #[cfg(feature = "webgpu")]
            Self::Device(device) => device.moments().await,
        }
    }

    /// Does question jobs with the present weights.
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn answer(
        &mut self,
        #[cfg_attr(not(feature = "webgpu"), expect(unused_variables))] plan: &Plan,
        jobs: Vec<Job>,
    ) -> Result<Vec<Outcome>, String> {
        match self {
            Self::Host(host) => {
                let shares = deal(jobs, host.pool.workers());
                Ok(collect(host.pool.perform(&host.weights, shares).await?))
            }
            #[cfg(feature = "webgpu")]
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

/// Does one question job.
///
/// # Errors
/// When the engine failed, or the job is none of questions.
pub async fn answer(plan: &Plan, respondent: &mut impl Respondent, job: Job) -> Result<Outcome, String> {
    match job {
        Job::Answers { split, depth, first, count, free } => {
            let range = first..first + count as u64;
            Ok(Outcome::Answers(super::evaluation::answers(plan, respondent, split, depth, range, free).await?))
        }
        Job::Gradient { .. } => Err("A gradient was asked where a question was expected.".into()),
    }
}

impl Host {
    /// Loss and gradient from the pool, and the update. Each worker gets shards that lie together and adds up what it can.
    async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), String> {
        let (count, workers) = (plan.shards().len(), self.pool.workers());
        let share = |worker: usize| worker * count / workers..(worker + 1) * count / workers;
        let ranges: Vec<Vec<Range<usize>>> = (0..workers).map(|worker| nodes(0..count, &share(worker))).collect();
        let jobs = |ranges: &Vec<Range<usize>>| ranges.iter().map(|shards| Job::Gradient { step, shards: shards.clone() }).collect();
        let outcomes = self.pool.perform(&self.weights, ranges.iter().map(jobs).collect()).await?;
        let mut parts: VecDeque<_> = ranges.into_iter().flatten().zip(outcomes.into_iter().flatten()).collect();
        let (mut loss, mut gradient, rollouts) = add_up(0..count, &mut parts)?;
        if let Some(mut rollouts) = rollouts {
            // How many tokens a batch has is known only now.
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

/// Loss, gradient and rollouts of some shards.
type Sum = (f32, Vec<f32>, Option<Rollouts>);

/// The sum of a range of shards from those of its parts, in the order of [`halves`].
fn add_up(shards: Range<usize>, parts: &mut VecDeque<(Range<usize>, Outcome)>) -> Result<Sum, String> {
    if parts.front().is_some_and(|(range, _)| *range == shards) {
        return match parts.pop_front() {
            Some((_, Outcome::Gradient { loss, gradient, rollouts })) => Ok((loss, gradient, rollouts)),
            Some((_, Outcome::Answers(_))) | None => Err("A worker answered a question where a gradient was asked.".into()),
        };
    }
    if parts.is_empty() || shards.len() < 2 {
        return Err("A worker left a part of the batch out.".into());
    }
    let (left, right) = halves(&shards);
    let (loss, mut gradient, rollouts) = add_up(left, parts)?;
    let (more, part, others) = add_up(right, parts)?;
    gradient.iter_mut().zip(&part).for_each(|(sum, part)| *sum += part);
    Ok((loss + more, gradient, rollouts.zip(others).map(|(rollouts, others)| rollouts.and(others))))
}
