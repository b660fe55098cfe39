//! Cross-entropy of each row with 8 threads, with the most probable token and the gradient.
//!
//! `loss = −scale · log softmax(logits)[label]`, `gradient = scale (softmax − one-hot)`. Record: [`row`].

use super::{LANES, NONE, ROWS, sum_of_row};
use crate::engine::program::NO_LABEL;
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record.
    pub mod row {
        LOGITS,
        LABELS,
        ROWS,
        VOCABULARY,
        SCALE,
        ROWS_OUT,
        ANSWERS,
        /// The address of the gradient, or `NONE`.
        GRADIENT,
    }
}

/// The most probable token (the first of equals) of a row, returned to each of its threads. `shared` and `tokens` have 64 elements.
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

record! {
    /// Indices of the words of a record of [`answer`].
    pub mod answers {
        LOGITS,
        STRIDE,
        ROWS,
        VOCABULARY,
        OUT,
        OUT_STRIDE,
    }
}

/// `out[r]` is the most probable token of row r, or 0 if all its logits are NaN. Record: [`answers`].
#[cube(launch_unchecked)]
pub fn answer(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    let mut tokens = Shared::<[u32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + answers::ROWS] as usize;
        let vocabulary = table[record + answers::VOCABULARY] as usize;
        let here = CUBE_POS * ROWS + UNIT_POS as usize / LANES;
        let logits = table[record + answers::LOGITS] as usize + here * table[record + answers::STRIDE] as usize;
        let best = best_of_row(memory, &mut shared, &mut tokens, logits, select(here < rows, vocabulary, 0));
        let lane = UNIT_POS as usize % LANES;
        if here < rows && lane == 0 {
            let token = select((best as usize) < vocabulary, best, 0u32);
            memory[table[record + answers::OUT] as usize + here * table[record + answers::OUT_STRIDE] as usize] = f32::cast_from(token);
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
            let asked = label != NO_LABEL;
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
