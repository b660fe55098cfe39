//! A run in progress.

use super::backend::{Backend, Trainer};
use super::checkpoint::{self, Best, Snapshot};
use super::error::TrainError;
use super::evaluation::{self, Measurement};
use super::job::{Job, Outcome};
use super::opening::Opened;
use super::plan::Plan;
use super::rollouts::Rollouts;
use crate::config::RunConfig;
use crate::engine::cpu::Moments;
use crate::model::weights;
use crate::results::Ending;
use crate::stats::progress;
use crate::task::{Split, estimate};

/// Questions at each depth that are also answered free-running: in a measurement during training, and in the last one.
const FREE_ON_THE_WAY: usize = 8;
const FREE_AT_THE_END: usize = 64;
/// Sequences for the estimate of floor and ceiling, which decide about the early stop.
const ESTIMATED: u64 = 2_000;

/// A run: its plan, its step, and the trainer that holds its weights and moments.
pub struct Run {
    pub plan: Plan,
    state: Trainer,
    step: u64,
    /// Steps whose losses [`Self::losses`] has not yet returned.
    pending: u64,
    best: Option<Best>,
    /// Floor and ceiling of the exact match at the smallest depth; only if the run may stop early.
    goal: Option<(f64, f64)>,
    reached_goal: bool,
}

impl Run {
    /// A run at step 0. Its initial weights are drawn, or read from the safetensors file `start`.
    ///
    /// # Errors
    /// When the engine has too little memory for the run, or the file is missing or does not fit.
    pub async fn new(config: &RunConfig, place: Backend, start: Option<&[u8]>) -> Result<Self, TrainError> {
        let plan = Plan::new(config);
        let values = plan.initial(start)?;
        let moments = Moments::zero(values.len());
        Self::with(plan, place, values, moments).await
    }

    /// A run of opened weights, which is only measured and saved, not trained.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn opened(opened: Opened, place: Backend) -> Result<Self, TrainError> {
        let moments = Moments::zero(opened.values.len());
        Self::with(Plan::new(&opened.config), place, opened.values, moments).await
    }

    async fn with(plan: Plan, place: Backend, values: Vec<f32>, moments: Moments) -> Result<Self, TrainError> {
        let state = Trainer::new(&plan, place, values, moments).await?;
        let goal = (plan.config.training.stop_at > 0.0).then(|| goal(&plan));
        Ok(Self { plan, state, step: 0, pending: 0, best: None, goal, reached_goal: false })
    }

    /// A run that goes on from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is broken or belongs to another configuration, or as [`Self::new`].
    pub async fn resume(config: &RunConfig, place: Backend, bytes: &[u8]) -> Result<Self, TrainError> {
        let plan = Plan::new(config);
        let Snapshot { step, values, best, moments } = Snapshot::read(&plan, bytes)?;
        let mut run = Self::with(plan, place, values, moments).await?;
        run.step = step;
        run.best = best;
        Ok(run)
    }

    /// The number of completed steps.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// The number of workers that share a batch.
    pub fn workers(&self) -> usize {
        self.state.workers()
    }

    /// The reason why the run has ended; `None` if it has not.
    pub fn ended(&self) -> Option<Ending> {
        if self.reached_goal {
            Some(Ending::Target)
        } else if self.step >= self.plan.config.training.steps {
            Some(Ending::Reached)
        } else {
            None
        }
    }

    /// Changes the step count at which the run ends.
    pub fn reach(&mut self, steps: u64) {
        self.plan.config.training.steps = steps;
    }

    /// Whether a measurement is due after the last completed step.
    pub fn measurement_due(&self) -> bool {
        self.step.is_multiple_of(self.plan.config.training.eval_every)
    }

    /// One training step. [`Self::losses`] returns its loss later.
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn step(&mut self) -> Result<(), TrainError> {
        self.state.step(&self.plan, self.step + 1).await?;
        self.step += 1;
        self.pending += 1;
        Ok(())
    }

    /// The losses of the steps since the last call.
    ///
    /// # Errors
    /// When the device failed, or a loss is NaN or infinite; the sentence names the step.
    pub async fn losses(&mut self) -> Result<Vec<f32>, TrainError> {
        let first = self.step + 1 - self.pending;
        let losses = self.state.losses().await?;
        self.pending = 0;
        match losses.iter().position(|loss| !loss.is_finite()) {
            Some(index) => Err(TrainError::Diverged(first + index as u64)),
            None => Ok(losses),
        }
    }

    /// The rollouts of the steps whose losses were returned last; empty without GRPO.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        self.state.rollouts()
    }

    /// Measures on held-out rules. On the validation split it also keeps the weights if they are the best so far.
    /// Returns the measurement, and whether the weights are the best so far.
    ///
    /// # Errors
    /// When a worker or the device failed.
    pub async fn measure(&mut self, split: Split) -> Result<(Measurement, bool), TrainError> {
        let outcomes = self.state.answer(&self.plan, self.jobs(split)).await?;
        self.judge(split, outcomes).await
    }

    /// As [`Self::measure`], in parts. Before each part it asks whether to go on; `None` once the answer is no.
    ///
    /// # Errors
    /// As [`Self::measure`].
    pub async fn measure_while(
        &mut self,
        split: Split,
        mut go_on: impl AsyncFnMut() -> bool,
    ) -> Result<Option<(Measurement, bool)>, TrainError> {
        let (mut jobs, workers) = (self.jobs(split).into_iter(), self.state.workers());
        let mut outcomes = Vec::new();
        loop {
            let part: Vec<Job> = jobs.by_ref().take(workers).collect();
            if part.is_empty() {
                return self.judge(split, outcomes).await.map(Some);
            }
            if !go_on().await {
                return Ok(None);
            }
            outcomes.extend(self.state.answer(&self.plan, part).await?);
        }
    }

    fn jobs(&self, split: Split) -> Vec<Job> {
        let free = match split {
            Split::Test => FREE_AT_THE_END,
            Split::Train | Split::Validation => FREE_ON_THE_WAY,
        };
        evaluation::jobs(&self.plan, split, self.plan.config.training.eval_samples, free)
    }

    async fn judge(&mut self, split: Split, outcomes: Vec<Outcome>) -> Result<(Measurement, bool), TrainError> {
        let measured = evaluation::score(&self.plan, split, outcomes);
        let best = split == Split::Validation && self.best.as_ref().is_none_or(|best| measured.exact() > best.exact);
        if best {
            self.best = Some(Best { exact: measured.exact(), step: self.step, values: self.state.weights().await? });
        }
        if let (Some((floor, ceiling)), Some(first), Split::Validation) = (self.goal, measured.depths.first(), split) {
            let share = first.share();
            self.reached_goal = share >= ceiling || progress(share, floor, ceiling) >= self.plan.config.training.stop_at;
        }
        Ok((measured, best))
    }

    /// A snapshot of the run as bytes, from which [`Self::resume`] goes on.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn snapshot(&self) -> Result<Vec<u8>, TrainError> {
        let (weights, moments) = (self.state.weights().await?, self.state.moments().await?);
        Ok(checkpoint::snapshot(&self.plan, self.step, &weights, &moments, self.best.as_ref())?)
    }

    /// The trained weights with their step. With `best`, those of the best measurement, if there was one; otherwise those of the last step.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn values(&self, best: bool) -> Result<(u64, Vec<f32>), TrainError> {
        let (step, mut values) = match &self.best {
            Some(kept) if best => (kept.step, kept.values.clone()),
            Some(_) | None => (self.step, self.state.weights().await?),
        };
        values.truncate(weights::count(self.plan.trained_parameters()));
        Ok((step, values))
    }
}

/// Measures `samples` questions at each depth with the trainer's current weights. The first `free` are also answered free-running.
///
/// # Errors
/// When a worker or the device failed.
pub async fn measure(plan: &Plan, state: &mut Trainer, split: Split, samples: usize, free: usize) -> Result<Measurement, TrainError> {
    let outcomes = state.answer(plan, evaluation::jobs(plan, split, samples, free)).await?;
    Ok(evaluation::score(plan, split, outcomes))
}

/// Floor and ceiling of the exact match at the smallest asked depth. The floor is the better of two baselines: copying, and continuing a
/// cycle.
fn goal(plan: &Plan) -> (f64, f64) {
    let task = &plan.config.task;
    let depth = task.depths()[0];
    let estimate = estimate(task, plan.config.seed, Split::Validation, 0..ESTIMATED, depth);
    (estimate.copy.max(estimate.cycle), estimate.ceiling)
}
