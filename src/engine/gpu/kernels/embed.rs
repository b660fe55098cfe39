//! Embedding, its gradient, and copies.

use super::{NONE, THREADS};
use cubecl::prelude::*;

/// `out[r] = table[token r]`. Record: `tokens, stride, table, out, out stride, rows, width`; a thread a number. Tokens are words where the
/// stride is `NONE`, else numbers of the memory so far apart.
#[cube(launch_unchecked)]
pub fn embed_forward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let tokens = table[record] as usize;
        let stride = table[record + 1];
        let width = table[record + 6] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let row = at / width;
        let column = at % width;
        if row < table[record + 5] as usize {
            let token = if stride == NONE { words[tokens + row] } else { u32::cast_from(memory[tokens + row * stride as usize]) };
            let out = table[record + 3] as usize + row * table[record + 4] as usize + column;
            memory[out] = memory[table[record + 2] as usize + token as usize * width + column];
        }
    }
}

/// `out[v] (+)= Σ gradient[r]` over the rows whose token is v, in the rows' order. Record: `tokens, gradient, out, rows, width,
/// vocabulary, accumulate`; a thread a number of the table, which looks at every row's token: neighbours read the same word.
#[cube(launch_unchecked)]
pub fn embed_backward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let tokens = table[record] as usize;
        let width = table[record + 4] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        if at < table[record + 5] as usize * width {
            let token = (at / width) as u32;
            let gradient = table[record + 1] as usize + at % width;
            let out = table[record + 2] as usize + at;
            let mut sum = 0.0f32;
            if table[record + 6] != 0 {
                sum = memory[out];
            }
            for row in 0..table[record + 3] as usize {
                if words[tokens + row] == token {
                    sum += memory[gradient + row * width];
                }
            }
            memory[out] = sum;
        }
    }
}

/// Words of a tile of [`copies`].
pub const TILE: usize = 2;

/// Numbers that a workgroup of [`copies`] writes.
pub const COPIED: usize = 4 * THREADS;

/// Where the words of a copy lie; `FROM` and `FROM_STRIDE` twice where there are two sources.
pub mod job {
    pub const TO: usize = 0;
    pub const TO_STRIDE: usize = 1;
    pub const BLOCKS: usize = 2;
    pub const NUMBERS: usize = 3;
    pub const SOURCES: usize = 4;
    pub const WORDS: usize = 5;
    pub const FROM: usize = 5;
    pub const FROM_STRIDE: usize = 6;
    pub const SOURCE: usize = 2;
}

/// `to[b] = Σ from[b]` for many copies in one launch. Record: for each tile `job, first number`, the job's address in the table.
#[cube(launch_unchecked)]
pub fn copies(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let tile = record as usize + CUBE_POS * TILE;
        let job = table[tile] as usize;
        let first = table[tile + 1] as usize;
        let numbers = table[job + job::NUMBERS] as usize;
        let end = (first + COPIED).min(table[job + job::BLOCKS] as usize * numbers);
        for at in range_stepped(first + UNIT_POS as usize, end, THREADS) {
            let block = at / numbers;
            let place = at % numbers;
            let mut sum = 0.0f32;
            for source in 0..table[job + job::SOURCES] as usize {
                let from = job + source * job::SOURCE;
                sum += memory[table[from + job::FROM] as usize + block * table[from + job::FROM_STRIDE] as usize + place];
            }
            memory[table[job + job::TO] as usize + block * table[job + job::TO_STRIDE] as usize + place] = sum;
        }
    }
}
