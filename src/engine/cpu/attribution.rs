//! Attribution: divides what an operator reads at a row among its sources. The parts are exact: they sum to the value in the last column. They
//! are computed afterwards, from the arrays of the instruction that has just run ([`super::Machine::run_watched`]). A run without a watcher
//! does none of this work.
//!
//! | operator | the part of row j in the output of row i | the sum of the parts |
//! |---|---|---|
//! | attention, by head | the weight `softmax(rot(q_i) rot(k_j)ᵀ / √head)` | 1 |
//! | LSTM | `o_i ⊙ (Π f_t) ⊙ i_j ⊙ g_j`, the product over t = j+1 … i | `o_i ⊙ c_i` |
//! | selective scan | `C_i · ((Π exp(Δ_t A)) ⊙ Δ_j B_j u_j) silu(g_i)`, the same product | `y_i − D u_i silu(g_i)` |
//! | recall, by write m | `Σ b (φ(k) · q_i) (v − v̄) / (q_i · z + 1e-5)` over the rows of write m | `q_i A / (q_i · z + 1e-5)` |
//!
//! Sources: Levy et al., arXiv 1805.03716, for the LSTM as a weighted sum of its inputs; Ali et al., arXiv 2403.01590, for Mamba's hidden
//! attention (they also leave out the skip D u, which belongs to row i alone); Schlag et al., arXiv 2102.11174, for a memory as the sum of its
//! writes.

use super::math::{exp, not_tiny, sigmoid, softplus, sum};
use super::{attention, scan};
use crate::engine::program::{Associative, At, Attention, Instruction, Lstm, Memorize, Program, Recall, Recurrent, STATE, ScanForward};

/// The attribution of one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Parts {
    /// Attention weights, `[heads][i + 1]`.
    Weights(Vec<Vec<f32>>),
    /// The part of each row up to this one in the row's output, `[i + 1][width]`.
    Rows(Vec<Vec<f32>>),
    /// The part of each write into a memory in the value read, the oldest write first, `[writes][width]`.
    Writings(Vec<Vec<f32>>),
}

impl Parts {
    /// The share of each source, `[heads][sources]`. The size of a vector part is Σ |part| for rows and ‖part‖ for writes. Each list sums to 1,
    /// or is all zeros if nothing was read.
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

/// One write of a segment into a memory.
struct Writing {
    /// The memory's A after the write, and before it.
    out: At,
    old: Option<At>,
    /// `[rows, features]`.
    keys: Vec<f32>,
    /// b (v − v̄), `[rows, width]`.
    values: Vec<f32>,
}

/// Watches a program of one sequence, and keeps what has been written into its memories.
#[derive(Default)]
pub struct Watcher {
    writings: Vec<Writing>,
}

impl Watcher {
    /// The attribution of these rows of the instruction that has just run; `None` if it reads nothing from other rows.
    pub fn see(&mut self, program: &Program, memory: &[f32], instruction: &Instruction, rows: &[usize]) -> Option<Vec<Parts>> {
        let address = |at: At| program.address(at);
        match instruction {
            Instruction::Attention(Attention::Forward { shape, qkv, rotary_table, .. }) => {
                let rotary_table = &program.constants[*rotary_table..rotary_table + shape.length * shape.rotary];
                let weights = |&row: &usize| Parts::Weights(attention::weights(memory, address(*qkv), rotary_table, shape, row));
                Some(rows.iter().map(weights).collect())
            }
            Instruction::Recurrent(Recurrent::Lstm(Lstm { width, gates, .. })) => {
                Some(rows.iter().map(|&row| lstm(memory, address(*gates), *width, row)).collect())
            }
            Instruction::Recurrent(Recurrent::Scan(ScanForward { scan: reads, .. })) => {
                Some(selective_scan(memory, &scan::ScanArrays::new(reads, address), rows))
            }
            Instruction::Associative(Associative::Recall(Recall { shape, queries, memory: held, divisors, .. })) => {
                let query = |row: usize| &memory[address(*queries) + row * shape.features..][..shape.features];
                let recall = |&row: &usize| self.recall(held.a, query(row), memory[address(*divisors) + row], shape.width);
                Some(rows.iter().map(recall).collect())
            }
            Instruction::Associative(Associative::Memorize(Memorize { shape, keys, strengths, old, novel, out, .. })) => {
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
            // These instructions read no other row, or belong to generation, the loss or the backward pass. The convolution does read the three
            // rows before; its attribution is left out.
            Instruction::Embed(_)
            | Instruction::Grouped(_)
            | Instruction::Norm(_)
            | Instruction::Attention(Attention::AtPosition { .. } | Attention::Backward { .. })
            | Instruction::Recurrent(
                Recurrent::LstmBackward(_) | Recurrent::Convolution(_) | Recurrent::ConvolutionBackward(_) | Recurrent::ScanBackward(_),
            )
            | Instruction::Associative(
                Associative::Features(_)
                | Associative::FeaturesBackward(_)
                | Associative::RecallBackward(_)
                | Associative::MemorizeBackward(_),
            )
            | Instruction::Halting(_)
            | Instruction::Loss(_)
            | Instruction::Policy(_) => None,
        }
    }

    /// The value that a query reads from a memory, divided by write.
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

/// `gates` is the address of the activated gates: i, f, g, o.
fn lstm(memory: &[f32], gates: usize, width: usize, row: usize) -> Parts {
    let gate = |row: usize, which: usize| &memory[gates + (4 * row + which) * width..][..width];
    // o_i times the product of the forget gates so far.
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

/// Works channel by channel, so that it needs space for the decays of one channel only.
fn selective_scan(memory: &[f32], at: &scan::ScanArrays, rows: &[usize]) -> Vec<Parts> {
    let channels = at.channels;
    let mut decay = Vec::new();
    scan::decays(&mut decay, memory, at);
    let last = rows.iter().max().map_or(0, |row| row + 1);
    let projected: Vec<(scan::ScanState, scan::ScanState)> = (0..last).map(|row| at.row(memory, row)).collect();
    let mut found: Vec<Vec<Vec<f32>>> = rows.iter().map(|row| vec![vec![0.0; channels]; row + 1]).collect();
    for channel in 0..channels {
        let number = |at: usize, stride: usize, row: usize| memory[at + row * stride + channel];
        let steps: Vec<f32> = (0..last).map(|row| softplus(number(at.delta, channels, row))).collect();
        let shrunk: Vec<scan::ScanState> = steps.iter().map(|step| decay[channel].map(|a| exp(step * a))).collect();
        for (&row, parts) in rows.iter().zip(&mut found) {
            let g = number(at.gate.0, at.gate.1, row);
            // C_i silu(g_i) times the product of the decays so far.
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
