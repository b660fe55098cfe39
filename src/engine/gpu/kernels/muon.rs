//! Muon's own two kernels. [`super::products`] computes the products between them.
//!
//! The matrices are stored wide at the end of the memory: `X` is `[small, large]`, transposed if the matrix has more rows than columns. Each
//! workgroup has one matrix, with the words of [`matrix`]; the factor is
//! `√max(1, rows/columns)`.

use super::sum_of_group;
use super::update::clipping;
use crate::engine::update::{MOMENTUM, MOMENTUM_REST};
use cubecl::prelude::*;

/// Threads of a workgroup.
pub const SHARERS: usize = 256;

record! {
    /// Indices of the words of a matrix.
    pub mod matrix {
        /// The first weight.
        FIRST,
        ROWS,
        COLUMNS,
        X,
        /// X after the iterations.
        LAST,
        FACTOR,
    }
}

/// The index in X of a weight of the matrix.
#[cube]
fn place(at: usize, rows: usize, columns: usize) -> usize {
    select(rows > columns, at % columns * rows + at / columns, at)
}

/// `m ← μm + (1 − μ)g`, `X ← (μm + (1 − μ)g) / (‖·‖ + 1e-7)`.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
pub fn prepare(memory: &mut [f32], state: &mut [f32], table: &[u32], jobs: u32, weights: u32, partials: u32, count: u32, norm: f32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(SHARERS + 16));
    if CUBE_POS < count as usize {
        let scale = clipping(state, partials as usize, norm);
        let job = jobs as usize + CUBE_POS * matrix::WORDS;
        let first = table[job + matrix::FIRST] as usize;
        let rows = table[job + matrix::ROWS] as usize;
        let columns = table[job + matrix::COLUMNS] as usize;
        let x = table[job + matrix::X] as usize;
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
        // Each thread scales the elements that it wrote.
        for at in range_stepped(unit, rows * columns, SHARERS) {
            memory[x + place(at, rows, columns)] *= factor;
        }
    }
}

/// `w ← w (1 − rate · decay) − rate · factor · X`.
#[cube(launch_unchecked)]
pub fn apply(memory: &mut [f32], table: &[u32], jobs: u32, count: u32, rate: f32, decay: f32) {
    if CUBE_POS < count as usize {
        let job = jobs as usize + CUBE_POS * matrix::WORDS;
        let first = table[job + matrix::FIRST] as usize;
        let rows = table[job + matrix::ROWS] as usize;
        let columns = table[job + matrix::COLUMNS] as usize;
        let x = table[job + matrix::LAST] as usize;
        let factor = rate * f32::from_bits(table[job + matrix::FACTOR]);
        for at in range_stepped(UNIT_POS as usize, rows * columns, SHARERS) {
            memory[first + at] = memory[first + at] * (1.0f32 - rate * decay) - factor * memory[x + place(at, rows, columns)];
        }
    }
}
