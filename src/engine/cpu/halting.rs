//! Adaptive computation time: the hop at which each row halts, the weighted mean over its hops, and the gradients.

use super::disjoint::ranges;
use super::math::{sigmoid, sum};
use crate::engine::program::{At, HALTED, Halting, Hops};

/// Runs an instruction of adaptive computation time.
pub fn run(memory: &mut [f32], address: impl Fn(At) -> usize, instruction: &Halting) {
    match instruction {
        Halting::Weights { shape, scores, weights, cost, costs, hop_counts } => {
            halt(memory, shape, |hop| scores.get(hop).map(|at| address(*at)), *cost, [*weights, *costs, *hop_counts].map(&address));
        }
        Halting::WeightsBackward { shape, weights, hop_counts, cost, gradient, into } => {
            let gradient = gradient.map(&address);
            halt_backward(memory, shape, [*weights, *hop_counts].map(&address), *cost, gradient, |hop| address(into[hop]));
        }
        Halting::Mixture { shape, width, parts, weights, out } => {
            mix(memory, shape, *width, |hop| address(parts[hop]), address(*weights), address(*out));
        }
        Halting::MixtureBackward { shape, width, parts, weights, gradient, carried, into, carried_weights, into_weights } => {
            let weights = Weights { at: address(*weights), carried: carried_weights.map(&address), into: address(*into_weights) };
            let hop = |hop: usize| Hop { part: address(parts[hop]), carried: carried[hop].map(&address), into: address(into[hop]) };
            mix_backward(memory, shape, *width, address(*gradient), &weights, hop);
        }
    }
}

/// Weights, costs and number of hops of each row.
#[inline(never)]
fn halt(memory: &mut [f32], shape: &Hops, score: impl Fn(usize) -> Option<usize>, cost: f32, [weights, costs, made_at]: [usize; 3]) {
    for row in (0..shape.rows).map(|row| row * shape.pitch) {
        let (mut reached, mut spent, mut hop_counts) = (0.0f32, 0.0f32, 0);
        for hop in 0..shape.hops {
            let mut weight = 0.0;
            if hop_counts == 0 {
                weight = score(hop).map_or(1.0, |score| sigmoid(memory[score + row]));
                reached += weight;
                if hop + 1 == shape.hops || reached >= HALTED {
                    weight = 1.0 - spent;
                    hop_counts = hop + 1;
                    memory[costs + 2 * row] = cost * weight;
                }
                spent += weight;
            }
            memory[weights + row * shape.hops + hop] = weight;
        }
        memory[costs + 2 * row + 1] = 0.0;
        memory[made_at + row] = hop_counts as f32;
    }
}

/// The gradients of the scores.
#[inline(never)]
fn halt_backward(
    memory: &mut [f32],
    shape: &Hops,
    [weights, hop_counts]: [usize; 2],
    cost: f32,
    gradient: Option<usize>,
    into: impl Fn(usize) -> usize,
) {
    for row in 0..shape.rows {
        let line = row * shape.hops;
        let last = memory[hop_counts + row] as usize - 1;
        let slope = |memory: &[f32], hop: usize| gradient.map_or(0.0, |gradient| memory[gradient + line + hop]);
        let remainder = slope(memory, last) + cost;
        for hop in 0..shape.hops - 1 {
            let probability = memory[weights + line + hop];
            memory[into(hop) + row] = if hop < last { (slope(memory, hop) - remainder) * probability * (1.0 - probability) } else { 0.0 };
        }
    }
}

/// The weighted sum.
#[inline(never)]
fn mix(memory: &mut [f32], shape: &Hops, width: usize, part: impl Fn(usize) -> usize, weights: usize, out: usize) {
    for row in (0..shape.rows).map(|row| row * shape.pitch) {
        for hop in 0..shape.hops {
            let weight = memory[weights + row * shape.hops + hop];
            let part = part(hop) + row * width;
            let [part, out] = ranges(memory, [part..part + width, out + row * width..out + (row + 1) * width]);
            if hop == 0 {
                out.iter_mut().zip(part).for_each(|(out, part)| *out = weight * *part);
            } else {
                out.iter_mut().zip(part).for_each(|(out, part)| *out += weight * *part);
            }
        }
    }
}

/// Addresses of a hop's part and of its gradient.
struct Hop {
    part: usize,
    carried: Option<usize>,
    into: usize,
}

/// Addresses of the weights and of their gradient.
struct Weights {
    at: usize,
    carried: Option<usize>,
    into: usize,
}

/// The gradients of parts and weights.
#[inline(never)]
fn mix_backward(memory: &mut [f32], shape: &Hops, width: usize, gradient: usize, weights: &Weights, hop: impl Fn(usize) -> Hop) {
    for row in 0..shape.rows {
        let of = |start: usize| start + row * width..start + (row + 1) * width;
        for index in 0..shape.hops {
            let (place, hop) = (row * shape.hops + index, hop(index));
            let weight = memory[weights.at + place];
            let (part, slope) = (&memory[of(hop.part)], &memory[of(gradient)]);
            let along = sum(width, |i| part[i] * slope[i]);
            memory[weights.into + place] = along + weights.carried.map_or(0.0, |carried| memory[carried + place]);
            let [slope, into] = ranges(memory, [of(gradient), of(hop.into)]);
            into.iter_mut().zip(slope).for_each(|(into, slope)| *into = weight * *slope);
            if let Some(carried) = hop.carried {
                let [carried, into] = ranges(memory, [of(carried), of(hop.into)]);
                into.iter_mut().zip(carried).for_each(|(into, carried)| *into += *carried);
            }
        }
    }
}
