//! The operators: networks, loops and objectives call only these.
//!
//! Two engines implement [`Operators`]. `Recorder` records fused kernels and hand-derived gradients into a program. `burn::Tensors` computes
//! each operator by its definition in Burn's tensors, and Burn's autodiff computes the gradient. The kernels are tested against
//! `burn::Tensors`, which is also an engine of its own.

use super::parameters::ParameterShape;
use std::ops::Range;
use thiserror::Error;

/// Taps of the causal convolution: it reads positions t − 3 … t.
pub const TAPS: usize = 4;
/// Elements of the state of each channel of a selective scan.
pub const STATE: usize = 16;
/// Features that the DPFP map makes of one input element: two signs times three products.
pub const FEATURES: usize = 6;
/// A row halts when the sum of its halting probabilities reaches this value: 1 − ε with ε = 0.1 (Graves, arXiv 1603.08983, uses .01).
pub const HALTED: f32 = 0.9;
/// The label word of a row that does not count.
pub const NO_LABEL: u32 = u32::MAX;

/// A handle of an activation `[rows, width]`. Each engine has its own type.
pub trait Shaped: Copy {
    fn rows(self) -> usize;
    fn width(self) -> usize;
}

/// A parameter of the model, `[rows, columns]`; a vector has one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Offset of its first element among all parameters, which are one flat array.
    pub(super) offset: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Weight {
    /// Finds the parameter named `prefix` + `name`.
    ///
    /// # Panics
    /// When the model has no such parameter: an error in the model's file.
    pub(super) fn find(parameters: &[ParameterShape], prefix: &str, name: &str) -> Self {
        let mut offset = 0;
        for parameter in parameters {
            if parameter.name.strip_prefix(prefix) == Some(name) {
                let (columns, rows) = match parameter.shape.split_last() {
                    Some((columns, rows)) => (*columns, rows.iter().product()),
                    None => (1, 1),
                };
                return Self { offset, rows, columns };
            }
            offset += parameter.size();
        }
        panic!("the model has no parameter {name}")
    }
}

/// The function after a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    None,
    /// Exact GELU, x Φ(x). Source: Hendrycks and Gimpel, arXiv 1606.08415.
    Gelu,
}

/// `activation(x Wᵀ + b)` with the weight in PyTorch's layout: x `[N, in]`, W `[out, in]`, b `[out]`, result `[N, out]`.
#[derive(Clone, Copy)]
pub struct Linear<V> {
    pub x: V,
    pub weight: Weight,
    pub bias: Option<Weight>,
    pub activation: Activation,
}

impl<V> Linear<V> {
    /// `x Wᵀ`.
    pub fn plain(x: V, weight: Weight) -> Self {
        Self { x, weight, bias: None, activation: Activation::None }
    }

    /// `x Wᵀ + b`.
    pub fn with_bias(x: V, weight: Weight, bias: Weight) -> Self {
        Self { bias: Some(bias), ..Self::plain(x, weight) }
    }
}

/// Gain γ and optional shift β of a norm, `[d]` each.
#[derive(Clone, Copy)]
pub struct Affine {
    pub gamma: Weight,
    pub beta: Option<Weight>,
}

/// The heads of attention, and the rotary positions of a head's first dimensions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// S, the positions of a sequence.
    pub length: usize,
    pub heads: usize,
    /// How many of a head's first dimensions are rotated; even.
    pub rotary: usize,
    /// Base of the frequencies: angle i of position t is `t · base^(−2i/rotary)`.
    pub base: f64,
}

/// One LSTM layer's parameters in the layout of `torch.nn.LSTM`; the gates are in the order i, f, g, o.
#[derive(Clone, Copy)]
pub struct LstmWeights {
    /// `[4H, in]`.
    pub input: Weight,
    /// `[4H, H]`.
    pub hidden: Weight,
    /// `[4H]` each.
    pub biases: [Weight; 2],
}

/// Parameters of a selective scan.
#[derive(Clone, Copy)]
pub struct ScanWeights {
    /// Weight of Δ, `[C, R]`: R columns of the projection make Δ.
    pub step: Weight,
    /// `[C]`.
    pub step_bias: Weight,
    /// log(−A), `[C, STATE]`.
    pub a_log: Weight,
    /// D, `[C]`.
    pub skip: Weight,
}

/// An associative memory of each of B sequences: A `[B·F, d]` and z `[B, F]`.
#[derive(Clone, Copy)]
pub struct MemoryVar<V> {
    pub a: V,
    pub z: V,
}

/// Inputs of a delta rule: queries, keys and values `[B·S, H·n]`, and write strengths before σ `[B·S, H]`. `decay` holds the input of the
/// decay, `[B·S, H]`, if old associations fade.
#[derive(Clone, Copy)]
pub struct Delta<V> {
    pub queries: V,
    pub keys: V,
    pub values: V,
    pub strengths: V,
    pub decay: Option<Decay<V>>,
    /// Gain `[n]` of the norm of each head's output.
    pub gain: Weight,
    /// H.
    pub heads: usize,
    /// S.
    pub length: usize,
    /// β is between 0 and this value, 1 or 2.
    pub range: f64,
}

/// The decay of a state: `α = exp(−exp(a_log) softplus(x + bias))`, x `[B·S, H]`, the weights `[H]`.
#[derive(Clone, Copy)]
pub struct Decay<V> {
    pub x: V,
    pub a_log: Weight,
    pub bias: Weight,
}

/// Constants of a policy's loss, and the words that hold its per-row values as bits of an `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyTerms {
    pub temperature: f32,
    /// β, the weight of the distance from the reference.
    pub kl: f32,
    /// ε: the ratio is clipped to 1 ± ε.
    pub clip: f32,
    /// The word of row 0's advantage.
    pub advantages: usize,
    /// The word of row 0's log-probability under the policy that drew the token. [`NO_LABEL`] stands for the learning policy itself.
    pub old: usize,
    /// The word of the factor of the sum.
    pub scale: usize,
}

/// How a token is drawn from logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    pub temperature: f32,
    /// How many of the most probable tokens may be drawn; 0 allows all. Of equal tokens at the limit, the first ones are allowed.
    pub top_k: usize,
}

/// An operator that this engine does not implement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "This engine has no kernel for {operator}. Only the engine Burn computes it: choose Burn under Settings, Machine (engine=burn in a link)."
)]
pub struct Missing {
    pub operator: &'static str,
}

/// The operators. Activations of B sequences of S positions are `[B·S, d]`, sequence after sequence. Tokens, labels and other integers are
/// *words* of the batch; an operator takes the index of its first word.
pub trait Operators {
    type Var: Shaped;

    /// The parameter of this name.
    ///
    /// # Panics
    /// When the model has no such parameter: an error in the model's file.
    fn weight(&self, name: &str) -> Weight;

    /// Runs `compute` on the weights whose names begin with `prefix`, without a gradient. Afterwards the rows of operators represent all
    /// positions.
    fn frozen<T>(&mut self, prefix: &'static str, compute: impl FnOnce(&mut Self) -> T) -> T;

    /// Runs `compute` and declares that its operators mix no two sequences: each result depends on its own sequence only. A GPU may then run
    /// them in one launch.
    fn chain<T>(&mut self, sequences: usize, compute: impl FnOnce(&mut Self) -> T) -> T;

    /// Sets the positions of each sequence that the rows of the next operators represent.
    fn at_positions(&mut self, span: Range<usize>);

    /// `out[r] = table[token r]` for `rows` tokens; token r is the word `tokens + r`. Table `[V, d]`, result `[rows, d]`.
    fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Self::Var;

    /// The positions from `from` on of each of B sequences of `length` S: x `[B·S, d]`, result `[B·(S − from), d]`. The rows of the next
    /// operators represent these positions.
    fn positions(&mut self, x: Self::Var, length: usize, from: usize) -> Self::Var;

    /// The rows from `from` on of each of B blocks of n rows: x `[B·n, d]`, result `[B·(n − from), d]`.
    fn rows_from(&mut self, x: Self::Var, n: usize, from: usize) -> Self::Var;

    /// The positions `segment` (n of them) of each of B sequences of `length`, followed by the rows of `tokens` `[M, d]`, if any: x `[B·S, d]`,
    /// result `[B·(n + M), d]`. The caller must put every position in exactly one segment.
    fn segment(&mut self, x: Self::Var, length: usize, segment: Range<usize>, tokens: Option<Weight>) -> Self::Var;

    /// Joins segments into sequences and keeps the positions from `from` on. `parts` holds the segments in order: part i is `[B·nᵢ, d]`, and
    /// the first `kept` rows of each sequence are positions. Result `[B·(S − from), d]`. The rows of the next operators represent these
    /// positions.
    fn join(&mut self, parts: &[(Self::Var, usize)], sequences: usize, from: usize) -> Self::Var;

    /// One linear map.
    fn linear(&mut self, linear: Linear<Self::Var>) -> Self::Var {
        let [out] = self.linears([linear]);
        out
    }

    /// Independent linear maps, each `activation(x Wᵀ + b)`. The result of a GELU must have exactly one reader, a linear map.
    fn linears<const N: usize>(&mut self, linears: [Linear<Self::Var>; N]) -> [Self::Var; N];

    /// `x + Σ (xᵢ Wᵢᵀ + bᵢ)`: adds linear maps to a residual stream, `[N, out]`.
    fn residual<const N: usize>(&mut self, residual: Self::Var, branches: [(Self::Var, Weight, Option<Weight>); N]) -> Self::Var;

    /// `(x − mean) / √(variance + ε) ⊙ γ + β` over the last dimension, for each pair (γ, β): x `[N, d]`, every result `[N, d]`.
    /// Source: Ba et al., arXiv 1607.06450.
    fn layer_norms<const N: usize>(&mut self, x: Self::Var, affines: [Affine; N], epsilon: f64) -> [Self::Var; N];

    /// `x / √(mean x² + ε) ⊙ γ` over the last dimension: x and result `[N, d]`. Source: Zhang and Sennrich, arXiv 1910.07467.
    fn rms_norm(&mut self, x: Self::Var, gamma: Weight, epsilon: f64) -> Self::Var;

    /// `softmax(rot(q) rot(k)ᵀ / √head, causal) v` for each head; qkv `[B·S, heads · 3 · head]` (q, k, v of head 0, then of head 1, …), result
    /// `[B·S, heads · head]`. Sources: Vaswani et al., arXiv 1706.03762; rotary positions, Su et al., arXiv 2104.09864, with GPT-NeoX's halves.
    fn causal_attention(&mut self, qkv: Self::Var, shape: Heads) -> Self::Var;

    /// An LSTM layer over sequences of `length`; h and c start at zero: x `[B·S, in]`, result `[B·S, H]`. Source: Hochreiter and Schmidhuber
    /// 1997, with the forget gate of Gers et al. 2000; equal to `torch.nn.LSTM`.
    /// ```text
    /// z = x W_inputᵀ + h(t−1) W_hiddenᵀ + b + b'     i, f, g, o = σ z_i, σ z_f, tanh z_g, σ z_o
    /// c = f ⊙ c(t−1) + i ⊙ g                         h = o ⊙ tanh c
    /// ```
    fn lstm(&mut self, x: Self::Var, weights: LstmWeights, length: usize) -> Self::Var;

    /// `silu(bias + Σ_j weight[·, j] ⊙ x(t − 3 + j))` of the first C columns of x, per channel; x is zero before the start of the sequence. x
    /// `[B·S, ≥ C]`, weight `[C, 4]`, bias `[C]`, result `[B·S, C]`. The other columns of x must have exactly one other reader.
    fn causal_convolution(&mut self, x: Self::Var, weight: Weight, bias: Weight, length: usize) -> Self::Var;

    /// The gated selective scan of u `[B·S, C]`. `projected` `[B·S, R + 2·STATE]` holds, for each position, R elements that make Δ, then B,
    /// then C. The gate g is the last C columns of `gate` `[B·S, ≥ C]`. Result `[B·S, C]`. Source: Gu and Dao, arXiv 2312.00752.
    /// ```text
    /// Δ = softplus(projected[.. R] stepᵀ + bias)        A = −exp(a_log)
    /// S(t) = exp(Δ A) ⊙ S(t−1) + Δ B u                  y = (C · S + D ⊙ u) ⊙ silu(g)
    /// ```
    fn selective_scan(&mut self, u: Self::Var, projected: Self::Var, gate: Self::Var, weights: ScanWeights, length: usize) -> Self::Var;

    /// DPFP-3 features of unit length: x' = [relu x; relu −x], `φ = concat over j = 1, 2, 3 of x' ⊙ roll(x', j)`, divided by ‖φ‖. x `[N, m]`,
    /// result `[N, 6m]`. Source: Schlag et al., arXiv 2102.11174.
    fn features(&mut self, x: Self::Var) -> Self::Var;

    /// Adds to each row what the memory returns for its query: `x + (q A) / (q · z + 1e-5)`. x `[B·n, d]`, q `[B·n, F]`, result `[B·n, d]`.
    /// Source: Rodkin et al., arXiv 2407.04841.
    fn recall(&mut self, x: Self::Var, queries: Self::Var, memory: MemoryVar<Self::Var>) -> Self::Var;

    /// The memory after the rows of each sequence have written their values under their keys; a new value replaces the old value of its key.
    /// keys `[B·M, F]`, values `[B·M, d]`, strengths before σ `[B·M, 1]`. `old` is `None` for a memory of zeros. Source: as [`Self::recall`].
    /// ```text
    /// b = σ(strength)    d = k · z + 1e-5    v̄ = (k A) / d    γ = clip(1 − d / ‖k‖², 0, 1)     (v̄ = 0, γ = 1 without an old one)
    /// A ← A + Σ b k (v − v̄)ᵀ                z ← z + Σ γ k
    /// ```
    /// γ is a constant in the gradient.
    fn memorize(
        &mut self,
        keys: Self::Var,
        values: Self::Var,
        strengths: Self::Var,
        old: Option<MemoryVar<Self::Var>>,
        sequences: usize,
    ) -> MemoryVar<Self::Var>;

    /// The weights of `scores.len() + 1` hops for each row, from the score of each hop except the last: scores `[N, 1]` each, result
    /// `[N, hops]`. `unit` is the index of the looped part in the network. Source: Graves, arXiv 1603.08983.
    /// ```text
    /// p_t = σ(score_t)     T = the first t with p_0 + … + p_t ≥ 0.9, or the last     R = 1 − Σ_{t<T} p_t
    /// weight_t = p_t for t < T, R for t = T, 0 after
    /// ```
    /// T is a constant in the gradient. The last hop has no score, because every row halts there.
    fn halting(&mut self, unit: usize, scores: &[Self::Var]) -> Self::Var;

    /// `Σ_t weights[·, t] parts[t]` for each row: parts `[N, d]` each, weights `[N, hops]`, result `[N, d]`.
    fn mixture(&mut self, parts: &[Self::Var], weights: Self::Var) -> Self::Var;

    /// Makes the next [`Self::cross_entropy`] add `price · share` times the mean remainder over all rows of all looped parts so far. `share` is
    /// this pass's share of the batch; 1 is the whole batch.
    fn charge(&mut self, price: f64, share: f64);

    /// The loss `−Σ log softmax(logits)[label] / of` over the rows whose label counts. Also counts the rows whose most probable token is their
    /// label, and keeps every row's most probable token. Logits `[N, V]`; the label of row r is the word `labels + r`.
    fn cross_entropy(&mut self, logits: Self::Var, labels: usize, of: usize);

    /// `log softmax(logits / temperature)[label]` of each row, 0 where the label does not count: logits `[N, V]`, result `[N, 1]`; the label of
    /// row r is the word `labels + r`.
    fn log_probability(&mut self, logits: Self::Var, labels: usize, temperature: f32) -> Self::Var;

    /// The clipped objective with its KL price over the rows whose label counts, and their mean distance from the reference. Logits `[N, V]`,
    /// reference `[N, 1]`. Sources: Shao et al., arXiv 2402.03300; Schulman et al., arXiv 1707.06347; the averages are those of TRL 0.16.
    /// ```text
    /// ℓ = log softmax(logits / temperature)[label]    Δ = reference − ℓ    ratio = exp(ℓ − old)
    /// loss     = scale Σ (kl (e^Δ − Δ − 1) − min(ratio A, clip(ratio, 1 − ε, 1 + ε) A))
    /// distance = scale Σ (e^Δ − Δ − 1)
    /// ```
    fn policy_loss(&mut self, logits: Self::Var, labels: usize, reference: Self::Var, terms: PolicyTerms);

    /// The delta rule over sequences of `length`; the state starts at zero. Each head's result is normed (RMS, ε 1e-5): `[B·S, H·n]`. Queries
    /// and keys are first divided by √(Σ x² + 1e-6). Sources: Yang et al., arXiv 2406.06484; the decay α, Yang et al., arXiv 2412.06464; a
    /// range of 2, Grazzi et al., arXiv 2411.12537.
    /// ```text
    /// β = range σ(strength)     S(t) = α S(t−1) (I − β k kᵀ) + β v kᵀ     y = RMSNorm(S(t) q / √n) ⊙ gain
    /// ```
    ///
    /// # Errors
    /// When the engine has no kernel for it.
    fn delta_rule(&mut self, delta: Delta<Self::Var>) -> Result<Self::Var, Missing>;
}
