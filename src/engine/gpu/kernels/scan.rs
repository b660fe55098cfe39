//! The selective scan (Gu and Dao, arXiv 2312.00752): `Δ = softplus(delta)`, `S ← exp(Δ A) ⊙ S + Δ B u`, `out = (C · S + D u) silu(g)`.
//!
//! A thread takes one channel of one sequence along the rows, its state in registers: no thread waits for another.
//! Backwards see [`super::scan_backward`]. Record: the words of [`word`].

use super::activation::{silu, softplus};
use super::{NONE, THREADS};
use crate::engine::program::{CHUNK, STATE};
use cubecl::prelude::*;

/// Where the words of a record lie.
pub mod word {
    pub const SEQUENCES: usize = 0;
    pub const LENGTH: usize = 1;
    pub const FROM: usize = 2;
    pub const ROWS: usize = 3;
    pub const CHANNELS: usize = 4;
    pub const DELTA: usize = 5;
    pub const U: usize = 6;
    pub const PROJECTED: usize = 7;
    pub const PROJECTED_STRIDE: usize = 8;
    pub const GATE: usize = 9;
    pub const GATE_STRIDE: usize = 10;
    pub const A_LOG: usize = 11;
    pub const SKIP: usize = 12;
    pub const STATES: usize = 13;
    /// The row after which the state is kept, or `NONE` where it is kept before every chunk; forwards.
    pub const AFTER: usize = 14;
    pub const OUT: usize = 15;
    /// Backwards.
    pub const GRADIENT: usize = 14;
    pub const INTO_DELTA: usize = 15;
    pub const INTO_U: usize = 16;
    pub const INTO_PROJECTED: usize = 17;
    pub const INTO_PROJECTED_STRIDE: usize = 18;
    pub const INTO_GATE: usize = 19;
    pub const INTO_GATE_STRIDE: usize = 20;
    pub const INTO_A_LOG: usize = 21;
    pub const INTO_SKIP: usize = 22;
    /// Scratch: what the rows after each chunk give its last state, `[B, chunks, C, STATE]`; Δ and the gradient of y, `[N, C]`.
    pub const CARRIED: usize = 23;
    pub const STEPS: usize = 24;
    pub const INNER: usize = 25;
}

/// A of one channel.
#[cube]
pub fn load_rates(memory: &mut [f32], rates: &mut Array<f32>, a_log: usize) {
    #[unroll]
    for n in 0..STATE {
        rates[n] = -(memory[a_log + n].exp());
    }
}

/// Writes a state.
#[cube]
pub fn store(memory: &mut [f32], state: &Array<f32>, at: usize) {
    #[unroll]
    for n in 0..STATE {
        memory[at + n] = state[n];
    }
}

/// The forward kernel.
#[cube(launch_unchecked)]
pub fn scan_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let channels = table[record + word::CHANNELS] as usize;
        let length = table[record + word::LENGTH] as usize;
        let from = table[record + word::FROM] as usize;
        let after = table[record + word::AFTER];
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let sequence = at / channels;
        let channel = at % channels;
        if sequence < table[record + word::SEQUENCES] as usize {
            let kept = table[record + word::STATES] as usize;
            let skip = memory[table[record + word::SKIP] as usize + channel];
            let mut rates = Array::<f32>::new(STATE);
            let mut state = Array::<f32>::new(STATE);
            load_rates(memory, &mut rates, table[record + word::A_LOG] as usize + channel * STATE);
            if from > 0 {
                #[unroll]
                for n in 0..STATE {
                    state[n] = memory[kept + at * STATE + n];
                }
            }
            for t in from..from + table[record + word::ROWS] as usize {
                if after == NONE && t % CHUNK == 0 {
                    let chunk = sequence * length.div_ceil(CHUNK) + t / CHUNK;
                    store(memory, &state, kept + (chunk * channels + channel) * STATE);
                }
                let row = sequence * length + t;
                let place = row * channels + channel;
                let step = softplus(memory[table[record + word::DELTA] as usize + place]);
                let u = memory[table[record + word::U] as usize + place];
                let projected = table[record + word::PROJECTED] as usize + row * table[record + word::PROJECTED_STRIDE] as usize;
                let fed = step * u;
                let mut y = skip * u;
                #[unroll]
                for n in 0..STATE {
                    state[n] = (step * rates[n]).exp() * state[n] + fed * memory[projected + n];
                    y += memory[projected + STATE + n] * state[n];
                }
                let gate = memory[table[record + word::GATE] as usize + row * table[record + word::GATE_STRIDE] as usize + channel];
                memory[table[record + word::OUT] as usize + place] = y * silu(gate);
                if t as u32 == after {
                    store(memory, &state, kept + at * STATE);
                }
            }
        }
    }
}
