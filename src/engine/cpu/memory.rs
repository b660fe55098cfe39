//! ARMT's associative memory: features, reads, writes, and their gradients.

use super::disjoint::ranges;
use super::math::{sigmoid, sum};
use super::micro::Kernel;
use super::products::{LeftShape, Panels, multiply, pack};
use crate::engine::program::{FEATURES, MemoryShape, Window};

/// Added to a divisor to keep it away from zero.
const EPSILON: f32 = 1e-5;
/// The smallest divisor of a feature vector: shorter vectors do not reach length 1.
const SHORTEST: f32 = 1e-12;

/// Packing scratch, kept between calls.
#[derive(Default)]
pub struct MemoryScratch {
    panels: Vec<f32>,
    spare: Vec<f32>,
    /// The gradients of the values `[rows, width]`, and of the divisors `[rows]`.
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

/// The features of rows that are `pitch` rows apart.
#[inline(never)]
pub fn features(
    scratch: &mut MemoryScratch,
    memory: &mut [f32],
    x: usize,
    out: usize,
    norms: usize,
    (rows, width, pitch): (usize, usize, usize),
) {
    let (signs, wide) = (2 * width, FEATURES * width);
    for row in (0..rows).map(|row| row * pitch) {
        both_signs(&mut scratch.signs, &memory[x + row * width..x + (row + 1) * width]);
        let line = &mut memory[out + row * wide..out + (row + 1) * wide];
        for (shift, part) in line.chunks_exact_mut(signs).enumerate() {
            for (index, number) in part.iter_mut().enumerate() {
                *number = scratch.signs[index] * scratch.signs[(index + signs - shift - 1) % signs];
            }
        }
        let length = sum(wide, |i| line[i] * line[i]).sqrt();
        let norm = if length > SHORTEST { length } else { SHORTEST };
        line.iter_mut().for_each(|number| *number /= norm);
        memory[norms + row] = norm;
    }
}

/// Addresses of the inputs and the result of the features' backward pass.
pub struct FeatureArrays {
    pub x: usize,
    pub out: usize,
    pub norms: usize,
    pub gradient: usize,
    pub into: usize,
}

/// The gradient of the features' input.
#[inline(never)]
pub fn features_backward(scratch: &mut MemoryScratch, memory: &mut [f32], at: &FeatureArrays, rows: usize, width: usize) {
    let (signs, wide) = (2 * width, FEATURES * width);
    for row in 0..rows {
        let x = at.x + row * width..at.x + (row + 1) * width;
        both_signs(&mut scratch.signs, &memory[x.clone()]);
        let norm = memory[at.norms + row];
        let (phi, g) = (&memory[at.out + row * wide..][..wide], &memory[at.gradient + row * wide..][..wide]);
        let along = if norm > SHORTEST { sum(wide, |i| phi[i] * g[i]) } else { 0.0 };
        scratch.sign_slopes.clear();
        scratch.sign_slopes.resize(signs, 0.0);
        for (shift, (phi, g)) in phi.chunks_exact(signs).zip(g.chunks_exact(signs)).enumerate() {
            for index in 0..signs {
                let rolled = (index + signs - shift - 1) % signs;
                let slope = (g[index] - phi[index] * along) / norm;
                scratch.sign_slopes[index] += slope * scratch.signs[rolled];
                scratch.sign_slopes[rolled] += slope * scratch.signs[index];
            }
        }
        let into = at.into + row * width..at.into + (row + 1) * width;
        let [x, into] = ranges(memory, [x, into]);
        for (index, (into, &x)) in into.iter_mut().zip(x.iter()).enumerate() {
            let positive = if x > 0.0 { scratch.sign_slopes[index] } else { 0.0 };
            let negative = if x < 0.0 { scratch.sign_slopes[width + index] } else { 0.0 };
            *into = positive - negative;
        }
    }
}

/// Addresses of the inputs and results of a read.
pub struct RecallArrays {
    pub x: usize,
    pub queries: usize,
    pub held: Held,
    pub out: usize,
    pub divisors: usize,
}

/// `x + (q A) / (q · z + ε)` for a window's rows.
#[inline(never)]
pub fn recall(kernel: Kernel, scratch: &mut MemoryScratch, memory: &mut [f32], window: &Window, shape: &MemoryShape, at: &RecallArrays) {
    let MemoryShape { features, width, .. } = *shape;
    for sequence in 0..window.sequences {
        let (a, z) = (at.held.a + sequence * features * width, at.held.z + sequence * features);
        pack(&mut scratch.panels, &memory[a..a + features * width], width, false, features, width);
        let first = sequence * window.length + window.from;
        let (q, out) = (at.queries + first * features, at.out + first * width);
        let panels = Panels { values: &scratch.panels, depth: features };
        let size = (window.count, width, features);
        let [queries, read] = ranges(memory, [q..q + window.count * features, out..out + window.count * width]);
        multiply(kernel, &mut scratch.spare, size, queries, LeftShape::strided(features, 1), &panels, read, width, false);
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

/// Addresses for the gradients of a read.
pub struct RecallInto {
    pub queries: usize,
    pub carried: Option<Held>,
    pub held: Held,
}

/// The gradients of the queries and of the memory.
#[inline(never)]
pub fn recall_backward(
    kernel: Kernel,
    scratch: &mut MemoryScratch,
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
        scratch.slopes.clear();
        scratch.divisors.clear();
        for row in sequence * rows..(sequence + 1) * rows {
            let line = row * width..(row + 1) * width;
            let [g, x, out] = [gradient, at.x, at.out].map(|at| &memory[at + line.start..at + line.end]);
            let divisor = memory[at.divisors + row];
            scratch.slopes.extend(g.iter().map(|g| g / divisor));
            scratch.divisors.push(-sum(width, |i| g[i] * (out[i] - x[i])) / divisor);
        }
        let old = Held { a: at.held.a + sequence * features * width, z: at.held.z + sequence * features };
        let keys = at.queries + sequence * rows * features;
        through(kernel, scratch, memory, shape, keys, old, into.queries + sequence * rows * features, false);
        add_outer(kernel, scratch, memory, shape, keys, own);
    }
}

/// Starts a memory's gradient (or a new memory) with `carried`, or with zeros.
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

/// The gradient of the keys of one sequence's rows that read `held`: `slopes Aᵀ + divisors z`, written to `into`, or added if `accumulate`.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
fn through(
    kernel: Kernel,
    scratch: &mut MemoryScratch,
    memory: &mut [f32],
    shape: &MemoryShape,
    keys: usize,
    held: Held,
    into: usize,
    accumulate: bool,
) {
    debug_assert_ne!(keys, into);
    let MemoryShape { rows, features, width, .. } = *shape;
    pack(&mut scratch.panels, &memory[held.a..held.a + features * width], width, true, width, features);
    let panels = Panels { values: &scratch.panels, depth: width };
    let size = (rows, features, width);
    let out = &mut memory[into..into + rows * features];
    multiply(kernel, &mut scratch.spare, size, &scratch.slopes, LeftShape::strided(width, 1), &panels, out, features, accumulate);
    let [z, out] = ranges(memory, [held.z..held.z + features, into..into + rows * features]);
    for (out, divisor) in out.chunks_exact_mut(features).zip(&scratch.divisors) {
        out.iter_mut().zip(z.iter()).for_each(|(out, z)| *out += divisor * z);
    }
}

/// Adds the gradient of the memory from those rows: `keysᵀ slopes` to A and `Σ divisor key` to z.
fn add_outer(kernel: Kernel, scratch: &mut MemoryScratch, memory: &mut [f32], shape: &MemoryShape, keys: usize, into: Held) {
    let MemoryShape { rows, features, width, .. } = *shape;
    pack(&mut scratch.panels, &scratch.slopes, width, false, rows, width);
    let panels = Panels { values: &scratch.panels, depth: rows };
    let [from, a] = ranges(memory, [keys..keys + rows * features, into.a..into.a + features * width]);
    multiply(kernel, &mut scratch.spare, (features, width, rows), from, LeftShape::strided(1, features), &panels, a, width, true);
    let [from, z] = ranges(memory, [keys..keys + rows * features, into.z..into.z + features]);
    for (key, divisor) in from.chunks_exact(features).zip(&scratch.divisors) {
        z.iter_mut().zip(key).for_each(|(z, key)| *z += divisor * key);
    }
}

/// Addresses of the inputs of a write, and of what it keeps.
pub struct MemorizeArrays {
    pub keys: usize,
    pub values: usize,
    pub strengths: usize,
    pub old: Option<Held>,
    pub novel: usize,
    pub divisors: usize,
}

/// The memory after its rows have been written.
#[inline(never)]
pub fn memorize(kernel: Kernel, scratch: &mut MemoryScratch, memory: &mut [f32], shape: &MemoryShape, at: &MemorizeArrays, out: Held) {
    let MemoryShape { sequences, rows, features, width } = *shape;
    for sequence in 0..sequences {
        let offset = |held: Held| Held { a: held.a + sequence * features * width, z: held.z + sequence * features };
        let (own, old) = (offset(out), at.old.map(offset));
        start(memory, own, old, shape);
        let (keys, first) = (at.keys + sequence * rows * features, sequence * rows);
        let novel = at.novel + first * width;
        if let Some(old) = old {
            pack(&mut scratch.panels, &memory[old.a..old.a + features * width], width, false, features, width);
            let panels = Panels { values: &scratch.panels, depth: features };
            let [keys, read] = ranges(memory, [keys..keys + rows * features, novel..novel + rows * width]);
            multiply(
                kernel,
                &mut scratch.spare,
                (rows, width, features),
                keys,
                LeftShape::strided(features, 1),
                &panels,
                read,
                width,
                false,
            );
        }
        scratch.slopes.clear();
        scratch.divisors.clear();
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
            scratch.slopes.extend(memory[at.novel + (first + row) * width..][..width].iter().map(|novel| strength * novel));
            scratch.divisors.push(share);
            memory[at.divisors + 2 * (first + row)] = divisor;
            memory[at.divisors + 2 * (first + row) + 1] = share;
        }
        add_outer(kernel, scratch, memory, shape, keys, own);
    }
}

/// Addresses for the gradients of a write.
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
    scratch: &mut MemoryScratch,
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
        // dU = K dA, stored in the array of the values' gradient until it is scaled.
        pack(&mut scratch.panels, &memory[gradient.a..gradient.a + features * width], width, false, features, width);
        let panels = Panels { values: &scratch.panels, depth: features };
        let values = into.values + first * width;
        let [from, slopes] = ranges(memory, [keys..keys + rows * features, values..values + rows * width]);
        multiply(kernel, &mut scratch.spare, (rows, width, features), from, LeftShape::strided(features, 1), &panels, slopes, width, false);
        // dk = U dAᵀ + γ dz.
        scratch.slopes.clear();
        scratch.divisors.clear();
        for row in first..first + rows {
            let strength = sigmoid(memory[at.strengths + row]);
            scratch.slopes.extend(memory[at.novel + row * width..][..width].iter().map(|novel| strength * novel));
            scratch.divisors.push(memory[at.divisors + 2 * row + 1]);
        }
        through(kernel, scratch, memory, shape, keys, gradient, into_keys, false);
        // dv = b dU, and the gradient through the old values.
        scratch.slopes.clear();
        scratch.divisors.clear();
        for row in first..first + rows {
            value_slopes(scratch, memory, at, into, row, width);
        }
        if let (Some(old), Some(into_old)) = (at.old.map(offset), into.old.map(offset)) {
            start(memory, into_old, Some(gradient), shape);
            through(kernel, scratch, memory, shape, keys, old, into_keys, true);
            add_outer(kernel, scratch, memory, shape, keys, into_old);
        }
    }
}

/// One row: writes the gradients of its value and strength, and appends −dv/d and (dv · v̄)/d to the scratch.
fn value_slopes(scratch: &mut MemoryScratch, memory: &mut [f32], at: &MemorizeArrays, into: &MemorizeInto, row: usize, width: usize) {
    let strength = sigmoid(memory[at.strengths + row]);
    let divisor = memory[at.divisors + 2 * row];
    let line = |at: usize| at + row * width..at + (row + 1) * width;
    let [slopes, novel, values] = ranges(memory, [line(into.values), line(at.novel), line(at.values)]);
    let along = sum(width, |i| slopes[i] * novel[i]);
    slopes.iter_mut().for_each(|slope| *slope *= strength);
    scratch.slopes.extend(slopes.iter().map(|slope| -slope / divisor));
    scratch.divisors.push(sum(width, |i| slopes[i] * (values[i] - novel[i])) / divisor);
    memory[into.strengths + row] = along * strength * (1.0 - strength);
}
