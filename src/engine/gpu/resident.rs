//! One run on the device: its memory, the state of its optimiser, its programs.

use super::device::Gpu;
use super::dispatch::{Dispatch, word};
use super::kernels::{THREADS, copy};
use super::launch::{Bound, Buffer, groups, threads};
use super::step::{Buffers, Places, Step, TOTALS, scratch};
use super::table;
use crate::engine::error::EngineError;
use crate::engine::program::Program;
use crate::engine::update::{Rates, Update};
use cubecl::bytes::Bytes;

/// A program on the device.
struct Loaded {
    table: Buffer,
    words: Buffer,
    dispatches: Vec<Dispatch>,
    /// Address of the loss and hits.
    total: Option<usize>,
}

/// One run on the device.
///
/// The memory is as large as the largest program's, followed by Muon's scratch. The state is
/// `first moments | second moments | partial sums | totals of the last 256 steps`.
pub struct Resident {
    gpu: Gpu,
    update: Update,
    places: Places,
    memory: Buffer,
    state: Buffer,
    programs: Vec<Loaded>,
    /// Elements of the largest program.
    size: usize,
    step: Step,
    step_table: Buffer,
    /// Address of the total of the program that ran last.
    total: usize,
}

impl Resident {
    /// A run with these weights, zero moments and no programs.
    ///
    /// # Errors
    /// When the device cannot hold the weights.
    pub fn new(gpu: &Gpu, update: Update, weights: &[f32]) -> Result<Self, EngineError> {
        let places = Places { weights: weights.len() };
        // Every program begins with weights, gradient and total.
        let size = 2 * weights.len() + 2;
        let needed = places.numbers().max(size + scratch(&update));
        if needed > gpu.most_numbers() {
            return Err(EngineError::ModelTooLarge { held: gpu.most_numbers(), needed });
        }
        let step = Step::new(update.clone(), weights.len(), size, gpu.adapter.software);
        let mut resident = Self {
            memory: Buffer::zeros(&gpu.client, size + scratch(&update)),
            state: Buffer::zeros(&gpu.client, places.numbers()),
            step_table: Buffer::of_words(&gpu.client, step.table()),
            gpu: gpu.clone(),
            update,
            places,
            programs: Vec::new(),
            size,
            step,
            total: 0,
        };
        resident.set_weights(weights);
        Ok(resident)
    }

    /// Adds a program; returns the index for [`Self::run`]. The memory grows if necessary and keeps its weights.
    pub fn add(&mut self, program: Program) -> usize {
        debug_assert_eq!(program.weights, self.places.weights);
        if program.size > self.size {
            self.grow(program.size);
        }
        let (table, dispatches) = table::write(&program, self.gpu.adapter);
        self.programs.push(Loaded {
            table: Buffer::of_words(&self.gpu.client, &table),
            words: Buffer::zeros(&self.gpu.client, program.words),
            dispatches,
            total: program.total.map(|at| program.address(at)),
        });
        self.programs.len() - 1
    }

    /// Allocates a larger memory with the weights and gradient of the old one.
    fn grow(&mut self, size: usize) {
        let memory = Buffer::zeros(&self.gpu.client, size + scratch(&self.update));
        let kept = word(2 * self.places.weights);
        let cubes = groups(kept.div_ceil(THREADS as u32));
        // SAFETY: both memories begin with weights and gradient, which is what is copied.
        unsafe {
            copy::launch_unchecked(&self.gpu.client, cubes, threads(THREADS), self.memory.argument(), memory.argument(), kept);
        }
        self.memory = memory;
        self.size = size;
        self.step = Step::new(self.update.clone(), self.places.weights, size, self.gpu.adapter.software);
        self.step_table = Buffer::of_words(&self.gpu.client, self.step.table());
    }

    /// Enqueues a program with these words (tokens, then labels).
    pub fn run(&mut self, program: usize, words: &[u32]) {
        let loaded = &self.programs[program];
        debug_assert!(words.len() <= loaded.words.numbers);
        if !words.is_empty() {
            self.gpu.client.write(&loaded.words.part(0, words.len()), Bytes::from_elems(words.to_vec()));
        }
        let bound = self.bound(loaded);
        for dispatch in &loaded.dispatches {
            bound.launch(dispatch);
        }
        if let Some(total) = loaded.total {
            self.total = total;
        }
    }

    fn bound<'a>(&'a self, loaded: &'a Loaded) -> Bound<'a> {
        Bound { client: &self.gpu.client, memory: &self.memory, words: &loaded.words, table: &loaded.table }
    }

    /// Enqueues clipping and the update, and stores the total of the last program at place `slot mod 256`. Then submits everything enqueued so
    /// far to the device.
    pub fn update(&mut self, rates: &Rates, slot: usize) {
        self.launch_update(rates, slot, true);
        // An error stays with the memory; the next read returns it.
        let _ = self.gpu.client.flush();
    }

    fn launch_update(&self, rates: &Rates, slot: usize, work: bool) {
        let buffers = Buffers { client: &self.gpu.client, memory: &self.memory, state: &self.state, table: &self.step_table };
        self.step.launch(&buffers, self.total, slot, rates, work);
    }

    /// Loss and hits of the last 256 steps; a step's are at place `slot mod 256`.
    ///
    /// # Errors
    /// A sentence when the device was lost or ran out of memory.
    pub async fn totals(&self) -> Result<Vec<[f32; 2]>, EngineError> {
        let numbers = read(&self.gpu, &self.state, self.places.totals(), 2 * TOTALS).await?;
        Ok(numbers.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect())
    }

    /// Part of the memory: weights, answers, logits. Waits for everything enqueued.
    ///
    /// # Errors
    /// A sentence when the device was lost or ran out of memory.
    pub async fn read(&self, address: usize, count: usize) -> Result<Vec<f32>, EngineError> {
        read(&self.gpu, &self.memory, address, count).await
    }

    /// First and second moments.
    ///
    /// # Errors
    /// A sentence when the device was lost or ran out of memory.
    pub async fn moments(&self) -> Result<(Vec<f32>, Vec<f32>), EngineError> {
        let mut first = read(&self.gpu, &self.state, 0, 2 * self.places.weights).await?;
        let second = first.split_off(self.places.weights);
        Ok((first, second))
    }

    /// Replaces the moments.
    pub fn set_moments(&mut self, first: &[f32], second: &[f32]) {
        self.write(&self.state, 0, first);
        self.write(&self.state, self.places.weights, second);
    }

    /// Replaces the weights.
    pub fn set_weights(&mut self, weights: &[f32]) {
        self.write(&self.memory, 0, weights);
    }

    /// Replaces part of the memory: tests use it to set an instruction's inputs.
    pub fn set_memory(&mut self, address: usize, numbers: &[f32]) {
        self.write(&self.memory, address, numbers);
    }

    fn write(&self, buffer: &Buffer, first: usize, numbers: &[f32]) {
        if !numbers.is_empty() {
            self.gpu.client.write(&buffer.part(first, numbers.len()), Bytes::from_elems(numbers.to_vec()));
        }
    }

    /// Compiles every pipeline of the added programs and of the update. It does not change the memory or the state.
    ///
    /// # Errors
    /// A sentence when the device was lost or ran out of memory.
    pub async fn warm_up(&mut self) -> Result<(), EngineError> {
        let mut compiled = Vec::new();
        for loaded in &self.programs {
            for dispatch in &loaded.dispatches {
                if !compiled.contains(&dispatch.kernel) {
                    self.bound(loaded).launch(&Dispatch { count: 0, ..*dispatch });
                    compiled.push(dispatch.kernel);
                }
            }
        }
        self.launch_update(&Rates { adamw: 0.0, muon: 0.0, corrections: (1.0, 1.0) }, 0, false);
        // A read waits until the device has compiled and run them.
        self.read(0, 1).await.map(drop)
    }
}

async fn read(gpu: &Gpu, buffer: &Buffer, first: usize, count: usize) -> Result<Vec<f32>, EngineError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let bytes = gpu.client.read_async(vec![buffer.part(first, count)]).await.map_err(|_| EngineError::Lost)?;
    let numbers = bytes.first().ok_or(EngineError::Lost)?;
    Ok(numbers.chunks_exact(4).map(|number| f32::from_le_bytes([number[0], number[1], number[2], number[3]])).collect())
}
