//! The CPU engine: carries out programs in one thread, in WebAssembly and natively with equal bits.
//!
//! All numbers lie in one memory that is reused from step to step, as are the packing spaces: carrying a program out again
//! allocates nothing. Each operator is a function that is never inlined, so that a browser's profiler tells them apart.

mod attention;
mod convolution;
mod halting;
mod lstm;
pub mod math;
mod memory;
pub mod micro;
mod norm;
mod policy;
mod products;
pub mod reads;
mod recurrent;
mod rows;
mod scan;
mod update;

pub use micro::{Arithmetic, Kernel};
pub use policy::draw_one;
pub use update::{Moments, Updater};

use super::program::{At, Instruction, Program, Tokens};
use std::ops::Range;

/// A thread's memory and kernels.
pub struct Machine {
    kernel: Kernel,
    memory: Vec<f32>,
    packing: products::Packing,
    space: attention::Space,
    recurrent: recurrent::Space,
    sums: Vec<f32>,
    chances: Vec<f32>,
}

impl Machine {
    pub fn new(kernel: Kernel) -> Self {
        let (packing, space, recurrent) = Default::default();
        Self { kernel, memory: Vec::new(), packing, space, recurrent, sums: Vec::new(), chances: Vec::new() }
    }

    /// Puts the weights (all of them, flat) where programs of this model read them.
    pub fn load(&mut self, weights: &[f32]) {
        if self.memory.len() < weights.len() {
            self.memory.resize(weights.len(), 0.0);
        }
        self.memory[..weights.len()].copy_from_slice(weights);
    }

    /// Carries out a program. `words` are its tokens and labels.
    ///
    /// # Panics
    /// When there are fewer words than the program reads, or a token is outside the vocabulary: a fault of the caller.
    pub fn run(&mut self, program: &Program, words: &[u32]) {
        self.run_watched(program, words, |_, _| {});
    }

    /// The same, and after each instruction somebody may look: at its number in the program and the memory as it left it.
    ///
    /// # Panics
    /// As [`Self::run`].
    pub fn run_watched(&mut self, program: &Program, words: &[u32], mut watch: impl FnMut(usize, &[f32])) {
        if self.memory.len() < program.size {
            self.memory.resize(program.size, 0.0);
        }
        for (index, instruction) in program.instructions.iter().enumerate() {
            self.carry_out(program, words, instruction);
            watch(index, &self.memory);
        }
    }

    /// Numbers of the memory.
    pub fn numbers(&self, address: usize, count: usize) -> &[f32] {
        &self.memory[address..address + count]
    }

    /// To put numbers into the memory: tests feed single instructions so.
    pub fn numbers_mut(&mut self, range: Range<usize>) -> &mut [f32] {
        if self.memory.len() < range.end {
            self.memory.resize(range.end, 0.0);
        }
        &mut self.memory[range]
    }

    fn carry_out(&mut self, program: &Program, words: &[u32], instruction: &Instruction) {
        let Self { kernel, memory, packing, space, recurrent, sums: totals, chances } = self;
        let kernel = *kernel;
        let address = |at: At| program.address(at);
        match instruction {
            Instruction::Embed { tokens, table, out, rows, width } => {
                let tokens = match tokens {
                    Tokens::Words(first) => rows::Tokens::Words(&words[*first..first + rows]),
                    Tokens::Numbers(rows) => rows::Tokens::Numbers(address(rows.at), rows.stride),
                };
                rows::embed(memory, &tokens, address(*table), (address(out.at), out.stride), *rows, *width);
            }
            Instruction::EmbedBackward { tokens, gradient, out, rows, width, vocabulary, accumulate } => {
                let words = &words[*tokens..tokens + rows];
                rows::embed_backward(memory, words, address(*gradient), address(*out), *width, *vocabulary, *accumulate);
            }
            Instruction::Copies(jobs) => jobs.iter().for_each(|job| rows::copy(memory, address, job)),
            Instruction::Norm { x, outs, statistics, rows, width, epsilon, centred, pitch } => {
                let shape = norm::Shape { rows: *rows, width: *width, centred: *centred, pitch: *pitch };
                norm::forward(memory, address, *x, outs, *statistics, shape, *epsilon);
            }
            Instruction::NormBackward { x, statistics, outs, carried, out, rows, width, centred } => {
                let shape = norm::Shape { rows: *rows, width: *width, centred: *centred, pitch: 1 };
                norm::backward(memory, address, *x, *statistics, outs, *carried, *out, shape);
            }
            Instruction::ColumnSums(jobs) => jobs.iter().for_each(|job| rows::column_sum(memory, totals, address, job)),
            Instruction::Products(jobs) => jobs.iter().for_each(|job| products::product(kernel, packing, memory, address, job)),
            Instruction::Attention { shape, qkv, turns, out, sums } => {
                let arrays = arrays(program, *qkv, *out, *sums, *turns, shape.length * shape.rotary);
                attention::forward(kernel, space, memory, &arrays, shape);
            }
            Instruction::AttentionAt { shape, qkv, turns, out, position } => {
                let turns = &program.constants[*turns..turns + shape.length * shape.rotary];
                attention::at(space, memory, (address(*qkv), address(*out)), turns, shape, *position);
            }
            Instruction::AttentionBackward { shape, qkv, turns, out, sums, gradient, into } => {
                let arrays = arrays(program, *qkv, *out, *sums, *turns, shape.length * shape.rotary);
                attention::backward(kernel, space, memory, &arrays, shape, address(*gradient), address(*into));
            }
            Instruction::CrossEntropy { logits, labels, rows, vocabulary, scale, rows_out, answers, gradient } => {
                let at = rows::CrossEntropy {
                    logits: address(*logits),
                    rows_out: address(*rows_out),
                    answers: address(*answers),
                    gradient: gradient.map(address),
                    vocabulary: *vocabulary,
                    scale: *scale,
                };
                rows::cross_entropy(memory, &words[*labels..labels + rows], &at);
            }
            Instruction::Answer { logits, rows, vocabulary, out } => {
                rows::answer(memory, (address(logits.at), logits.stride), *rows, *vocabulary, (address(out.at), out.stride));
            }
            Instruction::Draw { logits, rows, vocabulary, sampling, uniforms: (first, stride), out } => {
                let at = policy::Logits { at: address(logits.at), stride: logits.stride, rows: *rows, vocabulary: *vocabulary };
                let uniform = |row: usize| f32::from_bits(words[first + row * stride]);
                policy::draw(chances, memory, &at, sampling, uniform, (address(out.at), out.stride));
            }
            Instruction::LogProbability { logits, labels, rows, vocabulary, temperature, out } => {
                let at = policy::Logits { at: address(*logits), stride: *vocabulary, rows: *rows, vocabulary: *vocabulary };
                policy::log_probability(memory, &at, &words[*labels..labels + rows], *temperature, address(*out));
            }
            Instruction::Policy { logits, labels, rows, vocabulary, terms, reference, rows_out, gradient } => {
                let at = policy::Logits { at: address(*logits), stride: *vocabulary, rows: *rows, vocabulary: *vocabulary };
                let part = |first: usize| &words[first..first + rows];
                let scale = f32::from_bits(words[terms.scale]);
                let of = policy::Words { labels: part(*labels), advantages: part(terms.advantages), old: part(terms.old), scale };
                let arrays = policy::Arrays { reference: address(*reference), rows_out: address(*rows_out), gradient: address(*gradient) };
                policy::policy(memory, &at, &of, terms, &arrays);
            }
            Instruction::Lstm { .. }
            | Instruction::LstmBackward { .. }
            | Instruction::Convolution { .. }
            | Instruction::ConvolutionBackward { .. }
            | Instruction::Scan { .. }
            | Instruction::ScanBackward { .. }
            | Instruction::Features { .. }
            | Instruction::FeaturesBackward { .. }
            | Instruction::Recall { .. }
            | Instruction::RecallBackward { .. }
            | Instruction::Memorize { .. }
            | Instruction::MemorizeBackward { .. } => recurrent::carry_out(kernel, recurrent, memory, address, instruction),
            Instruction::Halting { .. }
            | Instruction::HaltingBackward { .. }
            | Instruction::Mixture { .. }
            | Instruction::MixtureBackward { .. } => halting::carry_out(memory, address, instruction),
            Instruction::Total { rows_in, rows, out, accumulate } => {
                rows::total(memory, address(*rows_in), *rows, address(*out), *accumulate);
            }
        }
    }
}

fn arrays(program: &Program, qkv: At, out: At, sums: At, turns: usize, count: usize) -> attention::Arrays<'_> {
    let turns = &program.constants[turns..turns + count];
    attention::Arrays { qkv: program.address(qkv), out: program.address(out), sums: program.address(sums), turns }
}

/// Disjoint parts of the memory.
///
/// # Panics
/// When two of them overlap: a fault of the program that laid them out.
fn ranges<const N: usize>(memory: &mut [f32], ranges: [Range<usize>; N]) -> [&mut [f32]; N] {
    match memory.get_disjoint_mut(ranges) {
        Ok(parts) => parts,
        Err(error) => panic!("the program's arrays overlap or lie outside its memory: {error:?}"),
    }
}
