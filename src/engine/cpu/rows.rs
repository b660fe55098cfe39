//! What goes row by row: embedding, selection of rows, sums over rows, cross-entropy.

use super::math::{exp, largest, sum};
use super::ranges;
use crate::engine::program::{At, ColumnSum, NOT_ASKED};

/// Rows of a table by token.
#[inline(never)]
pub fn embed(memory: &mut [f32], tokens: &[u32], table: usize, out: usize, width: usize) {
    for (row, &token) in tokens.iter().enumerate() {
        let from = table + token as usize * width;
        memory.copy_within(from..from + width, out + row * width);
    }
}

/// The table's gradient: rows of equal token added in their order.
#[inline(never)]
pub fn embed_backward(memory: &mut [f32], tokens: &[u32], gradient: usize, out: usize, width: usize, vocabulary: usize, accumulate: bool) {
    let size = vocabulary * width;
    let [gradient, table] = ranges(memory, [gradient..gradient + tokens.len() * width, out..out + size]);
    if !accumulate {
        table.fill(0.0);
    }
    for (gradient, &token) in gradient.chunks_exact(width).zip(tokens) {
        let line = &mut table[token as usize * width..][..width];
        line.iter_mut().zip(gradient).for_each(|(sum, part)| *sum += part);
    }
}

/// Rows `from` … of each sequence of `length` rows.
#[inline(never)]
pub fn select(memory: &mut [f32], x: usize, out: usize, sequences: usize, length: usize, from: usize, width: usize) {
    let size = (length - from) * width;
    for sequence in 0..sequences {
        let start = x + (sequence * length + from) * width;
        memory.copy_within(start..start + size, out + sequence * size);
    }
}

/// The reverse of [`select`], zeros before.
#[inline(never)]
pub fn select_backward(memory: &mut [f32], gradient: usize, out: usize, sequences: usize, length: usize, from: usize, width: usize) {
    let size = (length - from) * width;
    for sequence in 0..sequences {
        let start = out + sequence * length * width;
        memory[start..start + from * width].fill(0.0);
        memory.copy_within(gradient + sequence * size..gradient + (sequence + 1) * size, start + from * width);
    }
}

/// One sum over rows.
#[inline(never)]
pub fn column_sum(memory: &mut [f32], address: impl Fn(At) -> usize, job: &ColumnSum) {
    let ColumnSum { rows, width, .. } = *job;
    let (of, out) = (address(job.of), address(job.out));
    if !job.accumulate {
        memory[out..out + width].fill(0.0);
    }
    let sums = out..out + width;
    match job.normed.map(|(x, statistics)| (address(x), address(statistics))) {
        None => {
            let [of, sums] = ranges(memory, [of..of + rows * width, sums]);
            for line in of.chunks_exact(width) {
                sums.iter_mut().zip(line).for_each(|(sum, part)| *sum += part);
            }
        }
        Some((x, statistics)) => {
            let size = rows * width;
            let [of, x, statistics, sums] = ranges(memory, [of..of + size, x..x + size, statistics..statistics + 2 * rows, sums]);
            for ((line, x), s) in of.chunks_exact(width).zip(x.chunks_exact(width)).zip(statistics.chunks_exact(2)) {
                sums.iter_mut().zip(line).zip(x).for_each(|((sum, part), x)| *sum += part * ((x - s[0]) * s[1]));
            }
        }
    }
}

/// Where the arrays of a cross-entropy lie.
pub struct CrossEntropy {
    pub logits: usize,
    pub rows_out: usize,
    pub answers: usize,
    pub gradient: Option<usize>,
    pub vocabulary: usize,
    pub scale: f32,
}

/// Loss, hit, answer and gradient of every row.
#[inline(never)]
pub fn cross_entropy(memory: &mut [f32], labels: &[u32], at: &CrossEntropy) {
    let v = at.vocabulary;
    for (row, &label) in labels.iter().enumerate() {
        let logits = at.logits + row * v..at.logits + (row + 1) * v;
        let values = &memory[logits.clone()];
        let answer = values.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0;
        let highest = largest(values);
        let total = sum(v, |i| exp(values[i] - highest));
        let asked = label != NOT_ASKED;
        let loss = if asked { at.scale * (libm::logf(total) + highest - values[label as usize]) } else { 0.0 };
        if let Some(gradient) = at.gradient {
            let [values, line] = ranges(memory, [logits, gradient + row * v..gradient + (row + 1) * v]);
            if asked {
                let share = at.scale / total;
                line.iter_mut().zip(values.iter()).for_each(|(g, x)| *g = exp(x - highest) * share);
                line[label as usize] -= at.scale;
            } else {
                line.fill(0.0);
            }
        }
        memory[at.rows_out + 2 * row] = loss;
        memory[at.rows_out + 2 * row + 1] = if asked && answer == label as usize { 1.0 } else { 0.0 };
        memory[at.answers + row] = answer as f32;
    }
}

/// Loss and hits of all rows.
#[inline(never)]
pub fn total(memory: &mut [f32], rows_in: usize, rows: usize, out: usize, accumulate: bool) {
    let pairs = &memory[rows_in..rows_in + 2 * rows];
    let found = [0, 1].map(|part| sum(rows, |row| pairs[2 * row + part]));
    for (part, found) in found.into_iter().enumerate() {
        memory[out + part] = if accumulate { memory[out + part] + found } else { found };
    }
}
