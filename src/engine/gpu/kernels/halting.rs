//! Adaptive computation time, as [`crate::engine::program::Instruction::Halting`] and those after it say: a thread a row, or a number.
//!
//! The functions of one row are those of chains too.

use super::activation::sigmoid;
use super::{NONE, THREADS};
use crate::engine::program::HALTED;
use cubecl::prelude::*;

/// Where the words of a record lie. Behind them come the addresses of each hop: of halting the scores (backwards their gradients), of a
/// mixture the parts, of its gradient `part, carried or NONE, into`.
pub mod word {
    pub const ROWS: usize = 0;
    pub const HOPS: usize = 1;
    pub const PITCH: usize = 2;
    /// The cost's bits, or a mixture's width.
    pub const COST: usize = 3;
    pub const WIDTH: usize = 3;
    pub const WEIGHTS: usize = 4;
    /// Or a mixture's result, or its gradient.
    pub const COSTS: usize = 5;
    pub const OUT: usize = 5;
    pub const GRADIENT: usize = 5;
    /// Hops made, or the gradient of a mixture's weights.
    pub const MADE: usize = 6;
    pub const INTO_WEIGHTS: usize = 6;
    pub const CARRIED_WEIGHTS: usize = 7;
    pub const WORDS: usize = 8;
}

/// One row's weights, cost and hops.
#[cube]
pub fn halt_row(memory: &mut [f32], table: &[u32], record: usize, row: usize) {
    let hops = table[record + word::HOPS] as usize;
    let mut reached = 0.0f32;
    let mut spent = 0.0f32;
    let mut made = 0.0f32;
    for hop in 0..hops {
        let mut weight = 0.0f32;
        if made == 0.0f32 {
            let last = hop + 1 == hops;
            let score = table[record + word::WORDS + select(last, 0, hop)] as usize + row;
            weight = select(last, 1.0f32, sigmoid(memory[score]));
            reached += weight;
            if last || reached >= HALTED {
                weight = 1.0f32 - spent;
                made = f32::cast_from(hop + 1);
                memory[table[record + word::COSTS] as usize + row * 2] = f32::from_bits(table[record + word::COST]) * weight;
            }
            spent += weight;
        }
        memory[table[record + word::WEIGHTS] as usize + row * hops + hop] = weight;
    }
    memory[table[record + word::COSTS] as usize + row * 2 + 1] = 0.0f32;
    memory[table[record + word::MADE] as usize + row] = made;
}

/// The gradients of one row's scores.
#[cube]
pub fn halt_row_backward(memory: &mut [f32], table: &[u32], record: usize, row: usize) {
    let hops = table[record + word::HOPS] as usize;
    let line = row * hops;
    let weights = table[record + word::WEIGHTS] as usize + line;
    let gradient = table[record + word::GRADIENT];
    let last = u32::cast_from(memory[table[record + word::MADE] as usize + row]) as usize - 1;
    let mut remainder = f32::from_bits(table[record + word::COST]);
    if gradient != NONE {
        remainder += memory[gradient as usize + line + last];
    }
    for hop in 0..hops - 1 {
        let mut slope = 0.0f32;
        if hop < last {
            if gradient != NONE {
                slope = memory[gradient as usize + line + hop];
            }
            let chance = memory[weights + hop];
            slope = (slope - remainder) * chance * (1.0f32 - chance);
        }
        memory[table[record + word::WORDS + hop] as usize + row] = slope;
    }
}

/// One number of a mixture.
#[cube]
pub fn mix_number(memory: &mut [f32], table: &[u32], record: usize, row: usize, column: usize) {
    let hops = table[record + word::HOPS] as usize;
    let place = row * table[record + word::WIDTH] as usize + column;
    let weights = table[record + word::WEIGHTS] as usize + row * hops;
    let mut sum = 0.0f32;
    for hop in 0..hops {
        sum += memory[weights + hop] * memory[table[record + word::WORDS + hop] as usize + place];
    }
    memory[table[record + word::OUT] as usize + place] = sum;
}

/// Of the gradients of one row the number `task`: those of the parts' columns, then those of the weights.
#[cube]
pub fn unmix_number(memory: &mut [f32], table: &[u32], record: usize, row: usize, task: usize) {
    let hops = table[record + word::HOPS] as usize;
    let width = table[record + word::WIDTH] as usize;
    let gradient = table[record + word::GRADIENT] as usize + row * width;
    if task < width {
        let slope = memory[gradient + task];
        let weights = table[record + word::WEIGHTS] as usize + row * hops;
        for hop in 0..hops {
            let at = record + word::WORDS + hop * 3;
            let place = row * width + task;
            let mut value = memory[weights + hop] * slope;
            let carried = table[at + 1];
            if carried != NONE {
                value += memory[carried as usize + place];
            }
            memory[table[at + 2] as usize + place] = value;
        }
    } else {
        let hop = task - width;
        let part = table[record + word::WORDS + hop * 3] as usize + row * width;
        let mut along = 0.0f32;
        for column in 0..width {
            along += memory[part + column] * memory[gradient + column];
        }
        let carried = table[record + word::CARRIED_WEIGHTS];
        if carried != NONE {
            along += memory[carried as usize + row * hops + hop];
        }
        memory[table[record + word::INTO_WEIGHTS] as usize + row * hops + hop] = along;
    }
}

/// A thread a row.
#[cube(launch_unchecked)]
pub fn halt(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        halt_row(memory, table, record, row * table[record + word::PITCH] as usize);
    }
}

/// A thread a row.
#[cube(launch_unchecked)]
pub fn halt_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        halt_row_backward(memory, table, record, row);
    }
}

/// A thread a number.
#[cube(launch_unchecked)]
pub fn mix(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let at = CUBE_POS * THREADS + UNIT_POS as usize;
    let width = table[record + word::WIDTH] as usize;
    let row = at / width;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        mix_number(memory, table, record, row * table[record + word::PITCH] as usize, at % width);
    }
}

/// A thread a number of [`unmix_number`].
#[cube(launch_unchecked)]
pub fn mix_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let at = CUBE_POS * THREADS + UNIT_POS as usize;
    let tasks = (table[record + word::WIDTH] + table[record + word::HOPS]) as usize;
    let row = at / tasks;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        unmix_number(memory, table, record, row, at % tasks);
    }
}
