//! [`Operators`] in Burn's tensors: each operator is computed by its definition when it is called, and Burn's autodiff records it.

use super::memory::Held;
use super::{delta, halting, layers, loss, memory, recurrent};
use crate::engine::operators::{
    Activation, Affine, Delta, Heads, Linear, LstmWeights, MemoryVar, Missing, NO_LABEL, Operators, PolicyTerms, STATE, ScanWeights,
    Shaped, Weight,
};
use crate::engine::parameters::ParameterShape;
use crate::engine::program::HaltingLogPart;
use burn::tensor::{Device, Int, Tensor, TensorData};
use std::ops::Range;
use std::sync::Arc;

/// A handle of a tensor `[rows, width]` of [`Tensors`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    index: usize,
    rows: usize,
    width: usize,
}

impl Shaped for Var {
    fn rows(self) -> usize {
        self.rows
    }

    fn width(self) -> usize {
        self.width
    }
}

/// The number of hops of the rows of one looped part.
pub struct Counted {
    pub part: HaltingLogPart,
    /// `[N, 1]`.
    pub hops: Tensor<2>,
}

/// One pass over a batch.
pub struct Tensors {
    parameters: Arc<[ParameterShape]>,
    /// One tensor per parameter, `[rows, columns]`.
    pub(super) weights: Vec<Tensor<2>>,
    words: Vec<u32>,
    /// Device of the constants, which have no gradient.
    device: Device,
    vars: Vec<Tensor<2>>,
    prefix: &'static str,
    frozen: bool,
    span: Range<usize>,
    pub counted: Vec<Counted>,
    remainders: Vec<Tensor<2>>,
    /// The cost of the remainders, if there is a price.
    cost: Option<Tensor<1>>,
    pub loss: Option<Tensor<1>>,
    /// Mean distance from the reference, if a policy learns.
    pub distance: Option<Tensor<1>>,
}

impl Tensors {
    /// A pass with these weights over a batch of these words.
    pub(super) fn new(parameters: Arc<[ParameterShape]>, weights: Vec<Tensor<2>>, words: Vec<u32>, device: Device) -> Self {
        Self {
            parameters,
            weights,
            words,
            device,
            vars: Vec::new(),
            prefix: "",
            frozen: false,
            span: 0..usize::MAX,
            counted: Vec::new(),
            remainders: Vec::new(),
            cost: None,
            loss: None,
            distance: None,
        }
    }

    /// The tensor of a handle.
    pub fn tensor(&self, var: Var) -> Tensor<2> {
        self.vars[var.index].clone()
    }

    fn keep(&mut self, tensor: Tensor<2>) -> Var {
        let [rows, width] = tensor.dims();
        self.vars.push(tensor);
        Var { index: self.vars.len() - 1, rows, width }
    }

    /// A parameter as `[rows, columns]`.
    fn value(&self, weight: Weight) -> Tensor<2> {
        let starts = self.parameters.iter().scan(0, |end, parameter| {
            let start = *end;
            *end += parameter.size();
            Some(start)
        });
        let index = starts.take_while(|start| *start <= weight.offset).count() - 1;
        let value = self.weights[index].clone();
        if self.frozen { value.detach() } else { value }
    }

    /// A parameter as one row.
    fn vector(&self, weight: Weight) -> Tensor<2> {
        self.value(weight).reshape([1, weight.rows * weight.columns])
    }

    fn map(&self, x: Var, weight: Weight, bias: Option<Weight>) -> Tensor<2> {
        let z = self.tensor(x).matmul(self.value(weight).transpose());
        match bias {
            Some(bias) => z + self.vector(bias),
            None => z,
        }
    }

    fn held(&self, memory: MemoryVar<Var>) -> Held {
        Held { a: self.tensor(memory.a), z: self.tensor(memory.z) }
    }

    /// Positions `range` of each of B sequences of x `[B·n, d]`: `[B, count, d]`.
    fn part(&self, x: Var, length: usize, range: Range<usize>) -> Tensor<3> {
        self.tensor(x).reshape([x.rows / length, length, x.width]).narrow(1, range.start, range.len())
    }

    fn numbers(&self, first: usize, count: usize) -> Vec<f32> {
        self.words[first..first + count].iter().map(|word| f32::from_bits(*word)).collect()
    }
}

/// `[B, n, d]` → `[B·n, d]`.
fn flat(x: Tensor<3>) -> Tensor<2> {
    let [blocks, rows, width] = x.dims();
    x.reshape([blocks * rows, width])
}

impl Operators for Tensors {
    type Var = Var;

    fn weight(&self, name: &str) -> Weight {
        Weight::find(&self.parameters, self.prefix, name)
    }

    fn frozen<T>(&mut self, prefix: &'static str, compute: impl FnOnce(&mut Self) -> T) -> T {
        let outer = (self.prefix, self.frozen);
        (self.prefix, self.frozen) = (prefix, true);
        let result = compute(self);
        (self.prefix, self.frozen) = outer;
        self.span = 0..usize::MAX;
        result
    }

    fn chain<T>(&mut self, _: usize, compute: impl FnOnce(&mut Self) -> T) -> T {
        compute(self)
    }

    fn at_positions(&mut self, span: Range<usize>) {
        self.span = span;
    }

    fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Var {
        let tokens: Vec<i32> = self.words[tokens..tokens + rows].iter().map(|&token| token as i32).collect();
        let tokens = Tensor::<1, Int>::from_data(TensorData::new(tokens, [rows]), &self.device);
        self.keep(self.value(table).select(0, tokens))
    }

    fn positions(&mut self, x: Var, length: usize, from: usize) -> Var {
        let out = self.rows_from(x, length, from);
        self.span = self.span.start + from..self.span.end;
        out
    }

    fn rows_from(&mut self, x: Var, n: usize, from: usize) -> Var {
        self.keep(flat(self.part(x, n, from..n)))
    }

    fn segment(&mut self, x: Var, length: usize, segment: Range<usize>, tokens: Option<Weight>) -> Var {
        let part = self.part(x, length, segment);
        let Some(tokens) = tokens else { return self.keep(flat(part)) };
        let extra = self.value(tokens).reshape([1, tokens.rows, tokens.columns]).expand([x.rows / length, tokens.rows, tokens.columns]);
        self.keep(flat(Tensor::cat(vec![part, extra], 1)))
    }

    fn join(&mut self, parts: &[(Var, usize)], sequences: usize, from: usize) -> Var {
        let length: usize = parts.iter().map(|(_, kept)| kept).sum();
        let parts = parts.iter().map(|&(part, kept)| self.part(part, part.rows / sequences, 0..kept)).collect();
        let out = flat(Tensor::cat(parts, 1).narrow(1, from, length - from));
        self.span = from..length;
        self.keep(out)
    }

    fn linears<const N: usize>(&mut self, linears: [Linear<Var>; N]) -> [Var; N] {
        linears.map(|Linear { x, weight, bias, activation }| {
            let z = self.map(x, weight, bias);
            self.keep(match activation {
                Activation::None => z,
                Activation::Gelu => layers::gelu(z),
            })
        })
    }

    fn residual<const N: usize>(&mut self, residual: Var, branches: [(Var, Weight, Option<Weight>); N]) -> Var {
        let sum = branches.into_iter().fold(self.tensor(residual), |sum, (x, weight, bias)| sum + self.map(x, weight, bias));
        self.keep(sum)
    }

    fn layer_norms<const N: usize>(&mut self, x: Var, affines: [Affine; N], epsilon: f64) -> [Var; N] {
        affines.map(|Affine { gamma, beta }| {
            let beta = beta.map(|beta| self.vector(beta));
            self.keep(layers::norm(self.tensor(x), self.vector(gamma), beta, epsilon, true))
        })
    }

    fn rms_norm(&mut self, x: Var, gamma: Weight, epsilon: f64) -> Var {
        self.keep(layers::norm(self.tensor(x), self.vector(gamma), None, epsilon, false))
    }

    fn causal_attention(&mut self, qkv: Var, shape: Heads) -> Var {
        self.keep(layers::causal_attention(self.tensor(qkv), shape))
    }

    fn lstm(&mut self, x: Var, weights: LstmWeights, length: usize) -> Var {
        let (input, hidden) = (self.value(weights.input), self.value(weights.hidden));
        let biases = weights.biases.map(|bias| self.vector(bias));
        self.keep(recurrent::lstm(self.tensor(x), recurrent::Lstm { input, hidden, biases }, length))
    }

    fn causal_convolution(&mut self, x: Var, weight: Weight, bias: Weight, length: usize) -> Var {
        let x = self.tensor(x).narrow(1, 0, weight.rows);
        self.keep(recurrent::causal_convolution(x, self.value(weight), self.vector(bias), length))
    }

    fn selective_scan(&mut self, u: Var, projected: Var, gate: Var, weights: ScanWeights, length: usize) -> Var {
        assert_eq!(projected.width, weights.step.columns + 2 * STATE, "the projection must hold Δ's elements, B and C");
        let gate = self.tensor(gate).narrow(1, gate.width - u.width, u.width);
        let scan = recurrent::Scan {
            step: self.value(weights.step),
            step_bias: self.vector(weights.step_bias),
            a_log: self.value(weights.a_log),
            skip: self.vector(weights.skip),
        };
        self.keep(recurrent::selective_scan(self.tensor(u), self.tensor(projected), gate, scan, length))
    }

    fn features(&mut self, x: Var) -> Var {
        self.keep(memory::features(self.tensor(x)))
    }

    fn recall(&mut self, x: Var, queries: Var, memory: MemoryVar<Var>) -> Var {
        self.keep(memory::recall(self.tensor(x), self.tensor(queries), self.held(memory)))
    }

    fn memorize(&mut self, keys: Var, values: Var, strengths: Var, old: Option<MemoryVar<Var>>, sequences: usize) -> MemoryVar<Var> {
        let [keys, values, strengths] = [keys, values, strengths].map(|var| self.tensor(var));
        let Held { a, z } = memory::memorize(keys, values, strengths, old.map(|old| self.held(old)), sequences);
        MemoryVar { a: self.keep(a), z: self.keep(z) }
    }

    fn halting(&mut self, unit: usize, scores: &[Var]) -> Var {
        let rows = scores[0].rows;
        let halted = halting::halting(scores.iter().map(|score| self.tensor(*score)).collect());
        self.counted.push(Counted { part: HaltingLogPart { unit, rows, positions: self.span.clone() }, hops: halted.hops });
        self.remainders.push(halted.remainder);
        self.keep(halted.weights)
    }

    fn mixture(&mut self, parts: &[Var], weights: Var) -> Var {
        let mixed = halting::mixture(parts.iter().map(|part| self.tensor(*part)).collect(), &self.tensor(weights));
        // There is always at least one part, so `mixed` is never `None`.
        mixed.map_or(parts[0], |mixed| self.keep(mixed))
    }

    fn charge(&mut self, price: f64, share: f64) {
        let rows: usize = self.counted.iter().map(|counted| counted.part.rows).sum();
        let total = self.remainders.iter().cloned().map(Tensor::sum).reduce(|sum, part| sum + part);
        self.cost = total.filter(|_| price > 0.0).map(|total| total * (price * share / rows as f64) as f32);
    }

    fn cross_entropy(&mut self, logits: Var, labels: usize, of: usize) {
        let labels = &self.words[labels..labels + logits.rows];
        let loss = loss::log_probability(self.tensor(logits), labels, 1.0).sum().neg() * (1.0 / of as f32);
        self.loss = Some(match self.cost.take() {
            Some(cost) => loss + cost,
            None => loss,
        });
    }

    fn log_probability(&mut self, logits: Var, labels: usize, temperature: f32) -> Var {
        let labels = &self.words[labels..labels + logits.rows];
        self.keep(loss::log_probability(self.tensor(logits), labels, temperature))
    }

    fn policy_loss(&mut self, logits: Var, labels: usize, reference: Var, terms: PolicyTerms) {
        let rows = logits.rows;
        let labels = &self.words[labels..labels + rows];
        let counts: Vec<bool> = labels.iter().map(|label| *label != NO_LABEL).collect();
        // Where no label counts, the words are not valid numbers.
        let known =
            |numbers: Vec<f32>| numbers.into_iter().zip(&counts).map(|(number, counts)| if *counts { number } else { 0.0 }).collect();
        let column = |numbers: Vec<f32>| loss::column(numbers, &self.device);
        let drawn_by_others = (0..rows).any(|row| counts[row] && self.words[terms.old + row] != NO_LABEL);
        let [loss, distance] = loss::policy(loss::Policy {
            log: loss::log_probability(self.tensor(logits), labels, terms.temperature),
            reference: self.tensor(reference),
            advantages: column(known(self.numbers(terms.advantages, rows))),
            old: drawn_by_others.then(|| column(known(self.numbers(terms.old, rows)))),
            counts: column(counts.iter().map(|counts| f32::from(u8::from(*counts))).collect()),
            kl: terms.kl,
            clip: terms.clip,
            scale: f32::from_bits(self.words[terms.scale]),
        });
        (self.loss, self.distance) = (Some(loss), Some(distance));
    }

    fn delta_rule(&mut self, of: Delta<Var>) -> Result<Var, Missing> {
        let decay =
            of.decay.map(|decay| delta::Decay { x: self.tensor(decay.x), a_log: self.vector(decay.a_log), bias: self.vector(decay.bias) });
        let out = delta::delta_rule(delta::Delta {
            queries: self.tensor(of.queries),
            keys: self.tensor(of.keys),
            values: self.tensor(of.values),
            strengths: self.tensor(of.strengths),
            decay,
            gain: self.vector(of.gain),
            heads: of.heads,
            length: of.length,
            range: of.range,
        });
        Ok(self.keep(out))
    }
}
