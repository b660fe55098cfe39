//! Generation: continues a forward pass token by token with its own answers.
//!
//! The pass over the whole sequence keeps every activation in its array: keys and values of attention, cells of an LSTM, the state of a scan.
//! To continue at position p, each instruction runs again for row p alone, in the same arrays. A token costs one row of every product and, in
//! attention, one query over the keys before it. Models need no code for this.

use super::program::*;
use super::recorder::Recorder;

/// One position of each sequence, among the rows that an instruction's arrays hold.
#[derive(Clone, Copy)]
struct Position {
    sequences: usize,
    /// The row within the instruction's span.
    row: usize,
    /// Address of the tokens of this position.
    tokens: Rows,
    /// Address for the answers of this position.
    answers: Rows,
    /// How answers are drawn, and with which words. `None`: take the most probable token.
    drawn: Option<(Sampling, (usize, usize))>,
}

impl Recorder {
    /// Makes the program generate tokens after position `from`. Call it before the model is recorded.
    pub fn generate_after(&mut self, from: usize) {
        self.generates_after = Some(from);
    }

    /// Makes generation draw its tokens with the words from `uniforms` on: one per generated position of each sequence.
    pub fn draw(&mut self, sampling: Sampling, uniforms: usize) {
        self.draws = Some((sampling, uniforms));
    }

    /// The row after which a scan over the current span keeps its state: the last row that generation does not recompute.
    pub(super) fn last_before_generation(&self, length: usize) -> usize {
        let after = self.generates_after.and_then(|from| from.checked_sub(self.span().start));
        after.filter(|&row| row < length).unwrap_or(length - 1)
    }

    /// Appends the continuation of each of `sequences` sequences: the answer at position `from`, given by [`Self::generate_after`], becomes the
    /// next position's token, and so on to position `length − 1`. Answers are the most probable tokens unless [`Self::draw`] was called.
    pub fn generate(&mut self, sequences: usize, length: usize) {
        let Some(from) = self.generates_after else { return };
        let count = length - from;
        let out = self.buffer(sequences * count);
        let pass: Vec<_> = self.instructions.iter().cloned().zip(self.spans.iter().cloned()).collect();
        for position in from..length {
            let at = |offset: usize| Rows { at: out.plus(offset), stride: count };
            let (tokens, answers) = (at((position - from).saturating_sub(1)), at(position - from));
            let drawn = self.draws.map(|(sampling, first)| (sampling, (first + position - from, count)));
            for (instruction, span) in pass.iter().filter(|(_, span)| span.contains(&position)) {
                let row = position - span.start;
                let again = instruction.at_position(&Position { sequences, row, tokens, answers, drawn });
                // The forward pass already computed this position: only its answer is missing.
                let only_answer = position == from && !matches!(instruction, Instruction::Loss(Loss::CrossEntropy { .. }));
                self.instructions.extend(again.filter(|_| !only_answer));
            }
        }
        self.generated = Some((out, sequences * count));
    }
}

impl Rows {
    /// Row `row` of each sequence of `length` rows.
    fn each(self, row: usize, length: usize) -> Self {
        Self { at: self.at.plus(row * self.stride), stride: self.stride * length }
    }
}

impl Instruction {
    /// This instruction for one position of each sequence; `None` if it does not work on single positions.
    fn at_position(&self, position: &Position) -> Option<Self> {
        let &Position { sequences, row, tokens, answers, drawn } = position;
        match self {
            Self::Embed(Embed::Forward { table, out, rows, width, .. }) => {
                let (tokens, out) = (Tokens::Elements(tokens), out.each(row, rows / sequences));
                Some(Self::Embed(Embed::Forward { tokens, table: *table, out, rows: sequences, width: *width }))
            }
            // Copies are cheap, so all positions are copied.
            Self::Grouped(Grouped::Copies(copies)) => Some(Self::Grouped(Grouped::Copies(copies.clone()))),
            Self::Grouped(Grouped::Products(products)) => {
                Some(Self::Grouped(Grouped::Products(products.iter().map(|product| product.at_position(position)).collect())))
            }
            Self::Norm(Norm::Forward { x, outs, statistics, rows, width, epsilon, centred, .. }) => {
                let pitch = rows / sequences;
                let of = |at: At| at.plus(row * width);
                let outs = outs.iter().map(|out| Normed { y: of(out.y), ..*out }).collect();
                let (x, statistics) = (of(*x), statistics.plus(2 * row));
                let (width, epsilon, centred) = (*width, *epsilon, *centred);
                Some(Self::Norm(Norm::Forward { x, outs, statistics, rows: sequences, width, epsilon, centred, pitch }))
            }
            Self::Attention(Attention::Forward { shape, qkv, rotary_table, out, .. }) => {
                let (shape, qkv, rotary_table, out) = (*shape, *qkv, *rotary_table, *out);
                Some(Self::Attention(Attention::AtPosition { shape, qkv, rotary_table, out, position: row }))
            }
            Self::Recurrent(recurrent) => recurrent.at_position(position).map(Self::Recurrent),
            Self::Associative(associative) => associative.at_position(position).map(Self::Associative),
            Self::Halting(halting) => halting.at_position(position).map(Self::Halting),
            Self::Loss(Loss::CrossEntropy { logits, rows, vocabulary, .. }) => {
                let logits = Rows { at: *logits, stride: *vocabulary }.each(row, rows / sequences);
                let (rows, vocabulary, out) = (sequences, *vocabulary, answers);
                Some(match drawn {
                    Some((sampling, uniforms)) => Self::Policy(Policy::Draw { logits, rows, vocabulary, sampling, uniforms, out }),
                    None => Self::Loss(Loss::Answer { logits, rows, vocabulary, out }),
                })
            }
            Self::Embed(Embed::Backward { .. })
            | Self::Grouped(Grouped::ColumnSums(_))
            | Self::Norm(Norm::Backward { .. })
            | Self::Attention(Attention::AtPosition { .. } | Attention::Backward { .. })
            // A total covers the whole pass.
            | Self::Loss(Loss::Total { .. } | Loss::Answer { .. })
            | Self::Policy(_) => None,
        }
    }
}

impl Window {
    /// Its row `row` alone.
    fn at(&self, row: usize) -> Self {
        Self { from: row, count: 1, ..*self }
    }
}

impl Recurrent {
    fn at_position(&self, position: &Position) -> Option<Self> {
        let row = position.row;
        match self {
            Self::Lstm(all) => Some(Self::Lstm(Lstm { window: all.window.at(row), transposed: None, ..all.clone() })),
            Self::Convolution(all) => Some(Self::Convolution(Convolution { window: all.window.at(row), ..all.clone() })),
            Self::Scan(all) => Some(Self::Scan(ScanForward { window: all.window.at(row), keep: Keep::After(row), ..all.clone() })),
            Self::LstmBackward(_) | Self::ConvolutionBackward(_) | Self::ScanBackward(_) => None,
        }
    }
}

impl Associative {
    fn at_position(&self, position: &Position) -> Option<Self> {
        let &Position { sequences, row, .. } = position;
        match self {
            Self::Features(Features { x, out, norms, rows, width, .. }) => {
                let (pitch, wide) = (rows / sequences, super::program::FEATURES * width);
                let (x, out, norms) = (x.plus(row * width), out.plus(row * wide), norms.plus(row));
                Some(Self::Features(Features { x, out, norms, rows: sequences, width: *width, pitch }))
            }
            Self::Recall(all) => Some(Self::Recall(Recall { window: all.window.at(row), ..all.clone() })),
            // A segment writes to its memory once, after its positions.
            Self::Memorize(_) | Self::FeaturesBackward(_) | Self::RecallBackward(_) | Self::MemorizeBackward(_) => None,
        }
    }
}

impl Halting {
    fn at_position(&self, position: &Position) -> Option<Self> {
        let &Position { sequences, row, .. } = position;
        let again = |shape: &Hops| Hops { rows: sequences, pitch: shape.rows / sequences, ..*shape };
        match self {
            Self::Weights { shape, scores, weights, cost, costs, hop_counts } => {
                let scores = scores.iter().map(|score| score.plus(row)).collect();
                let (weights, costs, hop_counts) = (weights.plus(row * shape.hops), costs.plus(2 * row), hop_counts.plus(row));
                Some(Self::Weights { shape: again(shape), scores, weights, cost: *cost, costs, hop_counts })
            }
            Self::Mixture { shape, width, parts, weights, out } => {
                let parts = parts.iter().map(|part| part.plus(row * width)).collect();
                let (weights, out) = (weights.plus(row * shape.hops), out.plus(row * width));
                Some(Self::Mixture { shape: again(shape), width: *width, parts, weights, out })
            }
            Self::WeightsBackward { .. } | Self::MixtureBackward { .. } => None,
        }
    }
}

impl Product {
    /// The same product for one row of each sequence.
    fn at_position(&self, position: &Position) -> Self {
        let &Position { sequences, row, .. } = position;
        let length = self.m / sequences;
        let beside = |at: Option<At>| at.map(|at| at.plus(row * self.n));
        Self {
            m: sequences,
            terms: self.terms.iter().map(|term| Term { a: term.a.each(row, length), ..*term }).collect(),
            add: beside(self.add),
            gelu: beside(self.gelu),
            slope: beside(self.slope),
            pitch: length,
            out: self.out.each(row, length),
            biases: self.biases.clone(),
            ..*self
        }
    }
}
