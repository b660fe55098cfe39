//! The instructions, by families. Each instruction is the work of one kernel. Arrays of N rows hold B sequences of S rows, sequence after
//! sequence.

use super::operands::*;
use super::operators::{PolicyTerms, Sampling};

/// The work of one kernel.
#[derive(Clone, Debug, PartialEq)]
pub enum Instruction {
    Embed(Embed),
    Grouped(Grouped),
    Norm(Norm),
    Attention(Attention),
    Recurrent(Recurrent),
    Associative(Associative),
    Halting(Halting),
    Loss(Loss),
    Policy(Policy),
}

impl Instruction {
    /// Whether the instruction is used only in a backward pass.
    pub fn is_backward(&self) -> bool {
        match self {
            Instruction::Embed(Embed::Backward { .. })
            | Instruction::Norm(Norm::Backward { .. })
            | Instruction::Attention(Attention::Backward { .. })
            | Instruction::Recurrent(Recurrent::LstmBackward(_) | Recurrent::ConvolutionBackward(_) | Recurrent::ScanBackward(_))
            | Instruction::Associative(
                Associative::FeaturesBackward(_) | Associative::RecallBackward(_) | Associative::MemorizeBackward(_),
            )
            | Instruction::Halting(Halting::WeightsBackward { .. } | Halting::MixtureBackward { .. }) => true,
            Instruction::Embed(Embed::Forward { .. })
            | Instruction::Grouped(_)
            | Instruction::Norm(Norm::Forward { .. })
            | Instruction::Attention(Attention::Forward { .. } | Attention::AtPosition { .. })
            | Instruction::Recurrent(Recurrent::Lstm(_) | Recurrent::Convolution(_) | Recurrent::Scan(_))
            | Instruction::Associative(Associative::Features(_) | Associative::Recall(_) | Associative::Memorize(_))
            | Instruction::Halting(Halting::Weights { .. } | Halting::Mixture { .. })
            | Instruction::Loss(_)
            | Instruction::Policy(_) => false,
        }
    }
}

/// Reads rows of a table by token.
#[derive(Clone, Debug, PartialEq)]
pub enum Embed {
    /// `out[r] = table[token r]`.
    Forward { tokens: Tokens, table: At, out: Rows, rows: usize, width: usize },
    /// `out[v] (+)= Σ gradient[r]` over the rows r whose token (word `tokens + r`) is v, in the order of the rows.
    Backward { tokens: usize, gradient: At, out: At, rows: usize, width: usize, vocabulary: usize, accumulate: bool },
}

/// Independent jobs of one kind, in one launch.
#[derive(Clone, Debug, PartialEq)]
pub enum Grouped {
    /// Independent copies, in one launch.
    Copies(Vec<Copy>),
    /// Independent sums, in one launch.
    ColumnSums(Vec<ColumnSum>),
    /// Independent products, in one launch.
    Products(Vec<Product>),
}

/// Layer norm and RMS norm.
#[derive(Clone, Debug, PartialEq)]
pub enum Norm {
    /// x̂ = (x − mean) · rstd of each row, rstd = 1/√(variance + ε). If `centred` is false, the mean is 0 (RMS norm). One or two outputs.
    /// `statistics` is `[rows, 2]`: mean and rstd. Row r of every array is its row `r · pitch`.
    Forward { x: At, outs: Vec<Normed>, statistics: At, rows: usize, width: usize, epsilon: f32, centred: bool, pitch: usize },
    /// The gradient of x from the gradients of the outputs, plus `carried`, if any. `out` and `carried` must be different arrays.
    Backward { x: At, statistics: At, outs: Vec<Normed>, carried: Option<At>, out: At, rows: usize, width: usize, centred: bool },
}

/// Causal softmax attention with rotary positions.
#[derive(Clone, Debug, PartialEq)]
pub enum Attention {
    /// Softmax attention of each position over itself and the earlier ones; scores are scaled by head^-½. `qkv` is `[B·S, heads, 3, head]`. The
    /// constants from `rotary_table` on, `[S, rotary]`, are the cosines of the rotary/2 angles of each position, then their sines. `out` is
    /// `[B·S, heads·head]`. `sums` is `[B, heads, S, 2]`: the highest scaled score m of each row, and 1 / Σ exp(score − m).
    Forward { shape: AttentionShape, qkv: At, rotary_table: usize, out: At, sums: At },
    /// The same for one position of each sequence; the arrays are those of all positions.
    AtPosition { shape: AttentionShape, qkv: At, rotary_table: usize, out: At, position: usize },
    /// The gradient of `qkv` from `gradient`, the gradient of `out`. It recomputes the scores.
    Backward { shape: AttentionShape, qkv: At, rotary_table: usize, out: At, sums: At, gradient: At, into: At },
}

impl Attention {
    pub fn shape(&self) -> &AttentionShape {
        match self {
            Attention::Forward { shape, .. } | Attention::AtPosition { shape, .. } | Attention::Backward { shape, .. } => shape,
        }
    }
}

/// Recurrences along each sequence, and the short convolution.
#[derive(Clone, Debug, PartialEq)]
pub enum Recurrent {
    Lstm(Lstm),
    LstmBackward(LstmBackward),
    Convolution(Convolution),
    ConvolutionBackward(ConvolutionBackward),
    Scan(ScanForward),
    ScanBackward(ScanBackward),
}

/// An associative memory of each sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Associative {
    Features(Features),
    FeaturesBackward(FeaturesBackward),
    Recall(Recall),
    RecallBackward(RecallBackward),
    Memorize(Memorize),
    MemorizeBackward(MemorizeBackward),
}

/// The LSTM recurrence over the rows of a window, H = `width`. Before the run, `gates` `[N, 4H]` holds the input's part of each gate before
/// activation, in the order i, f, g, o. After it, `gates` holds the activated gates of `gates + h(t−1) weightᵀ`: σ, σ, tanh, σ. `cells`
/// `[N, H]`: c = f c(t−1) + i g. `hidden` `[N, H]`: h = o tanh c. Before row 0 of a sequence h and c are 0. `weight` is `[4H, H]`.
/// `transposed`, if any, is scratch for weightᵀ `[H, 4H]`. The GPU writes it first so that its threads read neighbouring addresses. The CPU
/// does not use it.
#[derive(Clone, Debug, PartialEq)]
pub struct Lstm {
    pub window: Window,
    pub width: usize,
    pub weight: At,
    pub transposed: Option<At>,
    pub gates: At,
    pub cells: At,
    pub hidden: At,
}

/// The gradient of the gates before activation, `into` `[N, 4H]`, from `gradient`, the gradient of `hidden`, over whole sequences.
#[derive(Clone, Debug, PartialEq)]
pub struct LstmBackward {
    pub sequences: usize,
    pub length: usize,
    pub width: usize,
    pub weight: At,
    pub gates: At,
    pub cells: At,
    pub gradient: At,
    pub into: At,
}

/// `out = silu(z)`, `z[t, c] = bias[c] + Σ_j weight[c, j] x[t − (TAPS − 1) + j, c]`; x is zero before the sequence. `out` is `[N, channels]`
/// dense, `weight` is `[channels, TAPS]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    pub window: Window,
    pub channels: usize,
    pub x: Rows,
    pub weight: At,
    pub bias: At,
    pub out: At,
}

/// Selective scan of each channel over the rows of a window: Δ = softplus(delta), `S ← exp(Δ A) ⊙ S + Δ B u`, `out = (C · S + D u) · silu(g)`,
/// `[N, C]` dense. S is 0 before row 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanForward {
    pub window: Window,
    pub scan: Scan,
    pub keep: Keep,
    pub out: At,
}

/// From `gradient`, the gradient of the output: `inner` `[N, channels]`, the gradient of z, and `into`, the gradient of x. It recomputes z.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionBackward {
    pub sequences: usize,
    pub length: usize,
    pub channels: usize,
    pub x: Rows,
    pub weight: At,
    pub bias: At,
    pub gradient: At,
    pub inner: At,
    pub into: Rows,
}

/// The gradients of everything a scan reads, over whole sequences. The forward pass kept the states as [`Keep::Chunks`]. The gradients of the
/// weights are per sequence: `into_a_log` `[B, C · STATE]`, `into_skip` `[B, C]`. `scratch` has [`scan_scratch`] elements, which the GPU uses
/// between its two launches. The CPU does not use it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScanBackward {
    pub sequences: usize,
    pub length: usize,
    pub scan: Scan,
    pub gradient: At,
    pub into_delta: At,
    pub into_u: At,
    pub into_projected: Rows,
    pub into_gate: Rows,
    pub into_a_log: At,
    pub into_skip: At,
    pub scratch: At,
}

/// DPFP-3: x' = [relu x; relu −x], φ = concat over j = 1, 2, 3 of x' ⊙ roll(x', j), divided by max(‖φ‖, 1e-12). x `[rows, width]`, out
/// `[rows, FEATURES · width]`; `norms` `[rows]` is that divisor. Row r of every array is its row `r · pitch`.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    pub x: At,
    pub out: At,
    pub norms: At,
    pub rows: usize,
    pub width: usize,
    pub pitch: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FeaturesBackward {
    pub x: At,
    pub out: At,
    pub norms: At,
    pub gradient: At,
    pub into: At,
    pub rows: usize,
    pub width: usize,
}

/// `out = x + (q A) / d` with d = q · z + 1e-5 for each row, kept in `divisors` `[N]`; x and out `[N, width]`, q `[N, features]`. Only the rows
/// of the window are computed; `shape.rows` is the rows of the whole sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Recall {
    pub window: Window,
    pub shape: MemoryShape,
    pub x: At,
    pub queries: At,
    pub memory: Memory,
    pub out: At,
    pub divisors: At,
}

/// The gradients of q and of the memory (plus `carried`) from the gradient of `out`. The gradient of x is the gradient of `out`. `divisor_gradients` has N
/// elements: on the GPU, the gradients of the divisors. The CPU does not use it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecallBackward {
    pub divisor_gradients: At,
    pub shape: MemoryShape,
    pub x: At,
    pub queries: At,
    pub memory: Memory,
    pub out: At,
    pub divisors: At,
    pub gradient: At,
    pub into_queries: At,
    pub carried: Option<Memory>,
    pub into: Memory,
}

/// Writes `rows` rows of each sequence into its memory. b = σ(strength). With an `old` memory `d = k · z + 1e-5`, `v̄ = (k A) / d` and
/// `γ = clip(1 − d / ‖k‖², 0, 1)`. Without one v̄ = 0 and γ = 1. Then `A ← A + Σ b k (v − v̄)ᵀ`, `z ← z + Σ γ k`; all rows read the old memory.
/// keys `[B·rows, features]`, values `[B·rows, width]`, strengths `[B·rows]`. Kept for the backward pass: `novel` = v − v̄ `[B·rows, width]`,
/// and `divisors` `[B·rows, 2]`: d and γ.
#[derive(Clone, Debug, PartialEq)]
pub struct Memorize {
    pub shape: MemoryShape,
    pub keys: At,
    pub values: At,
    pub strengths: At,
    pub old: Option<Memory>,
    pub novel: At,
    pub divisors: At,
    pub out: Memory,
}

/// The gradients of keys, values, strengths and the old memory, if any, from `gradient`, the gradient of the new memory. γ is a constant.
/// `divisor_gradients` has B·rows elements, used as in [`Associative::RecallBackward`].
#[derive(Clone, Debug, PartialEq)]
pub struct MemorizeBackward {
    pub divisor_gradients: At,
    pub shape: MemoryShape,
    pub keys: At,
    pub values: At,
    pub strengths: At,
    pub old: Option<Memory>,
    pub novel: At,
    pub divisors: At,
    pub gradient: Memory,
    pub into_keys: At,
    pub into_values: At,
    pub into_strengths: At,
    pub into_old: Option<Memory>,
}

/// Adaptive computation time: the hop at which each row halts, and the weighted mean over its hops.
#[derive(Clone, Debug, PartialEq)]
pub enum Halting {
    /// From the score of each hop except the last, `[N]` each: with p = σ(score), a row halts at the first hop T where Σ p up to T reaches
    /// [`super::operators::HALTED`], or at the last hop. `weights` `[N, hops]`: p before T, the remainder R = 1 − Σ p before T at T, 0 after.
    /// `costs` `[N, 2]`: cost · R and 0. `hop_counts` `[N]`: the row's number of hops, as an `f32`.
    Weights { shape: Hops, scores: Vec<At>, weights: At, cost: f32, costs: At, hop_counts: At },
    /// The gradient of each score, from the gradient of the weights (`None`: zero) and of the remainders, which is `cost` each. T is a
    /// constant.
    WeightsBackward { shape: Hops, weights: At, hop_counts: At, cost: f32, gradient: Option<At>, into: Vec<At> },
    /// `out = Σ_t weights[·, t] parts[t]` for each row: parts `[N, width]` each, weights `[N, hops]`.
    Mixture { shape: Hops, width: usize, parts: Vec<At>, weights: At, out: At },
    /// The gradients of the parts and of the weights from the gradient of `out`, each plus what is carried.
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
}

/// The loss and the answers, from logits.
#[derive(Clone, Debug, PartialEq)]
pub enum Loss {
    /// For each row r with label word `labels + r` ([`super::operators::NO_LABEL`]: the row does not count):
    /// `rows_out[r] = (−scale · log softmax(logits)[label], 1 if the most probable token is the label)`, zeros if the row does not count.
    /// `answers[r]` is the most probable token (the first of equals) as an `f32`. `gradient`, if any, is `scale · (softmax − one-hot)`, zeros
    /// if the row does not count.
    CrossEntropy { logits: At, labels: usize, rows: usize, vocabulary: usize, scale: f32, rows_out: At, answers: At, gradient: Option<At> },
    /// `out[r]` is the most probable token (the first of equals) of row r of `logits`, as an `f32`.
    Answer { logits: Rows, rows: usize, vocabulary: usize, out: Rows },
    /// `out = (Σ rows[r].0, Σ rows[r].1)`; with `accumulate` the sums are added to `out`.
    Total { rows_in: At, rows: usize, out: At, accumulate: bool },
}

/// Draws tokens from a policy, and computes its loss.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// Draws `out[r]`, a token of row r, with the number in [0, 1) in the word `uniforms.0 + r · uniforms.1`. Only the `top_k` most probable
    /// tokens (the first of equals) of softmax(logits / temperature) may be drawn. Their probabilities are summed in the order of their ids;
    /// the first token at which the sum passes the number is drawn.
    Draw {
        logits: Rows,
        rows: usize,
        vocabulary: usize,
        sampling: Sampling,
        /// The index of row 0's word, and the stride between rows.
        uniforms: (usize, usize),
        out: Rows,
    },
    /// `out[r] = log softmax(logits / temperature)[label]` of the rows whose label (word `labels + r`) counts, 0 elsewhere.
    LogProbability { logits: At, labels: usize, rows: usize, vocabulary: usize, temperature: f32, out: At },
    /// The GRPO loss of each row; a row whose label does not count has loss and gradient 0. With ℓ = log softmax(logits / temperature)[label],
    /// the words A = `advantages + r`, old = `old + r` (`NO_LABEL`: ℓ itself) and scale = `scale`, `ratio = exp(ℓ − old)` and
    /// `Δ = reference[r] − ℓ`: `rows_out[r] = (scale · (β (e^Δ − Δ − 1) − min(ratio A, clip(ratio, 1 ± ε) A)), scale · (e^Δ − Δ − 1))`.
    /// `gradient` is the gradient of the first.
    Loss { logits: At, labels: usize, rows: usize, vocabulary: usize, terms: PolicyTerms, reference: At, rows_out: At, gradient: At },
}
