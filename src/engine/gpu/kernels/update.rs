//! Clipping and AdamW on the flat weights. The equations are those of [`Update`](crate::engine::update::Update).
//!
//! `memory` begins `weights | gradient`; `state` is `first moments | second moments | partial sums | totals`.

use super::{ADDERS, sum_of_group};
use crate::engine::update::{BETA_1, BETA_2, EPSILON, REST_1, REST_2};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a range of weights.
    pub mod run {
        FIRST,
        COUNT,
    }
}

/// The most partial sums of the gradient's squares.
pub const PARTIALS: usize = 64;

/// `g ← clamp(g, ± value)` if `value` > 0. Workgroup i then sums the squares of every `count`th run of [`ADDERS`] elements, from run i on.
#[cube(launch_unchecked)]
pub fn clip(memory: &mut [f32], state: &mut [f32], weights: u32, partials: u32, count: u32, value: f32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ADDERS + 16));
    if CUBE_POS < count as usize {
        let weights = weights as usize;
        let mut squares = 0.0f32;
        for at in range_stepped(CUBE_POS * ADDERS + UNIT_POS as usize, weights, count as usize * ADDERS) {
            let mut gradient = memory[weights + at];
            if value > 0.0f32 {
                gradient = gradient.max(-value).min(value);
                memory[weights + at] = gradient;
            }
            squares += gradient * gradient;
        }
        let sum = sum_of_group(&mut shared, squares, ADDERS);
        if UNIT_POS == 0 {
            state[partials as usize + CUBE_POS] = sum;
        }
    }
}

/// The factor of the gradient: `min(1, norm / (‖g‖ + 1e-6))`, or 1 if `norm` is 0. Each thread adds the partial sums itself, because that costs
/// less than barriers. Partial sums that no workgroup of [`clip`] writes are 0.
#[cube]
pub fn clipping(state: &mut [f32], partials: usize, norm: f32) -> f32 {
    let mut scale = 1.0f32;
    if norm > 0.0f32 {
        let mut sum = 0.0f32;
        for at in 0..PARTIALS {
            sum += state[partials + at];
        }
        scale = (norm / (sum.sqrt() + 1e-6f32)).min(1.0f32);
    }
    scale
}

/// AdamW on the ranges in the table: the words of [`run`] for each workgroup. The first workgroup also copies the step's total from the memory to its
/// place among the totals.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
pub fn adamw(
    memory: &mut [f32],
    state: &mut [f32],
    table: &[u32],
    weights: u32,
    partials: u32,
    total: u32,
    place: u32,
    count: u32,
    norm: f32,
    rate: f32,
    decay: f32,
    correction_1: f32,
    correction_2: f32,
) {
    if CUBE_POS < count as usize {
        let weights = weights as usize;
        let scale = clipping(state, partials as usize, norm);
        let run = CUBE_POS * run::WORDS;
        let first = table[run + run::FIRST] as usize;
        let end = first + table[run + run::COUNT] as usize;
        for at in range_stepped(first + UNIT_POS as usize, end, ADDERS) {
            let gradient = memory[weights + at] * scale;
            let mean = BETA_1 * state[at] + REST_1 * gradient;
            let square = BETA_2 * state[weights + at] + REST_2 * gradient * gradient;
            state[at] = mean;
            state[weights + at] = square;
            let step = mean / correction_1 / ((square / correction_2).sqrt() + EPSILON);
            memory[at] = memory[at] * (1.0f32 - rate * decay) - rate * step;
        }
        if CUBE_POS == 0 && UNIT_POS < 2 {
            state[(place + UNIT_POS) as usize] = memory[(total + UNIT_POS) as usize];
        }
    }
}
