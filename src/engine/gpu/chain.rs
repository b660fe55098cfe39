//! Records of a [`Chain`]: the steps of a workgroup with one sequence.

use super::adapter::AdapterTraits;
use super::dispatch::{Dispatch, Pipeline, word as number};
use super::jobs::{copy_job, product_job};
use super::kernels::chain::memory::{ROWS_AT_ONCE, word};
use super::kernels::chain::products::{PER, own};
use super::kernels::chain::rows::features_gradient;
use super::kernels::chain::{ChainKind, code, step, steps as launched};
use super::kernels::memory::features_word;
use super::kernels::{NONE, attention, norm};
use super::record::write as write_record;
use super::{hops, sequences, table};
use crate::engine::program::{
    Associative, At, Attention, Chain, FEATURES, Features, FeaturesBackward, Grouped, Halting, Instruction, Memorize, MemorizeBackward,
    Memory, MemoryShape, Norm, Product, Program, RecallBackward,
};

/// Threads along the rows and the columns of a product on a GPU: for sequences with many rows, and with few.
const TALL: [usize; 2] = [16, 16];
const FLAT: [usize; 2] = [8, 32];
/// The most rows that count as few: the rows of one tile.
const FEW: usize = PER * FLAT[0];
/// The same on an adapter emulated on the CPU, where each barrier switches between all threads of a workgroup.
const EMULATED: [usize; 2] = [4, 4];

/// One step, and the most loop iterations of a thread in it.
struct Step {
    code: u32,
    record: usize,
    iterations: usize,
}

/// Writes the steps of a chain.
struct Writer<'a> {
    program: &'a Program,
    table: &'a mut Vec<u32>,
    sequences: usize,
    kind: ChainKind,
    steps: Vec<Step>,
}

/// Writes the records of a chain and returns its launches: one, or several if the adapter limits a thread's loop iterations.
///
/// On an emulated adapter a workgroup is small, unless a thread would then exceed the adapter's limit within one step.
pub fn write(program: &Program, chain: &Chain, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let instructions = &program.instructions[chain.instructions.clone()];
    let begin = table.len();
    let mut attempt = |threads| {
        table.truncate(begin);
        let kind = kind(instructions, chain.sequences, adapter, threads);
        (kind, steps(program, chain, kind, table))
    };
    let fits = |steps: &[Step]| adapter.iterations.is_none_or(|most| steps.iter().all(|step| step.iterations < most));
    let small = adapter.software.then(|| attempt(Some(EMULATED))).filter(|(_, steps)| fits(steps));
    let (kind, steps) = small.unwrap_or_else(|| attempt(None));
    launches(&steps, chain, kind, adapter, table)
}

/// Writes the records of a chain's steps, and returns the steps.
fn steps(program: &Program, chain: &Chain, kind: ChainKind, table: &mut Vec<u32>) -> Vec<Step> {
    let mut writer = Writer { program, table, sequences: chain.sequences, kind, steps: Vec::new() };
    for instruction in &program.instructions[chain.instructions.clone()] {
        writer.instruction(instruction);
    }
    writer.steps
}

/// The launches that run these steps in order.
fn launches(steps: &[Step], chain: &Chain, kind: ChainKind, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let mut dispatches = Vec::new();
    let mut rest = steps;
    while !rest.is_empty() {
        let (mut count, mut iterations) = (0, 0);
        while count < rest.len() && (count == 0 || adapter.iterations.is_none_or(|most| iterations + rest[count].iterations < most)) {
            iterations += rest[count].iterations + 1;
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        let record = number(write_record(table, launched::WORDS, [(launched::COUNT, number(count))]));
        dispatches.push(Dispatch { kernel: Pipeline::Chain(kind), record, count: number(chain.sequences) });
        for one in now {
            write_record(table, step::WORDS, [(step::CODE, one.code), (step::RECORD, number(one.record))]);
        }
        rest = later;
    }
    dispatches
}

/// The pipeline of a chain. `threads` are those along rows and columns; `None` takes those for a GPU.
fn kind(instructions: &[Instruction], sequences: usize, adapter: AdapterTraits, threads: Option<[usize; 2]>) -> ChainKind {
    let mut kind = ChainKind {
        down: 0,
        across: 0,
        staged: !adapter.software,
        backward: false,
        attention: attention::AttentionKind { head: 1, rotary: 0, block: 1, tile: 1 },
    };
    let mut rows = 0;
    for instruction in instructions {
        if let Instruction::Grouped(Grouped::Products(products)) = instruction {
            rows = products.iter().fold(rows, |rows, product| rows.max(product.m / sequences));
        }
        if let Instruction::Attention(attention) = instruction {
            let shape = attention.shape();
            kind.attention = attention::AttentionKind { head: shape.head, rotary: shape.rotary, ..kind.attention };
        }
        kind.backward |= instruction.is_backward();
    }
    [kind.down, kind.across] = threads.unwrap_or(if rows <= FEW { FLAT } else { TALL });
    kind
}

impl Writer<'_> {
    fn address(&self, at: At) -> u32 {
        number(self.program.address(at))
    }

    fn optional(&self, at: Option<At>) -> u32 {
        at.map_or(NONE, |at| self.address(at))
    }

    /// Iterations of a thread if `tasks` are divided among the threads.
    fn share(&self, tasks: usize) -> usize {
        tasks.div_ceil(self.kind.threads())
    }

    fn step(&mut self, code: u32, record: usize, iterations: usize) {
        self.steps.push(Step { code, record, iterations });
    }

    /// Lets the next step start without waiting for the last one.
    fn no_barrier(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.code += code::NO_BARRIER;
        }
    }

    fn instruction(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Grouped(Grouped::Copies(copies)) => {
                for copy in copies.iter().filter(|copy| copy.numbers > 0) {
                    debug_assert_eq!(copy.blocks, self.sequences, "a copy in a chain must have one block per sequence");
                    let record = copy_job(self.table, self.program, copy);
                    self.step(code::COPY | code::NO_BARRIER, record, self.share(copy.numbers) * (1 + copy.from.len()));
                }
                self.wait();
            }
            Instruction::Grouped(Grouped::Products(products)) => {
                products.iter().for_each(|product| self.product(product));
                self.wait();
            }
            Instruction::Norm(norm) => self.norm(norm),
            Instruction::Attention(Attention::Forward { shape, qkv, rotary_table, out, sums }) => {
                let record = table::attention_forward(self.program, shape, [*qkv, *out, *sums], *rotary_table, self.table);
                self.step(code::ATTENTION, record, self.share(shape.heads * shape.length) * (shape.length + 1));
            }
            Instruction::Attention(Attention::Backward { shape, qkv, rotary_table, out, sums, gradient, into }) => {
                let arrays = [*qkv, *out, *sums, *gradient, *into];
                let record = table::attention_backward(self.program, shape, arrays, *rotary_table, self.table);
                self.step(code::ATTENTION_BACKWARD, record, 2 * self.share(shape.heads * shape.length) * (shape.length + 1));
            }
            Instruction::Associative(instruction) => self.associative(instruction),
            Instruction::Halting(instruction) => self.halting(instruction),
            Instruction::Grouped(Grouped::ColumnSums(_))
            | Instruction::Embed(_)
            | Instruction::Attention(Attention::AtPosition { .. })
            | Instruction::Recurrent(_)
            | Instruction::Loss(_)
            | Instruction::Policy(_) => unreachable!("an operator recorded an instruction that cannot be part of a chain"),
        }
    }

    fn associative(&mut self, instruction: &Associative) {
        match instruction {
            Associative::Features(Features { x, out, norms, rows, width, pitch }) => {
                debug_assert_eq!(*pitch, 1);
                let words = sequences::features_words([*x, *out, *norms].map(|at| self.address(at)), rows / self.sequences, *width);
                let record = write_record(self.table, features_word::WORDS, words);
                self.features(code::FEATURES, record, *rows, *width);
            }
            Associative::FeaturesBackward(FeaturesBackward { x, out, norms, gradient, into, rows, width }) => {
                use features_gradient as place;
                let words = sequences::features_words([*x, *out, *norms].map(|at| self.address(at)), rows / self.sequences, *width);
                let more = [(place::GRADIENT, self.address(*gradient)), (place::INTO, self.address(*into))];
                let record = write_record(self.table, place::WORDS, words.into_iter().chain(more));
                self.features(code::FEATURES_BACKWARD, record, *rows, *width);
            }
            Associative::Recall(forward) => {
                let record = self.table.len();
                sequences::recall(self.program, forward, self.table);
                let tasks = forward.shape.width * forward.shape.rows.div_ceil(ROWS_AT_ONCE);
                self.step(code::RECALL, record, self.share(tasks) * (forward.shape.features + 1));
            }
            Associative::RecallBackward(backward) => self.recall_backward(backward),
            Associative::Memorize(forward) => self.memorize(forward),
            Associative::MemorizeBackward(backward) => self.memorize_backward(backward),
        }
    }

    fn halting(&mut self, instruction: &Halting) {
        let (code, shape) = match instruction {
            Halting::Weights { shape, .. } => (code::HALT, shape),
            Halting::WeightsBackward { shape, .. } => (code::HALT_BACKWARD, shape),
            Halting::Mixture { shape, .. } => (code::MIX, shape),
            Halting::MixtureBackward { shape, .. } => (code::MIX_BACKWARD, shape),
        };
        debug_assert_eq!(shape.pitch, 1);
        let (record, rows) = (self.table.len(), shape.rows / self.sequences);
        let tasks = hops::record(self.program, instruction, rows, self.table);
        // A task that computes a weight's gradient loops over a whole row, so add `tasks`.
        self.step(code, record, self.share(rows * tasks) * (shape.hops + tasks));
    }

    /// Makes the next step wait for the steps so far.
    fn wait(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.code %= code::NO_BARRIER;
        }
    }

    fn product(&mut self, product: &Product) {
        let rows = product.m / self.sequences;
        let record = write_record(self.table, own::WORDS, [(own::ROWS, number(rows))]);
        let program = self.program;
        product_job(self.table, product, |at| program.address(at));
        let tiles = rows.div_ceil(PER * self.kind.down) * product.n.div_ceil(PER * self.kind.across);
        let inner: usize = product.terms.iter().map(|term| term.k + term.k / 2 + 4).sum();
        self.step(code::PRODUCT | code::NO_BARRIER, record, tiles * (inner + PER * PER + 1));
    }

    fn norm(&mut self, instruction: &Norm) {
        let record = self.table.len();
        table::write_norm(self.program, instruction, self.table);
        let rows = &mut self.table[record + norm::word::ROWS];
        *rows /= number(self.sequences);
        let rows = *rows as usize;
        let (code, width, outs) = match instruction {
            Norm::Forward { width, outs, .. } => (code::NORM, width, outs.len()),
            Norm::Backward { width, outs, .. } => (code::NORM_BACKWARD, width, 2 * outs.len()),
        };
        self.step(code, record, self.share(rows) * ((2 + outs) * (width + 1) + 1));
    }

    fn features(&mut self, code: u32, record: usize, rows: usize, width: usize) {
        self.step(code, record, self.share(rows / self.sequences) * (2 * FEATURES * width + 1));
    }

    /// Writes the record of a memory: its sizes, then the addresses of the given arrays.
    fn memory(&mut self, shape: &MemoryShape, arrays: &[(usize, Option<At>)]) -> usize {
        let record = self.table.len();
        self.table.resize(record + word::WORDS, NONE);
        for (place, size) in [(word::ROWS, shape.rows), (word::FEATURES, shape.features), (word::WIDTH, shape.width)] {
            self.table[record + place] = number(size);
        }
        for &(place, at) in arrays {
            self.table[record + place] = self.optional(at);
        }
        record
    }

    /// A thread's iterations over columns of four rows, over columns of four features, and over four features of each row.
    fn iterations(&self, shape: &MemoryShape) -> [usize; 3] {
        let MemoryShape { rows, features, width, .. } = *shape;
        [
            self.share(width * rows.div_ceil(ROWS_AT_ONCE)) * (features + 1),
            self.share(width * features.div_ceil(ROWS_AT_ONCE)) * (rows + 1),
            self.share(rows * features.div_ceil(ROWS_AT_ONCE)) * (width + 1),
        ]
    }

    fn recall_backward(&mut self, instruction: &RecallBackward) {
        let RecallBackward { divisor_gradients, shape, x, queries, memory, out, divisors, gradient, into_queries, carried, into } =
            instruction;
        let record = self.memory(
            shape,
            &[
                (word::KEYS, Some(*queries)),
                (word::A, Some(memory.a)),
                (word::Z, Some(memory.z)),
                (word::DIVISORS, Some(*divisors)),
                (word::X, Some(*x)),
                (word::OUT, Some(*out)),
                (word::INTO_A, Some(into.a)),
                (word::INTO_Z, Some(into.z)),
                (word::GRADIENT, Some(*gradient)),
                (word::GRADIENT_Z, carried.map(|carried| carried.z)),
                (word::CARRIED, carried.map(|carried| carried.a)),
                (word::INTO_KEYS, Some(*into_queries)),
                (word::DIVISOR_GRADIENTS, Some(*divisor_gradients)),
            ],
        );
        let [_, by_features, by_rows] = self.iterations(shape);
        self.step(code::RECALL_DIVISOR_GRADIENTS, record, self.share(shape.rows) * (shape.width + 1));
        self.step(code::RECALL_QUERIES, record, by_rows);
        self.no_barrier();
        self.step(code::RECALL_MEMORY, record, by_features);
    }

    fn memorize(&mut self, instruction: &Memorize) {
        let Memorize { shape, keys, values, strengths, old, novel, divisors, out } = instruction;
        let record = self.memory(
            shape,
            &[
                (word::KEYS, Some(*keys)),
                (word::A, old.map(|old| old.a)),
                (word::Z, old.map(|old| old.z)),
                (word::DIVISORS, Some(*divisors)),
                (word::X, Some(*values)),
                (word::OUT, Some(*novel)),
                (word::STRENGTHS, Some(*strengths)),
                (word::INTO_A, Some(out.a)),
                (word::INTO_Z, Some(out.z)),
            ],
        );
        let [by_columns, by_features, _] = self.iterations(shape);
        self.step(code::NOVELTY, record, by_columns);
        self.step(code::MEMORIZE, record, by_features);
    }

    fn memorize_backward(&mut self, instruction: &MemorizeBackward) {
        let MemorizeBackward { shape, old, into_old, .. } = instruction;
        let record = self.written(instruction, *old, *into_old);
        let [by_columns, by_features, by_rows] = self.iterations(shape);
        self.step(code::MEMORIZE_VALUES, record, by_columns);
        self.step(code::MEMORIZE_DIVISOR_GRADIENTS, record, self.share(shape.rows) * (shape.width + 1));
        self.step(code::MEMORIZE_KEYS, record, by_rows);
        if into_old.is_some() {
            self.no_barrier();
            self.step(code::MEMORIZE_OLD, record, by_features);
        }
    }

    /// Writes the record of the gradient of a write.
    fn written(&mut self, instruction: &MemorizeBackward, old: Option<Memory>, into_old: Option<Memory>) -> usize {
        let MemorizeBackward {
            divisor_gradients,
            shape,
            keys,
            values,
            strengths,
            novel,
            divisors,
            gradient,
            into_keys,
            into_values,
            into_strengths,
            ..
        } = instruction;
        self.memory(
            shape,
            &[
                (word::KEYS, Some(*keys)),
                (word::A, old.map(|old| old.a)),
                (word::Z, old.map(|old| old.z)),
                (word::DIVISORS, Some(*divisors)),
                (word::X, Some(*values)),
                (word::OUT, Some(*novel)),
                (word::STRENGTHS, Some(*strengths)),
                (word::INTO_A, into_old.map(|old| old.a)),
                (word::INTO_Z, into_old.map(|old| old.z)),
                (word::GRADIENT, Some(gradient.a)),
                (word::GRADIENT_Z, Some(gradient.z)),
                (word::INTO_KEYS, Some(*into_keys)),
                (word::INTO_VALUES, Some(*into_values)),
                (word::INTO_STRENGTHS, Some(*into_strengths)),
                (word::DIVISOR_GRADIENTS, Some(*divisor_gradients)),
            ],
        )
    }
}
