//! The recurrence of a long short-term memory, and its gradient: `z = gates + h(t−1) weightᵀ`, `i, f, g, o = σ, σ, tanh, σ of z`,
//! `c = f c(t−1) + i g`, `h = o tanh c`.
//!
//! A workgroup takes a few sequences through all rows and reads each weight once a row for all of them; a thread makes all
//! four gates of a unit. What every thread needs of the row before, h or the gradient of the gates, lies in workgroup
//! memory twice, for the row that is read and the row that is written: one barrier a row. Where it does not fit, or on a software
//! adapter, it is read from where it was written. Cell states, and what a row leaves of the gradient of the cell before it, are
//! read by the thread that wrote them, from memory.
//!
//! Backwards: `dh = gradient + dz(t+1) weight`, `dc = dh o (1 − tanh² c) + dc(t+1) f(t+1)`, `dz = dc g i(1 − i), dc c(t−1) f(1 − f),
//! dc i (1 − g²), dh tanh c o(1 − o)`; `dc f` waits in the place of the row before's first gate until that is made.
//!
//! Both take any window of rows, from what the one before it left: a software adapter may end a thread's loops after 65,535 rounds
//! (Mesa's llvmpipe does), so there a long sequence is several launches. Record: the words of [`word`].

use super::THREADS;
use super::activation::{sigmoid, tanh};
use cubecl::prelude::*;

/// Where the words of a record lie.
pub mod word {
    pub const SEQUENCES: usize = 0;
    pub const LENGTH: usize = 1;
    pub const FROM: usize = 2;
    pub const ROWS: usize = 3;
    pub const WIDTH: usize = 4;
    pub const WEIGHT: usize = 5;
    /// How far apart the weight's rows (gates) and columns (units) are.
    pub const WEIGHT_ROW: usize = 6;
    pub const WEIGHT_COLUMN: usize = 7;
    pub const GATES: usize = 8;
    pub const CELLS: usize = 9;
    /// h, or its gradient.
    pub const HIDDEN: usize = 10;
    /// Backwards.
    pub const INTO: usize = 11;
    pub const WORDS: usize = 12;
}

/// Numbers of workgroup memory: all that every adapter has.
pub const KEPT: usize = 4096;

/// What a pipeline is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    pub threads: usize,
    /// Sequences of a workgroup.
    pub sequences: usize,
    /// Units that a thread makes together, backwards: each number of workgroup memory is read once for all of them.
    pub units: usize,
    /// Whether the row before is read from workgroup memory, or from where it was written. The latter needs no room and lets a
    /// software adapter compile at once (SwiftShader takes 0.3 ms for each number of workgroup memory).
    pub shared: bool,
}

impl Kind {
    /// Numbers of workgroup memory.
    fn room(&self) -> usize {
        if self.shared { KEPT } else { 1 }
    }

    /// Rows of the weight that are read at a time, backwards. A graphics card has four on their way before it needs the first; a
    /// software adapter, which makes several units together, has no registers for more.
    fn rows(&self) -> usize {
        if self.units == 1 { 4 } else { 1 }
    }

    /// Rounds of the loop over a weight of so many units, backwards.
    pub fn rounds(&self, width: usize) -> usize {
        4 * width / self.rows()
    }
}

/// The row of position `t` of a workgroup's sequence `index`; past the last sequence that of the last.
#[cube]
fn row_of(table: &[u32], record: usize, index: usize, t: usize, #[comptime] kind: Kind) -> usize {
    let sequence = (CUBE_POS * kind.sequences + index).min(table[record + word::SEQUENCES] as usize - 1);
    sequence * table[record + word::LENGTH] as usize + t
}

/// Whether a workgroup's sequence `index` is there.
#[cube]
fn is_there(table: &[u32], record: usize, index: usize, #[comptime] kind: Kind) -> bool {
    CUBE_POS * kind.sequences + index < table[record + word::SEQUENCES] as usize
}

/// Waits until every thread of the workgroup has written its part of a row.
#[cube]
fn wait(#[comptime] kind: Kind) {
    if comptime!(kind.shared) {
        sync_cube();
    } else {
        sync_storage();
    }
}

/// A number of the row before (backwards: after) this one, from workgroup memory or memory.
#[cube]
fn neighbour(memory: &mut [f32], kept: &mut Shared<[f32]>, place: usize, address: usize, #[comptime] kind: Kind) -> f32 {
    if comptime!(kind.shared) { kept[place] } else { memory[address] }
}

/// The four gates of a unit before activation, for each sequence: 4 numbers a sequence.
#[cube]
#[allow(clippy::too_many_arguments)]
fn gates_before(
    memory: &mut [f32],
    table: &[u32],
    kept: &mut Shared<[f32]>,
    sums: &mut Array<f32>,
    record: usize,
    unit: usize,
    t: usize,
    now: usize,
    #[comptime] kind: Kind,
) {
    let width = table[record + word::WIDTH] as usize;
    let row = table[record + word::WEIGHT_ROW] as usize;
    let column = table[record + word::WEIGHT_COLUMN] as usize;
    let weight = table[record + word::WEIGHT] as usize + unit * row;
    #[unroll]
    for index in 0..kind.sequences {
        let at = table[record + word::GATES] as usize + row_of(table, record, index, t, kind) * 4 * width + unit;
        #[unroll]
        for gate in 0..4usize {
            sums[index * 4 + gate] = memory[at + gate * width];
        }
    }
    let mut weights = Array::<f32>::new(4usize);
    let mut before = Array::<usize>::new(kind.sequences);
    #[unroll]
    for index in 0..kind.sequences {
        before[index] = table[record + word::HIDDEN] as usize + (row_of(table, record, index, t.max(1), kind) - 1) * width;
    }
    // Before the first row there is nothing.
    for k in 0..select(t > 0, width, 0) {
        #[unroll]
        for gate in 0..4usize {
            weights[gate] = memory[weight + gate * width * row + k * column];
        }
        #[unroll]
        for index in 0..kind.sequences {
            let hidden = neighbour(memory, kept, now + index * width + k, before[index] + k, kind);
            #[unroll]
            for gate in 0..4usize {
                sums[index * 4 + gate] += hidden * weights[gate];
            }
        }
    }
}

/// The forward kernel.
#[cube(launch_unchecked)]
pub fn lstm_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut kept = Shared::<[f32]>::new_slice(comptime!(kind.room()));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let width = table[record + word::WIDTH] as usize;
        let from = table[record + word::FROM] as usize;
        let hidden = table[record + word::HIDDEN] as usize;
        let half = kind.sequences * width;
        if comptime!(kind.shared) {
            for unit in range_stepped(UNIT_POS as usize, select(from > 0, width, 0), kind.threads) {
                #[unroll]
                for index in 0..kind.sequences {
                    kept[index * width + unit] = memory[hidden + row_of(table, record, index, from.max(1) - 1, kind) * width + unit];
                }
            }
            sync_cube();
        }
        let mut now = 0usize;
        let mut sums = Array::<f32>::new(comptime!(4 * kind.sequences));
        for step in 0..table[record + word::ROWS] as usize {
            let t = from + step;
            let next = half - now;
            for unit in range_stepped(UNIT_POS as usize, width, kind.threads) {
                gates_before(memory, table, &mut kept, &mut sums, record, unit, t, now, kind);
                #[unroll]
                for index in 0..kind.sequences {
                    let row = row_of(table, record, index, t, kind);
                    let gates = table[record + word::GATES] as usize + row * 4 * width + unit;
                    let cells = table[record + word::CELLS] as usize + row * width + unit;
                    let i = sigmoid(sums[index * 4]);
                    let f = sigmoid(sums[index * 4 + 1]);
                    let g = tanh(sums[index * 4 + 2]);
                    let o = sigmoid(sums[index * 4 + 3]);
                    let mut c = i * g;
                    if t > 0 {
                        c += f * memory[cells - width];
                    }
                    let h = o * tanh(c);
                    if comptime!(kind.shared) {
                        kept[next + index * width + unit] = h;
                    }
                    if is_there(table, record, index, kind) {
                        memory[gates] = i;
                        memory[gates + width] = f;
                        memory[gates + 2 * width] = g;
                        memory[gates + 3 * width] = o;
                        memory[cells] = c;
                        memory[hidden + row * width + unit] = h;
                    }
                }
            }
            wait(kind);
            now = next;
        }
    }
}

/// What the next row's gates give the h of some units, `kind.threads` apart, for each sequence.
#[cube]
#[allow(clippy::too_many_arguments)]
fn hidden_gradient(
    memory: &mut [f32],
    table: &[u32],
    kept: &mut Shared<[f32]>,
    sums: &mut Array<f32>,
    record: usize,
    first: usize,
    t: usize,
    now: usize,
    #[comptime] kind: Kind,
) {
    let width = table[record + word::WIDTH] as usize;
    let weight = table[record + word::WEIGHT] as usize;
    let rows = comptime!(kind.rows());
    let run = width * comptime!(4 / rows);
    let mut weights = Array::<f32>::new(kind.units);
    let mut after = Array::<usize>::new(kind.sequences);
    #[unroll]
    for index in 0..kind.sequences {
        after[index] = table[record + word::INTO] as usize + (row_of(table, record, index, t, kind) + 1) * 4 * width;
    }
    for k in 0..run {
        #[unroll]
        for row in 0..rows {
            let gate = row * run + k;
            #[unroll]
            for i in 0..kind.units {
                weights[i] = memory[weight + gate * width + (first + i * kind.threads).min(width - 1)];
            }
            #[unroll]
            for index in 0..kind.sequences {
                let gradient = neighbour(memory, kept, now + index * 4 * width + gate, after[index] + gate, kind);
                #[unroll]
                for i in 0..kind.units {
                    sums[index * kind.units + i] += gradient * weights[i];
                }
            }
        }
    }
}

/// A unit's gates of one row and sequence, backwards; `later` is what the next row gives its h, and `next` where workgroup memory keeps
/// the row's gradients.
#[cube]
#[allow(clippy::too_many_arguments)]
fn unit_back(
    memory: &mut [f32],
    table: &[u32],
    kept: &mut Shared<[f32]>,
    record: usize,
    index: usize,
    t: usize,
    unit: usize,
    next: usize,
    later: f32,
    #[comptime] kind: Kind,
) {
    let width = table[record + word::WIDTH] as usize;
    let row = row_of(table, record, index, t, kind);
    let there = is_there(table, record, index, kind);
    let next = next + index * 4 * width + unit;
    let gates = table[record + word::GATES] as usize + row * 4 * width + unit;
    let cells = table[record + word::CELLS] as usize + row * width + unit;
    let into = table[record + word::INTO] as usize + row * 4 * width + unit;
    let dh = memory[table[record + word::HIDDEN] as usize + row * width + unit] + later;
    let i = memory[gates];
    let f = memory[gates + width];
    let g = memory[gates + 2 * width];
    let o = memory[gates + 3 * width];
    let squashed = tanh(memory[cells]);
    let mut dc = dh * o * (1.0f32 - squashed * squashed);
    if t + 1 < table[record + word::LENGTH] as usize {
        dc += memory[into];
    }
    let mut before = 0.0f32;
    if t > 0 {
        before = memory[cells - width];
        if there {
            memory[into - 4 * width] = dc * f;
        }
    }
    let first = dc * g * i * (1.0f32 - i);
    let second = dc * before * f * (1.0f32 - f);
    let third = dc * i * (1.0f32 - g * g);
    let fourth = dh * squashed * o * (1.0f32 - o);
    if comptime!(kind.shared) {
        kept[next] = first;
        kept[next + width] = second;
        kept[next + 2 * width] = third;
        kept[next + 3 * width] = fourth;
    }
    if there {
        memory[into] = first;
        memory[into + width] = second;
        memory[into + 2 * width] = third;
        memory[into + 3 * width] = fourth;
    }
}

/// The backward kernel. Workgroup memory begins empty, so a window that ends before the sequence does must do without.
#[cube(launch_unchecked)]
pub fn lstm_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut kept = Shared::<[f32]>::new_slice(comptime!(kind.room()));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let width = table[record + word::WIDTH] as usize;
        let length = table[record + word::LENGTH] as usize;
        let end = (table[record + word::FROM] + table[record + word::ROWS]) as usize;
        let half = kind.sequences * 4 * width;
        let mut now = 0usize;
        let mut sums = Array::<f32>::new(comptime!(kind.sequences * kind.units));
        for step in 0..table[record + word::ROWS] as usize {
            let t = end - 1 - step;
            let next = half - now;
            for first in range_stepped(UNIT_POS as usize, width, comptime!(kind.threads * kind.units)) {
                #[unroll]
                for i in 0..comptime!(kind.sequences * kind.units) {
                    sums[i] = 0.0f32;
                }
                if t + 1 < length {
                    hidden_gradient(memory, table, &mut kept, &mut sums, record, first, t, now, kind);
                }
                #[unroll]
                for i in 0..comptime!(kind.sequences * kind.units) {
                    let unit = first + i % kind.units * kind.threads;
                    if unit < width {
                        unit_back(memory, table, &mut kept, record, i / kind.units, t, unit, next, sums[i], kind);
                    }
                }
            }
            wait(kind);
            now = next;
        }
    }
}

/// weightᵀ, so that neighbouring threads of the forward kernel read neighbouring numbers. Record: `weight, rows, columns, out`; a thread a
/// number read.
#[cube(launch_unchecked)]
pub fn turn(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + 1] as usize;
        let columns = table[record + 2] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        if at < rows * columns {
            memory[table[record + 3] as usize + at % columns * rows + at / columns] = memory[table[record] as usize + at];
        }
    }
}
