//! Adaptive computation time; the equations are those of [`crate::engine::program::Halting`]. A thread computes one row, or one element.
//!
//! Chains use the functions of single rows too.

use super::activation::sigmoid;
use super::{NONE, THREADS};
use crate::engine::program::HALTED;
use cubecl::prelude::*;

record! {
    /// The words that every record begins with.
    pub mod word {
        ROWS,
        HOPS,
        PITCH,
        WEIGHTS,
    }
}

record! {
    /// A record of [`halt`]. The address of each hop's score follows.
    pub mod halting after word {
        /// The bits of the cost.
        COST,
        /// The number of hops of each row.
        HOP_COUNTS,
        COSTS,
    }
}

record! {
    /// A record of [`halt_backward`]. The address of the gradient of each hop's score follows.
    pub mod halting_backward after word {
        COST,
        HOP_COUNTS,
        /// The gradient of the weights, or `NONE`.
        GRADIENT,
    }
}

record! {
    /// A record of [`mix`]. The address of each hop's part follows.
    pub mod mixture after word {
        WIDTH,
        OUT,
    }
}

record! {
    /// A record of [`mix_backward`]. The words of [`part`] follow for each hop.
    pub mod mixture_backward after word {
        WIDTH,
        /// The gradient of the mixture.
        GRADIENT,
        /// The gradient of the weights.
        INTO_WEIGHTS,
        /// What is added to the gradient of the weights, or `NONE`.
        CARRIED_WEIGHTS,
    }
}

record! {
    /// The words of a hop in a record of [`mix_backward`].
    pub mod part {
        PART,
        /// What is added to the part's gradient, or `NONE`.
        CARRIED,
        INTO,
    }
}

/// Weights, cost and number of hops of one row.
#[cube]
pub fn halt_row(memory: &mut [f32], table: &[u32], record: usize, row: usize) {
    let hops = table[record + word::HOPS] as usize;
    let mut reached = 0.0f32;
    let mut spent = 0.0f32;
    let mut hop_counts = 0.0f32;
    for hop in 0..hops {
        let mut weight = 0.0f32;
        if hop_counts == 0.0f32 {
            let last = hop + 1 == hops;
            let score = table[record + halting::WORDS + select(last, 0, hop)] as usize + row;
            weight = select(last, 1.0f32, sigmoid(memory[score]));
            reached += weight;
            if last || reached >= HALTED {
                weight = 1.0f32 - spent;
                hop_counts = f32::cast_from(hop + 1);
                memory[table[record + halting::COSTS] as usize + row * 2] = f32::from_bits(table[record + halting::COST]) * weight;
            }
            spent += weight;
        }
        memory[table[record + word::WEIGHTS] as usize + row * hops + hop] = weight;
    }
    memory[table[record + halting::COSTS] as usize + row * 2 + 1] = 0.0f32;
    memory[table[record + halting::HOP_COUNTS] as usize + row] = hop_counts;
}

/// The gradients of one row's scores.
#[cube]
pub fn halt_row_backward(memory: &mut [f32], table: &[u32], record: usize, row: usize) {
    let hops = table[record + word::HOPS] as usize;
    let line = row * hops;
    let weights = table[record + word::WEIGHTS] as usize + line;
    let gradient = table[record + halting_backward::GRADIENT];
    let last = u32::cast_from(memory[table[record + halting_backward::HOP_COUNTS] as usize + row]) as usize - 1;
    let mut remainder = f32::from_bits(table[record + halting_backward::COST]);
    if gradient != NONE {
        remainder += memory[gradient as usize + line + last];
    }
    for hop in 0..hops - 1 {
        let mut slope = 0.0f32;
        if hop < last {
            if gradient != NONE {
                slope = memory[gradient as usize + line + hop];
            }
            let probability = memory[weights + hop];
            slope = (slope - remainder) * probability * (1.0f32 - probability);
        }
        memory[table[record + halting_backward::WORDS + hop] as usize + row] = slope;
    }
}

/// One element of a mixture.
#[cube]
pub fn mix_number(memory: &mut [f32], table: &[u32], record: usize, row: usize, column: usize) {
    let hops = table[record + word::HOPS] as usize;
    let place = row * table[record + mixture::WIDTH] as usize + column;
    let weights = table[record + word::WEIGHTS] as usize + row * hops;
    let mut sum = 0.0f32;
    for hop in 0..hops {
        sum += memory[weights + hop] * memory[table[record + mixture::WORDS + hop] as usize + place];
    }
    memory[table[record + mixture::OUT] as usize + place] = sum;
}

/// Task `task` of the gradients of one row: first one task per column of the parts, then one per weight.
#[cube]
pub fn unmix_number(memory: &mut [f32], table: &[u32], record: usize, row: usize, task: usize) {
    let hops = table[record + word::HOPS] as usize;
    let width = table[record + mixture_backward::WIDTH] as usize;
    let gradient = table[record + mixture_backward::GRADIENT] as usize + row * width;
    if task < width {
        let slope = memory[gradient + task];
        let weights = table[record + word::WEIGHTS] as usize + row * hops;
        for hop in 0..hops {
            let at = record + mixture_backward::WORDS + hop * part::WORDS;
            let place = row * width + task;
            let mut value = memory[weights + hop] * slope;
            let carried = table[at + part::CARRIED];
            if carried != NONE {
                value += memory[carried as usize + place];
            }
            memory[table[at + part::INTO] as usize + place] = value;
        }
    } else {
        let hop = task - width;
        let own = table[record + mixture_backward::WORDS + hop * part::WORDS + part::PART] as usize + row * width;
        let mut along = 0.0f32;
        for column in 0..width {
            along += memory[own + column] * memory[gradient + column];
        }
        let carried = table[record + mixture_backward::CARRIED_WEIGHTS];
        if carried != NONE {
            along += memory[carried as usize + row * hops + hop];
        }
        memory[table[record + mixture_backward::INTO_WEIGHTS] as usize + row * hops + hop] = along;
    }
}

/// A thread computes one row.
#[cube(launch_unchecked)]
pub fn halt(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        halt_row(memory, table, record, row * table[record + word::PITCH] as usize);
    }
}

/// A thread computes one row.
#[cube(launch_unchecked)]
pub fn halt_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let row = CUBE_POS * THREADS + UNIT_POS as usize;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        halt_row_backward(memory, table, record, row);
    }
}

/// A thread computes one element.
#[cube(launch_unchecked)]
pub fn mix(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let at = CUBE_POS * THREADS + UNIT_POS as usize;
    let width = table[record + mixture::WIDTH] as usize;
    let row = at / width;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        mix_number(memory, table, record, row * table[record + word::PITCH] as usize, at % width);
    }
}

/// A thread computes one task of [`unmix_number`].
#[cube(launch_unchecked)]
pub fn mix_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let record = record as usize;
    let at = CUBE_POS * THREADS + UNIT_POS as usize;
    let tasks = (table[record + mixture_backward::WIDTH] + table[record + word::HOPS]) as usize;
    let row = at / tasks;
    if CUBE_POS < count as usize && row < table[record + word::ROWS] as usize {
        unmix_number(memory, table, record, row, at % tasks);
    }
}
