//! Layer norm and RMS norm.

use super::disjoint::ranges;
use super::math::sum;
use crate::engine::program::{At, Normed};

/// The sizes of a norm.
#[derive(Clone, Copy)]
pub struct NormShape {
    pub rows: usize,
    pub width: usize,
    pub centred: bool,
    /// Row r of every array is its row r · pitch.
    pub pitch: usize,
}

/// Writes x̂ γ + β of each output, and the statistics.
#[inline(never)]
pub fn forward(memory: &mut [f32], address: impl Fn(At) -> usize, x: At, outs: &[Normed], statistics: At, shape: NormShape, epsilon: f32) {
    let NormShape { rows, width, centred, pitch } = shape;
    let (x, statistics) = (address(x), address(statistics));
    for row in (0..rows).map(|row| row * pitch) {
        let values = &memory[x + row * width..][..width];
        let mean = if centred { sum(width, |i| values[i]) / width as f32 } else { 0.0 };
        let variance = sum(width, |i| (values[i] - mean) * (values[i] - mean)) / width as f32;
        memory[statistics + 2 * row] = mean;
        memory[statistics + 2 * row + 1] = 1.0 / (variance + epsilon).sqrt();
    }
    for out in outs {
        let (gamma, y) = (address(out.gamma), address(out.y));
        let beta = out.beta.map(&address);
        // A norm without shift passes γ as the shift: the branch below then ignores it.
        let shift = beta.unwrap_or(gamma);
        let size = ((rows - 1) * pitch + 1) * width;
        if shift == gamma {
            let [x, s, g, y] = ranges(memory, [x..x + size, statistics..statistics + size / width * 2, gamma..gamma + width, y..y + size]);
            for ((x, y), s) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(s.chunks_exact(2)).step_by(pitch) {
                y.iter_mut().zip(x.iter()).zip(g.iter()).for_each(|((y, x), g)| *y = (x - s[0]) * s[1] * g);
            }
        } else {
            let [x, s, g, b, y] = ranges(
                memory,
                [x..x + size, statistics..statistics + size / width * 2, gamma..gamma + width, shift..shift + width, y..y + size],
            );
            for ((x, y), s) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(s.chunks_exact(2)).step_by(pitch) {
                y.iter_mut().zip(x.iter()).zip(g.iter()).zip(b.iter()).for_each(|(((y, x), g), b)| *y = (x - s[0]) * s[1] * g + b);
            }
        }
    }
}

/// `out = carried + rstd (g − mean g − x̂ mean(g x̂))` for each row, with g = Σ γ dy over the outputs. Without centring, mean g is 0.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
#[inline(never)]
pub fn backward(
    memory: &mut [f32],
    address: impl Fn(At) -> usize,
    x: At,
    statistics: At,
    outs: &[Normed],
    carried: Option<At>,
    out: At,
    shape: NormShape,
) {
    let NormShape { rows, width, centred, .. } = shape;
    let (x, statistics, out) = (address(x), address(statistics), address(out));
    for row in 0..rows {
        let (mean, rstd) = (memory[statistics + 2 * row], memory[statistics + 2 * row + 1]);
        let line = out + row * width..out + (row + 1) * width;
        for (index, normed) in outs.iter().enumerate() {
            let (gamma, dy) = (address(normed.gamma), address(normed.y) + row * width);
            let [gamma, dy, g] = ranges(memory, [gamma..gamma + width, dy..dy + width, line.clone()]);
            let terms = gamma.iter().zip(dy.iter()).zip(g.iter_mut());
            if index == 0 {
                terms.for_each(|((gamma, dy), g)| *g = gamma * dy);
            } else {
                terms.for_each(|((gamma, dy), g)| *g += gamma * dy);
            }
        }
        let start = x + row * width;
        let [x, g] = ranges(memory, [start..start + width, line.clone()]);
        let average = if centred { sum(width, |i| g[i]) / width as f32 } else { 0.0 };
        let along = sum(width, |i| g[i] * ((x[i] - mean) * rstd)) / width as f32;
        g.iter_mut().zip(x.iter()).for_each(|(g, x)| *g = rstd * (*g - average - (x - mean) * rstd * along));
        if let Some(carried) = carried.map(&address) {
            let [carried, g] = ranges(memory, [carried + row * width..carried + (row + 1) * width, line]);
            g.iter_mut().zip(carried.iter()).for_each(|(g, carried)| *g += carried);
        }
    }
}
