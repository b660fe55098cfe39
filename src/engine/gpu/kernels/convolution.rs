//! The short causal convolution of each channel and its SiLU: `z[t] = bias + Σ_j weight[j] x[t − (TAPS − 1) + j]`, `out = silu(z)`.
//!
//! Forward, a thread computes one element. Backward `inner = gradient silu'(z)`, `into[t] = Σ_j weight[j] inner[t + (TAPS − 1) − j]`: a thread
//! computes some rows of a channel from the last to the first. It also computes `inner` of the TAPS − 1 rows after them. Records:
//! [`forward`] and [`backward`].

use super::activation::{silu, silu_slope};
use super::{THREADS, window};
use crate::engine::program::TAPS;
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record.
    pub mod word after window {
        CHANNELS,
        X,
        X_STRIDE,
        WEIGHT,
        BIAS,
    }
}

record! {
    /// The words that follow in a forward record.
    pub mod forward after word {
        OUT,
    }
}

record! {
    /// The words that follow in a backward record.
    pub mod backward after word {
        /// The gradient of the forward result.
        GRADIENT,
        INNER,
        INTO,
        INTO_STRIDE,
    }
}

/// Rows that a thread of the backward kernel computes.
pub const RUN: usize = 16;

/// z at position t of the sequence that begins at row `start`.
#[cube]
fn inner(memory: &mut [f32], table: &[u32], record: usize, start: usize, t: usize, channel: usize) -> f32 {
    let x = table[record + word::X] as usize + channel;
    let stride = table[record + word::X_STRIDE] as usize;
    let weight = table[record + word::WEIGHT] as usize + channel * TAPS;
    let mut z = memory[table[record + word::BIAS] as usize + channel];
    #[unroll]
    for tap in 0..TAPS {
        if t + tap >= comptime!(TAPS - 1) {
            z += memory[weight + tap] * memory[x + (start + t + tap - comptime!(TAPS - 1)) * stride];
        }
    }
    z
}

/// The forward kernel.
#[cube(launch_unchecked)]
pub fn convolution_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let channels = table[record + word::CHANNELS] as usize;
        let rows = table[record + word::ROWS] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let channel = at % channels;
        let sequence = at / channels / rows;
        if sequence < table[record + word::SEQUENCES] as usize {
            let start = sequence * table[record + word::LENGTH] as usize;
            let t = table[record + word::FROM] as usize + at / channels % rows;
            let z = inner(memory, table, record, start, t, channel);
            memory[table[record + forward::OUT] as usize + (start + t) * channels + channel] = silu(z);
        }
    }
}

/// The backward kernel: a thread computes [`RUN`] rows of a channel, from the last to the first, after the TAPS − 1 rows that follow them.
#[cube(launch_unchecked)]
pub fn convolution_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let channels = table[record + word::CHANNELS] as usize;
        let length = table[record + word::LENGTH] as usize;
        let runs = length.div_ceil(RUN);
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let channel = at % channels;
        let sequence = at / channels / runs;
        if sequence < table[record + word::SEQUENCES] as usize {
            let start = sequence * length;
            let first = at / channels % runs * RUN;
            let weight = table[record + word::WEIGHT] as usize + channel * TAPS;
            let into = table[record + backward::INTO] as usize + channel;
            // dz of this row and of the rows after it.
            let mut later = Array::<f32>::new(TAPS);
            for back in 0..comptime!(RUN + TAPS - 1) {
                let t = first + comptime!(RUN + TAPS - 2) - back;
                if t < length {
                    #[unroll]
                    for tap in 0..comptime!(TAPS - 1) {
                        later[comptime!(TAPS - 1) - tap] = later[comptime!(TAPS - 2) - tap];
                    }
                    let place = (start + t) * channels + channel;
                    let z = inner(memory, table, record, start, t, channel);
                    later[0] = memory[table[record + backward::GRADIENT] as usize + place] * silu_slope(z);
                    if t < first + RUN {
                        let mut sum = 0.0f32;
                        #[unroll]
                        for tap in 0..TAPS {
                            sum += memory[weight + comptime!(TAPS - 1) - tap] * later[tap];
                        }
                        memory[table[record + backward::INNER] as usize + place] = later[0];
                        memory[into + (start + t) * table[record + backward::INTO_STRIDE] as usize] = sum;
                    }
                }
            }
        }
    }
}
