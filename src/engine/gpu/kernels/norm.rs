//! Layer norm and RMS norm, 8 threads per row: x̂ = (x − mean) · rstd, `y = gamma ⊙ x̂ + beta` for one or two outputs.
//!
//! Records: [`forward`] and [`backward`], then [`normed`] for each output. Backward
//! `dx = rstd (g − mean g − x̂ mean(g ⊙ x̂)) + carried` with `g = Σ dy ⊙ gamma`, without `mean g` in an RMS norm.

use super::{LANES, NONE, ROWS, sum_of_row};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record.
    pub mod word {
        X,
        STATISTICS,
        ROWS,
        WIDTH,
        CENTRED,
        OUTS,
    }
}

record! {
    /// The last words of a forward record.
    pub mod forward after word {
        /// ε.
        EPSILON,
        /// The distance between the rows of every array, in rows.
        PITCH,
    }
}

record! {
    /// The last words of a backward record.
    pub mod backward after word {
        /// The gradient to add, or `NONE`.
        CARRIED,
        /// The gradient of x.
        OUT,
    }
}

record! {
    /// The words of one output, which follow a record for each of its outputs.
    pub mod normed {
        GAMMA,
        /// The address of β, or `NONE`.
        BETA,
        /// The output; backward its gradient.
        Y,
    }
}

/// The forward kernel.
#[cube(launch_unchecked)]
pub fn norm_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + word::ROWS] as usize;
        let width = table[record + word::WIDTH] as usize;
        let lane = UNIT_POS as usize % LANES;
        let row = CUBE_POS * ROWS + UNIT_POS as usize / LANES;
        let place = row * table[record + forward::PITCH] as usize;
        let x = table[record + word::X] as usize + place * width;
        let end = select(row < rows, width, 0);

        let mut mean = 0.0f32;
        if table[record + word::CENTRED] != 0 {
            let mut sum = 0.0f32;
            for column in range_stepped(lane, end, LANES) {
                sum += memory[x + column];
            }
            mean = sum_of_row(&mut shared, sum) / f32::cast_from(width);
        }
        let mut squares = 0.0f32;
        for column in range_stepped(lane, end, LANES) {
            let centred = memory[x + column] - mean;
            squares += centred * centred;
        }
        let variance = sum_of_row(&mut shared, squares) / f32::cast_from(width);
        let rstd = 1.0f32 / (variance + f32::from_bits(table[record + forward::EPSILON])).sqrt();

        if row < rows && lane == 0 {
            let statistics = table[record + word::STATISTICS] as usize + place * 2;
            memory[statistics] = mean;
            memory[statistics + 1] = rstd;
        }
        for out in 0..table[record + word::OUTS] as usize {
            let at = record + forward::WORDS + out * normed::WORDS;
            let gamma = table[at + normed::GAMMA] as usize;
            let beta = table[at + normed::BETA];
            let y = table[at + normed::Y] as usize + place * width;
            for column in range_stepped(lane, end, LANES) {
                let mut value = (memory[x + column] - mean) * rstd * memory[gamma + column];
                if beta != NONE {
                    value += memory[beta as usize + column];
                }
                memory[y + column] = value;
            }
        }
    }
}

/// One element of `g = Σ dy ⊙ gamma`, summed over the outputs.
#[cube]
pub fn gradient(memory: &mut [f32], table: &[u32], outs: usize, count: usize, start: usize, column: usize) -> f32 {
    let mut sum = 0.0f32;
    for out in 0..count {
        let at = outs + out * normed::WORDS;
        sum += memory[table[at + normed::Y] as usize + start + column] * memory[table[at + normed::GAMMA] as usize + column];
    }
    sum
}

/// The backward kernel.
#[cube(launch_unchecked)]
pub fn norm_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    let mut shared = Shared::<[f32]>::new_slice(comptime!(ROWS * LANES));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let rows = table[record + word::ROWS] as usize;
        let width = table[record + word::WIDTH] as usize;
        let outs = record + backward::WORDS;
        let outputs = table[record + word::OUTS] as usize;
        let lane = UNIT_POS as usize % LANES;
        let row = CUBE_POS * ROWS + UNIT_POS as usize / LANES;
        let end = select(row < rows, width, 0);
        let start = row * width;
        let x = table[record + word::X] as usize + start;
        // Rows past the end have no statistics; they read row 0's.
        let statistics = table[record + word::STATISTICS] as usize + select(row < rows, row, 0) * 2;
        let mean = memory[statistics];
        let rstd = memory[statistics + 1];

        let mut sum = 0.0f32;
        let mut along = 0.0f32;
        for column in range_stepped(lane, end, LANES) {
            let g = gradient(memory, table, outs, outputs, start, column);
            sum += g;
            along += g * (memory[x + column] - mean) * rstd;
        }
        let size = f32::cast_from(width);
        let along = sum_of_row(&mut shared, along) / size;
        let mut shift = 0.0f32;
        if table[record + word::CENTRED] != 0 {
            shift = sum_of_row(&mut shared, sum) / size;
        }

        let carried = table[record + backward::CARRIED];
        let out = table[record + backward::OUT] as usize + start;
        for column in range_stepped(lane, end, LANES) {
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
