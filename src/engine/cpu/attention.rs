//! Causal self-attention with rotary positions, head by head. Only blocks on and below the diagonal are computed, and
//! nothing of size S × S is kept: backwards the scores are made again from each row's highest score and sum.

use super::math::{exp, largest, sum};
use super::micro::{Kernel, ROWS};
use super::products::{LeftShape, Panels, multiply, pack};
use crate::engine::program::AttentionShape;

/// Query rows in a block.
const BLOCK: usize = 8 * ROWS;

/// Space for one head, kept between calls.
#[derive(Default)]
pub struct Space {
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
pub struct Arrays<'a> {
    pub qkv: usize,
    pub out: usize,
    pub sums: usize,
    pub turns: &'a [f32],
}

/// Turns a row by its position's angles (backwards if `sign` is −1): (a, b) → (a cos − b sin, b cos + a sin) on the halves.
fn turn(row: &mut [f32], turns: &[f32], sign: f32) {
    let (cos, sin) = turns.split_at(turns.len() / 2);
    let (first, second) = row.split_at_mut(cos.len());
    for (((a, b), cos), sin) in first.iter_mut().zip(second).zip(cos).zip(sin) {
        let sin = sign * sin;
        (*a, *b) = (*a * cos - *b * sin, *b * cos + *a * sin);
    }
}

/// Gathers one head's rows: `part` 0, 1, 2 for q, k, v; q and k are turned, q times head^-½ too.
fn gather(into: &mut Vec<f32>, memory: &[f32], arrays: &Arrays, shape: &AttentionShape, sequence: usize, head: usize, part: usize) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let scale = if part == 0 { 1.0 / (size as f32).sqrt() } else { 1.0 };
    into.clear();
    for position in 0..length {
        let from = arrays.qkv + ((sequence * length + position) * heads + head) * 3 * size + part * size;
        let start = into.len();
        into.extend_from_slice(&memory[from..from + size]);
        if part < 2 {
            turn(&mut into[start..start + rotary], &arrays.turns[position * rotary..(position + 1) * rotary], 1.0);
        }
        if part == 0 {
            into[start..].iter_mut().for_each(|number| *number *= scale);
        }
    }
}

/// Forward pass of all heads.
#[inline(never)]
pub fn forward(kernel: Kernel, space: &mut Space, memory: &mut [f32], arrays: &Arrays, shape: &AttentionShape) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    let width = heads * size;
    for sequence in 0..sequences {
        for head in 0..heads {
            gather(&mut space.q, memory, arrays, shape, sequence, head, 0);
            gather(&mut space.k, memory, arrays, shape, sequence, head, 1);
            gather(&mut space.v, memory, arrays, shape, sequence, head, 2);
            pack(&mut space.keys_across, &space.k, size, true, size, length);
            pack(&mut space.values, &space.v, size, false, length, size);
            for first in (0..length).step_by(BLOCK) {
                let rows = BLOCK.min(length - first);
                let seen = first + rows;
                scores(kernel, space, first, rows, size);
                let sums = arrays.sums + 2 * ((sequence * heads + head) * length + first);
                for row in 0..rows {
                    (memory[sums + 2 * row], memory[sums + 2 * row + 1]) =
                        softmax(&mut space.scores[row * seen..(row + 1) * seen], first + row + 1);
                }
                space.mixed.resize(rows * size, 0.0);
                let panels = Panels { values: &space.values, depth: length };
                let left = LeftShape::strided(seen, 1);
                multiply(kernel, &mut space.spare, (rows, size, seen), &space.scores, left, &panels, &mut space.mixed, size, false);
                for (row, mixed) in space.mixed.chunks_exact(size).enumerate() {
                    let out = arrays.out + (sequence * length + first + row) * width + head * size;
                    memory[out..out + size].copy_from_slice(mixed);
                }
            }
        }
    }
}

/// One position of each sequence over those up to it. `at` are the addresses of `qkv` and of the result.
#[inline(never)]
pub fn at(space: &mut Space, memory: &mut [f32], at: (usize, usize), turns: &[f32], shape: &AttentionShape, position: usize) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    for sequence in 0..sequences {
        for head in 0..heads {
            let row = |position: usize| (sequence * length + position) * heads + head;
            weigh(space, memory, at.0, turns, shape, (sequence, head, position));
            space.mixed.clear();
            space.mixed.resize(size, 0.0);
            for seen in 0..=position {
                part(&mut space.v, memory, at.0, size, row(seen), 2);
                let weight = space.scores[seen];
                space.mixed.iter_mut().zip(&space.v).for_each(|(mixed, v)| *mixed += weight * v);
            }
            let out = at.1 + row(position) * size;
            memory[out..out + size].copy_from_slice(&space.mixed);
        }
    }
}

/// The weights of one position of the first sequence over those up to it, by head: `[heads][position + 1]`, each summing to 1.
pub fn weights(memory: &[f32], qkv: usize, turns: &[f32], shape: &AttentionShape, position: usize) -> Vec<Vec<f32>> {
    let mut space = Space::default();
    let of = |head: usize| {
        weigh(&mut space, memory, qkv, turns, shape, (0, head, position));
        space.scores[..=position].to_vec()
    };
    (0..shape.heads).map(of).collect()
}

/// Leaves in `space.scores` how one position of a sequence and head weighs those up to it.
fn weigh(
    space: &mut Space,
    memory: &[f32],
    qkv: usize,
    turns: &[f32],
    shape: &AttentionShape,
    (sequence, head, position): (usize, usize, usize),
) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let row = |position: usize| (sequence * length + position) * heads + head;
    let angles = |position: usize| &turns[position * rotary..(position + 1) * rotary];
    let scale = 1.0 / (size as f32).sqrt();
    part(&mut space.q, memory, qkv, size, row(position), 0);
    turn(&mut space.q[..rotary], angles(position), 1.0);
    space.scores.resize(position + 1, 0.0);
    for seen in 0..=position {
        part(&mut space.k, memory, qkv, size, row(seen), 1);
        turn(&mut space.k[..rotary], angles(seen), 1.0);
        space.scores[seen] = scale * sum(size, |i| space.q[i] * space.k[i]);
    }
    softmax(&mut space.scores, position + 1);
}

/// Part 0, 1 or 2, q, k or v, of one row and head.
fn part(into: &mut Vec<f32>, memory: &[f32], qkv: usize, size: usize, row: usize, part: usize) {
    let from = qkv + (row * 3 + part) * size;
    into.clear();
    into.extend_from_slice(&memory[from..from + size]);
}

/// Scores of a block of rows over all positions up to its last, `[rows, first + rows]`.
fn scores(kernel: Kernel, space: &mut Space, first: usize, rows: usize, size: usize) {
    let seen = first + rows;
    space.scores.resize(rows * seen, 0.0);
    let panels = Panels { values: &space.keys_across, depth: size };
    let left = LeftShape::strided(size, 1);
    multiply(kernel, &mut space.spare, (rows, seen, size), &space.q[first * size..], left, &panels, &mut space.scores, seen, false);
}

/// Turns the first `visible` scores of a row into weights that sum to 1 and the rest into zeros; the highest score, and
/// 1 / Σ exp(score − highest).
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

/// Gradient of `qkv` into `into`, from that of `out`.
#[inline(never)]
pub fn backward(
    kernel: Kernel,
    space: &mut Space,
    memory: &mut [f32],
    arrays: &Arrays,
    shape: &AttentionShape,
    gradient: usize,
    into: usize,
) {
    let AttentionShape { sequences, length, heads, head: size, .. } = *shape;
    for sequence in 0..sequences {
        for head in 0..heads {
            for (part, to) in [&mut space.q, &mut space.k, &mut space.v].into_iter().enumerate() {
                gather(to, memory, arrays, shape, sequence, head, part);
            }
            columns(&mut space.gradient, memory, gradient, shape, sequence, head);
            pack(&mut space.keys_across, &space.k, size, true, size, length);
            pack(&mut space.values_across, &space.v, size, true, size, length);
            pack(&mut space.keys, &space.k, size, false, length, size);
            for sums in [&mut space.dq, &mut space.dk, &mut space.dv] {
                sums.clear();
                sums.resize(length * size, 0.0);
            }
            let sums = arrays.sums + 2 * (sequence * heads + head) * length;
            for first in (0..length).step_by(BLOCK) {
                let rows = BLOCK.min(length - first);
                block_backward(kernel, space, &memory[sums + 2 * first..sums + 2 * (first + rows)], first, size, length);
            }
            scatter(space, memory, arrays, shape, sequence, head, into);
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

/// What one block of query rows adds to the gradients of q, k and v (of q and k as they stand after turning).
fn block_backward(kernel: Kernel, space: &mut Space, sums: &[f32], first: usize, size: usize, length: usize) {
    let rows = sums.len() / 2;
    let seen = first + rows;
    scores(kernel, space, first, rows, size);
    space.slopes.resize(rows * seen, 0.0);
    let inner = LeftShape::strided(size, 1);
    let across = Panels { values: &space.values_across, depth: size };
    let block = first * size..seen * size;
    multiply(kernel, &mut space.spare, (rows, seen, size), &space.gradient[block.clone()], inner, &across, &mut space.slopes, seen, false);
    for row in 0..rows {
        let visible = first + row + 1;
        let [weights, slopes] = [&mut space.scores, &mut space.slopes].map(|all| &mut all[row * seen..(row + 1) * seen]);
        weights[..visible].iter_mut().for_each(|score| *score = exp(*score - sums[2 * row]) * sums[2 * row + 1]);
        weights[visible..].fill(0.0);
        let delta = sum(visible, |i| weights[i] * slopes[i]);
        slopes.iter_mut().zip(weights.iter()).for_each(|(slope, weight)| *slope = weight * (*slope - delta));
    }
    let keys = Panels { values: &space.keys, depth: length };
    let wide = LeftShape::strided(seen, 1);
    multiply(kernel, &mut space.spare, (rows, size, seen), &space.slopes, wide, &keys, &mut space.dq[block.clone()], size, false);
    let tall = LeftShape::strided(1, seen);
    for (weights, by, sums) in [(&space.scores, &space.gradient, &mut space.dv), (&space.slopes, &space.q, &mut space.dk)] {
        pack(&mut space.block, &by[block.clone()], size, false, rows, size);
        let panels = Panels { values: &space.block, depth: rows };
        multiply(kernel, &mut space.spare, (seen, size, rows), weights, tall, &panels, sums, size, true);
    }
}

/// Turns the gradients of q and k back and puts all three where they belong.
fn scatter(space: &mut Space, memory: &mut [f32], arrays: &Arrays, shape: &AttentionShape, sequence: usize, head: usize, into: usize) {
    let AttentionShape { length, heads, head: size, rotary, .. } = *shape;
    let scale = 1.0 / (size as f32).sqrt();
    space.dq.iter_mut().for_each(|number| *number *= scale);
    for (part, from) in [&space.dq, &space.dk, &space.dv].into_iter().enumerate() {
        for (position, row) in from.chunks_exact(size).enumerate() {
            let start = into + ((sequence * length + position) * heads + head) * 3 * size + part * size;
            let line = &mut memory[start..start + size];
            line.copy_from_slice(row);
            if part < 2 {
                turn(&mut line[..rotary], &arrays.turns[position * rotary..(position + 1) * rotary], -1.0);
            }
        }
    }
}
