//! The recorder's operators. Each appends its instructions and registers those of its hand-derived gradient for the backward pass.
//! [`Operators`] defines what each computes. [`crate::engine`] explains how to add one.

mod attention;
mod cross_entropy;
mod embedding;
mod halting;
mod linear;
mod lstm;
mod mamba;
mod memory;
mod norm;
mod policy;
mod segments;

pub use attention::rotary_table;

use super::operators::{Affine, Delta, Heads, Linear, LstmWeights, MemoryVar, Missing, Operators, PolicyTerms, ScanWeights, Weight};
use super::recorder::{Recorder, Var};
use std::ops::Range;

impl Operators for Recorder {
    type Var = Var;

    fn weight(&self, name: &str) -> Weight {
        self.weight(name)
    }

    fn frozen<T>(&mut self, prefix: &'static str, compute: impl FnOnce(&mut Self) -> T) -> T {
        self.frozen(prefix, compute)
    }

    fn chain<T>(&mut self, sequences: usize, compute: impl FnOnce(&mut Self) -> T) -> T {
        self.chain(sequences, compute)
    }

    fn at_positions(&mut self, span: Range<usize>) {
        self.at_positions(span);
    }

    fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Var {
        self.embedding(table, tokens, rows)
    }

    fn positions(&mut self, x: Var, length: usize, from: usize) -> Var {
        self.positions(x, length, from)
    }

    fn rows_from(&mut self, x: Var, n: usize, from: usize) -> Var {
        self.rows_from(x, n, from)
    }

    fn segment(&mut self, x: Var, length: usize, segment: Range<usize>, tokens: Option<Weight>) -> Var {
        self.segment(x, length, segment, tokens)
    }

    fn join(&mut self, parts: &[(Var, usize)], sequences: usize, from: usize) -> Var {
        self.join(parts, sequences, from)
    }

    fn linears<const N: usize>(&mut self, linears: [Linear<Var>; N]) -> [Var; N] {
        self.linears(linears)
    }

    fn residual<const N: usize>(&mut self, residual: Var, branches: [(Var, Weight, Option<Weight>); N]) -> Var {
        self.residual(residual, branches)
    }

    fn layer_norms<const N: usize>(&mut self, x: Var, affines: [Affine; N], epsilon: f64) -> [Var; N] {
        self.layer_norms(x, affines, epsilon)
    }

    fn rms_norm(&mut self, x: Var, gamma: Weight, epsilon: f64) -> Var {
        self.rms_norm(x, gamma, epsilon)
    }

    fn causal_attention(&mut self, qkv: Var, shape: Heads) -> Var {
        self.causal_attention(qkv, shape)
    }

    fn lstm(&mut self, x: Var, weights: LstmWeights, length: usize) -> Var {
        self.lstm(x, weights, length)
    }

    fn causal_convolution(&mut self, x: Var, weight: Weight, bias: Weight, length: usize) -> Var {
        self.causal_convolution(x, weight, bias, length)
    }

    fn selective_scan(&mut self, u: Var, projected: Var, gate: Var, weights: ScanWeights, length: usize) -> Var {
        self.selective_scan(u, projected, gate, weights, length)
    }

    fn features(&mut self, x: Var) -> Var {
        self.features(x)
    }

    fn recall(&mut self, x: Var, queries: Var, memory: MemoryVar<Var>) -> Var {
        self.recall(x, queries, memory)
    }

    fn memorize(&mut self, keys: Var, values: Var, strengths: Var, old: Option<MemoryVar<Var>>, sequences: usize) -> MemoryVar<Var> {
        self.memorize(keys, values, strengths, old, sequences)
    }

    fn halting(&mut self, unit: usize, scores: &[Var]) -> Var {
        self.halting(unit, scores)
    }

    fn mixture(&mut self, parts: &[Var], weights: Var) -> Var {
        self.mixture(parts, weights)
    }

    fn charge(&mut self, price: f64, share: f64) {
        self.charge(price, share);
    }

    fn cross_entropy(&mut self, logits: Var, labels: usize, of: usize) {
        self.cross_entropy(logits, labels, of);
    }

    fn log_probability(&mut self, logits: Var, labels: usize, temperature: f32) -> Var {
        self.log_probability(logits, labels, temperature)
    }

    fn policy_loss(&mut self, logits: Var, labels: usize, reference: Var, terms: PolicyTerms) {
        self.policy_loss(logits, labels, reference, terms);
    }

    fn delta_rule(&mut self, _: Delta<Var>) -> Result<Var, Missing> {
        Err(Missing { operator: "the delta rule" })
    }
}
