//! Sums over rows: of each column (gradients of biases and norms), and of the loss.

use super::{ADDERS, COLUMN_LANES, COLUMNS, NONE, sum_of_group};
use cubecl::prelude::*;

/// Where the words of a column sum lie.
pub mod column {
    pub const OF: usize = 0;
    /// The norm's input, or `NONE`.
    pub const NORMED: usize = 1;
    pub const STATISTICS: usize = 2;
    pub const ROWS: usize = 3;
    pub const WIDTH: usize = 4;
    pub const OUT: usize = 5;
    pub const ACCUMULATE: usize = 6;
    pub const WORDS: usize = 7;
}

/// Words of a tile.
pub const TILE: usize = 2;

/// `out (+)= Σ of ⊙ x̂?` for many sums in one launch. Record: for each tile `job, first column`, the job's address in the
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
        let of = table[job + column::OF] as usize + at;
        let normed = table[job + column::NORMED];
        let statistics = table[job + column::STATISTICS] as usize;
        let rows = table[job + column::ROWS] as usize;
        let width = table[job + column::WIDTH] as usize;
        let mut sum = 0.0f32;
        if at < width {
            for row in range_stepped(lane, rows, COLUMN_LANES) {
                let mut value = memory[of + row * width];
                if normed != NONE {
                    let x = memory[normed as usize + row * width + at];
                    value *= (x - memory[statistics + row * 2]) * memory[statistics + row * 2 + 1];
                }
                sum += value;
            }
        }
        shared[unit] = sum;
        sync_cube();
        if unit < COLUMNS && at < width {
            let out = table[job + column::OUT] as usize + at;
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
