//! A run in progress.

use super::checkpoint::{self, Best, Snapshot};
use super::evaluation::{self, Measurement};
use super::grpo::Rollouts;
use super::job::Plan;
use super::opening::Opened;
use super::place::{Place, State};
use crate::config::RunConfig;
use crate::engine::cpu::Moments;
use crate::model::weights;
use crate::protocol::Ending;
use crate::stats::progress;
use crate::task::{Split, estimate};

/// Held-out questions a depth that a measurement on the way also answers free-running; the last one asks more.
const FREE_ON_THE_WAY: usize = 8;
const FREE_AT_THE_END: usize = 64;
/// Sequences that the floor and the ceiling of the early stop are estimated on.
const ESTIMATED: u64 = 2_000;

/// Weights, moments and step of a run, and where it computes.
pub struct Run {
    pub plan: Plan,
    state: State,
    step: u64,
    /// Steps whose losses were not yet handed out.
    pending: u64,
    best: Option<Best>,
    /// Floor and ceiling of exact match at the smallest depth, where the run may stop early.
    goal: Option<(f64, f64)>,
    reached_goal: bool,
    diverged: bool,
}

impl Run {
    /// A run at step 0 with its initial weights: drawn, or those of a safetensors file where it starts from one.
    ///
    /// # Errors
    /// When the place has no room for the run, or the file is missing or does not fit.
    pub async fn new(config: &RunConfig, place: Place, start: Option<&[u8]>) -> Result<Self, String> {
        let plan = Plan::new(config);
        let values = plan.initial(start)?;
        let moments = Moments::zero(values.len());
        Self::with(plan, place, values, moments).await
    }

    /// Opened weights, to be measured and saved; nothing was trained here.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn opened(opened: Opened, place: Place) -> Result<Self, String> {
        let moments = Moments::zero(opened.values.len());
        Self::with(Plan::new(&opened.config), place, opened.values, moments).await
    }

    async fn with(plan: Plan, place: Place, values: Vec<f32>, moments: Moments) -> Result<Self, String> {
        let state = State::new(&plan, place, values, moments).await?;
        let goal = (plan.config.training.stop_at > 0.0).then(|| goal(&plan));
        Ok(Self { plan, state, step: 0, pending: 0, best: None, goal, reached_goal: false, diverged: false })
    }

    /// Goes on from a snapshot.
    ///
    /// # Errors
    /// When the snapshot is broken or of another configuration, or as [`Self::new`].
    pub async fn resume(config: &RunConfig, place: Place, bytes: &[u8]) -> Result<Self, String> {
        let plan = Plan::new(config);
        let Snapshot { step, values, best, moments } = Snapshot::read(&plan, bytes)?;
        let mut run = Self::with(plan, place, values, moments).await?;
        run.step = step;
        run.best = best;
        Ok(run)
    }

    /// Steps made.
    pub fn step_count(&self) -> u64 {
        self.step
    }

    /// Workers that share a batch.
    pub fn workers(&self) -> usize {
        self.state.workers()
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
        self.state.step(&self.plan, self.step + 1).await?;
        self.step += 1;
        self.pending += 1;
        Ok(())
    }

    /// The losses of the steps since the last call.
    ///
    /// # Errors
    /// When the device failed, or a loss is not a number: the sentence names the step.
    pub async fn losses(&mut self) -> Result<Vec<f32>, String> {
        let first = self.step + 1 - self.pending;
        let losses = self.state.losses().await?;
        self.pending = 0;
        match losses.iter().position(|loss| !loss.is_finite()) {
            Some(index) => {
                self.diverged = true;
                Err(format!("The loss of step {} is not a number: the run has diverged.", first + index as u64))
            }
            None => Ok(losses),
        }
    }

    /// What a policy drew in the steps whose losses were just handed out.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        self.state.rollouts()
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
        let measured = measure(&self.plan, &mut self.state, split, samples, free).await?;
        let best = split == Split::Validation && self.best.as_ref().is_none_or(|best| measured.exact() > best.exact);
        if best {
            self.best = Some(Best { exact: measured.exact(), step: self.step, values: self.state.weights().await? });
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
        let (weights, moments) = (self.state.weights().await?, self.state.moments().await?);
        checkpoint::snapshot(&self.plan, self.step, &weights, &moments, self.best.as_ref())
    }

    /// The weights that learn, of the last step, or of the best measurement (the last step's where there was none), with their step.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn values(&self, best: bool) -> Result<(u64, Vec<f32>), String> {
        let (step, mut values) = match &self.best {
            Some(kept) if best => (kept.step, kept.values.clone()),
            Some(_) | None => (self.step, self.state.weights().await?),
        };
        values.truncate(weights::count(self.plan.own()));
        Ok((step, values))
    }
}

/// Answers and scores `samples` questions a depth wherever the run computes.
///
/// # Errors
/// When a worker or the device failed.
pub async fn measure(plan: &Plan, state: &mut State, split: Split, samples: usize, free: usize) -> Result<Measurement, String> {
    let outcomes = state.answer(plan, evaluation::jobs(plan, split, samples, free)).await?;
    Ok(evaluation::score(plan, split, outcomes))
}

/// Floor (the better of copying and continuing a cycle) and ceiling at the smallest asked depth.
fn goal(plan: &Plan) -> (f64, f64) {
    let task = &plan.config.task;
    let depth = task.depths()[0];
    let estimate = estimate(task, plan.config.seed, Split::Validation, 0..ESTIMATED, depth);
    (estimate.copy.max(estimate.cycle), estimate.ceiling)
}
