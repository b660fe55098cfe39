//! Copies, norms and features of one sequence: a thread computes one element, or one row, at a time.

use crate::engine::gpu::kernels::NONE;
use crate::engine::gpu::kernels::embed::{job, summand};
use crate::engine::gpu::kernels::memory::{feature, features_word, half};
use crate::engine::gpu::kernels::norm::{backward, forward, gradient, normed, word};
use crate::engine::program::FEATURES;
use cubecl::prelude::*;

/// The sequence's block of a copy. Record: the words of [`job`].
#[cube]
pub fn copy(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let to = table[record + job::TO] as usize + sequence * table[record + job::TO_STRIDE] as usize;
    for place in range_stepped(UNIT_POS as usize, table[record + job::NUMBERS] as usize, threads) {
        let mut sum = 0.0f32;
        for source in 0..table[record + job::SOURCES] as usize {
            let from = record + job::WORDS + source * summand::WORDS;
            sum += memory[table[from + summand::FROM] as usize + sequence * table[from + summand::STRIDE] as usize + place];
        }
        memory[to + place] = sum;
    }
}

/// A norm, as in [`crate::engine::gpu::kernels::norm`]. Record: the same words, with the rows of one sequence.
#[cube]
pub fn norm(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let width = table[record + word::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let x = table[record + word::X] as usize + row * width;
        let mut mean = 0.0f32;
        if table[record + word::CENTRED] != 0 {
            for column in 0..width {
                mean += memory[x + column];
            }
            mean /= f32::cast_from(width);
        }
        let mut squares = 0.0f32;
        for column in 0..width {
            let centred = memory[x + column] - mean;
            squares += centred * centred;
        }
        let rstd = 1.0f32 / (squares / f32::cast_from(width) + f32::from_bits(table[record + forward::EPSILON])).sqrt();
        let statistics = table[record + word::STATISTICS] as usize + row * 2;
        memory[statistics] = mean;
        memory[statistics + 1] = rstd;
        for out in 0..table[record + word::OUTS] as usize {
            let at = record + forward::WORDS + out * normed::WORDS;
            let gamma = table[at + normed::GAMMA] as usize;
            let beta = table[at + normed::BETA];
            let y = table[at + normed::Y] as usize + row * width;
            for column in 0..width {
                let mut value = (memory[x + column] - mean) * rstd * memory[gamma + column];
                if beta != NONE {
                    value += memory[beta as usize + column];
                }
                memory[y + column] = value;
            }
        }
    }
}

/// The gradient of a norm's input.
#[cube]
pub fn norm_backward(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + word::ROWS] as usize;
    let width = table[record + word::WIDTH] as usize;
    let outs = record + backward::WORDS;
    let outputs = table[record + word::OUTS] as usize;
    let carried = table[record + backward::CARRIED];
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let start = row * width;
        let x = table[record + word::X] as usize + start;
        let statistics = table[record + word::STATISTICS] as usize + row * 2;
        let mean = memory[statistics];
        let rstd = memory[statistics + 1];
        let mut sum = 0.0f32;
        let mut along = 0.0f32;
        for column in 0..width {
            let g = gradient(memory, table, outs, outputs, start, column);
            sum += g;
            along += g * (memory[x + column] - mean) * rstd;
        }
        along /= f32::cast_from(width);
        let shift = select(table[record + word::CENTRED] != 0, sum / f32::cast_from(width), 0.0f32);
        let out = table[record + backward::OUT] as usize + start;
        for column in 0..width {
            let g = gradient(memory, table, outs, outputs, start, column);
            let normed = (memory[x + column] - mean) * rstd;
            let mut value = rstd * (g - shift - normed * along);
            if carried != NONE {
                value += memory[carried as usize + start + column];
            }
            memory[out + column] = value;
        }
    }
}

record! {
    /// The words that follow in a record of [`features_backward`].
    pub mod features_gradient after features_word {
        GRADIENT,
        INTO,
    }
}

/// Features: see [`crate::engine::gpu::kernels::memory::features`].
#[cube]
pub fn features(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + features_word::ROWS] as usize;
    let width = table[record + features_word::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let x = table[record + features_word::X] as usize + row * width;
        let mut squares = 0.0f32;
        for index in 0..FEATURES * width {
            let value = feature(memory, x, width, index);
            squares += value * value;
        }
        let norm = squares.sqrt().max(1.0e-12f32);
        let out = table[record + features_word::OUT] as usize + row * FEATURES * width;
        for index in 0..FEATURES * width {
            memory[out + index] = feature(memory, x, width, index) / norm;
        }
        memory[table[record + features_word::NORMS] as usize + row] = norm;
    }
}

/// The gradient of element `index` of x' = [relu x; relu −x], summed over the products that contain it.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn half_gradient(memory: &mut [f32], x: usize, phi: usize, g: usize, width: usize, index: usize, along: f32, norm: f32) -> f32 {
    let signs = 2 * width;
    let mut sum = 0.0f32;
    #[unroll]
    for part in 0..3usize {
        let roll = comptime!(part + 1);
        let at = part * signs;
        // Adds twice the length, because `roll` can exceed the length if x has one column.
        let before = (index + 2 * signs - roll) % signs;
        let after = (index + roll) % signs;
        let slope = (memory[g + at + index] - memory[phi + at + index] * along) / norm;
        sum += slope * half(memory, x, width, before);
        let slope = (memory[g + at + after] - memory[phi + at + after] * along) / norm;
        sum += slope * half(memory, x, width, after);
    }
    sum
}

/// The gradient of the features' input.
#[cube]
pub fn features_backward(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + features_word::ROWS] as usize;
    let width = table[record + features_word::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let x = table[record + features_word::X] as usize + row * width;
        let phi = table[record + features_word::OUT] as usize + row * FEATURES * width;
        let g = table[record + features_gradient::GRADIENT] as usize + row * FEATURES * width;
        let norm = memory[table[record + features_word::NORMS] as usize + row];
        let mut along = 0.0f32;
        for index in 0..FEATURES * width {
            along += memory[phi + index] * memory[g + index];
        }
        // If the norm was raised to 1e-12, the divisor is a constant.
        along = select(norm > 1.0e-12f32, along, 0.0f32);
        for column in 0..width {
            let value = memory[x + column];
            let mut slope = 0.0f32;
            if value > 0.0f32 {
                slope = half_gradient(memory, x, phi, g, width, column, along, norm);
            }
            if value < 0.0f32 {
                slope = -half_gradient(memory, x, phi, g, width, width + column, along, norm);
            }
            memory[table[record + features_gradient::INTO] as usize + row * width + column] = slope;
        }
    }
}
