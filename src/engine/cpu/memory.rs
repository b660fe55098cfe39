//! ARMT's associative memory: features, reading, writing, and their gradients.

use super::math::{sigmoid, sum};
use super::micro::Kernel;
use super::products::{LeftShape, Panels, multiply, pack};
use super::ranges;
use crate::engine::program::{FEATURES, MemoryShape, Window};

/// Added to a divisor.
const EPSILON: f32 = 1e-5;
/// A feature vector shorter than this is not stretched to length 1.
const SHORTEST: f32 = 1e-12;

/// Packing space, kept between calls.
#[derive(Default)]
pub struct Space {
    panels: Vec<f32>,
    spare: Vec<f32>,
    /// `[rows, width]` and `[rows]`.
    slopes: Vec<f32>,
    divisors: Vec<f32>,
    /// x' of one row, and its gradient.
    signs: Vec<f32>,
    sign_slopes: Vec<f32>,
}

/// Addresses of a memory's A and z.
#[derive(Clone, Copy)]
pub struct Held {
    pub a: usize,
    pub z: usize,
}

/// x' = [relu x; relu −x] of a row.
fn both_signs(into: &mut Vec<f32>, x: &[f32]) {
    into.clear();
    into.extend(x.iter().map(|&x| if x > 0.0 { x } else { 0.0 }));
    into.extend(x.iter().map(|&x| if x < 0.0 { -x } else { 0.0 }));
}

/// Features of rows `pitch` apart.
#[inline(never)]
pub fn features(space: &mut Space, memory: &mut [f32], x: usize, out: usize, norms: usize, (rows, width, pitch): (usize, usize, usize)) {
    let (signs, wide) = (2 * width, FEATURES * width);
    for row in (0..rows).map(|row| row * pitch) {
        both_signs(&mut space.signs, &memory[x + row * width..x + (row + 1) * width]);
        let line = &mut memory[out + row * wide..out + (row + 1) * wide];
        for (shift, part) in line.chunks_exact_mut(signs).enumerate() {
            for (index, number) in part.iter_mut().enumerate() {
                *number = space.signs[index] * space.signs[(index + signs - shift - 1) % signs];
            }
        }
        let length = sum(wide, |i| line[i] * line[i]).sqrt();
        let norm = if length > SHORTEST { length } else { SHORTEST };
        line.iter_mut().for_each(|number| *number /= norm);
        memory[norms + row] = norm;
    }
}

/// Addresses of what the features' gradient is made from.
pub struct FeatureArrays {
    pub x: usize,
    pub out: usize,
    pub norms: usize,
    pub gradient: usize,
    pub into: usize,
}

/// The gradient of the features' input.
#[inline(never)]
pub fn features_backward(space: &mut Space, memory: &mut [f32], at: &FeatureArrays, rows: usize, width: usize) {
    let (signs, wide) = (2 * width, FEATURES * width);
    for row in 0..rows {
        let x = at.x + row * width..at.x + (row + 1) * width;
        both_signs(&mut space.signs, &memory[x.clone()]);
        let norm = memory[at.norms + row];
        let (phi, g) = (&memory[at.out + row * wide..][..wide], &memory[at.gradient + row * wide..][..wide]);
        let along = if norm > SHORTEST { sum(wide, |i| phi[i] * g[i]) } else { 0.0 };
        space.sign_slopes.clear();
        space.sign_slopes.resize(signs, 0.0);
        for (shift, (phi, g)) in phi.chunks_exact(signs).zip(g.chunks_exact(signs)).enumerate() {
            for index in 0..signs {
                let rolled = (index + signs - shift - 1) % signs;
                let slope = (g[index] - phi[index] * along) / norm;
                space.sign_slopes[index] += slope * space.signs[rolled];
                space.sign_slopes[rolled] += slope * space.signs[index];
            }
        }
        let into = at.into + row * width..at.into + (row + 1) * width;
        let [x, into] = ranges(memory, [x, into]);
        for (index, (into, &x)) in into.iter_mut().zip(x.iter()).enumerate() {
            let positive = if x > 0.0 { space.sign_slopes[index] } else { 0.0 };
            let negative = if x < 0.0 { space.sign_slopes[width + index] } else { 0.0 };
            *into = positive - negative;
        }
    }
}

/// Addresses of what is read with and where it goes.
pub struct RecallArrays {
    pub x: usize,
    pub queries: usize,
    pub held: Held,
    pub out: usize,
    pub divisors: usize,
}

/// `x + (q A) / (q · z + ε)` for a window's rows.
#[inline(never)]
pub fn recall(kernel: Kernel, space: &mut Space, memory: &mut [f32], window: &Window, shape: &MemoryShape, at: &RecallArrays) {
    let MemoryShape { features, width, .. } = *shape;
    for sequence in 0..window.sequences {
        let (a, z) = (at.held.a + sequence * features * width, at.held.z + sequence * features);
        pack(&mut space.panels, &memory[a..a + features * width], width, false, features, width);
        let first = sequence * window.length + window.from;
        let (q, out) = (at.queries + first * features, at.out + first * width);
        let panels = Panels { values: &space.panels, depth: features };
        let size = (window.count, width, features);
        let [queries, read] = ranges(memory, [q..q + window.count * features, out..out + window.count * width]);
        multiply(kernel, &mut space.spare, size, queries, LeftShape::strided(features, 1), &panels, read, width, false);
        for row in 0..window.count {
            let (query, z) = (&memory[q + row * features..][..features], &memory[z..z + features]);
            let divisor = sum(features, |i| query[i] * z[i]) + EPSILON;
            memory[at.divisors + first + row] = divisor;
            let (x, out) = (at.x + (first + row) * width, out + row * width);
            let [x, out] = ranges(memory, [x..x + width, out..out + width]);
            out.iter_mut().zip(x.iter()).for_each(|(out, x)| *out = x + *out / divisor);
        }
    }
}

/// Where the gradients of a reading go.
pub struct RecallInto {
    pub queries: usize,
    pub carried: Option<Held>,
    pub held: Held,
}

/// The gradients of the queries and of the memory.
#[inline(never)]
pub fn recall_backward(
    kernel: Kernel,
    space: &mut Space,
    memory: &mut [f32],
    shape: &MemoryShape,
    at: &RecallArrays,
    gradient: usize,
    into: &RecallInto,
) {
    let MemoryShape { sequences, rows, features, width } = *shape;
    for sequence in 0..sequences {
        let own = Held { a: into.held.a + sequence * features * width, z: into.held.z + sequence * features };
        start(
            memory,
            own,
            into.carried.map(|carried| Held { a: carried.a + sequence * features * width, z: carried.z + sequence * features }),
            shape,
        );
        space.slopes.clear();
        space.divisors.clear();
        for row in sequence * rows..(sequence + 1) * rows {
            let line = row * width..(row + 1) * width;
            let [g, x, out] = [gradient, at.x, at.out].map(|at| &memory[at + line.start..at + line.end]);
            let divisor = memory[at.divisors + row];
            space.slopes.extend(g.iter().map(|g| g / divisor));
            space.divisors.push(-sum(width, |i| g[i] * (out[i] - x[i])) / divisor);
        }
        let old = Held { a: at.held.a + sequence * features * width, z: at.held.z + sequence * features };
        let keys = at.queries + sequence * rows * features;
        through(kernel, space, memory, shape, keys, old, into.queries + sequence * rows * features, false);
        add_outer(kernel, space, memory, shape, keys, own);
    }
}

/// A memory's gradient so far: what is carried, or zeros.
fn start(memory: &mut [f32], into: Held, carried: Option<Held>, shape: &MemoryShape) {
    let (size, features) = (shape.features * shape.width, shape.features);
    match carried {
        Some(carried) => {
            memory.copy_within(carried.a..carried.a + size, into.a);
            memory.copy_within(carried.z..carried.z + features, into.z);
        }
        None => {
            memory[into.a..into.a + size].fill(0.0);
            memory[into.z..into.z + features].fill(0.0);
        }
    }
}

/// What rows of one sequence that read `held` leave to their keys: `slopes Aᵀ + divisors z`, at `into`, added if `accumulate`.
#[allow(clippy::too_many_arguments)]
fn through(
    kernel: Kernel,
    space: &mut Space,
    memory: &mut [f32],
    shape: &MemoryShape,
    keys: usize,
    held: Held,
    into: usize,
    accumulate: bool,
) {
    debug_assert_ne!(keys, into);
    let MemoryShape { rows, features, width, .. } = *shape;
    pack(&mut space.panels, &memory[held.a..held.a + features * width], width, true, width, features);
    let panels = Panels { values: &space.panels, depth: width };
    let size = (rows, features, width);
    let out = &mut memory[into..into + rows * features];
    multiply(kernel, &mut space.spare, size, &space.slopes, LeftShape::strided(width, 1), &panels, out, features, accumulate);
    let [z, out] = ranges(memory, [held.z..held.z + features, into..into + rows * features]);
    for (out, divisor) in out.chunks_exact_mut(features).zip(&space.divisors) {
        out.iter_mut().zip(z.iter()).for_each(|(out, z)| *out += divisor * z);
    }
}

/// Adds what those rows leave to the memory: `keysᵀ slopes`, and `Σ divisor key`.
fn add_outer(kernel: Kernel, space: &mut Space, memory: &mut [f32], shape: &MemoryShape, keys: usize, into: Held) {
    let MemoryShape { rows, features, width, .. } = *shape;
    pack(&mut space.panels, &space.slopes, width, false, rows, width);
    let panels = Panels { values: &space.panels, depth: rows };
    let [from, a] = ranges(memory, [keys..keys + rows * features, into.a..into.a + features * width]);
    multiply(kernel, &mut space.spare, (features, width, rows), from, LeftShape::strided(1, features), &panels, a, width, true);
    let [from, z] = ranges(memory, [keys..keys + rows * features, into.z..into.z + features]);
    for (key, divisor) in from.chunks_exact(features).zip(&space.divisors) {
        z.iter_mut().zip(key).for_each(|(z, key)| *z += divisor * key);
    }
}

/// Addresses of what is written.
pub struct MemorizeArrays {
    pub keys: usize,
    pub values: usize,
    pub strengths: usize,
    pub old: Option<Held>,
    pub novel: usize,
    pub divisors: usize,
}

/// The memory after its rows have written.
#[inline(never)]
pub fn memorize(kernel: Kernel, space: &mut Space, memory: &mut [f32], shape: &MemoryShape, at: &MemorizeArrays, out: Held) {
    let MemoryShape { sequences, rows, features, width } = *shape;
    for sequence in 0..sequences {
        let offset = |held: Held| Held { a: held.a + sequence * features * width, z: held.z + sequence * features };
        let (own, old) = (offset(out), at.old.map(offset));
        start(memory, own, old, shape);
        let (keys, first) = (at.keys + sequence * rows * features, sequence * rows);
        let novel = at.novel + first * width;
        if let Some(old) = old {
            pack(&mut space.panels, &memory[old.a..old.a + features * width], width, false, features, width);
            let panels = Panels { values: &space.panels, depth: features };
            let [keys, read] = ranges(memory, [keys..keys + rows * features, novel..novel + rows * width]);
            multiply(kernel, &mut space.spare, (rows, width, features), keys, LeftShape::strided(features, 1), &panels, read, width, false);
        }
        space.slopes.clear();
        space.divisors.clear();
        for row in 0..rows {
            let key = &memory[keys + row * features..][..features];
            let (divisor, share) = match old {
                Some(old) => {
                    let z = &memory[old.z..old.z + features];
                    let divisor = sum(features, |i| key[i] * z[i]) + EPSILON;
                    (divisor, (1.0 - divisor / sum(features, |i| key[i] * key[i])).clamp(0.0, 1.0))
                }
                None => (1.0, 1.0),
            };
            let (values, novel) = (at.values + (first + row) * width, novel + row * width);
            let [values, novel] = ranges(memory, [values..values + width, novel..novel + width]);
            if old.is_some() {
                novel.iter_mut().zip(values.iter()).for_each(|(novel, value)| *novel = value - *novel / divisor);
            } else {
                novel.copy_from_slice(values);
            }
            let strength = sigmoid(memory[at.strengths + first + row]);
            space.slopes.extend(memory[at.novel + (first + row) * width..][..width].iter().map(|novel| strength * novel));
            space.divisors.push(share);
            memory[at.divisors + 2 * (first + row)] = divisor;
            memory[at.divisors + 2 * (first + row) + 1] = share;
        }
        add_outer(kernel, space, memory, shape, keys, own);
    }
}

/// Where the gradients of a writing go.
pub struct MemorizeInto {
    pub keys: usize,
    pub values: usize,
    pub strengths: usize,
    pub old: Option<Held>,
}

/// The gradients of keys, values, strengths and the old memory.
#[inline(never)]
pub fn memorize_backward(
    kernel: Kernel,
    space: &mut Space,
    memory: &mut [f32],
    shape: &MemoryShape,
    at: &MemorizeArrays,
    gradient: Held,
    into: &MemorizeInto,
) {
    let MemoryShape { sequences, rows, features, width } = *shape;
    for sequence in 0..sequences {
        let offset = |held: Held| Held { a: held.a + sequence * features * width, z: held.z + sequence * features };
        let (gradient, first) = (offset(gradient), sequence * rows);
        let (keys, into_keys) = (at.keys + first * features, into.keys + first * features);
        // dU = K dA, in the place of the values' gradient until it is scaled.
        pack(&mut space.panels, &memory[gradient.a..gradient.a + features * width], width, false, features, width);
        let panels = Panels { values: &space.panels, depth: features };
        let values = into.values + first * width;
        let [from, slopes] = ranges(memory, [keys..keys + rows * features, values..values + rows * width]);
        multiply(kernel, &mut space.spare, (rows, width, features), from, LeftShape::strided(features, 1), &panels, slopes, width, false);
        // dk = U dAᵀ + γ dz.
        space.slopes.clear();
        space.divisors.clear();
        for row in first..first + rows {
            let strength = sigmoid(memory[at.strengths + row]);
            space.slopes.extend(memory[at.novel + row * width..][..width].iter().map(|novel| strength * novel));
            space.divisors.push(memory[at.divisors + 2 * row + 1]);
        }
        through(kernel, space, memory, shape, keys, gradient, into_keys, false);
        // dv = b dU, and what the old values leave.
        space.slopes.clear();
        space.divisors.clear();
        for row in first..first + rows {
            value_slopes(space, memory, at, into, row, width);
        }
        if let (Some(old), Some(into_old)) = (at.old.map(offset), into.old.map(offset)) {
            start(memory, into_old, Some(gradient), shape);
            through(kernel, space, memory, shape, keys, old, into_keys, true);
            add_outer(kernel, space, memory, shape, keys, into_old);
        }
    }
}

/// One row: the gradients of its value and strength, and −dv/d and (dv · v̄)/d.
fn value_slopes(space: &mut Space, memory: &mut [f32], at: &MemorizeArrays, into: &MemorizeInto, row: usize, width: usize) {
    let strength = sigmoid(memory[at.strengths + row]);
    let divisor = memory[at.divisors + 2 * row];
    let line = |at: usize| at + row * width..at + (row + 1) * width;
    let [slopes, novel, values] = ranges(memory, [line(into.values), line(at.novel), line(at.values)]);
    let along = sum(width, |i| slopes[i] * novel[i]);
    slopes.iter_mut().for_each(|slope| *slope *= strength);
    space.slopes.extend(slopes.iter().map(|slope| -slope / divisor));
    space.divisors.push(sum(width, |i| slopes[i] * (values[i] - novel[i])) / divisor);
    memory[into.strengths + row] = along * strength * (1.0 - strength);
}
