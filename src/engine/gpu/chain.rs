//! Records of a [`Chain`]: the steps that a workgroup makes with one sequence.

use super::Adapter;
use super::jobs::{copy_job, product_job};
use super::kernels::chain::memory::{TOGETHER, word};
use super::kernels::chain::products::PER;
use super::kernels::chain::{Kind, code};
use super::kernels::{NONE, attention, norm};
use super::table::{self, Dispatch, Kernel, word as number};
use crate::engine::program::{At, Chain, FEATURES, Hops, Instruction, Memory, MemoryShape, Product, Program};

/// Threads along the rows and the columns of a product on a graphics card, where a sequence has many rows and where it has few.
const TALL: [usize; 2] = [16, 16];
const FLAT: [usize; 2] = [8, 32];
/// The most rows that count as few: those of one tile.
const FEW: usize = PER * FLAT[0];
/// On an adapter that is emulated on the CPU, where each barrier switches between all threads of a workgroup.
const EMULATED: [usize; 2] = [4, 4];

/// One step and how many rounds of its loops a thread makes at most.
struct Step {
    code: u32,
    record: usize,
    rounds: usize,
}

/// Steps being written.
struct Writer<'a> {
    program: &'a Program,
    table: &'a mut Vec<u32>,
    sequences: usize,
    kind: Kind,
    steps: Vec<Step>,
}

/// Writes the records of a chain and gives its launches: one, or as many as an adapter needs that ends a thread's loops after so many rounds.
pub fn write(program: &Program, chain: &Chain, adapter: Adapter, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let instructions = &program.instructions[chain.instructions.clone()];
    let kind = kind(instructions, chain.sequences, adapter);
    let mut writer = Writer { program, table, sequences: chain.sequences, kind, steps: Vec::new() };
    for instruction in instructions {
        writer.instruction(instruction);
    }
    let Writer { steps, table, .. } = writer;
    let mut dispatches = Vec::new();
    let mut rest = &steps[..];
    while !rest.is_empty() {
        let (mut count, mut rounds) = (0, 0);
        while count < rest.len() && (count == 0 || adapter.rounds.is_none_or(|most| rounds + rest[count].rounds < most)) {
            rounds += rest[count].rounds + 1;
            count += 1;
        }
        let (now, later) = rest.split_at(count);
        dispatches.push(Dispatch { kernel: Kernel::Chain(kind), record: number(table.len()), count: number(chain.sequences) });
        table.push(number(count));
        table.extend(now.iter().flat_map(|step| [step.code, number(step.record)]));
        rest = later;
    }
    dispatches
}

/// The pipeline of a chain.
fn kind(instructions: &[Instruction], sequences: usize, adapter: Adapter) -> Kind {
    let mut kind = Kind {
        down: 0,
        across: 0,
        staged: !adapter.software,
        backward: false,
        attention: attention::Kind { head: 1, rotary: 0, block: 1, tile: 1 },
    };
    let mut rows = 0;
    for instruction in instructions {
        match instruction {
            Instruction::Products(products) => rows = products.iter().fold(rows, |rows, product| rows.max(product.m / sequences)),
            Instruction::Attention { shape, .. } | Instruction::AttentionBackward { shape, .. } => {
                kind.attention = attention::Kind { head: shape.head, rotary: shape.rotary, ..kind.attention };
            }
            _ => {}
        }
        kind.backward |= matches!(
            instruction,
            Instruction::NormBackward { .. }
                | Instruction::AttentionBackward { .. }
                | Instruction::FeaturesBackward { .. }
                | Instruction::RecallBackward { .. }
                | Instruction::MemorizeBackward { .. }
                | Instruction::HaltingBackward { .. }
                | Instruction::MixtureBackward { .. }
        );
    }
    [kind.down, kind.across] = match (adapter.software && adapter.rounds.is_none(), rows <= FEW) {
        (true, _) => EMULATED,
        (false, true) => FLAT,
        (false, false) => TALL,
    };
    kind
}

impl Writer<'_> {
    fn address(&self, at: At) -> u32 {
        number(self.program.address(at))
    }

    fn optional(&self, at: Option<At>) -> u32 {
        at.map_or(NONE, |at| self.address(at))
    }

    /// How often a thread comes round where `tasks` are shared out.
    fn share(&self, tasks: usize) -> usize {
        tasks.div_ceil(self.kind.threads())
    }

    fn step(&mut self, code: u32, record: usize, rounds: usize) {
        self.steps.push(Step { code, record, rounds });
    }

    /// Lets the step after the last one begin at once.
    fn together(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.code += code::TOGETHER;
        }
    }

    fn instruction(&mut self, instruction: &Instruction) {
        match instruction {
            Instruction::Copies(copies) => {
                for copy in copies.iter().filter(|copy| copy.numbers > 0) {
                    debug_assert_eq!(copy.blocks, self.sequences, "a chain copies within its sequences");
                    let record = copy_job(self.table, self.program, copy);
                    self.step(code::COPY | code::TOGETHER, record, self.share(copy.numbers) * (1 + copy.from.len()));
                }
                self.wait();
            }
            Instruction::Products(products) => {
                products.iter().for_each(|product| self.product(product));
                self.wait();
            }
            Instruction::Norm { .. } | Instruction::NormBackward { .. } => self.norm(instruction),
            Instruction::Attention { shape, qkv, turns, out, sums } => {
                let record = self.attention(shape, [*qkv, *out, *sums], *turns, [None, None]);
                self.step(code::ATTENTION, record, self.share(shape.heads * shape.length) * (shape.length + 1));
            }
            Instruction::AttentionBackward { shape, qkv, turns, out, sums, gradient, into } => {
                let record = self.attention(shape, [*qkv, *out, *sums], *turns, [Some(*gradient), Some(*into)]);
                self.step(code::ATTENTION_BACKWARD, record, 2 * self.share(shape.heads * shape.length) * (shape.length + 1));
            }
            Instruction::Features { x, out, norms, rows, width, pitch } => {
                debug_assert_eq!(*pitch, 1);
                self.features(code::FEATURES, [Some(*x), Some(*out), Some(*norms), None, None], *rows, *width);
            }
            Instruction::FeaturesBackward { x, out, norms, gradient, into, rows, width } => {
                let arrays = [*x, *out, *norms, *gradient, *into].map(Some);
                self.features(code::FEATURES_BACKWARD, arrays, *rows, *width);
            }
            Instruction::Recall { shape, .. } => {
                let record = self.table.len();
                super::sequences::memory(self.program, instruction, self.table);
                let tasks = shape.width * shape.rows.div_ceil(TOGETHER);
                self.step(code::RECALL, record, self.share(tasks) * (shape.features + 1));
            }
            Instruction::RecallBackward { .. } => self.recall_backward(instruction),
            Instruction::Memorize { .. } => self.memorize(instruction),
            Instruction::MemorizeBackward { .. } => self.memorize_backward(instruction),
            Instruction::Halting { shape, .. } => self.hops(code::HALT, instruction, shape),
            Instruction::HaltingBackward { shape, .. } => self.hops(code::HALT_BACKWARD, instruction, shape),
            Instruction::Mixture { shape, .. } => self.hops(code::MIX, instruction, shape),
            Instruction::MixtureBackward { shape, .. } => self.hops(code::MIX_BACKWARD, instruction, shape),
            _ => unreachable!("no operator records this within a chain"),
        }
    }

    /// Lets what follows wait for the steps so far.
    fn wait(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.code %= code::TOGETHER;
        }
    }

    fn product(&mut self, product: &Product) {
        let record = self.table.len();
        let rows = product.m / self.sequences;
        self.table.push(number(rows));
        let program = self.program;
        product_job(self.table, product, |at| program.address(at));
        let tiles = rows.div_ceil(PER * self.kind.down) * product.n.div_ceil(PER * self.kind.across);
        let inner: usize = product.terms.iter().map(|term| term.k + term.k / 2 + 4).sum();
        self.step(code::PRODUCT | code::TOGETHER, record, tiles * (inner + PER * PER + 1));
    }

    fn norm(&mut self, instruction: &Instruction) {
        let record = self.table.len();
        table::norm(self.program, instruction, self.table);
        let rows = &mut self.table[record + norm::word::ROWS];
        *rows /= number(self.sequences);
        let rows = *rows as usize;
        let (code, width, outs) = match instruction {
            Instruction::Norm { width, outs, .. } => (code::NORM, width, outs.len()),
            Instruction::NormBackward { width, outs, .. } => (code::NORM_BACKWARD, width, 2 * outs.len()),
            _ => unreachable!("`instruction` sends nothing but norms"),
        };
        self.step(code, record, self.share(rows) * ((2 + outs) * (width + 1) + 1));
    }

    fn attention(
        &mut self,
        shape: &crate::engine::program::AttentionShape,
        arrays: [At; 3],
        turns: usize,
        backward: [Option<At>; 2],
    ) -> usize {
        let record = self.table.len();
        let [qkv, out, sums] = arrays.map(|at| self.address(at));
        let [gradient, into] = backward.map(|at| self.optional(at));
        self.table.extend([shape.sequences, shape.length, shape.heads].map(number));
        self.table.extend([qkv, number(turns), out, sums, gradient, into]);
        record
    }

    fn features(&mut self, code: u32, arrays: [Option<At>; 5], rows: usize, width: usize) {
        let record = self.table.len();
        let [x, out, norms, gradient, into] = arrays.map(|at| self.optional(at));
        let rows = rows / self.sequences;
        self.table.extend([x, out, norms, number(rows), number(width), gradient, into]);
        self.step(code, record, self.share(rows) * (2 * FEATURES * width + 1));
    }

    fn hops(&mut self, code: u32, instruction: &Instruction, shape: &Hops) {
        debug_assert_eq!(shape.pitch, 1);
        let (record, rows) = (self.table.len(), shape.rows / self.sequences);
        let tasks = super::hops::record(self.program, instruction, rows, self.table).unwrap_or(1);
        // A weight's gradient walks along a row.
        self.step(code, record, self.share(rows * tasks) * (shape.hops + tasks));
    }

    /// The words of a memory: its sizes, then those arrays that are given.
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

    /// Rounds of a thread over the columns of four rows, of four features, and over four features of each row.
    fn rounds(&self, shape: &MemoryShape) -> [usize; 3] {
        let MemoryShape { rows, features, width, .. } = *shape;
        [
            self.share(width * rows.div_ceil(TOGETHER)) * (features + 1),
            self.share(width * features.div_ceil(TOGETHER)) * (rows + 1),
            self.share(rows * features.div_ceil(TOGETHER)) * (width + 1),
        ]
    }

    fn recall_backward(&mut self, instruction: &Instruction) {
        let Instruction::RecallBackward { sides, shape, x, queries, memory, out, divisors, gradient, into_queries, carried, into } =
            instruction
        else {
            unreachable!("`instruction` sends nothing but gradients of recalls")
        };
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
                (word::SIDES, Some(*sides)),
            ],
        );
        let [_, by_features, by_rows] = self.rounds(shape);
        self.step(code::RECALL_SIDES, record, self.share(shape.rows) * (shape.width + 1));
        self.step(code::RECALL_QUERIES, record, by_rows);
        self.together();
        self.step(code::RECALL_MEMORY, record, by_features);
    }

    fn memorize(&mut self, instruction: &Instruction) {
        let Instruction::Memorize { shape, keys, values, strengths, old, novel, divisors, out } = instruction else {
            unreachable!("`instruction` sends nothing but writings")
        };
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
        let [by_columns, by_features, _] = self.rounds(shape);
        self.step(code::NOVELTY, record, by_columns);
        self.step(code::MEMORIZE, record, by_features);
    }

    fn memorize_backward(&mut self, instruction: &Instruction) {
        let Instruction::MemorizeBackward { shape, old, into_old, .. } = instruction else {
            unreachable!("`instruction` sends nothing but gradients of writings")
        };
        let record = self.written(instruction, *old, *into_old);
        let [by_columns, by_features, by_rows] = self.rounds(shape);
        self.step(code::MEMORIZE_VALUES, record, by_columns);
        self.step(code::MEMORIZE_SIDES, record, self.share(shape.rows) * (shape.width + 1));
        self.step(code::MEMORIZE_KEYS, record, by_rows);
        if into_old.is_some() {
            self.together();
            self.step(code::MEMORIZE_OLD, record, by_features);
        }
    }

    /// The words of a writing's gradient.
    fn written(&mut self, instruction: &Instruction, old: Option<Memory>, into_old: Option<Memory>) -> usize {
        let Instruction::MemorizeBackward {
            sides,
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
        } = instruction
        else {
            unreachable!("`memorize_backward` sends nothing else")
        };
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
                (word::SIDES, Some(*sides)),
            ],
        )
    }
}
