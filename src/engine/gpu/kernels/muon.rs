//! Muon's own two kernels; the products between them are those of [`super::products`].
//!
//! Matrices are kept wide in the memory's end: `X` is `[small, large]`, the transpose where there are more rows than
//! columns. Job of a matrix, one a workgroup: `first weight, rows, columns, X, X after the iteration, factor`, the last being
//! √max(1, rows/columns).

use super::sum_of_group;
use super::update::clipping;
use crate::engine::update::{MOMENTUM, MOMENTUM_REST};
use cubecl::prelude::*;

/// Threads that share a matrix.
pub const SHARERS: usize = 256;

/// Words of a job.
pub const JOB: usize = 6;

/// Where a weight of the matrix lies in X.
#[cube]
fn place(at: usize, rows: usize, columns: usize) -> usize {
    select(rows > columns, at % columns * rows + at / columns, at)
}

/// `m ← μm + (1 − μ)g`, `X ← (μm + (1 − μ)g) / (‖·‖ + 1e-7)`.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
pub fn prepare(memory: &mut [f32], state: &mut [f32], table: &[u32], jobs: u32, weights: u32, partials: u32, count: u32, norm: f32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(SHARERS + 16));
    if CUBE_POS < count as usize {
        let scale = clipping(state, partials as usize, norm);
        let job = jobs as usize + CUBE_POS * JOB;
        let first = table[job] as usize;
        let rows = table[job + 1] as usize;
        let columns = table[job + 2] as usize;
        let x = table[job + 3] as usize;
        let unit = UNIT_POS as usize;
        let mut squares = 0.0f32;
        for at in range_stepped(unit, rows * columns, SHARERS) {
            let gradient = memory[weights as usize + first + at] * scale;
            let mean = MOMENTUM * state[first + at] + MOMENTUM_REST * gradient;
            state[first + at] = mean;
            let ahead = MOMENTUM * mean + MOMENTUM_REST * gradient;
            memory[x + place(at, rows, columns)] = ahead;
            squares += ahead * ahead;
        }
        let factor = 1.0f32 / (sum_of_group(&mut shared, squares, SHARERS).sqrt() + 1e-7f32);
        // Each thread's own numbers again.
        for at in range_stepped(unit, rows * columns, SHARERS) {
            memory[x + place(at, rows, columns)] *= factor;
        }
    }
}

/// `w ← w (1 − rate · decay) − rate · factor · X`.
#[cube(launch_unchecked)]
pub fn apply(memory: &mut [f32], table: &[u32], jobs: u32, count: u32, rate: f32, decay: f32) {
    if CUBE_POS < count as usize {
        let job = jobs as usize + CUBE_POS * JOB;
        let first = table[job] as usize;
        let rows = table[job + 1] as usize;
        let columns = table[job + 2] as usize;
        let x = table[job + 4] as usize;
        let factor = rate * f32::from_bits(table[job + 5]);
        for at in range_stepped(UNIT_POS as usize, rows * columns, SHARERS) {
            memory[first + at] = memory[first + at] * (1.0f32 - rate * decay) - factor * memory[x + place(at, rows, columns)];
        }
    }
}
