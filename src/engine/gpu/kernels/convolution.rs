//! The short causal convolution of each channel and its SiLU: `z[t] = bias + Σ_j weight[j] x[t − (TAPS − 1) + j]`, `out = silu(z)`.
//!
//! Forwards a thread makes one number. Backwards `inner = gradient silu'(z)`, `into[t] = Σ_j weight[j] inner[t + (TAPS − 1) − j]`: a thread
//! walks back along some rows of a channel and makes `inner` of the few that follow them itself. Record: the words of [`word`].

use super::THREADS;
use super::activation::{silu, silu_slope};
use crate::engine::program::TAPS;
use cubecl::prelude::*;

/// Where the words of a record lie.
pub mod word {
    pub const SEQUENCES: usize = 0;
    pub const LENGTH: usize = 1;
    pub const FROM: usize = 2;
    pub const ROWS: usize = 3;
    pub const CHANNELS: usize = 4;
    pub const X: usize = 5;
    pub const X_STRIDE: usize = 6;
    pub const WEIGHT: usize = 7;
    pub const BIAS: usize = 8;
    pub const OUT: usize = 9;
    /// The gradient of `out`; backwards.
    pub const GRADIENT: usize = 9;
    pub const INNER: usize = 10;
    pub const INTO: usize = 11;
    pub const INTO_STRIDE: usize = 12;
}

/// Rows that a thread of the backward kernel takes.
pub const RUN: usize = 16;

/// z at a place of a sequence that begins in row `start`.
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
            memory[table[record + word::OUT] as usize + (start + t) * channels + channel] = silu(z);
        }
    }
}

/// The backward kernel: a thread takes [`RUN`] rows of a channel, from the last back, and before them the TAPS − 1 that follow.
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
            let into = table[record + word::INTO] as usize + channel;
            // dz of the row and of those after it.
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
                    later[0] = memory[table[record + word::GRADIENT] as usize + place] * silu_slope(z);
                    if t < first + RUN {
                        let mut sum = 0.0f32;
                        #[unroll]
                        for tap in 0..TAPS {
                            sum += memory[weight + comptime!(TAPS - 1) - tap] * later[tap];
                        }
                        memory[table[record + word::INNER] as usize + place] = later[0];
                        memory[into + (start + t) * table[record + word::INTO_STRIDE] as usize] = sum;
                    }
                }
            }
        }
    }
}
