//! Drawing tokens, and the loss of a policy: a thread a row, as vocabularies are short.

use super::THREADS;
use crate::engine::program::NOT_ASKED;
use cubecl::prelude::*;

/// Where the words of a record of [`draw`] lie.
pub mod drawing {
    pub const LOGITS: usize = 0;
    pub const STRIDE: usize = 1;
    pub const ROWS: usize = 2;
    pub const VOCABULARY: usize = 3;
    /// 1 / temperature.
    pub const COLD: usize = 4;
    pub const TOP_K: usize = 5;
    pub const UNIFORMS: usize = 6;
    pub const UNIFORMS_STRIDE: usize = 7;
    pub const OUT: usize = 8;
    pub const OUT_STRIDE: usize = 9;
}

/// Whether a token is among the `top_k` most probable, the first of equals.
#[cube]
fn allowed(memory: &mut [f32], logits: usize, vocabulary: usize, token: usize, top_k: usize) -> bool {
    let mut before = 0;
    if top_k > 0 && top_k < vocabulary {
        let own = memory[logits + token];
        for other in 0..vocabulary {
            let value = memory[logits + other];
            if value > own || (value == own && other < token) {
                before += 1;
            }
        }
    }
    top_k == 0 || before < top_k
}

/// The highest of a row's logits.
#[cube]
fn highest(memory: &mut [f32], logits: usize, vocabulary: usize) -> f32 {
    let mut most = memory[logits];
    for token in 1..vocabulary {
        most = most.max(memory[logits + token]);
    }
    most
}

/// A token for each row.
#[cube(launch_unchecked)]
pub fn draw(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + drawing::ROWS] as usize {
        let vocabulary = table[record + drawing::VOCABULARY] as usize;
        let top_k = table[record + drawing::TOP_K] as usize;
        let cold = f32::from_bits(table[record + drawing::COLD]);
        let logits = table[record + drawing::LOGITS] as usize + row * table[record + drawing::STRIDE] as usize;
        let most = highest(memory, logits, vocabulary);
        let mut total = 0.0f32;
        for token in 0..vocabulary {
            if allowed(memory, logits, vocabulary, token, top_k) {
                total += ((memory[logits + token] - most) * cold).exp();
            }
        }
        let place = table[record + drawing::UNIFORMS] as usize + row * table[record + drawing::UNIFORMS_STRIDE] as usize;
        let goal = f32::from_bits(words[place]) * total;
        let mut reached = 0.0f32;
        let mut drawn = 0;
        let mut done = false;
        for token in 0..vocabulary {
            if !done && allowed(memory, logits, vocabulary, token, top_k) {
                drawn = token;
                reached += ((memory[logits + token] - most) * cold).exp();
                done = reached > goal;
            }
        }
        memory[table[record + drawing::OUT] as usize + row * table[record + drawing::OUT_STRIDE] as usize] = f32::cast_from(drawn);
    }
}

/// Where the words of a record of [`log_probability`] and of [`policy`] lie.
pub mod word {
    pub const LOGITS: usize = 0;
    pub const LABELS: usize = 1;
    pub const ROWS: usize = 2;
    pub const VOCABULARY: usize = 3;
    /// 1 / temperature.
    pub const COLD: usize = 4;
    /// Or the reference's log-probabilities.
    pub const OUT: usize = 5;
    pub const REFERENCE: usize = 5;
    pub const KL: usize = 6;
    pub const CLIP: usize = 7;
    pub const ADVANTAGES: usize = 8;
    pub const OLD: usize = 9;
    pub const SCALE: usize = 10;
    pub const ROWS_OUT: usize = 11;
    pub const GRADIENT: usize = 12;
}

/// Σ exp((logit − most) / temperature) of a row.
#[cube]
fn partition(memory: &mut [f32], logits: usize, vocabulary: usize, most: f32, cold: f32) -> f32 {
    let mut total = 0.0f32;
    for token in 0..vocabulary {
        total += ((memory[logits + token] - most) * cold).exp();
    }
    total
}

/// The log-probability of each row's label.
#[cube(launch_unchecked)]
pub fn log_probability(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        let vocabulary = table[record + word::VOCABULARY] as usize;
        let cold = f32::from_bits(table[record + word::COLD]);
        let logits = table[record + word::LOGITS] as usize + row * vocabulary;
        let label = words[table[record + word::LABELS] as usize + row];
        let mut log = 0.0f32;
        if label != NOT_ASKED {
            let most = highest(memory, logits, vocabulary);
            let total = partition(memory, logits, vocabulary, most, cold);
            log = (memory[logits + label as usize] - most) * cold - total.ln();
        }
        memory[table[record + word::OUT] as usize + row] = log;
    }
}

/// Loss, distance and gradient of every row.
#[cube(launch_unchecked)]
pub fn policy(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        let vocabulary = table[record + word::VOCABULARY] as usize;
        let cold = f32::from_bits(table[record + word::COLD]);
        let logits = table[record + word::LOGITS] as usize + row * vocabulary;
        let out = table[record + word::ROWS_OUT] as usize + row * 2;
        let gradient = table[record + word::GRADIENT] as usize + row * vocabulary;
        let label = words[table[record + word::LABELS] as usize + row];
        if label == NOT_ASKED {
            memory[out] = 0.0f32;
            memory[out + 1] = 0.0f32;
            for token in 0..vocabulary {
                memory[gradient + token] = 0.0f32;
            }
        } else {
            let scale = f32::from_bits(words[table[record + word::SCALE] as usize]);
            let advantage = f32::from_bits(words[table[record + word::ADVANTAGES] as usize + row]);
            let kl = f32::from_bits(table[record + word::KL]);
            let clip = f32::from_bits(table[record + word::CLIP]);
            let most = highest(memory, logits, vocabulary);
            let total = partition(memory, logits, vocabulary, most, cold);
            let log = (memory[logits + label as usize] - most) * cold - total.ln();
            let old_bits = words[table[record + word::OLD] as usize + row];
            let mut ratio = 1.0f32;
            if old_bits != NOT_ASKED {
                ratio = (log - f32::from_bits(old_bits)).exp();
            }
            let free = ratio * advantage;
            let held = ratio.clamp(1.0f32 - clip, 1.0f32 + clip) * advantage;
            let delta = memory[table[record + word::REFERENCE] as usize + row] - log;
            let away = delta.exp();
            let distance = away - delta - 1.0f32;
            let slope = kl * (1.0f32 - away) - select(free <= held, free, 0.0f32);
            let factor = scale * slope * cold;
            for token in 0..vocabulary {
                let hit = select(token as u32 == label, factor, 0.0f32);
                memory[gradient + token] = hit - factor * (((memory[logits + token] - most) * cold).exp() / total);
            }
            memory[out] = scale * (kl * distance - free.min(held));
            memory[out + 1] = scale * distance;
        }
    }
}
