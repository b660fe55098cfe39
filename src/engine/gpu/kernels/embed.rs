//! Embedding, its gradient, and the choice of the last rows of each sequence.

use super::{COLUMN_LANES, COLUMNS, THREADS};
use cubecl::prelude::*;

/// `out[r] = table[token r]`. Record: `tokens, table, out, rows, width`; a thread a number.
#[cube(launch_unchecked)]
pub fn forward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let width = table[record + 4] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        if at < table[record + 3] as usize * width {
            let token = words[table[record] as usize + at / width] as usize;
            memory[table[record + 2] as usize + at] = memory[table[record + 1] as usize + token * width + at % width];
        }
    }
}

/// `out[v] (+)= Σ gradient[r]` over the rows whose token is v. Record: `tokens, gradient, out, rows, width, column tiles,
/// accumulate`; a workgroup makes 8 columns of one token, 32 threads a column with every 32nd row each.
#[cube(launch_unchecked)]
pub fn backward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(COLUMNS * COLUMN_LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let tokens = table[record] as usize;
        let gradient = table[record + 1] as usize;
        let width = table[record + 4] as usize;
        let tiles = table[record + 5] as usize;
        let token = CUBE_POS / tiles;
        let unit = UNIT_POS as usize;
        let column = CUBE_POS % tiles * COLUMNS + unit % COLUMNS;
        let lane = unit / COLUMNS;
        let mut sum = 0.0f32;
        if column < width {
            for row in range_stepped(lane, table[record + 3] as usize, COLUMN_LANES) {
                if words[tokens + row] as usize == token {
                    sum += memory[gradient + row * width + column];
                }
            }
        }
        shared[unit] = sum;
        sync_cube();
        if unit < COLUMNS && column < width {
            let out = table[record + 2] as usize + token * width + column;
            let mut total = 0.0f32;
            if table[record + 6] != 0 {
                total = memory[out];
            }
            for i in 0..COLUMN_LANES {
                total += shared[i * COLUMNS + unit];
            }
            memory[out] = total;
        }
    }
}

/// The last rows of each sequence, or their gradient put back with zeros before it.
/// Record: `x, out, sequences, length, from, width, backwards`; a thread a number written.
#[cube(launch_unchecked)]
pub fn choose(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let x = table[record] as usize;
        let out = table[record + 1] as usize;
        let sequences = table[record + 2] as usize;
        let length = table[record + 3] as usize;
        let from = table[record + 4] as usize;
        let width = table[record + 5] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let row = at / width;
        let column = at % width;
        let kept = length - from;
        if table[record + 6] == 0 {
            if row < sequences * kept {
                memory[out + at] = memory[x + (row / kept * length + from + row % kept) * width + column];
            }
        } else if row < sequences * length {
            let position = row % length;
            let mut value = 0.0f32;
            if position >= from {
                value = memory[x + (row / length * kept + position - from) * width + column];
            }
            memory[out + at] = value;
        }
    }
}
