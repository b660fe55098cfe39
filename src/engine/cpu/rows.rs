//! Operators that work row by row: embedding, selection of rows, sums over rows, cross-entropy.

use super::disjoint::ranges;
use super::math::{exp, largest, sum};
use crate::engine::program::{At, ColumnSum, Copy, Factor, NO_LABEL, Summand};

/// Where an embedding reads its tokens.
pub enum Tokens<'a> {
    Words(&'a [u32]),
    /// Elements of the memory: the first one's address, and the stride.
    Elements(usize, usize),
}

/// Copies rows of a table by token; `out` is the address of the first row and the stride.
#[inline(never)]
pub fn embed(memory: &mut [f32], tokens: &Tokens, table: usize, out: (usize, usize), rows: usize, width: usize) {
    for row in 0..rows {
        let token = match tokens {
            Tokens::Words(words) => words[row] as usize,
            Tokens::Elements(at, stride) => memory[at + row * stride] as usize,
        };
        let from = table + token * width;
        memory.copy_within(from..from + width, out.0 + row * out.1);
    }
}

/// The table's gradient: rows of equal token are added in their order.
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

/// One copy: copies blocks, adds two, or clears them.
#[inline(never)]
pub fn copy(memory: &mut [f32], address: impl Fn(At) -> usize, job: &Copy) {
    for block in 0..job.blocks {
        let to = address(job.to.at) + block * job.to.stride;
        let mut sources = job.from.iter().map(|rows| address(rows.at) + block * rows.stride);
        match sources.next() {
            Some(from) => memory.copy_within(from..from + job.numbers, to),
            None => memory[to..to + job.numbers].fill(0.0),
        }
        for from in sources {
            let [from, to] = ranges(memory, [from..from + job.numbers, to..to + job.numbers]);
            to.iter_mut().zip(from.iter()).for_each(|(to, from)| *to += from);
        }
    }
}

/// One sum over rows.
#[inline(never)]
pub fn column_sum(memory: &mut [f32], space: &mut Vec<f32>, address: impl Fn(At) -> usize, job: &ColumnSum) {
    let out = address(job.out);
    space.clear();
    if job.accumulate {
        space.extend((0..job.width).map(|column| memory[out + column * job.step]));
    } else {
        space.resize(job.width, 0.0);
    }
    for summand in &job.summands {
        add_rows(memory, space, &address, summand);
    }
    space.iter().enumerate().for_each(|(column, sum)| memory[out + column * job.step] = *sum);
}

/// Adds the rows of one summand.
fn add_rows(memory: &[f32], sums: &mut [f32], address: impl Fn(At) -> usize, summand: &Summand) {
    let width = sums.len();
    let of = &memory[address(summand.of)..][..summand.rows * width];
    match summand.factor {
        Factor::One => {
            for line in of.chunks_exact(width) {
                sums.iter_mut().zip(line).for_each(|(sum, part)| *sum += part);
            }
        }
        Factor::Normed(x, statistics) => {
            let (x, statistics) = (&memory[address(x)..], &memory[address(statistics)..]);
            for ((line, x), s) in of.chunks_exact(width).zip(x.chunks_exact(width)).zip(statistics.chunks_exact(2)) {
                sums.iter_mut().zip(line).zip(x).for_each(|((sum, part), x)| *sum += part * ((x - s[0]) * s[1]));
            }
        }
        Factor::Delayed { x, steps, length } => {
            let start = address(x.at);
            for (row, line) in of.chunks_exact(width).enumerate().filter(|(row, _)| row % length >= steps) {
                let x = &memory[start + (row - steps) * x.stride..][..width];
                sums.iter_mut().zip(line).zip(x).for_each(|((sum, part), x)| *sum += part * x);
            }
        }
    }
}

/// The most probable token (first of equals) of a row of logits.
fn most_probable(values: &[f32]) -> usize {
    values.iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}

/// The most probable token of each row; `logits` and `out` are the address of the first row and the stride.
#[inline(never)]
pub fn answer(memory: &mut [f32], logits: (usize, usize), rows: usize, vocabulary: usize, out: (usize, usize)) {
    for row in 0..rows {
        let start = logits.0 + row * logits.1;
        memory[out.0 + row * out.1] = most_probable(&memory[start..start + vocabulary]) as f32;
    }
}

/// Addresses and sizes of a cross-entropy.
pub struct CrossEntropy {
    pub logits: usize,
    pub rows_out: usize,
    pub answers: usize,
    pub gradient: Option<usize>,
    pub vocabulary: usize,
    pub scale: f32,
}

/// Loss, hit, answer and gradient of each row.
#[inline(never)]
pub fn cross_entropy(memory: &mut [f32], labels: &[u32], at: &CrossEntropy) {
    let v = at.vocabulary;
    for (row, &label) in labels.iter().enumerate() {
        let logits = at.logits + row * v..at.logits + (row + 1) * v;
        let values = &memory[logits.clone()];
        let answer = most_probable(values);
        let highest = largest(values);
        let total = sum(v, |i| exp(values[i] - highest));
        let asked = label != NO_LABEL;
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

/// Sums loss and hits over all rows.
#[inline(never)]
pub fn total(memory: &mut [f32], rows_in: usize, rows: usize, out: usize, accumulate: bool) {
    let pairs = &memory[rows_in..rows_in + 2 * rows];
    let found = [0, 1].map(|part| sum(rows, |row| pairs[2 * row + part]));
    for (part, found) in found.into_iter().enumerate() {
        memory[out + part] = if accumulate { memory[out + part] + found } else { found };
    }
}
