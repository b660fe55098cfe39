//! The LSTM recurrence and its gradient: `z = gates + h(t−1) weightᵀ`, `i, f, g, o = σ, σ, tanh, σ of z`, `c = f c(t−1) + i g`, `h = o tanh c`.
//!
//! A workgroup computes all rows of a few sequences, and reads each weight once per row for all of them. A thread computes all four gates of a
//! unit. All threads need h, or the gradient of the gates, of the row before. Workgroup memory holds it twice, for the row that is read and the
//! row that is written, so one barrier per row is enough. If it does not fit, or on a software adapter, threads read it from the memory. Each
//! thread reads cell states and their gradients from the memory, where it has written them itself.
//!
//! Backward: `dh = gradient + dz(t+1) weight`, `dc = dh o (1 − tanh² c) + dc(t+1) f(t+1)`,
//! `dz = dc g i(1 − i), dc c(t−1) f(1 − f), dc i (1 − g²), dh tanh c o(1 − o)`. `dc f` is stored in the place of the first gate of the row
//! before until that gate is computed.
//!
//! Both kernels can start at any row, from the results of the window before. A software adapter needs this: Mesa's llvmpipe stops a thread's
//! loops after 65,535 iterations, so a long sequence takes several launches. Records: [`word`] and [`backward`].

use super::activation::{sigmoid, tanh};
use super::{THREADS, window};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record.
    pub mod word after window {
        WIDTH,
        WEIGHT,
        /// Strides of the weight's rows (gates) and columns (units).
        WEIGHT_ROW,
        WEIGHT_COLUMN,
        GATES,
        CELLS,
        /// h, or its gradient.
        HIDDEN,
    }
}

record! {
    /// The last word of a backward record.
    pub mod backward after word {
        /// The gradient of the gates.
        INTO,
    }
}

record! {
    /// The words of a record of [`transpose`].
    pub mod transposed {
        FROM,
        ROWS,
        COLUMNS,
        TO,
    }
}

/// Elements of workgroup memory: the 16 KiB that every adapter has.
pub const KEPT: usize = 4096;

/// The compile-time values of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LstmKind {
    pub threads: usize,
    /// Sequences that share a workgroup.
    pub sequences: usize,
    /// Units that a thread computes together in the backward kernel: it reads each element of the neighbouring row once for all of them.
    pub units: usize,
    /// Whether the row before is read from workgroup memory. Else it is read from the memory. That needs no workgroup memory, for which a
    /// software adapter compiles slowly (SwiftShader takes 0.3 ms for each element of workgroup memory).
    pub shared: bool,
}

impl LstmKind {
    /// Elements of workgroup memory.
    fn room(&self) -> usize {
        if self.shared { KEPT } else { 1 }
    }

    /// Rows of the weight that the backward kernel reads at a time. A GPU can have four reads in flight. A software adapter computes several
    /// units together and has no registers for more.
    fn rows(&self) -> usize {
        if self.units == 1 { 4 } else { 1 }
    }

    /// Iterations of the backward loop over a weight with `width` units.
    pub fn iterations(&self, width: usize) -> usize {
        4 * width / self.rows()
    }
}

/// The row of position `t` of the workgroup's sequence `index`. Past the last sequence it is the last sequence's row.
#[cube]
fn row_of(table: &[u32], record: usize, index: usize, t: usize, #[comptime] kind: LstmKind) -> usize {
    let sequence = (CUBE_POS * kind.sequences + index).min(table[record + word::SEQUENCES] as usize - 1);
    sequence * table[record + word::LENGTH] as usize + t
}

/// Whether the workgroup's sequence `index` exists.
#[cube]
fn is_there(table: &[u32], record: usize, index: usize, #[comptime] kind: LstmKind) -> bool {
    CUBE_POS * kind.sequences + index < table[record + word::SEQUENCES] as usize
}

/// Waits until every thread of the workgroup has written its part of a row.
#[cube]
fn wait(#[comptime] kind: LstmKind) {
    if comptime!(kind.shared) {
        sync_cube();
    } else {
        sync_storage();
    }
}

/// An element of the row before this one (backward: after it), from workgroup memory or from the memory.
#[cube]
fn neighbour(memory: &mut [f32], kept: &mut Shared<[f32]>, place: usize, address: usize, #[comptime] kind: LstmKind) -> f32 {
    if comptime!(kind.shared) { kept[place] } else { memory[address] }
}

/// The four gates of a unit before activation, for each sequence: 4 elements per sequence.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn gates_before(
    memory: &mut [f32],
    table: &[u32],
    kept: &mut Shared<[f32]>,
    sums: &mut Array<f32>,
    record: usize,
    unit: usize,
    t: usize,
    now: usize,
    #[comptime] kind: LstmKind,
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
    // Row 0 has no earlier h.
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
pub fn lstm_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: LstmKind) {
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

/// The gradient of h from the next row's gates, for some units `kind.threads` apart and for each sequence.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn hidden_gradient(
    memory: &mut [f32],
    table: &[u32],
    kept: &mut Shared<[f32]>,
    sums: &mut Array<f32>,
    record: usize,
    first: usize,
    t: usize,
    now: usize,
    #[comptime] kind: LstmKind,
) {
    let width = table[record + word::WIDTH] as usize;
    let weight = table[record + word::WEIGHT] as usize;
    let rows = comptime!(kind.rows());
    let run = width * comptime!(4 / rows);
    let mut weights = Array::<f32>::new(kind.units);
    let mut after = Array::<usize>::new(kind.sequences);
    #[unroll]
    for index in 0..kind.sequences {
        after[index] = table[record + backward::INTO] as usize + (row_of(table, record, index, t, kind) + 1) * 4 * width;
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

/// The gradients of a unit's gates for one row and sequence. `later` is the gradient of h from the next row. `next` is the half of workgroup
/// memory that holds this row's gradients.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
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
    #[comptime] kind: LstmKind,
) {
    let width = table[record + word::WIDTH] as usize;
    let row = row_of(table, record, index, t, kind);
    let there = is_there(table, record, index, kind);
    let next = next + index * 4 * width + unit;
    let gates = table[record + word::GATES] as usize + row * 4 * width + unit;
    let cells = table[record + word::CELLS] as usize + row * width + unit;
    let into = table[record + backward::INTO] as usize + row * 4 * width + unit;
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

/// The backward kernel. Workgroup memory is empty at the start, so a window that ends before the sequence does must use a kind with `shared`
/// false.
#[cube(launch_unchecked)]
pub fn lstm_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: LstmKind) {
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

/// Writes weightᵀ, so that neighbouring threads of the forward kernel read neighbouring elements. A thread copies one element. Record:
/// [`transposed`].
#[cube(launch_unchecked)]
pub fn transpose(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + transposed::ROWS] as usize;
        let columns = table[record + transposed::COLUMNS] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        if at < rows * columns {
            memory[table[record + transposed::TO] as usize + at % columns * rows + at / columns] =
                memory[table[record + transposed::FROM] as usize + at];
        }
    }
}
