//! Performs jobs in one thread of the CPU engine.

use super::batch::Batch;
use super::error::TrainError;
use super::evaluation::{Respondent, Tokens};
use super::grpo::{self, Prompts};
use super::hops::Hops;
use super::job::{Job, Outcome, tree_children};
use super::loss::{BatchTotals, Programs};
use super::plan::Plan;
use super::rollouts::Rollouts;
use crate::config::Objective;
use crate::engine::cpu::{Kernel, Machine};
use crate::engine::program::At;
use crate::engine::{Missing, Program, Purpose, Target};
use crate::model::Shape;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// A plan, a machine, and a cache of compiled programs.
pub struct Performer {
    pub plan: Plan,
    machine: Machine,
    programs: Programs,
    /// For each shape, the program that draws completions and the program that learns from them.
    policies: HashMap<Shape, Arc<(Program, Program)>>,
}

impl Performer {
    pub fn new(plan: Plan, kernel: Kernel) -> Self {
        Self { plan, machine: Machine::new(kernel), programs: Programs::default(), policies: HashMap::new() }
    }

    /// Sets the weights of the following jobs: all parameters, concatenated.
    pub fn load(&mut self, weights: &[f32]) {
        self.machine.load(weights);
    }

    /// Performs one job.
    ///
    /// # Errors
    /// When the network has an operator that this engine lacks.
    pub async fn perform(&mut self, job: &Job) -> Result<Outcome, TrainError> {
        match job {
            Job::Gradient { step, shards } => {
                let mut gradient = Vec::new();
                let (loss, rollouts) = self.shards(*step, shards.clone(), &mut gradient)?;
                Ok(Outcome::Gradient { loss, gradient, rollouts })
            }
            Job::Answers { .. } => {
                let plan = self.plan.clone();
                super::backend::answer(&plan, self, job.clone()).await
            }
        }
    }

    /// Returns the loss of a range of shards and appends their gradient to `stack`. The order of the sums is that of [`tree_children`].
    fn shards(&mut self, step: u64, shards: Range<usize>, stack: &mut Vec<f32>) -> Result<(f32, Option<Rollouts>), Missing> {
        if shards.len() == 1 {
            return self.shard(step, self.plan.shards()[shards.start].clone(), stack);
        }
        let (left, right) = tree_children(&shards);
        let (mut loss, rollouts) = self.shards(step, left, stack)?;
        let middle = stack.len();
        let (more, others) = self.shards(step, right, stack)?;
        loss += more;
        let rollouts = rollouts.zip(others).map(|(rollouts, others)| rollouts.and(others));
        let (left, right) = stack.split_at_mut(middle);
        let start = middle - right.len();
        left[start..].iter_mut().zip(right).for_each(|(sum, part)| *sum += *part);
        stack.truncate(middle);
        Ok((loss, rollouts))
    }

    /// Returns the loss of these positions of a batch and appends their gradient to `stack`.
    fn shard(&mut self, step: u64, positions: Range<usize>, stack: &mut Vec<f32>) -> Result<(f32, Option<Rollouts>), Missing> {
        match self.plan.config.training.objective {
            Objective::Examples => {
                let batch = self.plan.batch(step, positions);
                let (loss, gradient) = self.gradient(&batch, self.plan.totals(step))?;
                stack.extend_from_slice(gradient);
                Ok((loss, None))
            }
            Objective::Grpo => {
                let (loss, rollouts) = self.policy_gradient(step, positions, stack)?;
                Ok((loss, Some(rollouts)))
            }
        }
    }

    /// Draws completions of these prompts. Loss and gradient are sums over the tokens of the completions.
    fn policy_gradient(&mut self, step: u64, positions: Range<usize>, stack: &mut Vec<f32>) -> Result<(f32, Rollouts), Missing> {
        let prompts = Prompts::training(&self.plan, step, positions);
        let programs = self.policy(prompts.shape())?;
        let (drawing, learning) = &*programs;
        self.machine.run(drawing, &prompts.drawing_words(self.plan.config.seed));
        let drawn = drawing.generated.map_or(Vec::new(), |(at, count)| self.machine.numbers(drawing.address(at), count).to_vec());
        let judged = prompts.judge(&self.plan.config.task, drawn.into_iter().map(|token| token as u32).collect());
        self.machine.run(learning, &judged.words(&prompts, 1.0));
        let found = self.machine.numbers(learning.weights, learning.weights + 2);
        stack.extend_from_slice(&found[..learning.weights]);
        Ok((found[learning.weights], Rollouts { distance: found[learning.weights + 1], ..judged.rollouts }))
    }

    /// The programs that draw completions of prompts of this shape and learn from them. They are compiled at the first call.
    fn policy(&mut self, shape: Shape) -> Result<Arc<(Program, Program)>, Missing> {
        if let Some(known) = self.policies.get(&shape) {
            return Ok(known.clone());
        }
        let drawing = grpo::drawing(&self.plan, shape, Target::Thread)?;
        let learning = grpo::learning(&self.plan, shape, Purpose::Gradient, Target::Thread)?;
        let programs = Arc::new((drawing, learning));
        self.policies.insert(shape, programs.clone());
        Ok(programs)
    }

    /// Loss and gradient of a batch with the loaded weights; `of` holds the totals of the whole batch, of which `batch` may be a part.
    ///
    /// # Errors
    /// When the network has an operator that this engine lacks. The same holds for `watch` and `logits`.
    pub fn gradient(&mut self, batch: &Batch, of: BatchTotals) -> Result<(f32, &[f32]), Missing> {
        let from = batch.first_labelled();
        let program = self.programs.get(&self.plan.model, &self.plan.shapes, batch.shape(from), of, Purpose::Gradient)?;
        self.machine.run(&program, &batch.words(from));
        let found = self.machine.numbers(program.weights, program.weights + 1);
        Ok((found[program.weights], &found[..program.weights]))
    }

    /// Runs a forward pass and calls `watch` after each instruction: see [`Machine::run_watched`].
    pub fn watch(&mut self, batch: &Batch, from: usize, mut watch: impl FnMut(&Program, usize, &[f32])) -> Result<(), Missing> {
        let program = self.programs.get(&self.plan.model, &self.plan.shapes, batch.shape(from), BatchTotals::UNUSED, Purpose::Answer)?;
        self.machine.run_watched(&program, &batch.words(from), |index, memory| watch(&program, index, memory));
        Ok(())
    }

    /// Logits `[B·(S − from), V]` of a batch with the loaded weights.
    pub fn logits(&mut self, batch: &Batch, from: usize) -> Result<&[f32], Missing> {
        let program = self.programs.get(&self.plan.model, &self.plan.shapes, batch.shape(from), BatchTotals::UNUSED, Purpose::Answer)?;
        self.machine.run(&program, &batch.words(from));
        Ok(program.logits.map_or(&[], |(at, count)| self.machine.numbers(program.address(at), count)))
    }
}

impl Respondent for Performer {
    async fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> Result<Tokens, TrainError> {
        let purpose = if generate { Purpose::Generate } else { Purpose::Answer };
        let program = self.programs.get(&self.plan.model, &self.plan.shapes, batch.shape(from), BatchTotals::UNUSED, purpose)?;
        self.machine.run(&program, &batch.words(from));
        let read = |part: Option<(At, usize)>| {
            let numbers = part.map(|(at, count)| self.machine.numbers(program.address(at), count));
            numbers.map(|numbers| numbers.iter().map(|&token| token as u32).collect())
        };
        let (forced, generated) = (read(program.answers).unwrap_or_default(), read(program.generated));
        let hops = program.halting_log.as_ref().map(|halting_log| {
            let numbers = self.machine.numbers(program.address(halting_log.at), halting_log.count());
            Hops::read(&halting_log.parts, numbers, batch.sequences, batch.length)
        });
        Ok(Tokens { forced, generated, hops })
    }
}
