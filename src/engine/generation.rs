//! Generation: a forward pass continued token by token with its own answers.
//!
//! The pass over the whole sequence has left every activation in its array: keys and values of attention, cells of an LSTM, the
//! state of a scan. To go on at position p, each instruction is carried out again for row p alone, in the same arrays: a token costs
//! one row of every product, and of attention one query over the keys before it. Models need not know of it.

use super::program::{At, Hops, Instruction, Keep, Normed, Product, Rows, Sampling, Term, Tokens, Window};
use super::recorder::Recorder;

/// One position of each sequence, of the rows that an instruction's arrays hold.
#[derive(Clone, Copy)]
struct Position {
    sequences: usize,
    /// Within the instruction's span.
    row: usize,
    /// Where the tokens of this position stand.
    tokens: Rows,
    /// Where its answers go.
    answers: Rows,
    /// How they are drawn, with which words; else the most probable ones are taken.
    drawn: Option<(Sampling, (usize, usize))>,
}

impl Recorder {
    /// Says, before the model is recorded, that the program goes on by itself after position `from`.
    pub fn generate_after(&mut self, from: usize) {
        self.generates_after = Some(from);
    }

    /// Says that the tokens it goes on with are drawn, with the words from `uniforms` on, one for each of the positions of each sequence.
    pub fn draw(&mut self, sampling: Sampling, uniforms: usize) {
        self.draws = Some((sampling, uniforms));
    }

    /// The row after which a scan over the present span keeps its state: the last one that generation does not make anew.
    pub(super) fn last_before_generation(&self, length: usize) -> usize {
        let after = self.generates_after.and_then(|from| from.checked_sub(self.span().start));
        after.filter(|&row| row < length).unwrap_or(length - 1)
    }

    /// Appends the greedy continuation of each of `sequences` sequences: the token after position `from`, given by
    /// [`Self::generate_after`], takes the place of the next position's, and so on to position `length − 1`.
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
                // The first answer is already there: it only has to be kept.
                let only_answer = position == from && !matches!(instruction, Instruction::CrossEntropy { .. });
                self.instructions.extend(again.filter(|_| !only_answer));
            }
        }
        self.generated = Some((out, sequences * count));
    }
}

impl Rows {
    /// Row `row` of each of the sequences of `length` rows.
    fn each(self, row: usize, length: usize) -> Self {
        Self { at: self.at.plus(row * self.stride), stride: self.stride * length }
    }
}

impl Instruction {
    /// This instruction for one position of each sequence; none where it has nothing to do with single positions.
    fn at_position(&self, position: &Position) -> Option<Self> {
        let &Position { sequences, row, tokens, answers, drawn } = position;
        let window = |window: &Window| Window { from: row, count: 1, ..*window };
        Some(match self {
            Self::Embed { table, out, rows, width, .. } => {
                let length = rows / sequences;
                Self::Embed { tokens: Tokens::Numbers(tokens), table: *table, out: out.each(row, length), rows: sequences, width: *width }
            }
            // Copies are cheap and of all positions at once.
            Self::Copies(copies) => Self::Copies(copies.clone()),
            Self::Norm { x, outs, statistics, rows, width, epsilon, centred, .. } => {
                let pitch = rows / sequences;
                let of = |at: At| at.plus(row * width);
                let outs = outs.iter().map(|out| Normed { y: of(out.y), ..*out }).collect();
                let statistics = statistics.plus(2 * row);
                Self::Norm { x: of(*x), outs, statistics, rows: sequences, width: *width, epsilon: *epsilon, centred: *centred, pitch }
            }
            Self::Products(products) => Self::Products(products.iter().map(|product| product.at_position(position)).collect()),
            Self::Attention { shape, qkv, turns, out, .. } => {
                Self::AttentionAt { shape: *shape, qkv: *qkv, turns: *turns, out: *out, position: row }
            }
            Self::Lstm { window: all, width, weight, gates, cells, hidden, .. } => {
                let (window, width, weight) = (window(all), *width, *weight);
                Self::Lstm { window, width, weight, turned: None, gates: *gates, cells: *cells, hidden: *hidden }
            }
            Self::Convolution { window: all, channels, x, weight, bias, out } => {
                Self::Convolution { window: window(all), channels: *channels, x: *x, weight: *weight, bias: *bias, out: *out }
            }
            Self::Scan { window: all, scan, out, .. } => Self::Scan { window: window(all), scan: *scan, keep: Keep::After(row), out: *out },
            Self::Features { x, out, norms, rows, width, .. } => {
                let pitch = rows / sequences;
                let wide = super::program::FEATURES * width;
                let (x, out, norms) = (x.plus(row * width), out.plus(row * wide), norms.plus(row));
                Self::Features { x, out, norms, rows: sequences, width: *width, pitch }
            }
            Self::Recall { window: all, shape, x, queries, memory, out, divisors } => {
                let (x, queries, out, divisors) = (*x, *queries, *out, *divisors);
                Self::Recall { window: window(all), shape: *shape, x, queries, memory: *memory, out, divisors }
            }
            Self::Halting { shape, scores, weights, cost, costs, made } => {
                let again = Hops { rows: sequences, pitch: shape.rows / sequences, ..*shape };
                let scores = scores.iter().map(|score| score.plus(row)).collect();
                let (weights, costs, made) = (weights.plus(row * shape.hops), costs.plus(2 * row), made.plus(row));
                Self::Halting { shape: again, scores, weights, cost: *cost, costs, made }
            }
            Self::Mixture { shape, width, parts, weights, out } => {
                let again = Hops { rows: sequences, pitch: shape.rows / sequences, ..*shape };
                let parts = parts.iter().map(|part| part.plus(row * width)).collect();
                let (weights, out) = (weights.plus(row * shape.hops), out.plus(row * width));
                Self::Mixture { shape: again, width: *width, parts, weights, out }
            }
            Self::CrossEntropy { logits, rows, vocabulary, .. } => {
                let logits = Rows { at: *logits, stride: *vocabulary }.each(row, rows / sequences);
                let (rows, vocabulary, out) = (sequences, *vocabulary, answers);
                match drawn {
                    Some((sampling, uniforms)) => Self::Draw { logits, rows, vocabulary, sampling, uniforms, out },
                    None => Self::Answer { logits, rows, vocabulary, out },
                }
            }
            // What a segment leaves behind is not of its positions; sums are of the whole pass.
            Self::Memorize { .. } | Self::Total { .. } => return None,
            Self::EmbedBackward { .. }
            | Self::NormBackward { .. }
            | Self::ColumnSums(_)
            | Self::AttentionAt { .. }
            | Self::AttentionBackward { .. }
            | Self::LstmBackward { .. }
            | Self::ConvolutionBackward { .. }
            | Self::ScanBackward { .. }
            | Self::FeaturesBackward { .. }
            | Self::RecallBackward { .. }
            | Self::MemorizeBackward { .. }
            | Self::HaltingBackward { .. }
            | Self::MixtureBackward { .. }
            | Self::Draw { .. }
            | Self::LogProbability { .. }
            | Self::Policy { .. }
            | Self::Answer { .. } => return None,
        })
    }
}

impl Product {
    /// One row of each sequence.
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
