//! A run that lives on a graphics card.

use super::batch::Batch;
use super::evaluation::{self, Respondent, Tokens};
use super::grpo::{self, Prompts, Rollouts};
use super::hops::Hops;
use super::job::Plan;
use super::loss;
use super::optimizer;
use crate::config::Objective;
use crate::engine::cpu::Moments;
use crate::engine::gpu::{Gpu, Resident};
use crate::engine::program::{At, Journal};
use crate::engine::{Carrier, Missing, Program, Purpose};
use crate::model::Shape;
use std::collections::HashMap;
use std::ops::Range;

/// Most tokens of one gradient: more would not make the card quicker, and cost memory.
const TOKENS: usize = 16_384;

/// A forward pass on the device: its number, and where its tokens stand.
#[derive(Clone)]
struct Written {
    program: usize,
    forced: (usize, usize),
    generated: Option<(usize, usize)>,
    /// Where it notes its hops.
    journal: Option<(usize, Journal)>,
}

/// Weights, moments and programs on a device.
pub struct Device {
    resident: Resident,
    plan: Plan,
    /// The batch in parts that fit, each with its program: the first replaces the gradient, the others add to it.
    parts: Vec<(Range<usize>, usize)>,
    /// The stage that the programs are of: stages count other labels.
    stage: u64,
    /// Sequences of a part at most.
    size: usize,
    /// Forward passes by their shape, and whether they go on by themselves.
    answers: HashMap<(Shape, bool), Written>,
    /// Programs that draw completions, by their shape, and where those stand.
    drawings: HashMap<Shape, (usize, (usize, usize))>,
    /// What was drawn in the steps since the losses were read, and in those before.
    rollouts: Vec<Rollouts>,
    told: Vec<Rollouts>,
    /// Steps made here, and of how many the losses were read.
    made: usize,
    read: usize,
}

/// The gradient of `sequences` sequences, or prompts, of the batch of `step`.
fn gradient_program(plan: &Plan, sequences: usize, step: u64, purpose: Purpose) -> Result<Program, Missing> {
    match plan.config.training.objective {
        Objective::Examples => {}
        Objective::Grpo => return grpo::learning(plan, Prompts::training(plan, step, 0..sequences).shape(), purpose, Carrier::Card),
    }
    let example = plan.batch(step, 0..1);
    let shape = Shape { sequences, length: example.length, from: example.first_asked() };
    loss::program(&plan.model, &plan.parameters, shape, plan.whole(step), purpose, Carrier::Card)
}

/// Most sequences of a batch whose gradient the card takes at once.
///
/// # Errors
/// When one is too many.
fn part_size(plan: &Plan, gpu: &Gpu) -> Result<usize, String> {
    let mut size = (TOKENS / plan.config.tokens_a_position()).clamp(1, plan.config.training.batch);
    while gradient_program(plan, size, 1, Purpose::More)?.size > gpu.most_numbers() {
        if size == 1 {
            return Err("One sequence of this run is more than the graphics card lets a page use: choose a smaller network, fewer rows, or the CPU engine.".into());
        }
        size /= 2;
    }
    Ok(size)
}

impl Device {
    /// Takes a run to a device, and has every kernel of a step compiled.
    ///
    /// # Errors
    /// When one sequence is too much for the device, or it was lost.
    pub async fn new(plan: &Plan, gpu: &Gpu, weights: &[f32], moments: &Moments) -> Result<Self, String> {
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
            drawings: HashMap::new(),
            rollouts: Vec::new(),
            told: Vec::new(),
            made: 0,
            read: 0,
        };
        device.write_parts(1)?;
        device.write_drawings()?;
        // Measurements too are compiled ahead.
        let questions = evaluation::questions(plan);
        device.answer_program(questions.batch.shape(questions.from), questions.free_after == Some(questions.from))?;
        if let Some(after) = questions.free_after.filter(|&after| after != questions.from) {
            device.answer_program(questions.batch.shape(after), true)?;
        }
        device.resident.warm_up().await?;
        Ok(device)
    }

    /// Writes the programs that draw, where a policy learns, so that they are compiled ahead.
    fn write_drawings(&mut self) -> Result<(), String> {
        match self.plan.config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => {
                for (range, _) in self.parts.clone() {
                    self.drawing(Prompts::training(&self.plan, 1, range).shape())?;
                }
            }
        }
        Ok(())
    }

    /// Writes the gradient's programs for the stage of `step`.
    fn write_parts(&mut self, step: u64) -> Result<(), Missing> {
        let (plan, size) = (&self.plan, self.size);
        let mut known = HashMap::new();
        self.parts.clear();
        for start in (0..plan.config.training.batch).step_by(size) {
            let range = start..(start + size).min(plan.config.training.batch);
            let purpose = if start == 0 { Purpose::Gradient } else { Purpose::More };
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

    /// The forward pass of this shape, written the first time.
    fn answer_program(&mut self, shape: Shape, generate: bool) -> Result<Written, String> {
        if let Some(known) = self.answers.get(&(shape, generate)) {
            return Ok(known.clone());
        }
        let purpose = if generate { Purpose::Generate } else { Purpose::Answer };
        let program = loss::program(&self.plan.model, &self.plan.parameters, shape, loss::Whole::ANY, purpose, Carrier::Card)?;
        let find = |part: Option<(At, usize)>| part.map(|(at, count)| (program.address(at), count));
        let (forced, generated) = (find(program.answers).ok_or("This network gives no answers.")?, find(program.generated));
        let journal = program.journal.clone().map(|journal| (program.address(journal.at), journal));
        let written = Written { program: self.resident.add(program), forced, generated, journal };
        self.answers.insert((shape, generate), written.clone());
        Ok(written)
    }

    /// Enqueues one training step; where a policy learns, what it draws is read back first.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn step(&mut self, plan: &Plan, step: u64) -> Result<(), String> {
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
                    self.resident.run(*program, &batch.words(batch.first_asked()));
                }
            }
            Objective::Grpo => self.explore(plan, step).await?,
        }
        self.resident.update(&optimizer::rates(&plan.config, step), self.made);
        self.made += 1;
        Ok(())
    }

    /// Draws the completions of the whole batch, then learns from them part by part.
    async fn explore(&mut self, plan: &Plan, step: u64) -> Result<(), String> {
        let mut parts = Vec::new();
        for index in 0..self.parts.len() {
            let prompts = Prompts::training(plan, step, self.parts[index].0.clone());
            let (drawing, (address, count)) = self.drawing(prompts.shape())?;
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

    /// The program that draws completions of this shape, and where they stand.
    fn drawing(&mut self, shape: Shape) -> Result<(usize, (usize, usize)), String> {
        if let Some(known) = self.drawings.get(&shape) {
            return Ok(*known);
        }
        let program = grpo::drawing(&self.plan, shape, Carrier::Card)?;
        let place = program.generated.map(|(at, count)| (program.address(at), count)).ok_or("This network draws no tokens.")?;
        let known = (self.resident.add(program), place);
        self.drawings.insert(shape, known);
        Ok(known)
    }

    /// What was drawn in the steps whose losses were handed out last.
    pub fn rollouts(&mut self) -> Vec<Rollouts> {
        std::mem::take(&mut self.told)
    }

    /// The losses of the steps since the last call, at most as many as are kept.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn losses(&mut self) -> Result<Vec<f32>, String> {
        if self.read == self.made {
            return Ok(Vec::new());
        }
        let totals = self.resident.totals().await?;
        let found = || (self.read..self.made).map(|step| totals[step % totals.len()]);
        let losses = found().map(|total| total[0]).collect();
        self.told = std::mem::take(&mut self.rollouts)
            .into_iter()
            .zip(found())
            .map(|(all, total)| Rollouts { distance: total[1], ..all })
            .collect();
        self.read = self.made;
        Ok(losses)
    }

    /// All weights, one parameter after the other.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn weights(&self) -> Result<Vec<f32>, String> {
        self.resident.read(0, crate::model::weights::count(&self.plan.parameters)).await
    }

    /// The optimiser's moments.
    ///
    /// # Errors
    /// When the device was lost.
    pub async fn moments(&self) -> Result<Moments, String> {
        let (first, second) = self.resident.moments().await?;
        Ok(Moments { first, second })
    }
}

impl Device {
    async fn read_tokens(&self, (address, count): (usize, usize)) -> Result<Vec<u32>, String> {
        Ok(self.resident.read(address, count).await?.iter().map(|&token| token as u32).collect())
    }
}

impl Respondent for Device {
    async fn tokens(&mut self, batch: &Batch, from: usize, generate: bool) -> Result<Tokens, String> {
        let Written { program, forced, generated, journal } = self.answer_program(batch.shape(from), generate)?;
        self.resident.run(program, &batch.words(from));
        let forced = self.read_tokens(forced).await?;
        let generated = match generated {
            Some(place) => Some(self.read_tokens(place).await?),
            None => None,
        };
        let hops = match journal {
            Some((address, journal)) => {
                let numbers = self.resident.read(address, journal.count()).await?;
                Some(Hops::read(&journal.parts, &numbers, batch.sequences, batch.length))
            }
            None => None,
        };
        Ok(Tokens { forced, generated, hops })
    }
}
