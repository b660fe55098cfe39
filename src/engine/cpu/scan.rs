//! The selective scan: runs along the sequence channel by channel, with all of a channel's state elements at once in SIMD.

use super::disjoint::ranges;
use super::math::{exp, not_tiny, sigmoid, silu_slope, softplus, sum};
use crate::engine::program::{CHUNK, Keep, Rows, STATE, Window};

/// The state of one channel, contiguous for SIMD.
pub type ScanState = [f32; STATE];

/// Channels of a block of the backward pass: their states over a chunk stay in the first-level cache.
const BLOCK: usize = 16;

/// Scratch, kept between calls.
#[derive(Default)]
pub struct ScanScratch {
    /// A of each channel, `[C, STATE]`.
    decay: Vec<ScanState>,
    /// S of each channel of the current sequence.
    state: Vec<ScanState>,
    /// softplus(delta) of each channel in the current row.
    steps: Vec<f32>,
    block: Box<Block>,
}

/// Scratch of the backward pass over one chunk of BLOCK channels.
struct Block {
    /// The states before and after each row.
    states: [[ScanState; BLOCK]; CHUNK + 1],
    /// exp(Δ A) of each row.
    decays: [[ScanState; BLOCK]; CHUNK],
    /// λ exp(ΔA), the gradient of the state before the row.
    carried: [ScanState; BLOCK],
    a_log: [ScanState; BLOCK],
    skip: ScanBlock,
    /// Δ of each row.
    steps: [ScanBlock; CHUNK],
}

/// One number per channel of a block: loops over it become SIMD, like loops over a channel's state.
type ScanBlock = [f32; BLOCK];

impl Default for Block {
    fn default() -> Self {
        let zero = [0.0; STATE];
        let row = [zero; BLOCK];
        Self { states: [row; CHUNK + 1], decays: [row; CHUNK], carried: row, a_log: row, skip: [0.0; BLOCK], steps: [[0.0; BLOCK]; CHUNK] }
    }
}

/// Addresses and strides of a scan's arrays.
#[derive(Clone, Copy)]
pub struct ScanArrays {
    pub channels: usize,
    pub delta: usize,
    pub u: usize,
    pub projected: (usize, usize),
    pub gate: (usize, usize),
    pub a_log: usize,
    pub skip: usize,
    pub states: usize,
}

impl ScanArrays {
    /// The addresses of a program's scan; `address` returns the address of an array.
    pub fn new(scan: &crate::engine::program::Scan, address: impl Fn(crate::engine::program::At) -> usize) -> Self {
        let rows = |rows: Rows| (address(rows.at), rows.stride);
        Self {
            channels: scan.channels,
            delta: address(scan.delta),
            u: address(scan.u),
            projected: rows(scan.projected),
            gate: rows(scan.gate),
            a_log: address(scan.a_log),
            skip: address(scan.skip),
            states: address(scan.states),
        }
    }

    /// B and C of a row.
    pub fn row(&self, memory: &[f32], row: usize) -> (ScanState, ScanState) {
        let start = self.projected.0 + row * self.projected.1;
        (state(memory, start), state(memory, start + STATE))
    }
}

fn state(memory: &[f32], at: usize) -> ScanState {
    let mut state = [0.0; STATE];
    state.copy_from_slice(&memory[at..at + STATE]);
    state
}

/// The elements of `count` channels from an address on, and zeros for the rest of a block. Whole blocks are copied without a call.
#[inline(always)]
fn line(memory: &[f32], at: usize, count: usize) -> ScanBlock {
    match memory[at..].first_chunk::<BLOCK>() {
        Some(line) if count == BLOCK => *line,
        Some(_) | None => std::array::from_fn(|channel| if channel < count { memory[at + channel] } else { 0.0 }),
    }
}

/// Writes the first `count` elements of a line.
#[inline(always)]
fn put(memory: &mut [f32], at: usize, line: &ScanBlock, count: usize) {
    match memory[at..].first_chunk_mut::<BLOCK>() {
        Some(place) if count == BLOCK => *place = *line,
        Some(_) | None => line.iter().take(count).enumerate().for_each(|(channel, &number)| memory[at + channel] = number),
    }
}

/// A = −exp(a_log) of every channel.
pub fn decays(into: &mut Vec<ScanState>, memory: &[f32], arrays: &ScanArrays) {
    into.clear();
    into.extend((0..arrays.channels).map(|channel| state(memory, arrays.a_log + channel * STATE).map(|log| -exp(log))));
}

/// `S ← exp(Δ A) ⊙ S + Δ B u`; also returns exp(Δ A).
#[inline(always)]
fn advance(before: &ScanState, a: &ScanState, step: f32, u: f32, b: &ScanState) -> (ScanState, ScanState) {
    let decay: ScanState = std::array::from_fn(|n| exp(step * a[n]));
    let fed = step * u;
    (std::array::from_fn(|n| decay[n] * before[n] + fed * b[n]), decay)
}

/// Writes the outputs of a window's rows, and the kept states.
#[inline(never)]
pub fn forward(scratch: &mut ScanScratch, memory: &mut [f32], window: &Window, arrays: &ScanArrays, keep: Keep, out: usize) {
    let Window { sequences, length, from, count } = *window;
    let channels = arrays.channels;
    decays(&mut scratch.decay, memory, arrays);
    scratch.steps.resize(channels, 0.0);
    for sequence in 0..sequences {
        scratch.state.clear();
        let kept = arrays.states + sequence * channels * STATE;
        scratch.state.extend((0..channels).map(|channel| if from > 0 { state(memory, kept + channel * STATE) } else { [0.0; STATE] }));
        for position in from..from + count {
            let row = sequence * length + position;
            if keep == Keep::Chunks && position % CHUNK == 0 {
                let chunk = sequence * length.div_ceil(CHUNK) + position / CHUNK;
                let at = arrays.states + chunk * channels * STATE;
                memory[at..at + channels * STATE].copy_from_slice(scratch.state.as_flattened());
            }
            forward_row(scratch, memory, arrays, row, out + row * channels);
            if keep == Keep::After(position) {
                memory[kept..kept + channels * STATE].copy_from_slice(scratch.state.as_flattened());
            }
        }
    }
}

fn forward_row(scratch: &mut ScanScratch, memory: &mut [f32], arrays: &ScanArrays, row: usize, out: usize) {
    let channels = arrays.channels;
    let (b, c) = arrays.row(memory, row);
    let (delta, u, gate) = (arrays.delta + row * channels, arrays.u + row * channels, arrays.gate.0 + row * arrays.gate.1);
    let spans = [delta..delta + channels, u..u + channels, arrays.skip..arrays.skip + channels, out..out + channels];
    let [delta, u, skip, y] = ranges(memory, spans);
    scratch.steps.iter_mut().zip(delta.iter()).for_each(|(step, &delta)| *step = softplus(delta));
    for channel in 0..channels {
        let (next, _) = advance(&scratch.state[channel], &scratch.decay[channel], scratch.steps[channel], u[channel], &b);
        scratch.state[channel] = next;
        y[channel] = sum(STATE, |n| c[n] * next[n]) + skip[channel] * u[channel];
    }
    let [gate, y] = ranges(memory, [gate..gate + channels, out..out + channels]);
    y.iter_mut().zip(gate.iter()).for_each(|(y, &g)| *y *= g * sigmoid(g));
}

/// Addresses for the gradients.
pub struct Into {
    pub delta: usize,
    pub u: usize,
    pub projected: (usize, usize),
    pub gate: (usize, usize),
    pub a_log: usize,
    pub skip: usize,
}

/// The gradients of everything that the scan reads, from the gradient of its output.
#[inline(never)]
pub fn backward(
    scratch: &mut ScanScratch,
    memory: &mut [f32],
    (sequences, length): (usize, usize),
    arrays: &ScanArrays,
    gradient: usize,
    into: &Into,
) {
    let channels = arrays.channels;
    decays(&mut scratch.decay, memory, arrays);
    for sequence in 0..sequences {
        for row in sequence * length..(sequence + 1) * length {
            let start = into.projected.0 + row * into.projected.1;
            memory[start..start + 2 * STATE].fill(0.0);
        }
        for first in (0..channels).step_by(BLOCK) {
            let count = BLOCK.min(channels - first);
            scratch.block.carried.fill([0.0; STATE]);
            scratch.block.a_log.fill([0.0; STATE]);
            scratch.block.skip.fill(0.0);
            for chunk in (0..length.div_ceil(CHUNK)).rev() {
                let at = arrays.states + ((sequence * length.div_ceil(CHUNK) + chunk) * channels + first) * STATE;
                for channel in 0..count {
                    scratch.block.states[0][channel] = state(memory, at + channel * STATE);
                }
                let rows = sequence * length + chunk * CHUNK..sequence * length + length.min((chunk + 1) * CHUNK);
                again(scratch, memory, arrays, rows.clone(), first, count);
                for (index, row) in rows.enumerate().rev() {
                    back_row(scratch, memory, arrays, (index, row), first, count, gradient, into);
                }
            }
            for channel in 0..count {
                let place = sequence * channels + first + channel;
                let a = &scratch.decay[first + channel];
                let found = &scratch.block.a_log[channel];
                let line = &mut memory[into.a_log + place * STATE..into.a_log + (place + 1) * STATE];
                line.iter_mut().enumerate().for_each(|(n, out)| *out = a[n] * found[n]);
                memory[into.skip + place] = scratch.block.skip[channel];
            }
        }
    }
}

/// Recomputes the states of a chunk for some channels.
fn again(scratch: &mut ScanScratch, memory: &[f32], arrays: &ScanArrays, rows: std::ops::Range<usize>, first: usize, count: usize) {
    let ScanScratch { decay, block, .. } = scratch;
    for (index, row) in rows.enumerate() {
        let (b, _) = arrays.row(memory, row);
        let place = row * arrays.channels + first;
        let delta = line(memory, arrays.delta + place, count);
        let steps: ScanBlock = std::array::from_fn(|channel| softplus(delta[channel]));
        block.steps[index] = steps;
        let u = line(memory, arrays.u + place, count);
        for channel in 0..count {
            let (next, shrunk) = advance(&block.states[index][channel], &decay[first + channel], steps[channel], u[channel], &b);
            block.states[index + 1][channel] = next;
            block.decays[index][channel] = shrunk;
        }
    }
}

/// The backward step of one row, at `index` in its chunk, for some channels.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
fn back_row(
    scratch: &mut ScanScratch,
    memory: &mut [f32],
    arrays: &ScanArrays,
    (index, row): (usize, usize),
    first: usize,
    count: usize,
    gradient: usize,
    into: &Into,
) {
    let ScanScratch { decay, block, .. } = scratch;
    let (b, c) = arrays.row(memory, row);
    let start = into.projected.0 + row * into.projected.1;
    let (mut into_b, mut into_c) = (state(memory, start), state(memory, start + STATE));
    let place = row * arrays.channels + first;
    let u = line(memory, arrays.u + place, count);
    let dout = line(memory, gradient + place, count);
    let skip = line(memory, arrays.skip + first, count);
    let gate = line(memory, arrays.gate.0 + row * arrays.gate.1 + first, count);
    let delta = line(memory, arrays.delta + place, count);
    let open: ScanBlock = std::array::from_fn(|channel| sigmoid(gate[channel]));
    let delta_slope: ScanBlock = std::array::from_fn(|channel| sigmoid(delta[channel]));
    let gate_slope: ScanBlock = std::array::from_fn(|channel| silu_slope(gate[channel]));
    let [mut into_u, mut into_delta, mut into_gate] = [[0.0; BLOCK]; 3];
    for channel in 0..count {
        let (before, after) = (&block.states[index][channel], &block.states[index + 1][channel]);
        let (a, shrunk, carried) = (&decay[first + channel], &block.decays[index][channel], &mut block.carried[channel]);
        let (step, u) = (block.steps[index][channel], u[channel]);
        let y = sum(STATE, |n| c[n] * after[n]) + skip[channel] * u;
        let dy = dout[channel] * gate[channel] * open[channel];
        let fed = step * u;
        let lambda: ScanState = std::array::from_fn(|n| carried[n] + c[n] * dy);
        *carried = std::array::from_fn(|n| not_tiny(shrunk[n] * lambda[n]));
        let along: ScanState = std::array::from_fn(|n| carried[n] * before[n]);
        into_b = std::array::from_fn(|n| into_b[n] + lambda[n] * fed);
        into_c = std::array::from_fn(|n| into_c[n] + dy * after[n]);
        let a_log = &mut block.a_log[channel];
        *a_log = std::array::from_fn(|n| a_log[n] + step * along[n]);
        let fed_slope = sum(STATE, |n| lambda[n] * b[n]);
        let step_slope = sum(STATE, |n| a[n] * along[n]) + u * fed_slope;
        block.skip[channel] += dy * u;
        into_u[channel] = skip[channel] * dy + step * fed_slope;
        into_delta[channel] = step_slope * delta_slope[channel];
        into_gate[channel] = dout[channel] * y * gate_slope[channel];
    }
    put(memory, into.u + place, &into_u, count);
    put(memory, into.delta + place, &into_delta, count);
    put(memory, into.gate.0 + row * into.gate.1 + first, &into_gate, count);
    memory[start..start + STATE].copy_from_slice(&into_b);
    memory[start + STATE..start + 2 * STATE].copy_from_slice(&into_c);
}
