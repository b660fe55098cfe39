//! A training step (or a forward pass) written down once: a fixed list of instructions over one flat memory.
//!
//! Operators (`super::ops`) write the list by a [`super::Recorder`]; the engines carry it out, one kernel an instruction. A program knows
//! sizes and addresses, and neither models nor devices.
//!
//! Memory is `f32` and laid out `weights | gradient | total | scratch`; scratch is shared between buffers whose lives do not
//! overlap. What changes from step to step (tokens, labels) lies in a second memory of `u32` words, and what never changes
//! (tables) in the program itself.

pub use super::journal::{Journal, JournalPart};
pub use super::operands::*;
pub use super::operators::{FEATURES, HALTED, NOT_ASKED, PolicyTerms, STATE, Sampling, TAPS};

/// One kernel's work. Arrays of N rows are sequence-major, B sequences of S rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    /// `out[r] = table[token r]`.
    Embed {
        tokens: Tokens,
        table: At,
        out: Rows,
        rows: usize,
        width: usize,
    },
    /// `out[v] (+)= Σ gradient[r]` over the rows r whose token (word `tokens + r`) is v, in the rows' order.
    EmbedBackward {
        tokens: usize,
        gradient: At,
        out: At,
        rows: usize,
        width: usize,
        vocabulary: usize,
        accumulate: bool,
    },
    /// Independent copies, in one launch.
    Copies(Vec<Copy>),
    /// x̂ = (x − mean) · rstd by row, rstd = 1/√(variance + ε); `centred` false leaves the mean at 0 (RMS norm). One or two outputs.
    /// `statistics` is `[rows, 2]`: mean and rstd. Row r of every array is its row `r · pitch`.
    Norm {
        x: At,
        outs: Vec<Normed>,
        statistics: At,
        rows: usize,
        width: usize,
        epsilon: f32,
        centred: bool,
        pitch: usize,
    },
    /// The gradient of x (plus `carried`, if given) from the gradients of the outputs; `out` is not `carried`.
    NormBackward {
        x: At,
        statistics: At,
        outs: Vec<Normed>,
        carried: Option<At>,
        out: At,
        rows: usize,
        width: usize,
        centred: bool,
    },
    /// Independent sums, in one launch.
    ColumnSums(Vec<ColumnSum>),
    /// Independent products, in one launch.
    Products(Vec<Product>),
    /// Softmax attention of each position over itself and those before it, scaled by head^-½. `qkv` is `[B·S, heads, 3, head]`; The constants `turns …`, `[S, rotary]`,
    /// are the cosines of the rotary/2 angles of each position, then their sines. `out` is `[B·S, heads·head]`; `sums` `[B, heads, S, 2]`: the highest scaled score m of each row, and 1 / Σ exp(score − m).
    Attention {
        shape: AttentionShape,
        qkv: At,
        turns: usize,
        out: At,
        sums: At,
    },
    /// The same for one position of each sequence only; the arrays are those of all positions.
    AttentionAt {
        shape: AttentionShape,
        qkv: At,
        turns: usize,
        out: At,
        position: usize,
    },
    /// Gradient of `qkv` from `gradient`, that of `out`. Scores are computed anew.
    AttentionBackward {
        shape: AttentionShape,
        qkv: At,
        turns: usize,
        out: At,
        sums: At,
        gradient: At,
        into: At,
    },
    /// LSTM recurrence over the rows of a window, H = `width`. `gates` `[N, 4H]` holds what the inputs give each gate before activation, in the
    /// order i, f, g, o, and then the activated gates of `gates + h(t−1) weightᵀ`: σ, σ, tanh, σ. `cells` `[N, H]`: c = f c(t−1) + i g; `hidden` `[N, H]`: h = o tanh c.
    /// Before row 0 of a sequence h and c are 0. `weight` is `[4H, H]`. `turned`, where given, is room for weightᵀ `[H, 4H]`: a graphics card makes
    /// it first, as its threads then read neighbouring numbers; the CPU leaves it alone.
    Lstm {
        window: Window,
        width: usize,
        weight: At,
        turned: Option<At>,
        gates: At,
        cells: At,
        hidden: At,
    },
    /// The gradient of the gates before activation, `into` `[N, 4H]`, from `gradient`, that of `hidden`, over whole sequences.
    LstmBackward {
        sequences: usize,
        length: usize,
        width: usize,
        weight: At,
        gates: At,
        cells: At,
        gradient: At,
        into: At,
    },
    /// `out = silu(z)`, `z[t, c] = bias[c] + Σ_j weight[c, j] x[t − (TAPS − 1) + j, c]`, x zero before the sequence; `out` `[N, channels]` dense, weight `[channels, TAPS]`.
    Convolution {
        window: Window,
        channels: usize,
        x: Rows,
        weight: At,
        bias: At,
        out: At,
    },
    /// From `gradient`, that of the output: `inner` `[N, channels]`, that of z, and `into`, that of x. z is computed anew.
    ConvolutionBackward {
        sequences: usize,
        length: usize,
        channels: usize,
        x: Rows,
        weight: At,
        bias: At,
        gradient: At,
        inner: At,
        into: Rows,
    },
    /// Selective scan of each channel over the rows of a window: Δ = softplus(delta), `S ← exp(Δ A) ⊙ S + Δ B u`, `out = (C · S + D u) · silu(g)`, `[N, C]` dense;
    /// S is 0 before row 0.
    Scan {
        window: Window,
        scan: Scan,
        keep: Keep,
        out: At,
    },
    /// The gradients of everything a scan reads, over whole sequences, with states kept as [`Keep::Chunks`]; those of weights by sequence: `into_a_log` `[B, C · STATE]`, `into_skip` `[B, C]`.
    /// `scratch`: room for [`scan_scratch`] numbers, which a graphics card needs between its two launches; the CPU leaves it alone.
    ScanBackward {
        sequences: usize,
        length: usize,
        scan: Scan,
        gradient: At,
        into_delta: At,
        into_u: At,
        into_projected: Rows,
        into_gate: Rows,
        into_a_log: At,
        into_skip: At,
        scratch: At,
    },
    /// DPFP-3: x' = [relu x; relu −x], φ = concat over j = 1, 2, 3 of x' ⊙ roll(x', j), divided by max(‖φ‖, 1e-12): x `[rows, width]`, out `[rows, FEATURES · width]`; `norms` `[rows]`: that divisor.
    /// Row r of every array is its row `r · pitch`.
    Features {
        x: At,
        out: At,
        norms: At,
        rows: usize,
        width: usize,
        pitch: usize,
    },
    FeaturesBackward {
        x: At,
        out: At,
        norms: At,
        gradient: At,
        into: At,
        rows: usize,
        width: usize,
    },
    /// `out = x + (q A) / d`, d = q · z + 1e-5 by row, kept in `divisors` `[N]`; x and out `[N, width]`, q `[N, features]`. Rows of the window only; `shape.rows` are the sequence's rows.
    Recall {
        window: Window,
        shape: MemoryShape,
        x: At,
        queries: At,
        memory: Memory,
        out: At,
        divisors: At,
    },
    /// The gradients of q and of the memory (plus `carried`) from that of `out`; the gradient of x is that of `out` itself.
    /// `sides`: room for N numbers, the gradients of the divisors, which a graphics card needs; the CPU leaves it alone.
    RecallBackward {
        sides: At,
        shape: MemoryShape,
        x: At,
        queries: At,
        memory: Memory,
        out: At,
        divisors: At,
        gradient: At,
        into_queries: At,
        carried: Option<Memory>,
        into: Memory,
    },
    /// What `rows` rows of each sequence write: with b = σ(strength), and where there is an `old` memory d = k · z + 1e-5, v̄ = (k A) / d and γ = clip(1 − d / ‖k‖², 0, 1), else v̄ = 0 and γ = 1:
    /// `A ← A + Σ b k (v − v̄)ᵀ`, `z ← z + Σ γ k`, all rows against the old memory. keys `[B·rows, features]`, values `[B·rows, width]`, strengths `[B·rows]`.
    /// Kept: `novel` = v − v̄ `[B·rows, width]`, and `divisors` `[B·rows, 2]`: d and γ.
    Memorize {
        shape: MemoryShape,
        keys: At,
        values: At,
        strengths: At,
        old: Option<Memory>,
        novel: At,
        divisors: At,
        out: Memory,
    },
    /// The gradients of keys, values, strengths and, where there is one, of the old memory, from `gradient`, that of the new one; γ counts as a constant.
    /// `sides`: room for B·rows numbers, as for [`Instruction::RecallBackward`].
    MemorizeBackward {
        sides: At,
        shape: MemoryShape,
        keys: At,
        values: At,
        strengths: At,
        old: Option<Memory>,
        novel: At,
        divisors: At,
        gradient: Memory,
        into_keys: At,
        into_values: At,
        into_strengths: At,
        into_old: Option<Memory>,
    },
    /// From the score of each hop but the last, `[N]` each: with p = σ(score), a row halts at the first hop T by whose end Σ p reaches
    /// [`HALTED`], or at the last. `weights` `[N, hops]`: p before T, the remainder R = 1 − Σ of those at T, 0 after. `costs`
    /// `[N, 2]`: cost · R and 0; `made` `[N]`: how many hops the row made, as a number.
    Halting {
        shape: Hops,
        scores: Vec<At>,
        weights: At,
        cost: f32,
        costs: At,
        made: At,
    },
    /// The gradient of each score from that of the weights (none: zero) and of the remainders, `cost` each; T counts as a constant.
    HaltingBackward {
        shape: Hops,
        weights: At,
        made: At,
        cost: f32,
        gradient: Option<At>,
        into: Vec<At>,
    },
    /// `out = Σ_t weights[·, t] parts[t]` by row: parts `[N, width]` each, weights `[N, hops]`.
    Mixture {
        shape: Hops,
        width: usize,
        parts: Vec<At>,
        weights: At,
        out: At,
    },
    /// The gradients of the parts, each plus what is carried, and of the weights, from that of `out`.
    MixtureBackward {
        shape: Hops,
        width: usize,
        parts: Vec<At>,
        weights: At,
        gradient: At,
        carried: Vec<Option<At>>,
        into: Vec<At>,
        carried_weights: Option<At>,
        into_weights: At,
    },
    /// By row r with label `labels + r` (a word; `NOT_ASKED` does not count): `rows_out[r] = (−scale · log softmax(logits)[label], 1 if the most
    /// probable token is the label)`, zeros where it does not count; `answers[r]` the most probable token (first of equals) as a number.
    /// Where given, `gradient = scale · (softmax − one-hot)` (zero where it does not count).
    CrossEntropy {
        logits: At,
        labels: usize,
        rows: usize,
        vocabulary: usize,
        scale: f32,
        rows_out: At,
        answers: At,
        gradient: Option<At>,
    },
    /// `out[r] = ` the most probable token (first of equals) of row r of `logits`, as a number.
    Answer {
        logits: Rows,
        rows: usize,
        vocabulary: usize,
        out: Rows,
    },
    /// `out[r]` = a token of row r drawn with the word `uniforms + r · stride`, a number in [0, 1): among the `top_k` most probable (first of
    /// equals) of softmax(logits / temperature), in the order of their ids, the first at which the sum of probabilities passes it.
    Draw {
        logits: Rows,
        rows: usize,
        vocabulary: usize,
        sampling: Sampling,
        /// The first word, and how far apart they are.
        uniforms: (usize, usize),
        out: Rows,
    },
    /// `out[r] = log softmax(logits / temperature)[label]` of the rows whose label (word `labels + r`) counts, 0 elsewhere.
    LogProbability {
        logits: At,
        labels: usize,
        rows: usize,
        vocabulary: usize,
        temperature: f32,
        out: At,
    },
    /// The loss of GRPO by row; rows whose label does not count have none. With ℓ = log softmax(logits / temperature)[label], the words
    /// A = `advantages + r`, `old + r` (`NOT_ASKED`: ℓ itself) and scale = `scale`, ratio = exp(ℓ − old) and Δ = `reference[r]` − ℓ:
    /// `rows_out[r] = (scale · (β (e^Δ − Δ − 1) − min(ratio A, clip(ratio, 1 ± ε) A)), scale · (e^Δ − Δ − 1))`, and the gradient of the first.
    Policy {
        logits: At,
        labels: usize,
        rows: usize,
        vocabulary: usize,
        terms: PolicyTerms,
        reference: At,
        rows_out: At,
        gradient: At,
    },
    /// `out = (Σ rows[r].0, Σ rows[r].1)`, added to what is there if `accumulate`.
    Total {
        rows_in: At,
        rows: usize,
        out: At,
        accumulate: bool,
    },
}

/// Instructions that follow each other and in which no sequence meets another: a graphics card may give each sequence
/// to one workgroup and carry them all out in one launch. Every array in them is `[B, …]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub instructions: std::ops::Range<usize>,
    /// B.
    pub sequences: usize,
}

/// A finished list with its memory laid out.
#[derive(Clone, Debug)]
pub struct Program {
    pub instructions: Vec<Instruction>,
    /// The positions of a sequence that the rows of each instruction stand for, from row 0 on; rows behind them are a memory's. None for
    /// those that follow a forward pass.
    pub spans: Vec<std::ops::Range<usize>>,
    /// In rising order, not overlapping.
    pub chains: Vec<Chain>,
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
    /// The tokens that the program itself continued each sequence with, `[B, S − from]`, if it generates.
    pub generated: Option<(At, usize)>,
    /// Where adaptive computation time halted each row.
    pub journal: Option<Journal>,
    /// Logits `[rows, vocabulary]` and how many numbers they are, where they are kept to the end.
    pub logits: Option<(At, usize)>,
}

impl Program {
    /// The address of an array in the memory.
    pub fn address(&self, at: At) -> usize {
        self.base[at.buffer] + at.offset
    }
}
