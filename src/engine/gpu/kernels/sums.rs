//! Sums over rows: per column (gradients of biases, norms and convolutions), and of the loss.

use super::{ADDERS, COLUMN_LANES, COLUMNS, sum_of_group};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a column sum. The words of [`summand`] follow for each summand.
    pub mod column {
        WIDTH,
        OUT,
        /// The distance between the elements of `out`.
        STEP,
        ACCUMULATE,
        SUMMANDS,
    }
}

record! {
    /// Indices of the words of a summand.
    pub mod summand {
        OF,
        ROWS,
        /// One of [`factors`].
        FACTOR,
        X,
        STATISTICS,
        STRIDE,
        STEPS,
        LENGTH,
    }
}

/// The factors of a summand.
pub mod factors {
    pub const ONE: u32 = 0;
    pub const NORMED: u32 = 1;
    pub const DELAYED: u32 = 2;
}

record! {
    /// Indices of the words of a tile. `JOB` is the index of its job in the table.
    pub mod tile {
        JOB,
        LEFT,
    }
}

/// The factor of one element of a summand.
#[cube]
fn factor(memory: &mut [f32], table: &[u32], summand: usize, row: usize, column: usize, width: usize) -> f32 {
    let kind = table[summand + summand::FACTOR];
    let x = table[summand + summand::X] as usize;
    let mut factor = 1.0f32;
    if kind == factors::NORMED {
        let statistics = table[summand + summand::STATISTICS] as usize + row * 2;
        factor = (memory[x + row * width + column] - memory[statistics]) * memory[statistics + 1];
    }
    if kind == factors::DELAYED {
        let steps = table[summand + summand::STEPS] as usize;
        factor = 0.0f32;
        if row % table[summand + summand::LENGTH] as usize >= steps {
            factor = memory[x + (row - steps) * table[summand + summand::STRIDE] as usize + column];
        }
    }
    factor
}

/// `out (+)= Σ of ⊙ factor` for many sums in one launch. A workgroup computes 8 columns; each column has 16 threads, and each thread sums every
/// 16th row. Record: the words of [`tile`] for each tile.
#[cube(launch_unchecked)]
pub fn columns(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(COLUMNS * COLUMN_LANES));
    if CUBE_POS < count as usize {
        let tile = record as usize + CUBE_POS * tile::WORDS;
        let job = table[tile + tile::JOB] as usize;
        let unit = UNIT_POS as usize;
        let at = table[tile + tile::LEFT] as usize + unit % COLUMNS;
        let lane = unit / COLUMNS;
        let width = table[job + column::WIDTH] as usize;
        let mut sum = 0.0f32;
        if at < width {
            for index in 0..table[job + column::SUMMANDS] as usize {
                let summand = job + column::WORDS + index * summand::WORDS;
                let of = table[summand + summand::OF] as usize + at;
                for row in range_stepped(lane, table[summand + summand::ROWS] as usize, COLUMN_LANES) {
                    sum += memory[of + row * width] * factor(memory, table, summand, row, at, width);
                }
            }
        }
        shared[unit] = sum;
        sync_cube();
        if unit < COLUMNS && at < width {
            let out = table[job + column::OUT] as usize + at * table[job + column::STEP] as usize;
            let mut total = 0.0f32;
            if table[job + column::ACCUMULATE] != 0 {
                total = memory[out];
            }
            for i in 0..COLUMN_LANES {
                total += shared[i * COLUMNS + unit];
            }
            memory[out] = total;
        }
    }
}

record! {
    /// Indices of the words of a record of [`total`].
    pub mod totals {
        ROWS_IN,
        ROWS,
        OUT,
        ACCUMULATE,
    }
}

/// `out (+)= (Σ rows[r].0, Σ rows[r].1)`, with one workgroup. Record: [`totals`].
#[cube(launch_unchecked)]
pub fn total(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ADDERS + 16));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows_in = table[record + totals::ROWS_IN] as usize;
        let unit = UNIT_POS as usize;
        let mut loss = 0.0f32;
        let mut hits = 0.0f32;
        for row in range_stepped(unit, table[record + totals::ROWS] as usize, ADDERS) {
            loss += memory[rows_in + row * 2];
            hits += memory[rows_in + row * 2 + 1];
        }
        let mut loss = sum_of_group(&mut shared, loss, ADDERS);
        let mut hits = sum_of_group(&mut shared, hits, ADDERS);
        if unit == 0 {
            let out = table[record + totals::OUT] as usize;
            if table[record + totals::ACCUMULATE] != 0 {
                loss += memory[out];
                hits += memory[out + 1];
            }
            memory[out] = loss;
            memory[out + 1] = hits;
        }
    }
}
