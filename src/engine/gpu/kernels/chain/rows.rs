//! Copies, norms and features of one sequence: a thread takes a number, or a whole row, after the other.

use crate::engine::gpu::kernels::NONE;
use crate::engine::gpu::kernels::embed::job;
use crate::engine::gpu::kernels::memory::{feature, half};
use crate::engine::gpu::kernels::norm::{gradient, word};
use cubecl::prelude::*;

/// The sequence's block of a copy. Record: the words of [`job`].
#[cube]
pub fn copy(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let to = table[record + job::TO] as usize + sequence * table[record + job::TO_STRIDE] as usize;
    for place in range_stepped(UNIT_POS as usize, table[record + job::NUMBERS] as usize, threads) {
        let mut sum = 0.0f32;
        for source in 0..table[record + job::SOURCES] as usize {
            let from = record + source * job::SOURCE;
            sum += memory[table[from + job::FROM] as usize + sequence * table[from + job::FROM_STRIDE] as usize + place];
        }
        memory[to + place] = sum;
    }
}

/// A norm, as [`crate::engine::gpu::kernels::norm`]. Record: its words, but for the rows of one sequence.
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
        let rstd = 1.0f32 / (squares / f32::cast_from(width) + f32::from_bits(table[record + word::EPSILON])).sqrt();
        let statistics = table[record + word::STATISTICS] as usize + row * 2;
        memory[statistics] = mean;
        memory[statistics + 1] = rstd;
        for out in 0..table[record + word::OUTS] as usize {
            let at = record + word::WORDS + out * 3;
            let gamma = table[at] as usize;
            let beta = table[at + 1];
            let y = table[at + 2] as usize + row * width;
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
    let outs = record + word::WORDS;
    let outputs = table[record + word::OUTS] as usize;
    let carried = table[record + word::CARRIED];
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
        let out = table[record + word::OUT] as usize + start;
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

/// Where the words of features lie, and of their gradient.
pub mod place {
    pub const X: usize = 0;
    pub const OUT: usize = 1;
    pub const NORMS: usize = 2;
    pub const ROWS: usize = 3;
    pub const WIDTH: usize = 4;
    pub const GRADIENT: usize = 5;
    pub const INTO: usize = 6;
}

/// Features: see [`crate::engine::gpu::kernels::memory::features`].
#[cube]
pub fn features(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + place::ROWS] as usize;
    let width = table[record + place::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let x = table[record + place::X] as usize + row * width;
        let mut squares = 0.0f32;
        for index in 0..6 * width {
            let value = feature(memory, x, width, index);
            squares += value * value;
        }
        let norm = squares.sqrt().max(1.0e-12f32);
        let out = table[record + place::OUT] as usize + row * 6 * width;
        for index in 0..6 * width {
            memory[out + index] = feature(memory, x, width, index) / norm;
        }
        memory[table[record + place::NORMS] as usize + row] = norm;
    }
}

/// The gradient of number `index` of x' = [relu x; relu −x]: what each product that it is in leaves.
#[cube]
#[allow(clippy::too_many_arguments)]
fn half_gradient(memory: &mut [f32], x: usize, phi: usize, g: usize, width: usize, index: usize, along: f32, norm: f32) -> f32 {
    let signs = 2 * width;
    let mut sum = 0.0f32;
    #[unroll]
    for part in 0..3usize {
        let roll = comptime!(part + 1);
        let at = part * signs;
        // Twice around, as one number rolls by more than there are.
        let before = (index + 2 * signs - roll) % signs;
        let after = (index + roll) % signs;
        let slope = (memory[g + at + index] - memory[phi + at + index] * along) / norm;
        sum += slope * half(memory, x, width, before);
        let slope = (memory[g + at + after] - memory[phi + at + after] * along) / norm;
        sum += slope * half(memory, x, width, after);
    }
    sum
}

/// The gradient of what features are made of.
#[cube]
pub fn features_backward(memory: &mut [f32], table: &[u32], record: usize, sequence: usize, #[comptime] threads: usize) {
    let rows = table[record + place::ROWS] as usize;
    let width = table[record + place::WIDTH] as usize;
    for own in range_stepped(UNIT_POS as usize, rows, threads) {
        let row = sequence * rows + own;
        let x = table[record + place::X] as usize + row * width;
        let phi = table[record + place::OUT] as usize + row * 6 * width;
        let g = table[record + place::GRADIENT] as usize + row * 6 * width;
        let norm = memory[table[record + place::NORMS] as usize + row];
        let mut along = 0.0f32;
        for index in 0..6 * width {
            along += memory[phi + index] * memory[g + index];
        }
        // A row shorter than the shortest is divided by a constant.
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
            memory[table[record + place::INTO] as usize + row * width + column] = slope;
        }
    }
}
