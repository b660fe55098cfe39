//! Reads of an associative memory: the features of queries and keys, and recall.

use super::{LANES, ROWS, THREADS, sum_of_row, window};
use crate::engine::program::FEATURES;
use cubecl::prelude::*;

/// Products of neighbours in the map of [`features`]: j = 1, 2, 3.
const PRODUCTS: usize = FEATURES / 2;

/// Rows for which a thread of [`recall`] computes one column.
pub const RECALLED: usize = 4;

/// One element of `x' = [relu x; relu −x]`.
#[cube]
pub fn half(memory: &mut [f32], x: usize, width: usize, at: usize) -> f32 {
    let value = memory[x + at % width];
    select(at < width, value, -value).max(0.0f32)
}

/// One feature before the division by the norm: an element of `x' ⊙ roll(x', j)`, j = 1, 2, 3.
#[cube]
pub fn feature(memory: &mut [f32], x: usize, width: usize, index: usize) -> f32 {
    let at = index % (2 * width);
    let roll = index / (2 * width) + 1;
    // Adds twice the length, because j can exceed the length if x has one column.
    let other = (at + 4 * width - roll) % (2 * width);
    half(memory, x, width, at) * half(memory, x, width, other)
}

/// `out = φ(x) / max(‖φ(x)‖, 1e-12)`, 8 threads per row. Record: [`features_forward`].
#[cube(launch_unchecked)]
pub fn features(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let width = table[record + features_word::WIDTH] as usize;
        let lane = UNIT_POS as usize % LANES;
        let here = CUBE_POS * ROWS + UNIT_POS as usize / LANES;
        let there = here < table[record + features_word::ROWS] as usize;
        let row = here * table[record + features_forward::PITCH] as usize;
        let x = table[record + features_word::X] as usize + row * width;
        let end = select(there, comptime!(2 * PRODUCTS) * width, 0);
        let mut squares = 0.0f32;
        for index in range_stepped(lane, end, LANES) {
            let value = feature(memory, x, width, index);
            squares += value * value;
        }
        let norm = sum_of_row(&mut shared, squares).sqrt().max(1.0e-12f32);
        let out = table[record + features_word::OUT] as usize + row * comptime!(2 * PRODUCTS) * width;
        for index in range_stepped(lane, end, LANES) {
            memory[out + index] = feature(memory, x, width, index) / norm;
        }
        if there && lane == 0 {
            memory[table[record + features_word::NORMS] as usize + row] = norm;
        }
    }
}

record! {
    /// Indices of the words of a record of [`features`].
    pub mod features_word {
        X,
        OUT,
        NORMS,
        ROWS,
        WIDTH,
    }
}

record! {
    /// The last word of a record of [`features`].
    pub mod features_forward after features_word {
        /// The distance between rows, in rows.
        PITCH,
    }
}

record! {
    /// Indices of the words of a record of [`recall`].
    pub mod word after window {
        FEATURES,
        WIDTH,
        X,
        QUERIES,
        A,
        Z,
        OUT,
        DIVISORS,
    }
}

/// One column of up to [`RECALLED`] rows of the window, from its row `first` on. For column 0 it also writes their d.
#[cube]
pub fn recall_rows(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, first: usize, column: usize) {
    let features = table[record + word::FEATURES] as usize;
    let width = table[record + word::WIDTH] as usize;
    let rows = table[record + word::ROWS] as usize;
    let start = sequence * table[record + word::LENGTH] as usize + table[record + word::FROM] as usize;
    let a = table[record + word::A] as usize + sequence * features * width + column;
    let z = table[record + word::Z] as usize + sequence * features;
    let mut queries = Array::<usize>::new(RECALLED);
    let mut sums = Array::<f32>::new(RECALLED);
    let mut divisors = Array::<f32>::new(RECALLED);
    #[unroll]
    for i in 0..RECALLED {
        queries[i] = table[record + word::QUERIES] as usize + (start + (first + i).min(rows - 1)) * features;
        sums[i] = 0.0f32;
        divisors[i] = 0.0f32;
    }
    for index in 0..features {
        let stored = memory[a + index * width];
        let weight = memory[z + index];
        #[unroll]
        for i in 0..RECALLED {
            let query = memory[queries[i] + index];
            sums[i] += query * stored;
            divisors[i] += query * weight;
        }
    }
    #[unroll]
    for i in 0..RECALLED {
        if first + i < rows {
            let row = start + first + i;
            let divisor = divisors[i] + 1.0e-5f32;
            let place = row * width + column;
            memory[table[record + word::OUT] as usize + place] = memory[table[record + word::X] as usize + place] + sums[i] / divisor;
            if column == 0 {
                memory[table[record + word::DIVISORS] as usize + row] = divisor;
            }
        }
    }
}

/// `out = x + (q A) / d`, `d = q · z + 1e-5`: a thread computes one column of a few rows, and their d. Record: [`word`].
#[cube(launch_unchecked)]
pub fn recall(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let width = table[record + word::WIDTH] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let blocks = (table[record + word::ROWS] as usize).div_ceil(RECALLED);
        let sequence = at / width / blocks;
        if sequence < table[record + word::SEQUENCES] as usize {
            recall_rows(memory, table, record, sequence, at / width % blocks * RECALLED, at % width);
        }
    }
}
