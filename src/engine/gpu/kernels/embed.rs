//! Embedding, its gradient, and copies.

use super::{NONE, THREADS};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record of [`embed_forward`].
    pub mod forward {
        TOKENS,
        TOKENS_STRIDE,
        TABLE,
        OUT,
        OUT_STRIDE,
        ROWS,
        WIDTH,
    }
}

record! {
    /// Indices of the words of a record of [`embed_backward`].
    pub mod backward {
        TOKENS,
        GRADIENT,
        OUT,
        ROWS,
        WIDTH,
        VOCABULARY,
        ACCUMULATE,
    }
}

/// `out[r] = table[token r]`; a thread computes one element. Record: [`forward`]. If the tokens' stride is
/// `NONE`, tokens are words; else they are elements of the memory with that stride.
#[cube(launch_unchecked)]
pub fn embed_forward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let tokens = table[record + forward::TOKENS] as usize;
        let stride = table[record + forward::TOKENS_STRIDE];
        let width = table[record + forward::WIDTH] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let row = at / width;
        let column = at % width;
        if row < table[record + forward::ROWS] as usize {
            let token = if stride == NONE { words[tokens + row] } else { u32::cast_from(memory[tokens + row * stride as usize]) };
            let out = table[record + forward::OUT] as usize + row * table[record + forward::OUT_STRIDE] as usize + column;
            memory[out] = memory[table[record + forward::TABLE] as usize + token as usize * width + column];
        }
    }
}

/// `out[v] (+)= Σ gradient[r]` over the rows whose token is v, in the order of the rows. A thread computes one element of the table and reads
/// every row's token; neighbouring threads read the same word. Record: [`backward`].
#[cube(launch_unchecked)]
pub fn embed_backward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let tokens = table[record + backward::TOKENS] as usize;
        let width = table[record + backward::WIDTH] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        if at < table[record + backward::VOCABULARY] as usize * width {
            let token = (at / width) as u32;
            let gradient = table[record + backward::GRADIENT] as usize + at % width;
            let out = table[record + backward::OUT] as usize + at;
            let mut sum = 0.0f32;
            if table[record + backward::ACCUMULATE] != 0 {
                sum = memory[out];
            }
            for row in 0..table[record + backward::ROWS] as usize {
                if words[tokens + row] == token {
                    sum += memory[gradient + row * width];
                }
            }
            memory[out] = sum;
        }
    }
}

record! {
    /// Indices of the words of a tile. `JOB` is the index of its job in the table.
    pub mod tile {
        JOB,
        FIRST,
    }
}

/// Elements that one workgroup of [`copies`] writes.
pub const COPIED: usize = 4 * THREADS;

record! {
    /// Indices of the words of a copy. The words of [`summand`] follow for each source.
    pub mod job {
        TO,
        TO_STRIDE,
        BLOCKS,
        NUMBERS,
        SOURCES,
    }
}

record! {
    /// Indices of the words of a source.
    pub mod summand {
        FROM,
        STRIDE,
    }
}

/// `to[b] = Σ from[b]` for many copies in one launch. Record: the words of [`tile`] for each tile.
#[cube(launch_unchecked)]
pub fn copies(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let tile = record as usize + CUBE_POS * tile::WORDS;
        let job = table[tile + tile::JOB] as usize;
        let first = table[tile + tile::FIRST] as usize;
        let numbers = table[job + job::NUMBERS] as usize;
        let end = (first + COPIED).min(table[job + job::BLOCKS] as usize * numbers);
        for at in range_stepped(first + UNIT_POS as usize, end, THREADS) {
            let block = at / numbers;
            let place = at % numbers;
            let mut sum = 0.0f32;
            for source in 0..table[job + job::SOURCES] as usize {
                let from = job + job::WORDS + source * summand::WORDS;
                sum += memory[table[from + summand::FROM] as usize + block * table[from + summand::STRIDE] as usize + place];
            }
            memory[table[job + job::TO] as usize + block * table[job + job::TO_STRIDE] as usize + place] = sum;
        }
    }
}
