//! Cross-entropy by row, 8 threads a row, with the most probable token and the gradient.
//!
//! `loss = −scale · log softmax(logits)[label]`, `gradient = scale (softmax − one-hot)`. Record: the words of [`row`].

use super::{LANES, NONE, ROWS, sum_of_row};
use crate::engine::program::NOT_ASKED;
use cubecl::prelude::*;

/// Where the words of a record lie.
pub mod row {
    pub const LOGITS: usize = 0;
    pub const LABELS: usize = 1;
    pub const ROWS: usize = 2;
    pub const VOCABULARY: usize = 3;
    pub const SCALE: usize = 4;
    pub const ROWS_OUT: usize = 5;
    pub const ANSWERS: usize = 6;
    /// Or `NONE`.
    pub const GRADIENT: usize = 7;
    pub const WORDS: usize = 8;
}

/// The most probable token (first of equals) of a row, for each of its threads. `shared` and `tokens` have 64 numbers.
#[cube]
fn best_of_row(memory: &mut [f32], shared: &mut Shared<[f32]>, tokens: &mut Shared<[u32]>, logits: usize, end: usize) -> u32 {
    let unit = UNIT_POS as usize;
    let mut most = f32::new(-3.0e38f32);
    let mut best = 4294967295u32;
    for token in range_stepped(unit % LANES, end, LANES) {
        let logit = memory[logits + token];
        if logit > most {
            most = logit;
            best = token as u32;
        }
    }
    shared[unit] = most;
    tokens[unit] = best;
    sync_cube();
    let first = unit / LANES * LANES;
    for i in 0..LANES {
        let other = shared[first + i];
        let token = tokens[first + i];
        if other > most || (other == most && token < best) {
            most = other;
            best = token;
        }
    }
    best
}

/// `out[r] =` the most probable token of row r; 0 where a row has none, as its numbers are no numbers.
/// Record: `logits, stride, rows, vocabulary, out, out stride`.
#[cube(launch_unchecked)]
pub fn answer(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    let mut tokens = Shared::<[u32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + 2] as usize;
        let vocabulary = table[record + 3] as usize;
        let here = CUBE_POS * ROWS + UNIT_POS as usize / LANES;
        let logits = table[record] as usize + here * table[record + 1] as usize;
        let best = best_of_row(memory, &mut shared, &mut tokens, logits, select(here < rows, vocabulary, 0));
        let lane = UNIT_POS as usize % LANES;
        if here < rows && lane == 0 {
            let token = select((best as usize) < vocabulary, best, 0u32);
            memory[table[record + 4] as usize + here * table[record + 5] as usize] = f32::cast_from(token);
        }
    }
}

/// The kernel.
#[cube(launch_unchecked)]
pub fn cross_entropy(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    let mut tokens = Shared::<[u32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + row::ROWS] as usize;
        let vocabulary = table[record + row::VOCABULARY] as usize;
        let scale = f32::from_bits(table[record + row::SCALE]);
        let unit = UNIT_POS as usize;
        let lane = unit % LANES;
        let here = CUBE_POS * ROWS + unit / LANES;
        let logits = table[record + row::LOGITS] as usize + here * vocabulary;
        let end = select(here < rows, vocabulary, 0);

        let best = best_of_row(memory, &mut shared, &mut tokens, logits, end);
        let most = memory[select((best as usize) < end, logits + best as usize, 0)];
        let mut part = 0.0f32;
        for token in range_stepped(lane, end, LANES) {
            part += (memory[logits + token] - most).exp();
        }
        let sum = sum_of_row(&mut shared, part);

        if here < rows {
            let label = words[table[record + row::LABELS] as usize + here];
            let asked = label != NOT_ASKED;
            if lane == 0 {
                let mut loss = 0.0f32;
                if asked {
                    loss = scale * (most + sum.ln() - memory[logits + label as usize]);
                }
                let out = table[record + row::ROWS_OUT] as usize + here * 2;
                memory[out] = loss;
                memory[out + 1] = select(asked && best == label, 1.0f32, 0.0f32);
                memory[table[record + row::ANSWERS] as usize + here] = f32::cast_from(best);
            }
            let gradient = table[record + row::GRADIENT];
            if gradient != NONE {
                let out = gradient as usize + here * vocabulary;
                let factor = select(asked, scale, 0.0f32);
                for token in range_stepped(lane, end, LANES) {
                    let hit = select(token as u32 == label, 1.0f32, 0.0f32);
                    memory[out + token] = factor * ((memory[logits + token] - most).exp() / sum - hit);
                }
            }
        }
    }
}
