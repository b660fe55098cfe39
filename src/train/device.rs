//! Training and answering on a graphics card.

use super::batch::Batch;
use super::error::TrainError;
use super::evaluation::{self, Respondent, Tokens};
use super::grpo::{self, Prompts};
use super::hops::Hops;
use super::loss;
use super::optimizer;
use super::plan::Plan;
use super::rollouts::Rollouts;
use crate::config::Objective;
use crate::engine::cpu::Moments;
use crate::engine::gpu::{Gpu, Resident};
use crate::engine::program::{At, HaltingLog};
use crate::engine::{EngineError, Missing, Program, Purpose, Target};
use crate::model::Shape;
use std::collections::HashMap;
use std::ops::Range;

/// Most tokens of one gradient. More tokens would take more memory without making the card faster.
const TOKENS: usize = 16_384;

/// A compiled forward pass: its program, and the address and length of its tokens.
#[derive(Clone)]
struct AnswerProgram {
    program: usize,
    forced: (usize, usize),
    generated: Option<(usize, usize)>,
    /// The address and layout of its hops.
    halting_log: Option<(usize, HaltingLog)>,
}

/// Weights, moments and programs on a device.
pub struct Device {
    resident: Resident,
    plan: Plan,
    /// The batch in parts that fit into memory, each with its program. The first part overwrites the gradient, the others accumulate.
    parts: Vec<(Range<usize>, usize)>,
    /// The stage of these programs. Stages differ in the number of labels that count.
    stage: u64,
    /// Most sequences in a part.
    size: usize,
    /// Forward passes by their shape, and by whether they generate tokens.
    answers: HashMap<(Shape, bool), AnswerProgram>,
    /// Programs that draw completions, by shape, with the address and length of the completions.
    draw_programs: HashMap<Shape, (usize, (usize, usize))>,
    /// Rollouts of the steps after the last call of `losses`; and of the steps before it, for the next call of `rollouts`.
    rollouts: Vec<Rollouts>,
    reported_rollouts: Vec<Rollouts>,
    /// Steps completed on this device, and how many of their losses were read.
    steps_enqueued: usize,
    steps_read: usize,
}

/// The program that computes the gradient of `sequences` sequences (with GRPO: prompts) of the batch of `step`.
fn gradient_program(plan: &Plan, sequences: usize, step: u64, purpose: Purpose) -> Result<Program, Missing> {
    match plan.config.training.objective {
        Objective::Examples => {}
        Objective::Grpo => return grpo::learning(plan, Prompts::training(plan, step, 0..sequences).shape(), purpose, Target::Gpu),
    }
    let example = plan.batch(step, 0..1);
    let shape = Shape { sequences, length: example.length, from: example.first_labelled() };
    loss::program(&plan.model, &plan.shapes, shape, plan.totals(step), purpose, Target::Gpu)
}

/// Most sequences of a batch whose gradient fits into the card's memory.
///
/// # Errors
/// When a single sequence does not fit.
fn part_size(plan: &Plan, gpu: &Gpu) -> Result<usize, TrainError> {
    let mut size = (TOKENS / plan.config.tokens_a_position()).clamp(1, plan.config.training.batch);
    while gradient_program(plan, size, 1, Purpose::Accumulate)?.size > gpu.most_numbers() {
        if size == 1 {
            return Err(EngineError::SequenceTooLarge.into());
        }
        size /= 2;
    }
    Ok(size)
}

impl Device {
    /// Moves a run to a device and compiles every kernel that a step or a measurement needs.
    ///
    /// # Errors
    /// When one sequence does not fit into the device's memory, or the device was lost.
    pub async fn new(plan: &Plan, gpu: &Gpu, weights: &[f32], moments: &Moments) -> Result<Self, TrainError> {
        let update = optimizer::update(&plan.config.training, &plan.parameters);
        let mut resident = Resident::new(gpu, update, weights)?;
        resident.set_moments(&moments.first, &moments.second);
        let size = part_size(plan, gpu)?;
        let mut device = Self {
            resident,
            plan: plan.clone(),
            size,
            parts: Vec::new(),
            stage: 0,
            answers: HashMap::new(),
            draw_programs: HashMap::new(),
            rollouts: Vec::new(),
            reported_rollouts: Vec::new(),
            steps_enqueued: 0,
            steps_read: 0,
        };
        device.write_parts(1)?;
        device.write_draw_programs()?;
        // The kernels of measurements are compiled ahead too.
        let questions = evaluation::questions(plan);
        device.answer_program(questions.batch.shape(questions.from), questions.free_after == Some(questions.from))?;
        if let Some(after) = questions.free_after.filter(|&after| after != questions.from) {
            device.answer_program(questions.batch.shape(after), true)?;
        }
        device.resident.warm_up().await?;
        Ok(device)
    }

    /// With GRPO, writes the programs that draw completions, so that they are compiled ahead.
    fn write_draw_programs(&mut self) -> Result<(), TrainError> {
        match self.plan.config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => {
                for (range, _) in self.parts.clone() {
                    self.draw_program(Prompts::training(&self.plan, 1, range).shape())?;
                }
            }
        }
        Ok(())
    }

    /// Writes the programs of the gradient for the stage of `step`.
    fn write_parts(&mut self, step: u64) -> Result<(), Missing> {
        let (plan, size) = (&self.plan, self.size);
        let mut known = HashMap::new();
        self.parts.clear();
        for start in (0..plan.config.training.batch).step_by(size) {
            let range = start..(start + size).min(plan.config.training.batch);
            let purpose = if start == 0 { Purpose::Gradient } else { Purpose::Accumulate };
            let id = match known.get(&(range.len(), purpose)) {
                Some(id) => *id,
                None => self.resident.add(gradient_program(plan, range.len(), step, purpose)?),
            };
            known.insert((range.len(), purpose), id);
            self.parts.push((range, id));
        }
        self.stage = plan.config.stage(step).index;
        Ok(())
    }

    /// The forward pass of this shape. It is written at the first call.
    fn answer_program(&mut self, shape: Shape, generate: bool) -> Result<AnswerProgram, TrainError> {
        if let Some(known) = self.answers.get(&(shape, generate)) {
            return Ok(known.clone());
        }
        let purpose = if generate { Purpose::Generate } else { Purpose::Answer };
        let program = loss::program(&self.plan.model, &self.plan.shapes, shape, loss::BatchTotals::UNUSED, purpose, Target::Gpu)?;
        let find = |part: Option<(At, usize)>| part.map(|(at, count)| (program.address(at), count));
        let (forced, generated) = (find(program.answers).ok_or(EngineError::NoAnswers)?, find(program.generated));
        let halting_log = program.halting_log.clone().map(|halting_log| (program.address(halting_log.at), halting_log));
        let written = AnswerProgram { program: self.resident.add(program), forced, generated, halting_log };
        self.answers.insert((shape, generate), written.clone());
        Ok(written)
    }

    /// Enqueues one training step. With GRPO, it first waits for the completions and reads them back.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), TrainError> {
        let stage = plan.config.stage(step);
        if stage.index != self.stage {
            self.write_parts(step)?;
        }
        if stage.begins_anew() {
            let zero = Moments::zero(crate::model::weights::count(&self.plan.parameters));
            self.resident.set_moments(&zero.first, &zero.second);
        }
        match plan.config.training.objective {
            Objective::Examples => {
                for (range, program) in &self.parts {
                    let batch = plan.batch(step, range.clone());
                    self.resident.run(*program, &batch.words(batch.first_labelled()));
                }
            }
            Objective::Grpo => self.policy_gradient(plan, step).await?,
        }
        self.resident.update(&optimizer::rates(&plan.config, step), self.steps_enqueued);
        self.steps_enqueued += 1;
        Ok(())
    }

    /// Draws the completions of the whole batch, because the loss divides by their tokens. Then it learns from them part by part.
    async fn policy_gradient(&mut self, plan: &Plan, step: u64) -> Result<(), TrainError> {
        let mut parts = Vec::new();
        for index in 0..self.parts.len() {
            let prompts = Prompts::training(plan, step, self.parts[index].0.clone());
            let (drawing, (address, count)) = self.draw_program(prompts.shape())?;
            self.resident.run(drawing, &prompts.drawing_words(plan.config.seed));
            let drawn = self.read_tokens((address, count)).await?;
            let judged = prompts.judge(&plan.config.task, drawn);
            parts.push((index, prompts, judged));
        }
        let all = parts.iter().map(|(_, _, judged)| judged.rollouts.clone()).reduce(Rollouts::and).unwrap_or_default();
        let share = 1.0 / all.tokens.max(1) as f32;
        for (index, prompts, judged) in &parts {
            self.resident.run(self.parts[*index].1, &judged.words(prompts, share));
        }
        self.rollouts.push(all);
        Ok(())
    }

    /// The program that draws completions of this shape, with the address and length of the completions.
    fn draw_program(&mut self, shape: Shape) -> Result<(usize, (usize, usize)), TrainError> {
        if let Some(known) = self.draw_programs.get(&shape) {
            return Ok(*known);
        }
        let program = grpo::drawing(&self.plan, shape, Target::Gpu)?;
        let place = program.generated.map(|(at, count)| (program.address(at), count)).ok_or(EngineError::NoDraws)?;
        let known = (self.resident.add(program), place);
        self.draw_programs.insert(shape, known);
        Ok(known)
    }

    /// The rollouts of the steps whose losses were returned last.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        std::mem::take(&mut self.reported_rollouts)
    }

    /// The losses of the steps since the last call. The device keeps 256; with more steps between two calls, older losses are overwritten.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn losses(&mut self) -> Result<Vec<f32>, TrainError> {
        if self.steps_read == self.steps_enqueued {
            return Ok(Vec::new());
        }
        let totals = self.resident.totals().await?;
        let found = || (self.steps_read..self.steps_enqueued).map(|step| totals[step % totals.len()]);
        let losses = found().map(|total| total[0]).collect();
        self.reported_rollouts = std::mem::take(&mut self.rollouts)
            .into_iter()
            .zip(found())
            .map(|(all, total)| Rollouts { distance: total[1], ..all })
            .collect();
        self.steps_read = self.steps_enqueued;
        Ok(losses)
    }

    /// All weights, the parameters concatenated.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn weights(&self) -> Result<Vec<f32>, TrainError> {
        Ok(self.resident.read(0, crate::model::weights::count(&self.plan.parameters)).await?)
    }

    /// The optimiser's moments.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn moments(&self) -> Result<Moments, TrainError> {
        let (first, second) = self.resident.moments().await?;
        Ok(Moments { first, second })
    }
}

impl Device {
    async fn read_tokens(&self, (address, count): (usize, usize)) -> Result<Vec<u32>, TrainError> {
        Ok(self.resident.read(address, count).await?.iter().map(|&token| token as u32).collect())
    }
}

impl Respondent for Device {
    async fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> Result<Tokens, TrainError> {
        let AnswerProgram { program, forced, generated, halting_log } = self.answer_program(batch.shape(from), generate)?;
        self.resident.run(program, &batch.words(from));
        let forced = self.read_tokens(forced).await?;
        let generated = match generated {
            Some(place) => Some(self.read_tokens(place).await?),
            None => None,
        };
        let hops = match halting_log {
            Some((address, halting_log)) => {
                let numbers = self.resident.read(address, halting_log.count()).await?;
                Some(Hops::read(&halting_log.parts, &numbers, batch.sequences, batch.length))
            }
            None => None,
        };
        Ok(Tokens { forced, generated, hops })
    }
}
