//! Sums over rows: of each column (gradients of biases, norms and convolutions), and of the loss.

use super::{ADDERS, COLUMN_LANES, COLUMNS, sum_of_group};
use cubecl::prelude::*;

/// Where the words of a column sum lie; those of [`summand`] for each summand follow.
pub mod column {
    pub const WIDTH: usize = 0;
    pub const OUT: usize = 1;
    /// How far apart the sums lie.
    pub const STEP: usize = 2;
    pub const ACCUMULATE: usize = 3;
    pub const SUMMANDS: usize = 4;
    pub const WORDS: usize = 5;
}

/// Where the words of a summand lie.
pub mod summand {
    pub const OF: usize = 0;
    pub const ROWS: usize = 1;
    /// [`ONE`], [`NORMED`] or [`DELAYED`].
    pub const FACTOR: usize = 2;
    pub const X: usize = 3;
    pub const STATISTICS: usize = 4;
    pub const STRIDE: usize = 4;
    pub const STEPS: usize = 5;
    pub const LENGTH: usize = 6;
    pub const WORDS: usize = 7;

    pub const ONE: u32 = 0;
    pub const NORMED: u32 = 1;
    pub const DELAYED: u32 = 2;
}

/// Words of a tile.
pub const TILE: usize = 2;

/// What one number of a summand is multiplied by.
#[cube]
fn factor(memory: &mut [f32], table: &[u32], summand: usize, row: usize, column: usize, width: usize) -> f32 {
    let kind = table[summand + summand::FACTOR];
    let x = table[summand + summand::X] as usize;
    let mut factor = 1.0f32;
    if kind == summand::NORMED {
        let statistics = table[summand + summand::STATISTICS] as usize + row * 2;
        factor = (memory[x + row * width + column] - memory[statistics]) * memory[statistics + 1];
    }
    if kind == summand::DELAYED {
        let steps = table[summand + summand::STEPS] as usize;
        factor = 0.0f32;
        if row % table[summand + summand::LENGTH] as usize >= steps {
            factor = memory[x + (row - steps) * table[summand + summand::STRIDE] as usize + column];
        }
    }
    factor
}

/// `out (+)= Σ of ⊙ factor` for many sums in one launch. Record: for each tile `job, first column`, the job's address in the
/// table. A workgroup makes 8 columns, 16 threads a column with every 16th row each.
#[cube(launch_unchecked)]
pub fn columns(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(COLUMNS * COLUMN_LANES));
    if CUBE_POS < count as usize {
        let tile = record as usize + CUBE_POS * TILE;
        let job = table[tile] as usize;
        let unit = UNIT_POS as usize;
        let at = table[tile + 1] as usize + unit % COLUMNS;
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

/// `out (+)= (Σ rows[r].0, Σ rows[r].1)`. Record: `rows_in, rows, out, accumulate`; one workgroup.
#[cube(launch_unchecked)]
pub fn total(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ADDERS + 16));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows_in = table[record] as usize;
        let unit = UNIT_POS as usize;
        let mut loss = 0.0f32;
        let mut hits = 0.0f32;
        for row in range_stepped(unit, table[record + 1] as usize, ADDERS) {
            loss += memory[rows_in + row * 2];
            hits += memory[rows_in + row * 2 + 1];
        }
        let mut loss = sum_of_group(&mut shared, loss, ADDERS);
        let mut hits = sum_of_group(&mut shared, hits, ADDERS);
        if unit == 0 {
            let out = table[record + 2] as usize;
            if table[record + 3] != 0 {
                loss += memory[out];
                hits += memory[out + 1];
            }
            memory[out] = loss;
            memory[out + 1] = hits;
        }
    }
}
