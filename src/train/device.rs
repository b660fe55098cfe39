//! A run that lives on a graphics card.

use super::batch::Batch;
use super::evaluation::{self, Respondent, Tokens};
use super::job::Plan;
use super::loss;
use super::optimizer;
use crate::engine::cpu::Moments;
use crate::engine::gpu::{Gpu, Resident};
use crate::engine::program::At;
use crate::engine::{Carrier, Purpose};
use crate::model::Shape;
use std::collections::HashMap;
use std::ops::Range;

/// Most tokens of one gradient: more would not make the card quicker, and cost memory.
const TOKENS: usize = 16_384;

/// A forward pass on the device: its number, and where its tokens stand.
#[derive(Clone, Copy)]
struct Written {
    program: usize,
    forced: (usize, usize),
    generated: Option<(usize, usize)>,
}

/// Weights, moments and programs on a device.
pub struct Device {
    resident: Resident,
    plan: Plan,
    /// The batch in parts that fit, each with its program: the first replaces the gradient, the others add to it.
    parts: Vec<(Range<usize>, usize)>,
    /// Forward passes by their shape, and whether they go on by themselves.
    answers: HashMap<(Shape, bool), Written>,
    /// Steps made here, and of how many the losses were read.
    made: usize,
    read: usize,
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
        let batch = plan.config.training.batch;
        let shape = |sequences: usize| {
            let example = plan.batch(1, 0..1);
            Shape { sequences, length: example.length, from: example.first_asked() }
        };
        let program =
            |sequences: usize, purpose| loss::program(&plan.model, &plan.parameters, shape(sequences), plan.asked, purpose, Carrier::Card);
        let mut size = (TOKENS / plan.config.task.sequence_length()).clamp(1, batch);
        while program(size, Purpose::More).size > gpu.most_numbers() {
            if size == 1 {
                return Err("One sequence of this run is more than the graphics card lets a page use: choose a smaller network, fewer rows, or the CPU engine.".into());
            }
            size /= 2;
        }
        let mut parts = Vec::new();
        let mut known = HashMap::new();
        for start in (0..batch).step_by(size) {
            let range = start..(start + size).min(batch);
            let purpose = if start == 0 { Purpose::Gradient } else { Purpose::More };
            let id = *known.entry((range.len(), purpose)).or_insert_with(|| resident.add(program(range.len(), purpose)));
            parts.push((range, id));
        }
        let mut device = Self { resident, plan: plan.clone(), parts, answers: HashMap::new(), made: 0, read: 0 };
        // Measurements too are compiled ahead.
        let (batch, from) = evaluation::questions(plan);
        device.answer_program(batch.shape(from), true)?;
        device.resident.warm_up().await?;
        Ok(device)
    }

    /// The forward pass of this shape, written the first time.
    fn answer_program(&mut self, shape: Shape, generate: bool) -> Result<Written, String> {
        if let Some(&known) = self.answers.get(&(shape, generate)) {
            return Ok(known);
        }
        let purpose = if generate { Purpose::Generate } else { Purpose::Answer };
        let program = loss::program(&self.plan.model, &self.plan.parameters, shape, 1, purpose, Carrier::Card);
        let find = |part: Option<(At, usize)>| part.map(|(at, count)| (program.address(at), count));
        let (forced, generated) = (find(program.answers).ok_or("This network gives no answers.")?, find(program.generated));
        let written = Written { program: self.resident.add(program), forced, generated };
        self.answers.insert((shape, generate), written);
        Ok(written)
    }

    /// Enqueues one training step.
    pub fn step(&mut self, plan: &Plan, step: u64) {
        for (range, program) in &self.parts {
            let batch = plan.batch(step, range.clone());
            self.resident.run(*program, &batch.words(batch.first_asked()));
        }
        self.resident.update(&optimizer::rates(&plan.config.training, step), self.made);
        self.made += 1;
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
        let losses = (self.read..self.made).map(|step| totals[step % totals.len()][0]).collect();
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
        let Written { program, forced, generated } = self.answer_program(batch.shape(from), generate)?;
        self.resident.run(program, &batch.words(from));
        let forced = self.read_tokens(forced).await?;
        let generated = match generated {
            Some(place) => Some(self.read_tokens(place).await?),
            None => None,
        };
        Ok(Tokens { forced, generated })
    }
}
