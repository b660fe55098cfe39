//! Draws tokens, and computes a policy's loss. One thread per row is enough, because vocabularies are small.

use super::THREADS;
use crate::engine::program::NO_LABEL;
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record of [`draw`].
    pub mod drawing {
        LOGITS,
        STRIDE,
        ROWS,
        VOCABULARY,
        /// 1 / temperature.
        INVERSE_TEMPERATURE,
        TOP_K,
        UNIFORMS,
        UNIFORMS_STRIDE,
        OUT,
        OUT_STRIDE,
    }
}

/// Whether a token is among the `top_k` most probable; of equals the first ones.
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

/// The highest logit of a row.
#[cube]
fn highest(memory: &mut [f32], logits: usize, vocabulary: usize) -> f32 {
    let mut most = memory[logits];
    for token in 1..vocabulary {
        most = most.max(memory[logits + token]);
    }
    most
}

/// Draws a token for each row.
#[cube(launch_unchecked)]
pub fn draw(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + drawing::ROWS] as usize {
        let vocabulary = table[record + drawing::VOCABULARY] as usize;
        let top_k = table[record + drawing::TOP_K] as usize;
        let inverse_temperature = f32::from_bits(table[record + drawing::INVERSE_TEMPERATURE]);
        let logits = table[record + drawing::LOGITS] as usize + row * table[record + drawing::STRIDE] as usize;
        let most = highest(memory, logits, vocabulary);
        let mut total = 0.0f32;
        for token in 0..vocabulary {
            if allowed(memory, logits, vocabulary, token, top_k) {
                total += ((memory[logits + token] - most) * inverse_temperature).exp();
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
                reached += ((memory[logits + token] - most) * inverse_temperature).exp();
                done = reached > goal;
            }
        }
        memory[table[record + drawing::OUT] as usize + row * table[record + drawing::OUT_STRIDE] as usize] = f32::cast_from(drawn);
    }
}

record! {
    /// Indices of the words of a record of [`log_probability`] and of [`policy`].
    pub mod word {
        LOGITS,
        LABELS,
        ROWS,
        VOCABULARY,
        /// 1 / temperature.
        INVERSE_TEMPERATURE,
    }
}

record! {
    /// The last word of a record of [`log_probability`].
    pub mod log_probability_word after word {
        OUT,
    }
}

record! {
    /// The words that follow in a record of [`policy`].
    pub mod loss after word {
        /// The reference's log-probabilities.
        REFERENCE,
        KL,
        CLIP,
        ADVANTAGES,
        OLD,
        SCALE,
        ROWS_OUT,
        GRADIENT,
    }
}

/// Σ exp((logit − most) / temperature) of a row.
#[cube]
fn partition(memory: &mut [f32], logits: usize, vocabulary: usize, most: f32, inverse_temperature: f32) -> f32 {
    let mut total = 0.0f32;
    for token in 0..vocabulary {
        total += ((memory[logits + token] - most) * inverse_temperature).exp();
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
        let inverse_temperature = f32::from_bits(table[record + word::INVERSE_TEMPERATURE]);
        let logits = table[record + word::LOGITS] as usize + row * vocabulary;
        let label = words[table[record + word::LABELS] as usize + row];
        let mut log = 0.0f32;
        if label != NO_LABEL {
            let most = highest(memory, logits, vocabulary);
            let total = partition(memory, logits, vocabulary, most, inverse_temperature);
            log = (memory[logits + label as usize] - most) * inverse_temperature - total.ln();
        }
        memory[table[record + log_probability_word::OUT] as usize + row] = log;
    }
}

/// Loss, distance and gradient of each row.
#[cube(launch_unchecked)]
pub fn policy(memory: &mut [f32], words: &[u32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        let vocabulary = table[record + word::VOCABULARY] as usize;
        let inverse_temperature = f32::from_bits(table[record + word::INVERSE_TEMPERATURE]);
        let logits = table[record + word::LOGITS] as usize + row * vocabulary;
        let out = table[record + loss::ROWS_OUT] as usize + row * 2;
        let gradient = table[record + loss::GRADIENT] as usize + row * vocabulary;
        let label = words[table[record + word::LABELS] as usize + row];
        if label == NO_LABEL {
            memory[out] = 0.0f32;
            memory[out + 1] = 0.0f32;
            for token in 0..vocabulary {
                memory[gradient + token] = 0.0f32;
            }
        } else {
            let scale = f32::from_bits(words[table[record + loss::SCALE] as usize]);
            let advantage = f32::from_bits(words[table[record + loss::ADVANTAGES] as usize + row]);
            let kl = f32::from_bits(table[record + loss::KL]);
            let clip = f32::from_bits(table[record + loss::CLIP]);
            let most = highest(memory, logits, vocabulary);
            let total = partition(memory, logits, vocabulary, most, inverse_temperature);
            let log = (memory[logits + label as usize] - most) * inverse_temperature - total.ln();
            let old_bits = words[table[record + loss::OLD] as usize + row];
            let mut ratio = 1.0f32;
            if old_bits != NO_LABEL {
                ratio = (log - f32::from_bits(old_bits)).exp();
            }
            let free = ratio * advantage;
            let held = ratio.clamp(1.0f32 - clip, 1.0f32 + clip) * advantage;
            let delta = memory[table[record + loss::REFERENCE] as usize + row] - log;
            let away = delta.exp();
            let distance = away - delta - 1.0f32;
            let slope = kl * (1.0f32 - away) - select(free <= held, free, 0.0f32);
            let factor = scale * slope * inverse_temperature;
            for token in 0..vocabulary {
                let hit = select(token as u32 == label, factor, 0.0f32);
                memory[gradient + token] = hit - factor * (((memory[logits + token] - most) * inverse_temperature).exp() / total);
            }
            memory[out] = scale * (kl * distance - free.min(held));
            memory[out + 1] = scale * distance;
        }
    }
}
