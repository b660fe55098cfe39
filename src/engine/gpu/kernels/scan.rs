//! The selective scan (Gu and Dao, arXiv 2312.00752): `Δ = softplus(delta)`, `S ← exp(Δ A) ⊙ S + Δ B u`, `out = (C · S + D u) silu(g)`.
//!
//! A thread computes one channel of one sequence, with its state in registers; no thread waits for another. [`super::scan_backward`] computes
//! the gradients. Record: [`forward`].

use super::activation::{silu, softplus};
use super::{NONE, THREADS, window};
use crate::engine::program::{CHUNK, STATE};
use cubecl::prelude::*;

record! {
    /// Indices of the words of a record.
    pub mod word after window {
        CHANNELS,
        DELTA,
        U,
        PROJECTED,
        PROJECTED_STRIDE,
        GATE,
        GATE_STRIDE,
        A_LOG,
        SKIP,
        STATES,
    }
}

record! {
    /// The words that follow in a forward record.
    pub mod forward after word {
        /// The row after which the state is kept, or `NONE` to keep it before every chunk.
        AFTER,
        OUT,
    }
}

record! {
    /// The words that follow in a backward record.
    pub mod backward after word {
        GRADIENT,
        INTO_DELTA,
        INTO_U,
        INTO_PROJECTED,
        INTO_PROJECTED_STRIDE,
        INTO_GATE,
        INTO_GATE_STRIDE,
        INTO_A_LOG,
        INTO_SKIP,
        /// Scratch. First the gradient of each chunk's last state from the rows after it, `[B, chunks, C, STATE]`; then Δ and the gradient of y,
        /// `[N, C]` each.
        CARRIED,
        STEPS,
        INNER,
    }
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
        let after = table[record + forward::AFTER];
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
                memory[table[record + forward::OUT] as usize + place] = y * silu(gate);
                if t as u32 == after {
                    store(memory, &state, kept + at * STATE);
                }
            }
        }
    }
}
