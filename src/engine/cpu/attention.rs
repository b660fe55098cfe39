//! Causal self-attention with rotary positions, head by head. It computes only blocks on and below the diagonal, and keeps no S × S array: the
//! backward pass recomputes the scores from each row's highest score and sum.

use super::math::{exp, largest, sum};
use super::micro::{Kernel, ROWS};
use super::products::{LeftShape, Panels, multiply, pack};
use crate::engine::program::AttentionShape;

/// Query rows in a block.
const BLOCK: usize = 8 * ROWS;

/// Scratch of one head, kept between calls.
#[derive(Default)]
pub struct AttentionScratch {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    gradient: Vec<f32>,
    scores: Vec<f32>,
    slopes: Vec<f32>,
    mixed: Vec<f32>,
    dq: Vec<f32>,
    dk: Vec<f32>,
    dv: Vec<f32>,
    keys_across: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    values_across: Vec<f32>,
    block: Vec<f32>,
    spare: Vec<f32>,
}

/// Addresses of the arrays, and the rotary table.
pub struct AttentionArrays<'a> {
    pub qkv: usize,
    pub out: usize,
    pub sums: usize,
    pub rotary_table: &'a [f32],
}

/// Rotates a row by its position's angles (by their negatives if `sign` is −1): (a, b) → (a cos − b sin, b cos + a sin), a in the first half
/// and b in the second.
fn turn(row: &mut [f32], rotary_table: &[f32], sign: f32) {
    let (cos, sin) = rotary_table.split_at(rotary_table.len() / 2);
    let (first, second) = row.split_at_mut(cos.len());
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
        let sin = sign * sin;
        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
    }
}

/// Gathers one head's rows of q, k or v (`part` 0, 1, 2). q and k are rotated; q is also multiplied by head^-½.
fn gather(
    into: &mut Vec<f32>,
    memory: &[f32],
    arrays: &AttentionArrays,
    shape: &AttentionShape,
    sequence: usize,
    head: usize,
    part: usize,
) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let scale = if part == 0 { 1.0 / (size as f32).sqrt() } else { 1.0 };
    into.clear();
    for position in 0..length {
        let from = arrays.qkv + ((sequence * length + position) * heads + head) * 3 * size + part * size;
        let start = into.len();
        into.extend_from_slice(&memory[from..from + size]);
        if part < 2 {
            turn(&mut into[start..start + rotary], &arrays.rotary_table[position * rotary..(position + 1) * rotary], 1.0);
        }
        if part == 0 {
            into[start..].iter_mut().for_each(|number| *number *= scale);
        }
    }
}

/// Forward pass of all heads.
#[inline(never)]
pub fn forward(kernel: Kernel, scratch: &mut AttentionScratch, memory: &mut [f32], arrays: &AttentionArrays, shape: &AttentionShape) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    let width = heads * size;
    for sequence in 0..sequences {
        for head in 0..heads {
            gather(&mut scratch.q, memory, arrays, shape, sequence, head, 0);
            gather(&mut scratch.k, memory, arrays, shape, sequence, head, 1);
            gather(&mut scratch.v, memory, arrays, shape, sequence, head, 2);
            pack(&mut scratch.keys_across, &scratch.k, size, true, size, length);
            pack(&mut scratch.values, &scratch.v, size, false, length, size);
            for first in (0..length).step_by(BLOCK) {
                let rows = BLOCK.min(length - first);
                let seen = first + rows;
                scores(kernel, scratch, first, rows, size);
                let sums = arrays.sums + 2 * ((sequence * heads + head) * length + first);
                for row in 0..rows {
                    (memory[sums + 2 * row], memory[sums + 2 * row + 1]) =
                        softmax(&mut scratch.scores[row * seen..(row + 1) * seen], first + row + 1);
                }
                scratch.mixed.resize(rows * size, 0.0);
                let panels = Panels { values: &scratch.values, depth: length };
                let left = LeftShape::strided(seen, 1);
                multiply(kernel, &mut scratch.spare, (rows, size, seen), &scratch.scores, left, &panels, &mut scratch.mixed, size, false);
                for (row, mixed) in scratch.mixed.chunks_exact(size).enumerate() {
                    let out = arrays.out + (sequence * length + first + row) * width + head * size;
                    memory[out..out + size].copy_from_slice(mixed);
                }
            }
        }
    }
}

/// Attention of one position of each sequence over itself and the earlier ones. `at` holds the addresses of `qkv` and of the result.
#[inline(never)]
pub fn at(
    scratch: &mut AttentionScratch,
    memory: &mut [f32],
    at: (usize, usize),
    rotary_table: &[f32],
    shape: &AttentionShape,
    position: usize,
) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    for sequence in 0..sequences {
        for head in 0..heads {
            let row = |position: usize| (sequence * length + position) * heads + head;
            weigh(scratch, memory, at.0, rotary_table, shape, (sequence, head, position));
            scratch.mixed.clear();
            scratch.mixed.resize(size, 0.0);
            for seen in 0..=position {
                part(&mut scratch.v, memory, at.0, size, row(seen), 2);
                let weight = scratch.scores[seen];
                scratch.mixed.iter_mut().zip(&scratch.v).for_each(|(mixed, v)| *mixed += weight * v);
            }
            let out = at.1 + row(position) * size;
            memory[out..out + size].copy_from_slice(&scratch.mixed);
        }
    }
}

/// The attention weights of one position of the first sequence over itself and the earlier ones, `[heads][position + 1]`; each head's sum to 1.
pub fn weights(memory: &[f32], qkv: usize, rotary_table: &[f32], shape: &AttentionShape, position: usize) -> Vec<Vec<f32>> {
    let mut scratch = AttentionScratch::default();
    let of = |head: usize| {
        weigh(&mut scratch, memory, qkv, rotary_table, shape, (0, head, position));
        scratch.scores[..=position].to_vec()
    };
    (0..shape.heads).map(of).collect()
}

/// Writes to `scratch.scores` the attention weights of one position of a sequence and head.
fn weigh(
    scratch: &mut AttentionScratch,
    memory: &[f32],
    qkv: usize,
    rotary_table: &[f32],
    shape: &AttentionShape,
    (sequence, head, position): (usize, usize, usize),
) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let row = |position: usize| (sequence * length + position) * heads + head;
    let angles = |position: usize| &rotary_table[position * rotary..(position + 1) * rotary];
    let scale = 1.0 / (size as f32).sqrt();
    part(&mut scratch.q, memory, qkv, size, row(position), 0);
    turn(&mut scratch.q[..rotary], angles(position), 1.0);
    scratch.scores.resize(position + 1, 0.0);
    for seen in 0..=position {
        part(&mut scratch.k, memory, qkv, size, row(seen), 1);
        turn(&mut scratch.k[..rotary], angles(seen), 1.0);
        scratch.scores[seen] = scale * sum(size, |i| scratch.q[i] * scratch.k[i]);
    }
    softmax(&mut scratch.scores, position + 1);
}

/// Copies q, k or v (`part` 0, 1, 2) of one row and head.
fn part(into: &mut Vec<f32>, memory: &[f32], qkv: usize, size: usize, row: usize, part: usize) {
    let from = qkv + (row * 3 + part) * size;
    into.clear();
    into.extend_from_slice(&memory[from..from + size]);
}

/// Scores of a block of rows over all positions up to its last row, `[rows, first + rows]`.
fn scores(kernel: Kernel, scratch: &mut AttentionScratch, first: usize, rows: usize, size: usize) {
    let seen = first + rows;
    scratch.scores.resize(rows * seen, 0.0);
    let panels = Panels { values: &scratch.keys_across, depth: size };
    let left = LeftShape::strided(size, 1);
    multiply(kernel, &mut scratch.spare, (rows, seen, size), &scratch.q[first * size..], left, &panels, &mut scratch.scores, seen, false);
}

/// Replaces the first `visible` scores of a row by weights that sum to 1, and the rest by zeros. Returns the highest score, and
/// `1 / Σ exp(score − highest)`.
fn softmax(row: &mut [f32], visible: usize) -> (f32, f32) {
    let (seen, hidden) = row.split_at_mut(visible);
    let highest = largest(seen);
    seen.iter_mut().for_each(|score| *score = exp(*score - highest));
    let total = sum(visible, |i| seen[i]);
    let share = 1.0 / total;
    seen.iter_mut().for_each(|weight| *weight *= share);
    hidden.fill(0.0);
    (highest, share)
}

/// Writes the gradient of `qkv` to `into`, from the gradient of `out`.
#[inline(never)]
pub fn backward(
    kernel: Kernel,
    scratch: &mut AttentionScratch,
    memory: &mut [f32],
    arrays: &AttentionArrays,
    shape: &AttentionShape,
    gradient: usize,
    into: usize,
) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    for sequence in 0..sequences {
        for head in 0..heads {
            for (part, to) in [&mut scratch.q, &mut scratch.k, &mut scratch.v].into_iter().enumerate() {
                gather(to, memory, arrays, shape, sequence, head, part);
            }
            columns(&mut scratch.gradient, memory, gradient, shape, sequence, head);
            pack(&mut scratch.keys_across, &scratch.k, size, true, size, length);
            pack(&mut scratch.values_across, &scratch.v, size, true, size, length);
            pack(&mut scratch.keys, &scratch.k, size, false, length, size);
            for sums in [&mut scratch.dq, &mut scratch.dk, &mut scratch.dv] {
                sums.clear();
                sums.resize(length * size, 0.0);
            }
            let sums = arrays.sums + 2 * (sequence * heads + head) * length;
            for first in (0..length).step_by(BLOCK) {
                let rows = BLOCK.min(length - first);
                block_backward(kernel, scratch, &memory[sums + 2 * first..sums + 2 * (first + rows)], first, size, length);
            }
            scatter(scratch, memory, arrays, shape, sequence, head, into);
        }
    }
}

/// One head's columns of a `[B·S, heads·head]` array.
fn columns(into: &mut Vec<f32>, memory: &[f32], from: usize, shape: &AttentionShape, sequence: usize, head: usize) {
    let AttentionShape { length, heads, head: size, .. } = *shape;
    into.clear();
    for position in 0..length {
        let start = from + (sequence * length + position) * heads * size + head * size;
        into.extend_from_slice(&memory[start..start + size]);
    }
}

/// Adds the part of one block of query rows to the gradients of the rotated q and k, and of v.
fn block_backward(kernel: Kernel, scratch: &mut AttentionScratch, sums: &[f32], first: usize, size: usize, length: usize) {
    let rows = sums.len() / 2;
    let seen = first + rows;
    scores(kernel, scratch, first, rows, size);
    scratch.slopes.resize(rows * seen, 0.0);
    let inner = LeftShape::strided(size, 1);
    let across = Panels { values: &scratch.values_across, depth: size };
    let block = first * size..seen * size;
    multiply(
        kernel,
        &mut scratch.spare,
        (rows, seen, size),
        &scratch.gradient[block.clone()],
        inner,
        &across,
        &mut scratch.slopes,
        seen,
        false,
    );
    for row in 0..rows {
        let visible = first + row + 1;
        let [weights, slopes] = [&mut scratch.scores, &mut scratch.slopes].map(|all| &mut all[row * seen..(row + 1) * seen]);
        weights[..visible].iter_mut().for_each(|score| *score = exp(*score - sums[2 * row]) * sums[2 * row + 1]);
        weights[visible..].fill(0.0);
        let delta = sum(visible, |i| weights[i] * slopes[i]);
        slopes.iter_mut().zip(weights.iter()).for_each(|(slope, weight)| *slope = weight * (*slope - delta));
    }
    let keys = Panels { values: &scratch.keys, depth: length };
    let wide = LeftShape::strided(seen, 1);
    multiply(kernel, &mut scratch.spare, (rows, size, seen), &scratch.slopes, wide, &keys, &mut scratch.dq[block.clone()], size, false);
    let tall = LeftShape::strided(1, seen);
    for (weights, by, sums) in [(&scratch.scores, &scratch.gradient, &mut scratch.dv), (&scratch.slopes, &scratch.q, &mut scratch.dk)] {
        pack(&mut scratch.block, &by[block.clone()], size, false, rows, size);
        let panels = Panels { values: &scratch.block, depth: rows };
        multiply(kernel, &mut scratch.spare, (seen, size, rows), weights, tall, &panels, sums, size, true);
    }
}

/// Rotates the gradients of q and k back and writes all three to `into`.
fn scatter(
    scratch: &mut AttentionScratch,
    memory: &mut [f32],
    arrays: &AttentionArrays,
    shape: &AttentionShape,
    sequence: usize,
    head: usize,
    into: usize,
) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let scale = 1.0 / (size as f32).sqrt();
    scratch.dq.iter_mut().for_each(|number| *number *= scale);
    for (part, from) in [&scratch.dq, &scratch.dk, &scratch.dv].into_iter().enumerate() {
        for (position, row) in from.chunks_exact(size).enumerate() {
            let start = into + ((sequence * length + position) * heads + head) * 3 * size + part * size;
            let line = &mut memory[start..start + size];
            line.copy_from_slice(row);
            if part < 2 {
                turn(&mut line[..rotary], &arrays.rotary_table[position * rotary..(position + 1) * rotary], -1.0);
            }
        }
    }
}
