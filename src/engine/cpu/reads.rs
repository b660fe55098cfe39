//! What an operator has read at a row, taken apart by where it came from. The parts are exact: they sum to what the operator put out. They are
//! made after the fact, from the arrays of the instruction just carried out ([`super::Machine::run_watched`]); a run that nobody watches knows
//! nothing of them.
//!
//! | operator | the part of row j in what row i puts out | and their sum |
//! |---|---|---|
//! | attention, by head | the weight `softmax(rot(q_i) rot(k_j)ᵀ / √head)` | 1 |
//! | LSTM | `o_i ⊙ (Π f_t) ⊙ i_j ⊙ g_j`, the product over t = j+1 … i | `o_i ⊙ c_i` |
//! | selective scan | `C_i · ((Π exp(Δ_t A)) ⊙ Δ_j B_j u_j) silu(g_i)`, the same product | `y_i − D u_i silu(g_i)` |
//! | recall, by writing m | `Σ b (φ(k) · q_i) (v − v̄) / (q_i · z + 1e-5)` over the rows of writing m | `q_i A / (q_i · z + 1e-5)` |
//!
//! Sources: Levy et al., arXiv 1805.03716, for the LSTM as a weighted sum of its inputs; Ali et al., arXiv 2403.01590, for Mamba's hidden
//! attention (they too leave the skip D u out, which is of row i alone); Schlag et al., arXiv 2102.11174, for a memory as the sum of its writings.

use super::math::{exp, not_tiny, sigmoid, softplus, sum};
use super::{attention, scan};
use crate::engine::program::{At, Instruction, Program, STATE};

/// What was read at one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Parts {
    /// Attention's weights, `[heads][i + 1]`.
    Weights(Vec<Vec<f32>>),
    /// What each row up to this one has left in a state, `[i + 1][width]`.
    Rows(Vec<Vec<f32>>),
    /// What each writing has left in a memory, the oldest first, `[writings][width]`.
    Writings(Vec<Vec<f32>>),
}

impl Parts {
    /// How what was read divides between the places it came from: `[heads][places]`, of parts that are vectors by Σ |part| over rows and by
    /// ‖part‖ over writings. Each list sums to 1, or is all zeros where nothing was read.
    pub fn shares(&self) -> Vec<Vec<f32>> {
        let divided = |sizes: Vec<f32>| {
            let total: f32 = sizes.iter().sum();
            if total > 0.0 { sizes.into_iter().map(|size| size / total).collect() } else { sizes }
        };
        match self {
            Self::Weights(heads) => heads.clone(),
            Self::Rows(parts) => vec![divided(parts.iter().map(|part| part.iter().map(|x| x.abs()).sum()).collect())],
            Self::Writings(parts) => vec![divided(parts.iter().map(|part| part.iter().map(|x| x * x).sum::<f32>().sqrt()).collect())],
        }
    }
}

/// What one segment has written into a memory.
struct Writing {
    /// The memory's A after it, and before.
    out: At,
    old: Option<At>,
    /// `[rows, features]`.
    keys: Vec<f32>,
    /// b (v − v̄), `[rows, width]`.
    values: Vec<f32>,
}

/// Watches a program of one sequence, and remembers what has been written into its memories.
#[derive(Default)]
pub struct Watcher {
    writings: Vec<Writing>,
}

impl Watcher {
    /// What the instruction, carried out just now, read at each of these rows of its own; none where it reads nothing from other rows.
    pub fn see(&mut self, program: &Program, memory: &[f32], instruction: &Instruction, rows: &[usize]) -> Option<Vec<Parts>> {
        let address = |at: At| program.address(at);
        match instruction {
            Instruction::Attention { shape, qkv, turns, .. } => {
                let turns = &program.constants[*turns..turns + shape.length * shape.rotary];
                let weights = |&row: &usize| Parts::Weights(attention::weights(memory, address(*qkv), turns, shape, row));
                Some(rows.iter().map(weights).collect())
            }
            Instruction::Lstm { width, gates, .. } => Some(rows.iter().map(|&row| lstm(memory, address(*gates), *width, row)).collect()),
            Instruction::Scan { scan: reads, .. } => Some(selective_scan(memory, &scan::Arrays::new(reads, address), rows)),
            Instruction::Recall { shape, queries, memory: held, divisors, .. } => {
                let query = |row: usize| &memory[address(*queries) + row * shape.features..][..shape.features];
                let recall = |&row: &usize| self.recall(held.a, query(row), memory[address(*divisors) + row], shape.width);
                Some(rows.iter().map(recall).collect())
            }
            Instruction::Memorize { shape, keys, strengths, old, novel, out, .. } => {
                let numbers = |at: At, count: usize| &memory[address(at)..][..count];
                let novel = numbers(*novel, shape.rows * shape.width).chunks_exact(shape.width);
                let weighed = novel.zip(numbers(*strengths, shape.rows)).flat_map(|(novel, &strength)| {
                    let b = sigmoid(strength);
                    novel.iter().map(move |novel| b * novel)
                });
                let (keys, values) = (numbers(*keys, shape.rows * shape.features).to_vec(), weighed.collect());
                self.writings.push(Writing { out: out.a, old: old.map(|old| old.a), keys, values });
                None
            }
            // Nothing here meets another row, or it belongs to learning or to drawing tokens.
            Instruction::Embed { .. }
            | Instruction::EmbedBackward { .. }
            | Instruction::Copies(_)
            | Instruction::Norm { .. }
            | Instruction::NormBackward { .. }
            | Instruction::ColumnSums(_)
            | Instruction::Products(_)
            | Instruction::AttentionAt { .. }
            | Instruction::AttentionBackward { .. }
            | Instruction::LstmBackward { .. }
            | Instruction::Convolution { .. }
            | Instruction::ConvolutionBackward { .. }
            | Instruction::ScanBackward { .. }
            | Instruction::Features { .. }
            | Instruction::FeaturesBackward { .. }
            | Instruction::RecallBackward { .. }
            | Instruction::MemorizeBackward { .. }
            | Instruction::Halting { .. }
            | Instruction::HaltingBackward { .. }
            | Instruction::Mixture { .. }
            | Instruction::MixtureBackward { .. }
            | Instruction::CrossEntropy { .. }
            | Instruction::Answer { .. }
            | Instruction::Draw { .. }
            | Instruction::LogProbability { .. }
            | Instruction::Policy { .. }
            | Instruction::Total { .. } => None,
        }
    }

    /// What a query finds in a memory, by writing.
    fn recall(&self, memory: At, query: &[f32], divisor: f32, width: usize) -> Parts {
        let mut parts = Vec::new();
        let mut held = Some(memory);
        while let Some(writing) = held.and_then(|at| self.writings.iter().find(|writing| writing.out == at)) {
            let mut part = vec![0.0; width];
            for (key, value) in writing.keys.chunks_exact(query.len()).zip(writing.values.chunks_exact(width)) {
                let weight = sum(query.len(), |i| key[i] * query[i]) / divisor;
                part.iter_mut().zip(value).for_each(|(part, value)| *part += weight * value);
            }
            parts.push(part);
            held = writing.old;
        }
        parts.reverse();
        Parts::Writings(parts)
    }
}

/// `gates` are those after activation: i, f, g, o.
fn lstm(memory: &[f32], gates: usize, width: usize, row: usize) -> Parts {
    let gate = |row: usize, which: usize| &memory[gates + (4 * row + which) * width..][..width];
    // o_i and the product of the f's so far.
    let mut kept = gate(row, 3).to_vec();
    let mut parts: Vec<Vec<f32>> = Vec::with_capacity(row + 1);
    for from in (0..=row).rev() {
        let (input, forget, fresh) = (gate(from, 0), gate(from, 1), gate(from, 2));
        parts.push((0..width).map(|c| kept[c] * input[c] * fresh[c]).collect());
        kept.iter_mut().zip(forget).for_each(|(kept, forget)| *kept = not_tiny(*kept * forget));
    }
    parts.reverse();
    Parts::Rows(parts)
}

/// Channel by channel, so that what a channel's decays take is room for one.
fn selective_scan(memory: &[f32], at: &scan::Arrays, rows: &[usize]) -> Vec<Parts> {
    let channels = at.channels;
    let mut decay = Vec::new();
    scan::decays(&mut decay, memory, at);
    let last = rows.iter().max().map_or(0, |row| row + 1);
    let projected: Vec<(scan::State, scan::State)> = (0..last).map(|row| at.row(memory, row)).collect();
    let mut found: Vec<Vec<Vec<f32>>> = rows.iter().map(|row| vec![vec![0.0; channels]; row + 1]).collect();
    for channel in 0..channels {
        let number = |at: usize, stride: usize, row: usize| memory[at + row * stride + channel];
        let steps: Vec<f32> = (0..last).map(|row| softplus(number(at.delta, channels, row))).collect();
        let shrunk: Vec<scan::State> = steps.iter().map(|step| decay[channel].map(|a| exp(step * a))).collect();
        for (&row, parts) in rows.iter().zip(&mut found) {
            let g = number(at.gate.0, at.gate.1, row);
            // C_i silu(g_i) and the product of the decays so far.
            let mut kept = projected[row].1.map(|c| c * g * sigmoid(g));
            for (from, part) in parts.iter_mut().enumerate().rev() {
                let fed = steps[from] * number(at.u, channels, from);
                part[channel] = fed * sum(STATE, |n| kept[n] * projected[from].0[n]);
                kept = std::array::from_fn(|n| not_tiny(kept[n] * shrunk[from][n]));
            }
        }
    }
    found.into_iter().map(Parts::Rows).collect()
}
