//! Draws tokens, and computes a policy's loss.

use super::disjoint::ranges;
use super::math::{exp, largest, sum};
use crate::engine::program::{NO_LABEL, PolicyTerms, Sampling};

/// Address and sizes of logits.
#[derive(Clone, Copy)]
pub struct Logits {
    pub at: usize,
    pub stride: usize,
    pub rows: usize,
    pub vocabulary: usize,
}

impl Logits {
    fn row(&self, row: usize) -> std::ops::Range<usize> {
        self.at + row * self.stride..self.at + row * self.stride + self.vocabulary
    }
}

/// The k-th largest of `values`, and how many of its equals are among the k largest.
fn threshold(space: &mut Vec<f32>, values: &[f32], k: usize) -> (f32, usize) {
    if k == 0 || k >= values.len() {
        return (f32::NEG_INFINITY, values.len());
    }
    space.clear();
    space.extend_from_slice(values);
    let (larger, least, _) = space.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
    let least = *least;
    (least, k - larger.iter().filter(|value| **value > least).count())
}

/// Draws a token for each row; `uniform` gives each row's number in [0, 1).
#[inline(never)]
pub fn draw(
    space: &mut Vec<f32>,
    memory: &mut [f32],
    logits: &Logits,
    sampling: &Sampling,
    uniform: impl Fn(usize) -> f32,
    out: (usize, usize),
) {
    for row in 0..logits.rows {
        let token = draw_one(space, &memory[logits.row(row)], sampling, uniform(row));
        memory[out.0 + row * out.1] = token as f32;
    }
}

/// The token that `uniform`, a number in [0, 1), draws from the softmax of these logits.
pub fn draw_one(space: &mut Vec<f32>, values: &[f32], sampling: &Sampling, uniform: f32) -> usize {
    let (least, mut equals) = threshold(space, values, sampling.top_k);
    let highest = largest(values);
    let inverse_temperature = 1.0 / sampling.temperature;
    // The unnormalised probability of each token, 0 for those that may not be drawn.
    space.clear();
    for &value in values {
        let allowed = value > least || value == least && equals > 0;
        if value == least {
            equals = equals.saturating_sub(1);
        }
        space.push(if allowed { exp((value - highest) * inverse_temperature) } else { 0.0 });
    }
    let goal = uniform * sum(space.len(), |i| space[i]);
    let (mut token, mut reached) = (0, 0.0);
    for (id, &probability) in space.iter().enumerate().filter(|(_, probability)| **probability > 0.0) {
        token = id;
        reached += probability;
        if reached > goal {
            break;
        }
    }
    token
}

/// A row's highest logit, and Σ exp((logit − highest) / temperature).
fn partition(values: &[f32], inverse_temperature: f32) -> (f32, f32) {
    let highest = largest(values);
    (highest, sum(values.len(), |i| exp((values[i] - highest) * inverse_temperature)))
}

/// The log-probability of each row's label.
#[inline(never)]
pub fn log_probability(memory: &mut [f32], logits: &Logits, labels: &[u32], temperature: f32, out: usize) {
    let inverse_temperature = 1.0 / temperature;
    for (row, &label) in labels.iter().enumerate() {
        let values = &memory[logits.row(row)];
        memory[out + row] = if label == NO_LABEL {
            0.0
        } else {
            let (highest, total) = partition(values, inverse_temperature);
            (values[label as usize] - highest) * inverse_temperature - libm::logf(total)
        };
    }
}

/// The words of a policy's loss, one per row.
pub struct Words<'a> {
    pub labels: &'a [u32],
    pub advantages: &'a [u32],
    pub old: &'a [u32],
    pub scale: f32,
}

/// Addresses of a policy's loss.
pub struct PolicyArrays {
    pub reference: usize,
    pub rows_out: usize,
    pub gradient: usize,
}

/// Loss, distance and gradient of each row.
#[inline(never)]
pub fn policy(memory: &mut [f32], logits: &Logits, words: &Words, terms: &PolicyTerms, at: &PolicyArrays) {
    let inverse_temperature = 1.0 / terms.temperature;
    for (row, &label) in words.labels.iter().enumerate() {
        let line = at.gradient + row * logits.vocabulary..at.gradient + (row + 1) * logits.vocabulary;
        if label == NO_LABEL {
            memory[line].fill(0.0);
            memory[at.rows_out + 2 * row..at.rows_out + 2 * row + 2].fill(0.0);
            continue;
        }
        let reference = memory[at.reference + row];
        let [values, gradient] = ranges(memory, [logits.row(row), line]);
        let (highest, total) = partition(values, inverse_temperature);
        let log = (values[label as usize] - highest) * inverse_temperature - libm::logf(total);
        let (advantage, old) = (f32::from_bits(words.advantages[row]), f32::from_bits(words.old[row]));
        let ratio = if words.old[row] == NO_LABEL { 1.0 } else { exp(log - old) };
        let (free, held) = (ratio * advantage, ratio.clamp(1.0 - terms.clip, 1.0 + terms.clip) * advantage);
        let delta = reference - log;
        let away = exp(delta);
        let distance = away - delta - 1.0;
        let slope = terms.kl * (1.0 - away) - if free <= held { free } else { 0.0 };
        let factor = words.scale * slope * inverse_temperature;
        gradient.iter_mut().zip(values.iter()).for_each(|(g, x)| *g = -factor * (exp((x - highest) * inverse_temperature) / total));
        gradient[label as usize] += factor;
        memory[at.rows_out + 2 * row] = words.scale * (terms.kl * distance - free.min(held));
        memory[at.rows_out + 2 * row + 1] = words.scale * distance;
    }
}
