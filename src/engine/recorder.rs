//! Writes a [`Program`] down: operators append their instructions forwards and leave behind what to append backwards.

use super::layout;
use super::operators::{Sampling, Shaped, Weight};
use super::pass::Purpose;
use super::program::{At, Chain, ColumnSum, Copy, Factor, Form, Instruction, Journal, Product, Program, Rows, Summand, Term};
use crate::model::Parameter;
use std::ops::Range;
use std::sync::Arc;

/// Buffer of all weights, flat.
const WEIGHTS: usize = 0;
/// Buffer of their gradient.
const GRADIENT: usize = 1;
/// Buffer of the loss and the hits.
const TOTAL: usize = 2;

/// An activation: `[rows, width]`, dense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    pub(super) index: usize,
    pub(super) at: At,
    pub rows: usize,
    pub width: usize,
}

impl Shaped for Var {
    fn rows(self) -> usize {
        self.rows
    }

    fn width(self) -> usize {
        self.width
    }
}

impl Var {
    /// Its rows.
    pub(super) fn dense(self) -> Rows {
        Rows { at: self.at, stride: self.width }
    }
}

impl Weight {
    pub(super) fn at(self) -> At {
        At { buffer: WEIGHTS, offset: self.offset }
    }

    pub(super) fn gradient(self) -> At {
        At { buffer: GRADIENT, offset: self.offset }
    }
}

/// What an operator leaves to be done backwards.
type Backward = Box<dyn FnOnce(&mut Recorder)>;

/// A program being written.
pub struct Recorder {
    parameters: Arc<[Parameter]>,
    /// Numbers of each buffer.
    pub(super) buffers: Vec<usize>,
    pub(super) instructions: Vec<Instruction>,
    /// The positions of a sequence that each instruction stands for.
    pub(super) spans: Vec<Range<usize>>,
    /// Those of the instructions to come.
    span: Range<usize>,
    pub(super) chains: Vec<Chain>,
    /// Where the chain that is being written began.
    chain_start: usize,
    /// Sequences of the chain that is being written.
    chain_sequences: Option<usize>,
    carrier: Carrier,
    pub(super) constants: Vec<f32>,
    pub(super) words: usize,
    backward: Vec<Backward>,
    /// Where each activation's gradient stands so far.
    gradients: Vec<Option<At>>,
    /// What an activation was made from, where its gradient is wanted times gelu' of that.
    slopes: Vec<Option<At>>,
    /// Whether a backward pass will follow.
    training: bool,
    /// Whether gradient and total are added to what is there.
    pub(super) accumulate: bool,
    /// The weights' gradients, computed together at the end: one product a weight, with a term for each of its uses.
    pending: Vec<(Weight, Product)>,
    /// Weights whose gradient has begun otherwise, to be added to.
    begun: Vec<Weight>,
    sums: Vec<ColumnSum>,
    pub(super) has_total: bool,
    pub(super) answers: Option<(At, usize)>,
    /// The position after which the program goes on by itself.
    pub(super) generates_after: Option<usize>,
    pub(super) generated: Option<(At, usize)>,
    /// How it goes on, if not with the most probable tokens, and the first word of the numbers in [0, 1) that it draws with.
    pub(super) draws: Option<(Sampling, usize)>,
    /// What the names of the weights to come begin with.
    prefix: &'static str,
    pub(super) logits: Option<Var>,
    /// Where adaptive computation time halted.
    pub(super) journal: Option<Journal>,
    /// What its remainders cost, `[rows, 2]` like the loss's rows, and the factor of that.
    pub(super) costs: Option<At>,
    pub(super) cost: f32,
}

/// Who carries a program out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// A thread of the CPU: one instruction after the other.
    Thread,
    /// A graphics card, for which [`Recorder::chain`] gathers instructions into one launch.
    Card,
}

impl Recorder {
    /// An empty program over these parameters, which lie flat one after the other.
    pub fn new(parameters: &Arc<[Parameter]>, purpose: Purpose, carrier: Carrier) -> Self {
        let weights = parameters.iter().map(Parameter::size).sum();
        Self {
            parameters: parameters.clone(),
            buffers: vec![weights, weights, 2],
            instructions: Vec::new(),
            spans: Vec::new(),
            span: 0..usize::MAX,
            chains: Vec::new(),
            chain_start: 0,
            chain_sequences: None,
            carrier,
            constants: Vec::new(),
            words: 0,
            backward: Vec::new(),
            gradients: Vec::new(),
            slopes: Vec::new(),
            training: matches!(purpose, Purpose::Gradient | Purpose::More),
            accumulate: purpose == Purpose::More,
            pending: Vec::new(),
            begun: Vec::new(),
            sums: Vec::new(),
            has_total: false,
            answers: None,
            generates_after: None,
            generated: None,
            draws: None,
            prefix: "",
            logits: None,
            journal: None,
            costs: None,
            cost: 0.0,
        }
    }

    /// Whether a backward pass will follow: operators keep what it needs only then.
    pub fn training(&self) -> bool {
        self.training
    }

    /// See [`super::Operators::weight`].
    pub(super) fn weight(&self, name: &str) -> Weight {
        Weight::find(&self.parameters, self.prefix, name)
    }

    /// Records what `record` does over the weights whose names begin with `prefix`, without a backward pass.
    pub(super) fn frozen<T>(&mut self, prefix: &'static str, record: impl FnOnce(&mut Self) -> T) -> T {
        let (training, outer) = (self.training, self.prefix);
        (self.training, self.prefix) = (false, prefix);
        let result = record(self);
        (self.training, self.prefix) = (training, outer);
        self.span = 0..usize::MAX;
        result
    }

    /// Words that the caller fills in before each run, `count` of them; the number of the first.
    pub fn words(&mut self, count: usize) -> usize {
        self.words += count;
        self.words - count
    }

    /// A table that the program carries; the number of its first value.
    pub(super) fn constant(&mut self, values: impl IntoIterator<Item = f32>) -> usize {
        let start = self.constants.len();
        self.constants.extend(values);
        start
    }

    /// Space for `size` numbers.
    pub(super) fn buffer(&mut self, size: usize) -> At {
        self.buffers.push(size);
        At { buffer: self.buffers.len() - 1, offset: 0 }
    }

    /// More space behind a buffer, for `size` numbers.
    pub(super) fn grow(&mut self, buffer: At, size: usize) -> At {
        let offset = self.buffers[buffer.buffer];
        self.buffers[buffer.buffer] += size;
        At { offset, ..buffer }
    }

    /// Space for an activation.
    pub(super) fn var(&mut self, rows: usize, width: usize) -> Var {
        let at = self.buffer(rows * width);
        self.gradients.push(None);
        self.slopes.push(None);
        Var { index: self.gradients.len() - 1, at, rows, width }
    }

    pub(super) fn push(&mut self, instruction: Instruction) {
        self.instructions.push(instruction);
        self.spans.push(self.span.clone());
    }

    /// Says which positions of each sequence the rows of the coming instructions stand for.
    pub(super) fn at_positions(&mut self, span: Range<usize>) {
        self.span = span;
    }

    /// The positions that the coming instructions stand for.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Records what `record` does, and its backward pass, as a [`Chain`] each, where a graphics card carries the program out.
    pub(super) fn chain<T>(&mut self, sequences: usize, record: impl FnOnce(&mut Self) -> T) -> T {
        if self.carrier == Carrier::Thread {
            return record(self);
        }
        self.on_backward(move |recorder| recorder.end_chain(sequences));
        self.begin_chain(sequences);
        let result = record(self);
        self.end_chain(sequences);
        self.on_backward(move |recorder| recorder.begin_chain(sequences));
        result
    }

    fn begin_chain(&mut self, sequences: usize) {
        self.chain_start = self.instructions.len();
        self.chain_sequences = Some(sequences);
    }

    fn end_chain(&mut self, sequences: usize) {
        self.chain_sequences = None;
        self.chains.push(Chain { instructions: self.chain_start..self.instructions.len(), sequences });
    }

    /// Leaves something to be done backwards, after everything recorded later.
    pub(super) fn on_backward(&mut self, backward: impl FnOnce(&mut Recorder) + 'static) {
        if self.training {
            self.backward.push(Box::new(backward));
        }
    }

    /// An activation's gradient, if anything depends on it.
    pub(super) fn gradient(&self, var: Var) -> Option<At> {
        self.gradients[var.index]
    }

    /// Says that an activation is gelu(z): its gradient is to be written times gelu'(z), which only linear maps do.
    pub(super) fn set_slope(&mut self, var: Var, z: Option<At>) {
        self.slopes[var.index] = z;
    }

    /// The z of an activation that is gelu(z).
    pub(super) fn take_slope(&mut self, var: Var) -> Option<At> {
        self.slopes[var.index].take()
    }

    /// Where to write an activation's gradient anew, and what of it stands already and must be added.
    ///
    /// # Panics
    /// When the activation went through GELU and its reader is no linear map: a fault of the model's file.
    pub(super) fn add_gradient(&mut self, var: Var) -> (At, Option<At>) {
        assert!(self.slopes[var.index].is_none(), "what went through GELU is read by one linear map");
        let out = self.buffer(var.rows * var.width);
        (out, self.gradients[var.index].replace(out))
    }

    /// Where the gradient of an activation stands that several readers write in parts, each its own.
    pub(super) fn gradient_in_parts(&mut self, var: Var) -> At {
        match self.gradients[var.index] {
            Some(at) => at,
            None => self.add_gradient(var).0,
        }
    }

    /// Lets an activation's gradient be one that is there already: that of a sum is that of each of its summands. What other
    /// readers have left is added.
    pub(super) fn share_gradient(&mut self, var: Var, gradient: At) {
        let Some(there) = self.gradients[var.index] else {
            self.gradients[var.index] = Some(gradient);
            return;
        };
        let blocks = self.chain_sequences.unwrap_or(1);
        let numbers = var.rows * var.width / blocks;
        let (out, _) = self.add_gradient(var);
        let dense = |at| Rows { at, stride: numbers };
        self.push(Instruction::Copies(vec![Copy { from: vec![dense(there), dense(gradient)], to: dense(out), blocks, numbers }]));
    }

    /// Where loss and hits come to stand: the same place in every program over these weights.
    pub(super) fn total(&mut self) -> At {
        self.has_total = true;
        At { buffer: TOTAL, offset: 0 }
    }

    /// Says that something other than a product writes a weight's gradient before the end: a table that is an embedding and a head.
    pub(super) fn begin_gradient(&mut self, weight: Weight) {
        self.begun.push(weight);
    }

    /// Adds `dyᵀ x` to a weight's gradient, at the end.
    pub(super) fn weight_gradient(&mut self, weight: Weight, dy: Rows, x: Rows, rows: usize) {
        let term = Term { a: dy, b: x, k: rows };
        if let Some((_, product)) = self.pending.iter_mut().find(|(pending, _)| *pending == weight) {
            product.terms.push(term);
            return;
        }
        let out = weight.gradient();
        let mut product = Product::plain(Form::Tn, weight.rows, weight.columns, vec![term], Rows { at: out, stride: weight.columns });
        product.add = self.accumulate.then_some(out);
        self.pending.push((weight, product));
    }

    /// Adds a sum over rows to a vector's gradient, at the end.
    pub(super) fn vector_gradient(&mut self, weight: Weight, of: At, factor: Factor, rows: usize) {
        self.sum_gradient(weight.gradient(), weight.columns, 1, Summand { of, factor, rows });
    }

    /// Adds a sum over rows to `width` numbers of the gradient, `step` apart, at the end.
    pub(super) fn sum_gradient(&mut self, out: At, width: usize, step: usize, summand: Summand) {
        match self.sums.iter_mut().find(|sum| sum.out == out) {
            Some(sum) => sum.summands.push(summand),
            None => self.sums.push(ColumnSum { summands: vec![summand], width, out, step, accumulate: self.accumulate }),
        }
    }

    /// Writes the backward pass, lays the memory out and hands the program over.
    pub fn finish(mut self) -> Program {
        while let Some(backward) = self.backward.pop() {
            backward(&mut self);
        }
        if !self.pending.is_empty() {
            let begun = std::mem::take(&mut self.begun);
            let finish = |(weight, mut product): (Weight, Product)| {
                if begun.contains(&weight) {
                    product.add = Some(weight.gradient());
                }
                product
            };
            let products = std::mem::take(&mut self.pending).into_iter().map(finish).collect();
            self.push(Instruction::Products(products));
        }
        if !self.sums.is_empty() {
            let sums = std::mem::take(&mut self.sums);
            self.push(Instruction::ColumnSums(sums));
        }
        layout::lay_out(self)
    }
}
