//! An associative memory of one sequence: recall, memorize and their gradients. The equations are those of
//! [`crate::engine::program::Associative`].
//!
//! A thread computes one column of four rows, or of four features, at a time. It reads what they share once for all four.

use crate::engine::gpu::kernels::NONE;
use crate::engine::gpu::kernels::activation::sigmoid;
use crate::engine::gpu::kernels::memory::{RECALLED, recall_rows, word as recalled};
use cubecl::prelude::*;

/// Rows or features that a thread computes together.
pub const ROWS_AT_ONCE: usize = RECALLED;

record! {
    /// Indices of the words of a record: the rows of a sequence, the sizes of the memory, then addresses ([`NONE`] for a missing array).
    pub mod word {
        ROWS,
        FEATURES,
        WIDTH,
        /// The keys of a write, or the queries of a recall.
        KEYS,
        /// The memory to read.
        A,
        Z,
        /// d of each row of a recall, or d and γ of each row of a write.
        DIVISORS,
        /// The x of a recall, or the values of a write.
        X,
        /// The result of a recall, or `v − v̄` of a write.
        OUT,
        /// The strengths of a write, before σ.
        STRENGTHS,
        /// The memory to write. Forward: the new memory. Backward: the gradient of the memory that was read.
        INTO_A,
        INTO_Z,
        /// The gradient of a recall's result, or of the new memory's A.
        GRADIENT,
        /// The gradient of the new memory's z. For a recall: the gradient of z so far.
        GRADIENT_Z,
        /// For a recall: the gradient of A so far.
        CARRIED,
        INTO_KEYS,
        INTO_VALUES,
        INTO_STRENGTHS,
        /// Scratch of one element per row: the gradient of its divisor.
        DIVISOR_GRADIENTS,
    }
}

/// Recall over all rows of the sequence. Record: the words of [`recalled`].
#[cube]
pub fn recall(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let width = table[record + recalled::WIDTH] as usize;
    let blocks = (table[record + recalled::ROWS] as usize).div_ceil(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, width * blocks, threads) {
        recall_rows(memory, table, record, sequence, task / width * ROWS_AT_ONCE, task % width);
    }
}

/// `v − v̄` and each row's d and γ, before the memory is written.
#[cube]
pub fn novelty(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let old = table[record + word::A];
    let mut keys = Array::<usize>::new(ROWS_AT_ONCE);
    let mut sums = Array::<f32>::new(ROWS_AT_ONCE);
    let mut divisors = Array::<f32>::new(ROWS_AT_ONCE);
    let mut squares = Array::<f32>::new(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, width * rows.div_ceil(ROWS_AT_ONCE), threads) {
        let column = task % width;
        let first = task / width * ROWS_AT_ONCE;
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            keys[i] = table[record + word::KEYS] as usize + (sequence * rows + (first + i).min(rows - 1)) * features;
            sums[i] = 0.0f32;
            divisors[i] = 0.0f32;
            squares[i] = 0.0f32;
        }
        if old != NONE {
            let a = old as usize + sequence * features * width + column;
            let z = table[record + word::Z] as usize + sequence * features;
            for index in 0..features {
                let stored = memory[a + index * width];
                let weight = memory[z + index];
                #[unroll]
                for i in 0..ROWS_AT_ONCE {
                    let key = memory[keys[i] + index];
                    sums[i] += key * stored;
                    divisors[i] += key * weight;
                    squares[i] += key * key;
                }
            }
        }
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            if first + i < rows {
                let row = sequence * rows + first + i;
                let mut divisor = f32::new(1.0);
                let mut share = f32::new(1.0);
                let mut value = memory[table[record + word::X] as usize + row * width + column];
                if old != NONE {
                    divisor = divisors[i] + 1.0e-5f32;
                    share = (1.0f32 - divisor / squares[i]).clamp(0.0f32, 1.0f32);
                    value -= sums[i] / divisor;
                }
                memory[table[record + word::OUT] as usize + row * width + column] = value;
                if column == 0 {
                    memory[table[record + word::DIVISORS] as usize + row * 2] = divisor;
                    memory[table[record + word::DIVISORS] as usize + row * 2 + 1] = share;
                }
            }
        }
    }
}

/// Adds the rows' outer products to a memory: `A ← from A + Σ key factor slope`, `z ← from z + Σ side key`; `from` is zeros if it is `NONE`.
/// The factor of a row is σ of its element in `factors` if `strength`, else `sign` divided by that element.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn outer(
    memory: &mut [f32],
    table: &[u32],
    record: usize,
    sequence: usize,
    from_a: u32,
    from_z: u32,
    slopes: usize,
    factors: usize,
    factor_step: usize,
    divisor_gradients: usize,
    side_step: usize,
    sign: f32,
    #[comptime] strength: bool,
    #[comptime] threads: usize,
) {
    let rows = table[record + word::ROWS] as usize;
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let mut sums = Array::<f32>::new(ROWS_AT_ONCE);
    let mut shares = Array::<f32>::new(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, width * features.div_ceil(ROWS_AT_ONCE), threads) {
        let column = task % width;
        let first = task / width * ROWS_AT_ONCE;
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            sums[i] = 0.0f32;
            shares[i] = 0.0f32;
            let feature = sequence * features + (first + i).min(features - 1);
            if from_a != NONE {
                sums[i] = memory[from_a as usize + feature * width + column];
                shares[i] = memory[from_z as usize + feature];
            }
        }
        for own in 0..rows {
            let row = sequence * rows + own;
            let number = memory[factors + row * factor_step];
            let mut slope = memory[slopes + row * width + column];
            if comptime!(strength) {
                slope *= sigmoid(number);
            } else {
                slope *= sign / number;
            }
            let side = memory[divisor_gradients + row * side_step];
            let keys = table[record + word::KEYS] as usize + row * features;
            #[unroll]
            for i in 0..ROWS_AT_ONCE {
                let key = memory[keys + (first + i).min(features - 1)];
                sums[i] += key * slope;
                shares[i] += key * side;
            }
        }
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            if first + i < features {
                let feature = sequence * features + first + i;
                memory[table[record + word::INTO_A] as usize + feature * width + column] = sums[i];
                if column == 0 {
                    memory[table[record + word::INTO_Z] as usize + feature] = shares[i];
                }
            }
        }
    }
}

/// `A ← A + Σ σ(strength) key novelty`, `z ← z + Σ γ key`.
#[cube]
pub fn memorize(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let divisors = table[record + word::DIVISORS] as usize;
    let (slopes, strengths) = (table[record + word::OUT] as usize, table[record + word::STRENGTHS] as usize);
    let (a, z) = (table[record + word::A], table[record + word::Z]);
    outer(memory, table, record, sequence, a, z, slopes, strengths, 1, divisors + 1, 2, 1.0f32, true, threads);
}

/// The gradient of each divisor of a recall: `−(g · (out − x)) / d`.
#[cube]
pub fn recall_sides(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let width = table[record + word::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let mut sum = 0.0f32;
        for column in 0..width {
            let at = row * width + column;
            let read = memory[table[record + word::OUT] as usize + at] - memory[table[record + word::X] as usize + at];
            sum += memory[table[record + word::GRADIENT] as usize + at] * read;
        }
        memory[table[record + word::DIVISOR_GRADIENTS] as usize + row] = -sum / memory[table[record + word::DIVISORS] as usize + row];
    }
}

/// The gradient of the queries: `(g Aᵀ) / d + side z`.
#[cube]
pub fn recall_queries(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let blocks = features.div_ceil(ROWS_AT_ONCE);
    let mut sums = Array::<f32>::new(ROWS_AT_ONCE);
    let mut lines = Array::<usize>::new(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, rows * blocks, threads) {
        let row = sequence * rows + task / blocks;
        let first = task % blocks * ROWS_AT_ONCE;
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            sums[i] = 0.0f32;
            lines[i] = table[record + word::A] as usize + (sequence * features + (first + i).min(features - 1)) * width;
        }
        for column in 0..width {
            let g = memory[table[record + word::GRADIENT] as usize + row * width + column];
            #[unroll]
            for i in 0..ROWS_AT_ONCE {
                sums[i] += g * memory[lines[i] + column];
            }
        }
        let divisor = memory[table[record + word::DIVISORS] as usize + row];
        let side = memory[table[record + word::DIVISOR_GRADIENTS] as usize + row];
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            if first + i < features {
                let z = memory[table[record + word::Z] as usize + sequence * features + first + i];
                memory[table[record + word::INTO_KEYS] as usize + row * features + first + i] = sums[i] / divisor + side * z;
            }
        }
    }
}

/// The gradient of the memory that was read.
#[cube]
pub fn recall_memory(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let (a, z) = (table[record + word::CARRIED], table[record + word::GRADIENT_Z]);
    let (slopes, divisors) = (table[record + word::GRADIENT] as usize, table[record + word::DIVISORS] as usize);
    let divisor_gradients = table[record + word::DIVISOR_GRADIENTS] as usize;
    outer(memory, table, record, sequence, a, z, slopes, divisors, 1, divisor_gradients, 1, 1.0f32, false, threads);
}

/// The gradient of the values: `σ(strength) (keys dA)`.
#[cube]
pub fn memorize_values(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let mut keys = Array::<usize>::new(ROWS_AT_ONCE);
    let mut sums = Array::<f32>::new(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, width * rows.div_ceil(ROWS_AT_ONCE), threads) {
        let column = task % width;
        let first = task / width * ROWS_AT_ONCE;
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            keys[i] = table[record + word::KEYS] as usize + (sequence * rows + (first + i).min(rows - 1)) * features;
            sums[i] = 0.0f32;
        }
        let a = table[record + word::GRADIENT] as usize + sequence * features * width + column;
        for index in 0..features {
            let slope = memory[a + index * width];
            #[unroll]
            for i in 0..ROWS_AT_ONCE {
                sums[i] += memory[keys[i] + index] * slope;
            }
        }
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            if first + i < rows {
                let row = sequence * rows + first + i;
                let strength = sigmoid(memory[table[record + word::STRENGTHS] as usize + row]);
                memory[table[record + word::INTO_VALUES] as usize + row * width + column] = strength * sums[i];
            }
        }
    }
}

/// The gradients of the strengths, and of the divisors: `(dv · v̄) / d`.
#[cube]
pub fn memorize_sides(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let width = table[record + word::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let mut along = 0.0f32;
        let mut before = 0.0f32;
        for column in 0..width {
            let at = row * width + column;
            let slope = memory[table[record + word::INTO_VALUES] as usize + at];
            let novel = memory[table[record + word::OUT] as usize + at];
            along += slope * novel;
            before += slope * (memory[table[record + word::X] as usize + at] - novel);
        }
        let strength = sigmoid(memory[table[record + word::STRENGTHS] as usize + row]);
        memory[table[record + word::INTO_STRENGTHS] as usize + row] = along * (1.0f32 - strength);
        memory[table[record + word::DIVISOR_GRADIENTS] as usize + row] = before / memory[table[record + word::DIVISORS] as usize + row * 2];
    }
}

/// The gradient of the keys: `b novelty dAᵀ + γ dz`, plus `−(dv A_oldᵀ) / d + side z_old` through the old memory.
#[cube]
pub fn memorize_keys(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let blocks = features.div_ceil(ROWS_AT_ONCE);
    let old = table[record + word::A];
    let mut sums = Array::<f32>::new(ROWS_AT_ONCE);
    let mut olds = Array::<f32>::new(ROWS_AT_ONCE);
    let mut places = Array::<usize>::new(ROWS_AT_ONCE);
    for task in range_stepped(UNIT_POS as usize, rows * blocks, threads) {
        let row = sequence * rows + task / blocks;
        let first = task % blocks * ROWS_AT_ONCE;
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            sums[i] = 0.0f32;
            olds[i] = 0.0f32;
            places[i] = (sequence * features + (first + i).min(features - 1)) * width;
        }
        for column in 0..width {
            let novel = memory[table[record + word::OUT] as usize + row * width + column];
            #[unroll]
            for i in 0..ROWS_AT_ONCE {
                sums[i] += novel * memory[table[record + word::GRADIENT] as usize + places[i] + column];
            }
            if old != NONE {
                let slope = memory[table[record + word::INTO_VALUES] as usize + row * width + column];
                #[unroll]
                for i in 0..ROWS_AT_ONCE {
                    olds[i] += slope * memory[old as usize + places[i] + column];
                }
            }
        }
        let strength = sigmoid(memory[table[record + word::STRENGTHS] as usize + row]);
        let divisor = memory[table[record + word::DIVISORS] as usize + row * 2];
        let share = memory[table[record + word::DIVISORS] as usize + row * 2 + 1];
        #[unroll]
        for i in 0..ROWS_AT_ONCE {
            if first + i < features {
                let feature = sequence * features + first + i;
                let mut value = strength * sums[i] + share * memory[table[record + word::GRADIENT_Z] as usize + feature];
                if old != NONE {
                    let side = memory[table[record + word::DIVISOR_GRADIENTS] as usize + row];
                    value += side * memory[table[record + word::Z] as usize + feature] - olds[i] / divisor;
                }
                memory[table[record + word::INTO_KEYS] as usize + row * features + first + i] = value;
            }
        }
    }
}

/// The gradient of the memory that was overwritten.
#[cube]
pub fn memorize_old(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let (a, z) = (table[record + word::GRADIENT], table[record + word::GRADIENT_Z]);
    let (slopes, divisors) = (table[record + word::INTO_VALUES] as usize, table[record + word::DIVISORS] as usize);
    let divisor_gradients = table[record + word::DIVISOR_GRADIENTS] as usize;
    outer(memory, table, record, sequence, a, z, slopes, divisors, 2, divisor_gradients, 1, -1.0f32, false, threads);
}
