//! Performs jobs on an engine that computes each operator when it is called. Like [`super::Performer`], it takes weights and returns losses
//! and gradients.

use super::batch::Batch;
use super::error::TrainError;
use super::evaluation::{Respondent, Tokens};
use super::grpo::{self, Prompts};
use super::hops::Hops;
use super::job::{Job, Outcome};
use super::loss::{self, BatchTotals};
use super::plan::Plan;
use super::pool::{Outcomes, Pool};
use super::rollouts::Rollouts;
use crate::config::Objective;
use crate::config::size::BURN_TOKENS;
use crate::engine::cpu::draw_one;
use crate::engine::eager::{Eager, Gradient};
use crate::engine::operators::{Sampling, Shaped};
use crate::model::Shape;
use std::ops::Range;

/// A plan and an engine.
pub struct Direct<E: Eager> {
    plan: Plan,
    engine: E,
}

/// How a pass generates tokens. `Some`: it draws them, with uniform numbers from this word on. `None`: it takes the most probable token.
type Drawing = Option<(Sampling, usize)>;

impl<E: Eager> Direct<E> {
    pub fn new(plan: Plan, engine: E) -> Self {
        Self { plan, engine }
    }

    /// Sets the weights of the following jobs: all parameters, concatenated.
    pub fn load(&mut self, weights: &[f32]) {
        self.engine.load(&self.plan.shapes, weights);
    }

    /// Performs one job.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn perform(&mut self, job: Job) -> Result<Outcome, TrainError> {
        match job {
            Job::Gradient { step, shards } => self.gradient(step, shards).await,
            Job::Answers { .. } => {
                let plan = self.plan.clone();
                super::backend::answer(&plan, self, job).await
            }
        }
    }

    /// Loss and gradient of a range of shards, in as few passes as [`BURN_TOKENS`] allows.
    async fn gradient(&mut self, step: u64, shards: Range<usize>) -> Result<Outcome, TrainError> {
        let all = self.plan.shards();
        let positions = all[shards.start].start..all[shards.end - 1].end;
        let most = (BURN_TOKENS / self.plan.config.tokens_a_position()).max(1);
        let (mut loss, mut gradient, mut rollouts) = (0.0, Vec::new(), None::<Rollouts>);
        for start in positions.clone().step_by(most) {
            let part = start..(start + most).min(positions.end);
            let (found, drawn) = match self.plan.config.training.objective {
                Objective::Examples => (self.examples(step, part).await?, None),
                Objective::Grpo => self.policy_gradient(step, part).await?,
            };
            loss += found.loss;
            gradient.resize(found.gradient.len(), 0.0);
            gradient.iter_mut().zip(found.gradient).for_each(|(sum, more)| *sum += more);
            rollouts = match (rollouts, drawn) {
                (Some(before), Some(drawn)) => Some(before.and(drawn)),
                (before, drawn) => before.or(drawn),
            };
        }
        Ok(Outcome::Gradient { loss, gradient, rollouts })
    }

    async fn examples(&mut self, step: u64, positions: Range<usize>) -> Result<Gradient, TrainError> {
        let batch = self.plan.batch(step, positions);
        let from = batch.first_labelled();
        self.learn(&batch, from, self.plan.totals(step)).await
    }

    /// Loss and gradient of a batch with logits from position `from` on; `of` holds the totals of the whole batch.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn learn(&mut self, batch: &Batch, from: usize, of: BatchTotals) -> Result<Gradient, TrainError> {
        let mut pass = self.engine.begin(batch.words(from), true);
        loss::examples(&mut pass, &self.plan.model, batch.shape(from), of)?;
        Ok(self.engine.gradient(pass).await?)
    }

    /// Logits `[B·(S − from), V]` of a batch.
    ///
    /// # Errors
    /// When the device failed.
    pub async fn logits(&self, batch: &Batch, from: usize) -> Result<Vec<f32>, TrainError> {
        let mut pass = self.engine.begin(batch.words(from), false);
        let logits = self.plan.model.logits(&mut pass, 0, batch.shape(from))?;
        Ok(self.engine.numbers(&pass, logits).await?)
    }

    /// Draws completions of these prompts and computes their loss and gradient.
    async fn policy_gradient(&mut self, step: u64, positions: Range<usize>) -> Result<(Gradient, Option<Rollouts>), TrainError> {
        let prompts = Prompts::training(&self.plan, step, positions);
        let shape = prompts.shape();
        let drawing = grpo::drawing_pass(&self.plan, shape).drawing;
        let drawn = self.generate(prompts.drawing_words(self.plan.config.seed), shape, drawing).await?;
        let judged = prompts.judge(&self.plan.config.task, drawn.generated.unwrap_or_default());
        let mut pass = self.engine.begin(judged.words(&prompts, 1.0), true);
        grpo::policy_loss(&mut pass, &self.plan, shape)?;
        let found = self.engine.gradient(pass).await?;
        let rollouts = Rollouts { distance: found.distance, ..judged.rollouts };
        Ok((found, Some(rollouts)))
    }

    /// The most probable token after each position from `shape.from` on, and the hops.
    async fn answer(&self, words: &[u32], shape: Shape) -> Result<(Vec<u32>, Option<Hops>), TrainError> {
        let mut pass = self.engine.begin(words.to_vec(), false);
        let logits = self.plan.model.logits(&mut pass, 0, shape)?;
        let numbers = self.engine.numbers(&pass, logits).await?;
        let counts = self.engine.hops(&pass).await?;
        let hops = counts.map(|counts| Hops::read(&counts.parts, &counts.numbers, shape.sequences, shape.length));
        Ok((numbers.chunks(logits.width()).map(most_probable).collect(), hops))
    }

    /// Continues each sequence with its own tokens after `shape.from`. Every token takes a pass over the whole sequence, so all passes have
    /// the same length. Later tokens cannot change the logits of earlier ones.
    async fn generate(&self, mut words: Vec<u32>, shape: Shape, drawing: Drawing) -> Result<Tokens, TrainError> {
        let Shape { sequences, length, from } = shape;
        let count = length - from;
        let mut generated = vec![0; sequences * count];
        let mut forced = Vec::new();
        let mut hops = None;
        let mut space = Vec::new();
        for place in 0..count {
            let here = Shape { from: from + place, ..shape };
            let mut pass = self.engine.begin(words.clone(), false);
            let logits = self.plan.model.logits(&mut pass, 0, here)?;
            let numbers = self.engine.numbers(&pass, logits).await?;
            let vocabulary = logits.width();
            if place == 0 {
                forced = numbers.chunks(vocabulary).map(most_probable).collect();
            }
            for sequence in 0..sequences {
                let row = &numbers[sequence * (count - place) * vocabulary..][..vocabulary];
                let token = match drawing {
                    Some((sampling, first)) => {
                        let uniform = f32::from_bits(words[first + sequence * count + place]);
                        draw_one(&mut space, row, &sampling, uniform) as u32
                    }
                    None => most_probable(row),
                };
                generated[sequence * count + place] = token;
                if place + 1 < count {
                    words[sequence * length + from + place + 1] = token;
                }
            }
            if place + 1 == count {
                let counts = self.engine.hops(&pass).await?;
                hops = counts.map(|counts| Hops::read(&counts.parts, &counts.numbers, sequences, length));
            }
        }
        Ok(Tokens { forced, generated: Some(generated), hops })
    }
}

/// The index of the largest logit; of equal ones, the first.
fn most_probable(logits: &[f32]) -> u32 {
    let best =
        logits.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (token, &logit)| if logit > best.1 { (token, logit) } else { best });
    best.0 as u32
}

impl<E: Eager> Respondent for Direct<E> {
    async fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> Result<Tokens, TrainError> {
        let (words, shape) = (batch.words(from), batch.shape(from));
        if generate {
            return self.generate(words, shape, None).await;
        }
        let (forced, hops) = self.answer(&words, shape).await?;
        Ok(Tokens { forced, generated: None, hops })
    }
}

impl<E: Eager> Pool for Direct<E> {
    fn perform<'a>(&'a mut self, weights: &'a [f32], shares: Vec<Vec<Job>>) -> Outcomes<'a> {
        Box::pin(async move {
            self.load(weights);
            let mut outcomes = Vec::with_capacity(shares.len());
            for jobs in shares {
                let mut done = Vec::with_capacity(jobs.len());
                for job in jobs {
                    done.push(self.perform(job).await?);
                }
                outcomes.push(done);
            }
            Ok(outcomes)
        })
    }

    fn workers(&self) -> usize {
        1
    }
}
