//! The gradients of a selective scan, in two launches without barriers.
//!
//! With `y = C · S + D u`, `out = y silu(g)`: `dg = dout y silu'(g)`, `dy = dout silu(g)`, `λ(t) = exp(Δ(t+1) A) λ(t+1) + C dy`, `dC = Σ_c dy S`,
//! `dB = Σ_c λ Δ u`, `du = D dy + Δ Σ_n λ B`, `dΔ = Σ_n λ (A exp(Δ A) S(t−1) + B u)`, `da_log = A Σ_t λ Δ exp(Δ A) S(t−1)`, `dD = Σ_t dy u`.
//!
//! [`scan_backward`]: a thread computes one channel of a sequence, from the last chunk to the first. It recomputes a chunk's states from the
//! kept one, and sums over the state by itself. It writes to the scratch, for each chunk, the gradient of its last state from later rows; and
//! for each row Δ and dy.
//!
//! [`scan_projected`]: dB and dC are sums over channels, so a thread computes one state element of one chunk, for all channels in their order.
//! With the scratch, all chunks can start at once.
//!
//! Record of both: [`super::scan::backward`].

use super::THREADS;
use super::activation::{sigmoid, softplus};
use super::scan::{backward, load_rates, store, word};
use crate::engine::program::{CHUNK, STATE};
use cubecl::prelude::*;

/// The address of B and C of a row.
#[cube]
fn projected_of(table: &[u32], record: usize, row: usize) -> usize {
    table[record + word::PROJECTED] as usize + row * table[record + word::PROJECTED_STRIDE] as usize
}

/// Recomputes the states before each row of a chunk, from the kept state at `kept`; also writes Δ.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn remake(
    memory: &mut [f32],
    table: &[u32],
    rates: &Array<f32>,
    states: &mut Array<f32>,
    record: usize,
    kept: usize,
    first: usize,
    rows: usize,
    channel: usize,
) {
    let channels = table[record + word::CHANNELS] as usize;
    let mut state = Array::<f32>::new(STATE);
    #[unroll]
    for n in 0..STATE {
        state[n] = memory[kept + n];
    }
    for r in 0..rows {
        let place = (first + r) * channels + channel;
        let step = softplus(memory[table[record + word::DELTA] as usize + place]);
        memory[table[record + backward::STEPS] as usize + place] = step;
        let fed = step * memory[table[record + word::U] as usize + place];
        let projected = projected_of(table, record, first + r);
        #[unroll]
        for n in 0..STATE {
            states[r * STATE + n] = state[n];
            state[n] = (step * rates[n]).exp() * state[n] + fed * memory[projected + n];
        }
    }
}

/// The backward step of one row; returns its part of dD. `before` is the index of its state in `states`. `carried` becomes the gradient for the
/// row before.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn back_row(
    memory: &mut [f32],
    table: &[u32],
    rates: &Array<f32>,
    states: &Array<f32>,
    carried: &mut Array<f32>,
    into_rates: &mut Array<f32>,
    record: usize,
    row: usize,
    channel: usize,
    before: usize,
) -> f32 {
    let place = row * table[record + word::CHANNELS] as usize + channel;
    let step = memory[table[record + backward::STEPS] as usize + place];
    let u = memory[table[record + word::U] as usize + place];
    let skip = memory[table[record + word::SKIP] as usize + channel];
    let gate = memory[table[record + word::GATE] as usize + row * table[record + word::GATE_STRIDE] as usize + channel];
    let upstream = memory[table[record + backward::GRADIENT] as usize + place];
    let open = sigmoid(gate);
    let dy = upstream * gate * open;
    let projected = projected_of(table, record, row);
    let mut y = skip * u;
    let mut into_fed = 0.0f32;
    let mut into_step = 0.0f32;
    #[unroll]
    for n in 0..STATE {
        let b = memory[projected + n];
        let c = memory[projected + STATE + n];
        let decay = (step * rates[n]).exp();
        let decayed = decay * states[before + n];
        y += c * (decayed + step * u * b);
        let lambda = c * dy + carried[n];
        carried[n] = decay * lambda;
        into_fed += lambda * b;
        into_step += rates[n] * lambda * decayed;
        into_rates[n] += step * lambda * decayed;
    }
    let slope = sigmoid(memory[table[record + word::DELTA] as usize + place]);
    memory[table[record + backward::INNER] as usize + place] = dy;
    memory[table[record + backward::INTO_DELTA] as usize + place] = (into_step + u * into_fed) * slope;
    memory[table[record + backward::INTO_U] as usize + place] = skip * dy + step * into_fed;
    let into_gate = table[record + backward::INTO_GATE] as usize + row * table[record + backward::INTO_GATE_STRIDE] as usize;
    memory[into_gate + channel] = upstream * y * open * (1.0f32 + gate * (1.0f32 - open));
    dy * u
}

/// The first launch.
#[cube(launch_unchecked)]
pub fn scan_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let channels = table[record + word::CHANNELS] as usize;
        let length = table[record + word::LENGTH] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let sequence = at / channels;
        let channel = at % channels;
        if sequence < table[record + word::SEQUENCES] as usize {
            let chunks = length.div_ceil(CHUNK);
            let mut rates = Array::<f32>::new(STATE);
            let mut carried = Array::<f32>::new(STATE);
            let mut into_rates = Array::<f32>::new(STATE);
            let mut states = Array::<f32>::new(comptime!(CHUNK * STATE));
            let mut into_skip = 0.0f32;
            load_rates(memory, &mut rates, table[record + word::A_LOG] as usize + channel * STATE);
            for index in 0..chunks {
                let chunk = chunks - 1 - index;
                let first = sequence * length + chunk * CHUNK;
                let rows = (length - chunk * CHUNK).min(CHUNK);
                let kept = ((sequence * chunks + chunk) * channels + channel) * STATE;
                store(memory, &carried, table[record + backward::CARRIED] as usize + kept);
                let begin = table[record + word::STATES] as usize + kept;
                remake(memory, table, &rates, &mut states, record, begin, first, rows, channel);
                for back in 0..rows {
                    let r = rows - 1 - back;
                    let before = r * STATE;
                    let row = first + r;
                    into_skip += back_row(memory, table, &rates, &states, &mut carried, &mut into_rates, record, row, channel, before);
                }
            }
            #[unroll]
            for n in 0..STATE {
                into_rates[n] *= rates[n];
            }
            store(memory, &into_rates, table[record + backward::INTO_A_LOG] as usize + at * STATE);
            memory[table[record + backward::INTO_SKIP] as usize + at] = into_skip;
        }
    }
}

/// Adds the part of one channel to dB and dC of a chunk's rows, for one element of the state.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn add_channel(
    memory: &mut [f32],
    table: &[u32],
    b: &Array<f32>,
    c: &Array<f32>,
    into_b: &mut Array<f32>,
    into_c: &mut Array<f32>,
    record: usize,
    rate: f32,
    kept: usize,
    first: usize,
    rows: usize,
) {
    let channels = table[record + word::CHANNELS] as usize;
    let mut decays = Array::<f32>::new(CHUNK);
    let mut feds = Array::<f32>::new(CHUNK);
    let mut inner = Array::<f32>::new(CHUNK);
    let mut state = memory[table[record + word::STATES] as usize + kept];
    let mut carried = memory[table[record + backward::CARRIED] as usize + kept];
    #[unroll]
    for r in 0..CHUNK {
        // Rows past the end change nothing: their Δ and dy are 0.
        let place = first + r.min(rows - 1) * channels;
        let step = select(r < rows, memory[table[record + backward::STEPS] as usize + place], 0.0f32);
        inner[r] = select(r < rows, memory[table[record + backward::INNER] as usize + place], 0.0f32);
        feds[r] = step * memory[table[record + word::U] as usize + place];
        decays[r] = (step * rate).exp();
        state = decays[r] * state + feds[r] * b[r];
        into_c[r] += inner[r] * state;
    }
    #[unroll]
    for back in 0..CHUNK {
        let r = comptime!(CHUNK - 1) - back;
        let lambda = c[r] * inner[r] + carried;
        into_b[r] += lambda * feds[r];
        carried = decays[r] * lambda;
    }
}

/// The second launch.
#[cube(launch_unchecked)]
pub fn scan_projected(memory: &mut [f32], table: &[u32], record: u32, count: u32) {
    if CUBE_POS < count as usize {
        let record = record as usize;
        let channels = table[record + word::CHANNELS] as usize;
        let length = table[record + word::LENGTH] as usize;
        let at = CUBE_POS * THREADS + UNIT_POS as usize;
        let n = at % STATE;
        let pair = at / STATE;
        let chunks = length.div_ceil(CHUNK);
        if pair < table[record + word::SEQUENCES] as usize * chunks {
            let start = pair % chunks * CHUNK;
            let first = pair / chunks * length + start;
            let rows = (length - start).min(CHUNK);
            let mut b = Array::<f32>::new(CHUNK);
            let mut c = Array::<f32>::new(CHUNK);
            let mut into_b = Array::<f32>::new(CHUNK);
            let mut into_c = Array::<f32>::new(CHUNK);
            #[unroll]
            for r in 0..CHUNK {
                let projected = projected_of(table, record, first + r.min(rows - 1)) + n;
                b[r] = memory[projected];
                c[r] = memory[projected + STATE];
            }
            for channel in 0..channels {
                let rate = -(memory[table[record + word::A_LOG] as usize + channel * STATE + n].exp());
                let kept = (pair * channels + channel) * STATE + n;
                let place = first * channels + channel;
                add_channel(memory, table, &b, &c, &mut into_b, &mut into_c, record, rate, kept, place, rows);
            }
            let into = table[record + backward::INTO_PROJECTED] as usize + n;
            let stride = table[record + backward::INTO_PROJECTED_STRIDE] as usize;
            #[unroll]
            for r in 0..CHUNK {
                if r < rows {
                    memory[into + (first + r) * stride] = into_b[r];
                    memory[into + (first + r) * stride + STATE] = into_c[r];
                }
            }
        }
    }
}
