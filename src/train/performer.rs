//! One thread of the CPU engine that does jobs.

use super::batch::Batch;
use super::evaluation::{Respondent, Tokens};
use super::hops::Hops;
use super::job::{Job, Outcome, Plan, halves};
use super::loss::{Programs, Whole};
use crate::engine::Purpose;
use crate::engine::cpu::{Kernel, Machine};
use crate::engine::program::At;
use std::ops::Range;

/// A plan, a machine, and the programs written so far.
pub struct Performer {
    pub plan: Plan,
    machine: Machine,
    programs: Programs,
}

impl Performer {
    pub fn new(plan: Plan, kernel: Kernel) -> Self {
        Self { plan, machine: Machine::new(kernel), programs: Programs::default() }
    }

    /// The weights that the following jobs are done with, all parameters one after the other.
    pub fn load(&mut self, weights: &[f32]) {
        self.machine.load(weights);
    }

    /// Does one job.
    ///
    /// # Errors
    /// None on this engine; the type is that of engines that can fail.
    pub async fn perform(&mut self, job: &Job) -> Result<Outcome, String> {
        match job {
            Job::Gradient { step, shards } => {
                let mut gradient = Vec::new();
                let loss = self.shards(*step, shards.clone(), &mut gradient);
                Ok(Outcome::Gradient { loss, gradient })
            }
            Job::Answers { .. } => {
                let plan = self.plan.clone();
                super::place::answer(&plan, self, job.clone()).await
            }
        }
    }

    /// Loss of a range of shards, and their gradient at the end of `stack`; added up as [`halves`] cuts them.
    fn shards(&mut self, step: u64, shards: Range<usize>, stack: &mut Vec<f32>) -> f32 {
        if shards.len() == 1 {
            let batch = self.plan.batch(step, self.plan.shards()[shards.start].clone());
            let (loss, gradient) = self.gradient(&batch, self.plan.whole(step));
            stack.extend_from_slice(gradient);
            return loss;
        }
        let (left, right) = halves(&shards);
        let mut loss = self.shards(step, left, stack);
        let middle = stack.len();
        loss += self.shards(step, right, stack);
        let (left, right) = stack.split_at_mut(middle);
        let start = middle - right.len();
        left[start..].iter_mut().zip(right).for_each(|(sum, part)| *sum += *part);
        stack.truncate(middle);
        loss
    }

    /// Loss and gradient of a batch with the loaded weights, of which the whole batch has `of`.
    pub fn gradient(&mut self, batch: &Batch, of: Whole) -> (f32, &[f32]) {
        let from = batch.first_asked();
        let program = self.programs.get(&self.plan.model, &self.plan.parameters, batch.shape(from), of, Purpose::Gradient);
        self.machine.run(&program, &batch.words(from));
        let found = self.machine.numbers(program.weights, program.weights + 1);
        (found[program.weights], &found[..program.weights])
    }

    /// Logits `[B·(S − from), V]` with the loaded weights.
    pub fn logits(&mut self, batch: &Batch, from: usize) -> &[f32] {
        let program = self.programs.get(&self.plan.model, &self.plan.parameters, batch.shape(from), Whole::ANY, Purpose::Answer);
        self.machine.run(&program, &batch.words(from));
        program.logits.map_or(&[], |(at, count)| self.machine.numbers(program.address(at), count))
    }
}

impl Respondent for Performer {
    async fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> Result<Tokens, String> {
        let purpose = if generate { Purpose::Generate } else { Purpose::Answer };
        let program = self.programs.get(&self.plan.model, &self.plan.parameters, batch.shape(from), Whole::ANY, purpose);
        self.machine.run(&program, &batch.words(from));
        let read = |part: Option<(At, usize)>| {
            let numbers = part.map(|(at, count)| self.machine.numbers(program.address(at), count));
            numbers.map(|numbers| numbers.iter().map(|&token| token as u32).collect())
        };
        let (forced, generated) = (read(program.answers).unwrap_or_default(), read(program.generated));
        let hops = program.journal.as_ref().map(|journal| {
            let numbers = self.machine.numbers(program.address(journal.at), journal.count());
            Hops::read(journal, numbers, batch.sequences, batch.length)
        });
        Ok(Tokens { forced, generated, hops })
    }
}
