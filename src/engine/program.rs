//! A training step (or a forward pass) written down once: a fixed list of instructions over one flat memory.
//!
//! Operators (`super::ops`) write the list by a [`super::Recorder`]; the engines carry it out, one kernel an instruction. A program knows
//! sizes and addresses, and neither models nor devices.
//!
//! Memory is `f32` and laid out `weights | gradient | total | scratch`; scratch is shared between buffers whose lives do not
//! overlap. What changes from step to step (tokens, labels) lies in a second memory of `u32` words, and what never changes
//! (tables) in the program itself.

/// Where an array begins: a buffer of the program and an offset into it, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub buffer: usize,
    pub offset: usize,
}

impl At {
    /// The same buffer, further on.
    pub fn plus(self, offset: usize) -> Self {
        Self { offset: self.offset + offset, ..self }
    }
}

/// A matrix operand: where it begins and how far apart its rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub at: At,
    pub stride: usize,
}

/// Which operands of a product stand transposed in memory. `A` is `[m, k]`, `B` is `[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// B is kept as `[n, k]`: `x Wᵀ` with PyTorch's weights.
    Nt,
    /// Neither: `dy W`.
    Nn,
    /// A is kept as `[k, m]`: `dyᵀ x`.
    Tn,
}

/// One summand `A B` of a [`Product`], with the inner dimension k.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    pub a: Rows,
    pub b: Rows,
    pub k: usize,
}

/// `out = slope ⊙ gelu?(scale · Σ A B + Σ biases + add_scale · add)`, `[m, n]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Product {
    pub form: Form,
    pub m: usize,
    pub n: usize,
    /// Summed in their order.
    pub terms: Vec<Term>,
    pub scale: f32,
    /// Each `[n]` and added to every row; at most two.
    pub biases: Vec<At>,
    /// `[m, n]` dense, added; may be `out` itself, which accumulates.
    pub add: Option<At>,
    pub add_scale: f32,
    /// Where given, `z` = the sum is kept here, `[m, n]` dense, and `out = gelu(z)`.
    pub gelu: Option<At>,
    /// Where given, the result is multiplied by `gelu'` of this z, `[m, n]` dense.
    pub slope: Option<At>,
    pub out: Rows,
}

/// One normalised output `gamma ⊙ x̂ + beta`, `[rows, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normed {
    pub gamma: At,
    /// None where the norm has no shift (RMS norm).
    pub beta: Option<At>,
    /// Forwards the output, backwards its gradient.
    pub y: At,
}

/// What a [`Instruction::ColumnSums`] adds up over its rows, into `[width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColumnSum {
    /// `[rows, width]` dense.
    pub of: At,
    /// Where given, each entry is first multiplied by x̂ = (x − mean) · rstd: the norm's input `[rows, width]` and statistics `[rows, 2]`.
    pub normed: Option<(At, At)>,
    pub rows: usize,
    pub width: usize,
    pub out: At,
    /// Added to what is there instead of replacing it.
    pub accumulate: bool,
}

/// Shape of causal self-attention with rotary positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttentionShape {
    pub sequences: usize,
    /// S.
    pub length: usize,
    pub heads: usize,
    /// Dimensions of a head.
    pub head: usize,
    /// How many of a head's first dimensions turn (even; halves are rotated, not neighbours).
    pub rotary: usize,
}

/// One kernel's work.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// `out[r] = table[token r]`; tokens are the words `tokens …`.
    Embed { tokens: usize, table: At, out: At, rows: usize, width: usize },
    /// `out[v] (+)= Σ gradient[r]` over the rows r whose token is v, in the rows' order.
    EmbedBackward { tokens: usize, gradient: At, out: At, rows: usize, width: usize, vocabulary: usize, accumulate: bool },
    /// `out[s, j] = x[s, from + j]` for `length − from` rows of each of `sequences` sequences.
    Select { x: At, out: At, sequences: usize, length: usize, from: usize, width: usize },
    /// The reverse: rows before `from` get zero.
    SelectBackward { gradient: At, out: At, sequences: usize, length: usize, from: usize, width: usize },
    /// x̂ = (x − mean) · rstd by row, rstd = 1/√(variance + ε); `centred` false leaves the mean at 0 (RMS norm). One or two outputs.
    /// `statistics` is `[rows, 2]`: mean and rstd.
    Norm { x: At, outs: Vec<Normed>, statistics: At, rows: usize, width: usize, epsilon: f32, centred: bool },
    /// The gradient of x (plus `carried`, if given) from the gradients of the outputs; `out` is not `carried`.
    NormBackward { x: At, statistics: At, outs: Vec<Normed>, carried: Option<At>, out: At, rows: usize, width: usize, centred: bool },
    /// Independent sums, in one launch.
    ColumnSums(Vec<ColumnSum>),
    /// Independent products, in one launch.
    Products(Vec<Product>),
    /// Softmax attention of each position over itself and those before it, scaled by head^-½. `qkv` is `[B·S, heads, 3, head]`; The constants `turns …`, `[S, rotary]`,
    /// are the cosines of the rotary/2 angles of each position, then their sines. `out` is `[B·S, heads·head]`; `sums` `[B, heads, S, 2]`: the highest scaled score m of each row, and 1 / Σ exp(score − m).
    Attention { shape: AttentionShape, qkv: At, turns: usize, out: At, sums: At },
    /// Gradient of `qkv` from `gradient`, that of `out`. Scores are computed anew.
    AttentionBackward { shape: AttentionShape, qkv: At, turns: usize, out: At, sums: At, gradient: At, into: At },
    /// By row r with label `labels + r` (a word; `NOT_ASKED` does not count): `rows_out[r] = (−scale · log softmax(logits)[label], 1 if the most
    /// probable token is the label)`, zeros where it does not count; `answers[r]` the most probable token (first of equals) as a number.
    /// Where given, `gradient = scale · (softmax − one-hot)` (zero where it does not count).
    CrossEntropy { logits: At, labels: usize, rows: usize, vocabulary: usize, scale: f32, rows_out: At, answers: At, gradient: Option<At> },
    /// `out = (Σ rows[r].0, Σ rows[r].1)`, added to what is there if `accumulate`.
    Total { rows_in: At, rows: usize, out: At, accumulate: bool },
}

/// The word of a label that does not count.
pub const NOT_ASKED: u32 = u32::MAX;

/// A finished list with its memory laid out.
#[derive(Clone, Debug)]
pub struct Program {
    pub instructions: Vec<Instruction>,
    /// Address of each buffer's first number.
    pub base: Vec<usize>,
    /// Numbers of weights (and of their gradient): memory begins `weights | gradient`, each of this length.
    pub weights: usize,
    /// Tables.
    pub constants: Vec<f32>,
    /// Numbers in all.
    pub size: usize,
    /// Words: tokens first, then labels.
    pub words: usize,
    /// Loss and count of exact hits, two numbers, right after the gradient in every program; only where the program has a loss.
    pub total: Option<At>,
    /// The most probable token of each row asked, if the program gives answers.
    pub answers: Option<(At, usize)>,
    /// Logits `[rows, vocabulary]` and how many numbers they are, where they are kept to the end.
    pub logits: Option<(At, usize)>,
}

impl Program {
    /// The address of an array in the memory.
    pub fn address(&self, at: At) -> usize {
        self.base[at.buffer] + at.offset
    }
}
