//! Operands of the instructions of a [`super::program`]: arrays, sizes, and the parts of the larger instructions.

/// Where an array begins: a buffer of the program, and an offset into it in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub buffer: usize,
    pub offset: usize,
}

impl At {
    /// The address `offset` elements later in the same buffer.
    pub fn plus(self, offset: usize) -> Self {
        Self { offset: self.offset + offset, ..self }
    }
}

/// A matrix operand: its first element, and the distance between its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows {
    pub at: At,
    pub stride: usize,
}

/// Which operands of a product are stored transposed. `A` is `[m, k]`, `B` is `[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// B is stored as `[n, k]`: `x Wᵀ` with PyTorch's weights.
    Nt,
    /// Neither is transposed: `dy W`.
    Nn,
    /// A is stored as `[k, m]`: `dyᵀ x`.
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
    /// Summed in this order.
    pub terms: Vec<Term>,
    pub scale: f32,
    /// Each `[n]`, added to every row; at most two.
    pub biases: Vec<At>,
    /// `[m, n]` dense, added. If it is `out` itself, the product accumulates.
    pub add: Option<At>,
    pub add_scale: f32,
    /// The distance between the rows of `add`, `gelu` and `slope`, in rows: 1 if they are dense.
    pub pitch: usize,
    /// If any: the sum `z` is kept here, `[m, n]` dense, and `out = gelu(z)`.
    pub gelu: Option<At>,
    /// If any: the result is multiplied by `gelu'` of this z, `[m, n]` dense.
    pub slope: Option<At>,
    pub out: Rows,
}

/// One normalised output `gamma ⊙ x̂ + beta`, `[rows, width]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normed {
    pub gamma: At,
    /// `None` if the norm has no shift (RMS norm).
    pub beta: Option<At>,
    /// Forward: the output. Backward: its gradient.
    pub y: At,
}

impl Product {
    /// `out = Σ A B` and nothing else.
    pub fn plain(form: Form, m: usize, n: usize, terms: Vec<Term>, out: Rows) -> Self {
        let (scale, add_scale, pitch) = (1.0, 1.0, 1);
        Self { form, m, n, terms, scale, biases: Vec::new(), add: None, add_scale, pitch, gelu: None, slope: None, out }
    }
}

/// The factor of a summand of a [`ColumnSum`], element by element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Factor {
    One,
    /// x̂ = (x − mean) · rstd, from the norm's input `[rows, width]` and statistics `[rows, 2]`.
    Normed(At, At),
    /// x of the row `steps` earlier in the same sequence of `length` rows, 0 before its start: for the gradient of a convolution's tap.
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

/// One sum of [`Grouped::ColumnSums`]: adds all rows of its summands, in this order, into `[width]`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSum {
    pub summands: Vec<Summand>,
    pub width: usize,
    pub out: At,
    /// The distance between the elements of `out`: 1, or the number of taps if they are one column of a convolution's weight.
    pub step: usize,
    /// Adds to `out` instead of replacing it.
    pub accumulate: bool,
}

/// `to[b] = Σ from[b]` over up to two sources (zeros if there is none); each of `blocks` blocks has `numbers` elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Copy {
    /// The start of block 0 and the distance between blocks; distance 0 repeats one block.
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

/// Arrays of a selective scan (Gu and Dao, arXiv 2312.00752); N = B·S rows, C channels, [`STATE`] state elements per channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scan {
    /// C.
    pub channels: usize,
    /// Δ before softplus, `[N, C]` dense.
    pub delta: At,
    /// The scanned input u, `[N, C]` dense.
    pub u: At,
    /// B, then C, of each row: 2 · STATE elements.
    pub projected: Rows,
    /// The gate g, `[N, C]`.
    pub gate: Rows,
    /// log(−A), `[C, STATE]`.
    pub a_log: At,
    /// D, `[C]`.
    pub skip: At,
    /// The kept states: see [`Keep`].
    pub states: At,
}

/// Rows between two kept states of a scan. The backward pass recomputes the states between them.
pub const CHUNK: usize = 16;

/// Elements of scratch of [`Recurrent::ScanBackward`].
pub const fn scan_scratch(sequences: usize, length: usize, channels: usize) -> usize {
    sequences * channels * (length.div_ceil(CHUNK) * super::operators::STATE + 2 * length)
}

/// Which states a scan keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The state before every [`CHUNK`] rows, for the backward pass: `states` is `[B, ⌈S / CHUNK⌉, C, STATE]`.
    Chunks,
    /// The state after this row, for generation: `states` is `[B, C, STATE]`. A window that begins after row 0 starts from it.
    After(usize),
}

/// Sizes of an associative memory: for each of B sequences A `[features, width]` and z `[features]`, read or written by `rows` rows.
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

/// Sizes of adaptive computation time: N rows that each halt after at most `hops` hops. Row r of every array is its row `r · pitch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hops {
    pub rows: usize,
    pub hops: usize,
    pub pitch: usize,
}

/// Where an embedding reads its tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tokens {
    /// The batch's words from this index on.
    Words(usize),
    /// Elements of the memory, row r's at `r · stride`: the answers of the program itself.
    Elements(Rows),
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
    /// How many of a head's first dimensions are rotated; even. Dimension i is paired with i + rotary/2.
    pub rotary: usize,
}
