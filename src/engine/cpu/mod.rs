//! The CPU engine: runs programs in one thread, with equal bits in WebAssembly and natively.
//!
//! All arrays lie in one memory that is reused from step to step, as is the packing scratch. Running a program again allocates nothing. Each
//! operator is a function that is never inlined, so that a browser's profiler can show its time.

mod attention;
pub mod attribution;
mod convolution;
mod disjoint;
mod halting;
mod lstm;
pub mod math;
mod memory;
pub mod micro;
mod norm;
mod policy;
mod products;
mod recurrent;
mod rows;
mod scan;
mod update;

pub use micro::{Arithmetic, Kernel};
pub use policy::draw_one;
pub use update::{Moments, Updater};

use super::program::{At, Attention, Embed, Grouped, Instruction, Loss, Norm, Policy, Program, Tokens};
use std::ops::Range;

/// A thread's memory and kernels.
pub struct Machine {
    kernel: Kernel,
    memory: Vec<f32>,
    packing: products::Packing,
    scratch: attention::AttentionScratch,
    recurrent: recurrent::RecurrentScratch,
    sums: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Machine {
    pub fn new(kernel: Kernel) -> Self {
        let (packing, scratch, recurrent) = Default::default();
        Self { kernel, memory: Vec::new(), packing, scratch, recurrent, sums: Vec::new(), probabilities: Vec::new() }
    }

    /// Writes all weights, one flat array, to the start of the memory, where programs of this model read them.
    pub fn load(&mut self, weights: &[f32]) {
        if self.memory.len() < weights.len() {
            self.memory.resize(weights.len(), 0.0);
        }
        self.memory[..weights.len()].copy_from_slice(weights);
    }

    /// Runs a program. `words` are its tokens and labels.
    ///
    /// # Panics
    /// When there are fewer words than the program reads, or a token is outside the vocabulary: an error of the caller.
    pub fn run(&mut self, program: &Program, words: &[u32]) {
        self.run_watched(program, words, |_, _| {});
    }

    /// Runs a program and calls `watch` after each instruction, with its index in the program and the memory.
    ///
    /// # Panics
    /// As [`Self::run`].
    pub fn run_watched(&mut self, program: &Program, words: &[u32], mut watch: impl FnMut(usize, &[f32])) {
        if self.memory.len() < program.size {
            self.memory.resize(program.size, 0.0);
        }
        for (index, instruction) in program.instructions.iter().enumerate() {
            self.execute(program, words, instruction);
            watch(index, &self.memory);
        }
    }

    /// `count` elements of the memory from `address` on.
    pub fn numbers(&self, address: usize, count: usize) -> &[f32] {
        &self.memory[address..address + count]
    }

    /// A writable range of the memory: tests use it to set the inputs of single instructions.
    pub fn elements_mut(&mut self, range: Range<usize>) -> &mut [f32] {
        if self.memory.len() < range.end {
            self.memory.resize(range.end, 0.0);
        }
        &mut self.memory[range]
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each instruction of the families without a file of their own")]
    fn execute(&mut self, program: &Program, words: &[u32], instruction: &Instruction) {
        let Self { kernel, memory, packing, scratch, recurrent, sums: totals, probabilities } = self;
        let kernel = *kernel;
        let address = |at: At| program.address(at);
        match instruction {
            Instruction::Embed(Embed::Forward { tokens, table, out, rows, width }) => {
                let tokens = match tokens {
                    Tokens::Words(first) => rows::Tokens::Words(&words[*first..first + rows]),
                    Tokens::Elements(rows) => rows::Tokens::Elements(address(rows.at), rows.stride),
                };
                rows::embed(memory, &tokens, address(*table), (address(out.at), out.stride), *rows, *width);
            }
            Instruction::Embed(Embed::Backward { tokens, gradient, out, rows, width, vocabulary, accumulate }) => {
                let words = &words[*tokens..tokens + rows];
                rows::embed_backward(memory, words, address(*gradient), address(*out), *width, *vocabulary, *accumulate);
            }
            Instruction::Grouped(Grouped::Copies(jobs)) => jobs.iter().for_each(|job| rows::copy(memory, address, job)),
            Instruction::Norm(Norm::Forward { x, outs, statistics, rows, width, epsilon, centred, pitch }) => {
                let shape = norm::NormShape { rows: *rows, width: *width, centred: *centred, pitch: *pitch };
                norm::forward(memory, address, *x, outs, *statistics, shape, *epsilon);
            }
            Instruction::Norm(Norm::Backward { x, statistics, outs, carried, out, rows, width, centred }) => {
                let shape = norm::NormShape { rows: *rows, width: *width, centred: *centred, pitch: 1 };
                norm::backward(memory, address, *x, *statistics, outs, *carried, *out, shape);
            }
            Instruction::Grouped(Grouped::ColumnSums(jobs)) => jobs.iter().for_each(|job| rows::column_sum(memory, totals, address, job)),
            Instruction::Grouped(Grouped::Products(jobs)) => {
                jobs.iter().for_each(|job| products::product(kernel, packing, memory, address, job))
            }
            Instruction::Attention(Attention::Forward { shape, qkv, rotary_table, out, sums }) => {
                let arrays = arrays(program, *qkv, *out, *sums, *rotary_table, shape.length * shape.rotary);
                attention::forward(kernel, scratch, memory, &arrays, shape);
            }
            Instruction::Attention(Attention::AtPosition { shape, qkv, rotary_table, out, position }) => {
                let rotary_table = &program.constants[*rotary_table..rotary_table + shape.length * shape.rotary];
                attention::at(scratch, memory, (address(*qkv), address(*out)), rotary_table, shape, *position);
            }
            Instruction::Attention(Attention::Backward { shape, qkv, rotary_table, out, sums, gradient, into }) => {
                let arrays = arrays(program, *qkv, *out, *sums, *rotary_table, shape.length * shape.rotary);
                attention::backward(kernel, scratch, memory, &arrays, shape, address(*gradient), address(*into));
            }
            Instruction::Loss(Loss::CrossEntropy { logits, labels, rows, vocabulary, scale, rows_out, answers, gradient }) => {
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
            Instruction::Loss(Loss::Answer { logits, rows, vocabulary, out }) => {
                rows::answer(memory, (address(logits.at), logits.stride), *rows, *vocabulary, (address(out.at), out.stride));
            }
            Instruction::Policy(Policy::Draw { logits, rows, vocabulary, sampling, uniforms: (first, stride), out }) => {
                let at = policy::Logits { at: address(logits.at), stride: logits.stride, rows: *rows, vocabulary: *vocabulary };
                let uniform = |row: usize| f32::from_bits(words[first + row * stride]);
                policy::draw(probabilities, memory, &at, sampling, uniform, (address(out.at), out.stride));
            }
            Instruction::Policy(Policy::LogProbability { logits, labels, rows, vocabulary, temperature, out }) => {
                let at = policy::Logits { at: address(*logits), stride: *vocabulary, rows: *rows, vocabulary: *vocabulary };
                policy::log_probability(memory, &at, &words[*labels..labels + rows], *temperature, address(*out));
            }
            Instruction::Policy(Policy::Loss { logits, labels, rows, vocabulary, terms, reference, rows_out, gradient }) => {
                let at = policy::Logits { at: address(*logits), stride: *vocabulary, rows: *rows, vocabulary: *vocabulary };
                let part = |first: usize| &words[first..first + rows];
                let scale = f32::from_bits(words[terms.scale]);
                let of = policy::Words { labels: part(*labels), advantages: part(terms.advantages), old: part(terms.old), scale };
                let arrays =
                    policy::PolicyArrays { reference: address(*reference), rows_out: address(*rows_out), gradient: address(*gradient) };
                policy::policy(memory, &at, &of, terms, &arrays);
            }
            Instruction::Recurrent(instruction) => recurrent::run(kernel, recurrent, memory, address, instruction),
            Instruction::Associative(instruction) => recurrent::run_associative(kernel, recurrent, memory, address, instruction),
            Instruction::Halting(instruction) => halting::run(memory, address, instruction),
            Instruction::Loss(Loss::Total { rows_in, rows, out, accumulate }) => {
                rows::total(memory, address(*rows_in), *rows, address(*out), *accumulate);
            }
        }
    }
}

fn arrays(program: &Program, qkv: At, out: At, sums: At, rotary_table: usize, count: usize) -> attention::AttentionArrays<'_> {
    let rotary_table = &program.constants[rotary_table..rotary_table + count];
    attention::AttentionArrays { qkv: program.address(qkv), out: program.address(out), sums: program.address(sums), rotary_table }
}
