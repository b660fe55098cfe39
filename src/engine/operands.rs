//! What instructions of a [`super::program`] are made of: arrays, sizes, and the parts of the larger ones.

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
    /// How far apart the rows of `add`, `gelu` and `slope` lie, in rows: 1 where they are dense.
    pub pitch: usize,
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

impl Product {
    /// `out = Σ A B` and nothing else.
    pub fn plain(form: Form, m: usize, n: usize, terms: Vec<Term>, out: Rows) -> Self {
        let (scale, add_scale, pitch) = (1.0, 1.0, 1);
        Self { form, m, n, terms, scale, biases: Vec::new(), add: None, add_scale, pitch, gelu: None, slope: None, out }
    }
}

/// What a summand of a [`ColumnSum`] is multiplied by, entry by entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Factor {
    One,
    /// x̂ = (x − mean) · rstd: the norm's input `[rows, width]` and statistics `[rows, 2]`.
    Normed(At, At),
    /// x of the row `steps` before in the same sequence of `length` rows, 0 before its start: the gradient of a convolution's tap.
    Delayed {
        x: Rows,
        steps: usize,
        length: usize,
    },
}

/// One summand of a [`ColumnSum`]: `of ⊙ factor`, `[rows, width]` dense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summand {
    pub of: At,
    pub factor: Factor,
    pub rows: usize,
}

/// What a [`Instruction::ColumnSums`] adds up over all rows of its summands, in their order, into `[width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSum {
    pub summands: Vec<Summand>,
    pub width: usize,
    pub out: At,
    /// How far apart the sums lie: 1, or the number of taps where they are one column of a convolution's weight.
    pub step: usize,
    /// Added to what is there instead of replacing it.
    pub accumulate: bool,
}

/// `to[b] = Σ from[b]` over up to two sources (none: zeros), `numbers` together for each of `blocks` blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// Where block 0 begins, and how far apart blocks are; 0 repeats one block.
    pub from: Vec<Rows>,
    pub to: Rows,
    pub blocks: usize,
    pub numbers: usize,
}

/// Rows `from` … `from + count − 1` of each of `sequences` sequences of `length` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub sequences: usize,
    pub length: usize,
    pub from: usize,
    pub count: usize,
}

/// Arrays of a selective scan (Gu and Dao, arXiv 2312.00752); N = B·S rows, C channels, [`STATE`] numbers of state a channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scan {
    /// C.
    pub channels: usize,
    /// Δ before softplus, `[N, C]` dense.
    pub delta: At,
    /// The scanned input u, `[N, C]` dense.
    pub u: At,
    /// B then C of each row: 2 · STATE numbers.
    pub projected: Rows,
    /// The gate g, `[N, C]`.
    pub gate: Rows,
    /// log(−A), `[C, STATE]`.
    pub a_log: At,
    /// D, `[C]`.
    pub skip: At,
    /// States that are kept: see [`Keep`].
    pub states: At,
}

/// Rows between two states that a scan keeps for its backward pass, which makes those between anew.
pub const CHUNK: usize = 16;

/// Numbers of scratch that [`Instruction::ScanBackward`] takes.
pub const fn scan_scratch(sequences: usize, length: usize, channels: usize) -> usize {
    sequences * channels * (length.div_ceil(CHUNK) * super::operators::STATE + 2 * length)
}

/// Which states a scan keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// That before each [`CHUNK`] rows, for the backward pass: `states` is `[B, ⌈S / CHUNK⌉, C, STATE]`.
    Chunks,
    /// That after this row, to go on from: `states` is `[B, C, STATE]`. A window that begins after row 0 starts from it.
    After(usize),
}

/// Sizes of an associative memory: for each of B sequences A `[features, width]` and z `[features]`, met by `rows` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryShape {
    pub sequences: usize,
    pub rows: usize,
    pub features: usize,
    pub width: usize,
}

/// An associative memory: A `[B, features, width]`, z `[B, features]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    pub a: At,
    pub z: At,
}

/// Sizes of adaptive computation time: N rows, each of which halts after one of so many hops. Row r of every array is its row
/// `r · pitch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hops {
    pub rows: usize,
    pub hops: usize,
    pub pitch: usize,
}

/// Where tokens are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tokens {
    /// The words from this one on.
    Words(usize),
    /// Numbers of the memory, row r's at `r · stride`: what the program itself has answered.
    Numbers(Rows),
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
