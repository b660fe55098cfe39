//! The short causal convolution of each channel, with its SiLU.

use super::disjoint::ranges;
use super::math::{sigmoid, silu_slope};
use crate::engine::program::{TAPS, Window};

/// Addresses and strides of the arrays.
pub struct ConvolutionArrays {
    pub channels: usize,
    /// The address of x, and the stride of its rows.
    pub x: (usize, usize),
    pub weight: usize,
    pub bias: usize,
}

/// The transposed weight, `[TAPS, channels]`: one tap of all channels is contiguous.
fn taps(into: &mut Vec<f32>, memory: &[f32], arrays: &ConvolutionArrays) {
    into.clear();
    for tap in 0..TAPS {
        into.extend((0..arrays.channels).map(|channel| memory[arrays.weight + channel * TAPS + tap]));
    }
}

/// z of one row into `out`: the bias plus each tap of the rows inside the sequence.
fn inner(memory: &[f32], taps: &[f32], arrays: &ConvolutionArrays, row: usize, position: usize, out: &mut [f32]) {
    let channels = arrays.channels;
    out.copy_from_slice(&memory[arrays.bias..arrays.bias + channels]);
    for tap in TAPS - 1 - position.min(TAPS - 1)..TAPS {
        let x = arrays.x.0 + (row + tap + 1 - TAPS) * arrays.x.1;
        let weights = &taps[tap * channels..(tap + 1) * channels];
        out.iter_mut().zip(weights).zip(&memory[x..x + channels]).for_each(|((z, w), x)| *z += w * x);
    }
}

/// silu(z) of a window's rows.
#[inline(never)]
pub fn forward(space: &mut [Vec<f32>; 2], memory: &mut [f32], window: &Window, arrays: &ConvolutionArrays, out: usize) {
    let [weights, line] = space;
    taps(weights, memory, arrays);
    line.resize(arrays.channels, 0.0);
    for sequence in 0..window.sequences {
        for position in window.from..window.from + window.count {
            let row = sequence * window.length + position;
            inner(memory, weights, arrays, row, position, line);
            let out = out + row * arrays.channels;
            memory[out..out + arrays.channels].iter_mut().zip(line.iter()).for_each(|(out, &z)| *out = z * sigmoid(z));
        }
    }
}

/// The gradients of z and of x.
#[inline(never)]
pub fn backward(
    space: &mut [Vec<f32>; 2],
    memory: &mut [f32],
    (sequences, length): (usize, usize),
    arrays: &ConvolutionArrays,
    gradient: usize,
    into_inner: usize,
    into: (usize, usize),
) {
    let channels = arrays.channels;
    let [weights, line] = space;
    taps(weights, memory, arrays);
    line.resize(channels, 0.0);
    for row in 0..sequences * length {
        inner(memory, weights, arrays, row, row % length, line);
        let (gradient, dz) = (gradient + row * channels, into_inner + row * channels);
        let [gradient, dz] = ranges(memory, [gradient..gradient + channels, dz..dz + channels]);
        dz.iter_mut().zip(gradient.iter()).zip(line.iter()).for_each(|((dz, g), &z)| *dz = g * silu_slope(z));
    }
    for row in 0..sequences * length {
        let out = into.0 + row * into.1;
        for later in 0..TAPS.min(length - row % length) {
            let dz = into_inner + (row + later) * channels;
            let weights = &weights[(TAPS - 1 - later) * channels..(TAPS - later) * channels];
            let [dz, out] = ranges(memory, [dz..dz + channels, out..out + channels]);
            let terms = out.iter_mut().zip(dz.iter()).zip(weights);
            if later == 0 {
                terms.for_each(|((out, dz), w)| *out = w * dz);
            } else {
                terms.for_each(|((out, dz), w)| *out += w * dz);
            }
        }
    }
}
