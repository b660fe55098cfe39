//! Clipping and AdamW on the flat weights; the equations are those of [`Update`](crate::engine::update::Update).
//!
//! `memory` begins `weights | gradient`; `state` is `first moments | second moments | partial sums | totals`.

use super::{ADDERS, sum_of_group};
use crate::engine::update::{BETA_1, BETA_2, EPSILON, REST_1, REST_2};
use cubecl::prelude::*;

/// How many partial sums of the gradient's squares there is room for.
pub const PARTIALS: usize = 64;

/// `g ← clamp(g, ± value)` where `value` > 0, and the sum of squares of every `count`th run of numbers.
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

/// What the gradient is multiplied by: `min(1, norm / (‖g‖ + 1e-6))`, or 1 where `norm` is 0. Each thread adds the partial sums
/// itself, which costs less than barriers; those that no workgroup of [`clip`] writes are 0.
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

/// AdamW on the ranges in the table, `first, count` for each workgroup; the first workgroup also copies the step's total
/// from the memory to its place among the totals.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
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
        let first = table[CUBE_POS * 2] as usize;
        let end = first + table[CUBE_POS * 2 + 1] as usize;
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
