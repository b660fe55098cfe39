//! Records a [`Program`]: operators append their forward instructions, and register closures that append the backward instructions.

use super::layout;
use super::operators::{Missing, Sampling, Shaped, Weight};
use super::parameters::ParameterShape;
use super::pass::{Pass, Purpose, Target};
use super::program::{At, Chain, ColumnSum, Copy, Factor, Form, Grouped, HaltingLog, Instruction, Product, Program, Rows, Summand, Term};
use std::ops::Range;
use std::sync::Arc;

/// Buffer of all weights, flat.
const WEIGHTS: usize = 0;
/// Buffer of the gradient of all weights.
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
    /// Its rows, without gaps.
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

/// Appends an operator's backward instructions.
type Backward = Box<dyn FnOnce(&mut Recorder)>;

/// A program that is being recorded.
pub struct Recorder {
    parameters: Arc<[ParameterShape]>,
    /// Elements of each buffer.
    pub(super) buffers: Vec<usize>,
    pub(super) instructions: Vec<Instruction>,
    /// The positions of a sequence that the rows of each instruction represent.
    pub(super) spans: Vec<Range<usize>>,
    /// The span of the next instructions.
    span: Range<usize>,
    pub(super) chains: Vec<Chain>,
    /// The first instruction of the current chain.
    chain_start: usize,
    /// Number of sequences of the current chain, if any.
    chain_sequences: Option<usize>,
    target: Target,
    pub(super) constants: Vec<f32>,
    pub(super) words: usize,
    backward: Vec<Backward>,
    /// The gradient of each activation so far.
    gradients: Vec<Option<At>>,
    /// For each activation gelu(z): z. Its gradient must be multiplied by gelu'(z).
    slopes: Vec<Option<At>>,
    /// Whether a backward pass will follow.
    training: bool,
    /// Whether gradient and total are added to the existing ones.
    pub(super) accumulate: bool,
    /// The gradients of the weights, computed together at the end: one product per weight, with one term per use.
    pending: Vec<(Weight, Product)>,
    /// Weights whose gradient another instruction writes first; their product must add to it.
    begun: Vec<Weight>,
    sums: Vec<ColumnSum>,
    pub(super) has_total: bool,
    pub(super) answers: Option<(At, usize)>,
    /// The position after which the program generates tokens.
    pub(super) generates_after: Option<usize>,
    pub(super) generated: Option<(At, usize)>,
    /// How generated tokens are drawn, and the first word of the numbers in [0, 1) for drawing. `None`: take the most probable token.
    pub(super) draws: Option<(Sampling, usize)>,
    /// Prefix of the names of the next weights.
    prefix: &'static str,
    pub(super) logits: Option<Var>,
    /// The number of hops of each row.
    pub(super) halting_log: Option<HaltingLog>,
    /// The cost of the remainders, `[rows, 2]` like the loss's rows, and the factor of a remainder.
    pub(super) costs: Option<At>,
    pub(super) cost: f32,
}

/// Records `compute` as a program for `target`. `compute` returns the logits, `[B·(S − from), V]`.
///
/// # Errors
/// When an operator has no kernel.
pub fn record(
    parameters: &Arc<[ParameterShape]>,
    pass: &Pass,
    target: Target,
    compute: impl FnOnce(&mut Recorder) -> Result<Var, Missing>,
) -> Result<Program, Missing> {
    let mut recorder = Recorder::new(parameters, pass.purpose, target);
    recorder.words(pass.words);
    if pass.purpose == Purpose::Generate {
        recorder.generate_after(pass.from);
    }
    if let Some((sampling, uniforms)) = pass.drawing {
        recorder.draw(sampling, uniforms);
    }
    let logits = compute(&mut recorder)?;
    if pass.purpose == Purpose::Answer {
        recorder.keep_logits(logits);
    }
    recorder.generate(pass.sequences, pass.length);
    Ok(recorder.finish())
}

impl Recorder {
    /// An empty program over these parameters, which are one flat array.
    pub fn new(parameters: &Arc<[ParameterShape]>, purpose: Purpose, target: Target) -> Self {
        let weights = parameters.iter().map(ParameterShape::size).sum();
        Self {
            parameters: parameters.clone(),
            buffers: vec![weights, weights, 2],
            instructions: Vec::new(),
            spans: Vec::new(),
            span: 0..usize::MAX,
            chains: Vec::new(),
            chain_start: 0,
            chain_sequences: None,
            target,
            constants: Vec::new(),
            words: 0,
            backward: Vec::new(),
            gradients: Vec::new(),
            slopes: Vec::new(),
            training: matches!(purpose, Purpose::Gradient | Purpose::Accumulate),
            accumulate: purpose == Purpose::Accumulate,
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
            halting_log: None,
            costs: None,
            cost: 0.0,
        }
    }

    /// Whether a backward pass will follow. Operators keep intermediate results for it only then.
    pub fn training(&self) -> bool {
        self.training
    }

    /// See [`super::Operators::weight`].
    pub(super) fn weight(&self, name: &str) -> Weight {
        Weight::find(&self.parameters, self.prefix, name)
    }

    /// Runs `record` on the weights whose names begin with `prefix`, without a backward pass.
    pub(super) fn frozen<T>(&mut self, prefix: &'static str, record: impl FnOnce(&mut Self) -> T) -> T {
        let (training, outer) = (self.training, self.prefix);
        (self.training, self.prefix) = (false, prefix);
        let result = record(self);
        (self.training, self.prefix) = (training, outer);
        self.span = 0..usize::MAX;
        result
    }

    /// Reserves `count` words that the caller fills in before each run; returns the index of the first.
    pub fn words(&mut self, count: usize) -> usize {
        self.words += count;
        self.words - count
    }

    /// Adds a constant table to the program; returns the index of its first value.
    pub(super) fn constant(&mut self, values: impl IntoIterator<Item = f32>) -> usize {
        let start = self.constants.len();
        self.constants.extend(values);
        start
    }

    /// A new buffer of `size` elements.
    pub(super) fn buffer(&mut self, size: usize) -> At {
        self.buffers.push(size);
        At { buffer: self.buffers.len() - 1, offset: 0 }
    }

    /// Extends a buffer by `size` elements; returns their address.
    pub(super) fn grow(&mut self, buffer: At, size: usize) -> At {
        let offset = self.buffers[buffer.buffer];
        self.buffers[buffer.buffer] += size;
        At { offset, ..buffer }
    }

    /// A new activation.
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

    /// Sets the positions of each sequence that the rows of the next instructions represent.
    pub(super) fn at_positions(&mut self, span: Range<usize>) {
        self.span = span;
    }

    /// The positions that the rows of the next instructions represent.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// If the target is a GPU, records the instructions of `record` as one [`Chain`], and their backward pass as another.
    pub(super) fn chain<T>(&mut self, sequences: usize, record: impl FnOnce(&mut Self) -> T) -> T {
        if self.target == Target::Thread {
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

    /// Registers a closure for the backward pass. It runs after the closures of everything recorded later.
    pub(super) fn on_backward(&mut self, backward: impl FnOnce(&mut Recorder) + 'static) {
        if self.training {
            self.backward.push(Box::new(backward));
        }
    }

    /// The gradient of an activation; `None` if nothing depends on it.
    pub(super) fn gradient(&self, var: Var) -> Option<At> {
        self.gradients[var.index]
    }

    /// Declares that an activation is gelu(z). Its reader must multiply the gradient by gelu'(z); only linear maps do.
    pub(super) fn set_slope(&mut self, var: Var, z: Option<At>) {
        self.slopes[var.index] = z;
    }

    /// Takes the z of an activation gelu(z).
    pub(super) fn take_slope(&mut self, var: Var) -> Option<At> {
        self.slopes[var.index].take()
    }

    /// A new buffer for an activation's gradient, and the gradient so far, which must be added.
    ///
    /// # Panics
    /// When the activation is a GELU's and its reader is not a linear map: an error in the model's file.
    pub(super) fn add_gradient(&mut self, var: Var) -> (At, Option<At>) {
        assert!(self.slopes[var.index].is_none(), "the only reader of a GELU's result must be a linear map");
        let out = self.buffer(var.rows * var.width);
        (out, self.gradients[var.index].replace(out))
    }

    /// The gradient of an activation whose readers each write their own part of it.
    pub(super) fn gradient_in_parts(&mut self, var: Var) -> At {
        match self.gradients[var.index] {
            Some(at) => at,
            None => self.add_gradient(var).0,
        }
    }

    /// Uses an existing gradient as the activation's gradient: the gradient of a sum is also the gradient of each summand. Adds the gradient
    /// from other readers, if any.
    pub(super) fn share_gradient(&mut self, var: Var, gradient: At) {
        let Some(there) = self.gradients[var.index] else {
            self.gradients[var.index] = Some(gradient);
            return;
        };
        let blocks = self.chain_sequences.unwrap_or(1);
        let numbers = var.rows * var.width / blocks;
        let (out, _) = self.add_gradient(var);
        let dense = |at| Rows { at, stride: numbers };
        self.push(Instruction::Grouped(Grouped::Copies(vec![Copy {
            from: vec![dense(there), dense(gradient)],
            to: dense(out),
            blocks,
            numbers,
        }])));
    }

    /// The place of loss and hits: the same in every program over these weights.
    pub(super) fn total(&mut self) -> At {
        self.has_total = true;
        At { buffer: TOTAL, offset: 0 }
    }

    /// Declares that another instruction writes a weight's gradient first: a table that is both embedding and head.
    pub(super) fn begin_gradient(&mut self, weight: Weight) {
        self.begun.push(weight);
    }

    /// Adds `dyᵀ x` to a weight's gradient at the end.
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

    /// Adds a sum over rows to a vector's gradient at the end.
    pub(super) fn vector_gradient(&mut self, weight: Weight, of: At, factor: Factor, rows: usize) {
        self.sum_gradient(weight.gradient(), weight.columns, 1, Summand { of, factor, rows });
    }

    /// Adds a sum over rows to `width` elements of the gradient, `step` apart, at the end.
    pub(super) fn sum_gradient(&mut self, out: At, width: usize, step: usize, summand: Summand) {
        match self.sums.iter_mut().find(|sum| sum.out == out) {
            Some(sum) => sum.summands.push(summand),
            None => self.sums.push(ColumnSum { summands: vec![summand], width, out, step, accumulate: self.accumulate }),
        }
    }

    /// Appends the backward pass, lays out the memory and returns the program.
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
            self.push(Instruction::Grouped(Grouped::Products(products)));
        }
        if !self.sums.is_empty() {
            let sums = std::mem::take(&mut self.sums);
            self.push(Instruction::Grouped(Grouped::ColumnSums(sums)));
        }
        layout::lay_out(self)
    }
}
