//! Embedding, its gradient, and the choice of the last rows of each sequence.

use super::THREADS;
use cubecl::prelude::*;

/// `out[r] = table[token r]`. Record: `tokens, table, out, rows, width`; a thread a number.
#[cube(launch_unchecked)]
pub fn embed_forward(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
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
