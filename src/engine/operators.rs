//! The operators that networks, loops and objectives are written in.
//!
//! Two engines implement [`Operators`]. `Recorder` writes fused kernels and hand-derived gradients into a program. `burn::Tensors`
//! computes each operator by its definition, in Burn's tensors, and leaves the gradient to Burn's autodiff: that is the truth which the
//! kernels are tested against, and an engine of its own.

use crate::model::Parameter;
use std::ops::Range;

/// Taps of the causal convolution: positions t − 3 … t.
pub const TAPS: usize = 4;
/// Numbers of state of each channel of a selective scan.
pub const STATE: usize = 16;
/// Numbers that the DPFP map makes of one: two signs, three products.
pub const FEATURES: usize = 6;
/// A row halts when its halting probabilities add up to this, 1 − ε with ε = 0.1 (Graves, arXiv 1603.08983, uses .01).
pub const HALTED: f32 = 0.9;
/// The word of a label that does not count.
pub const NOT_ASKED: u32 = u32::MAX;

/// A handle of an activation `[rows, width]`, as an engine gives it out.
pub trait Shaped: Copy {
    fn rows(self) -> usize;
    fn width(self) -> usize;
}

/// A parameter of the model, `[rows, columns]`; a vector has one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Its first number among all parameters, which lie flat one after the other.
    pub(super) offset: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Weight {
    /// The parameter whose name is `name` behind `prefix`.
    ///
    /// # Panics
    /// When the model has no such parameter: a fault of the model's file.
    pub(super) fn find(parameters: &[Parameter], prefix: &str, name: &str) -> Self {
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

/// What follows a linear map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    None,
    /// Exact GELU, x Φ(x). Source: Hendrycks and Gimpel, arXiv 1606.08415.
    Gelu,
}

/// `activation(x Wᵀ + b)` with the weight as PyTorch keeps it: x `[N, in]`, W `[out, in]`, b `[out]`, result `[N, out]`.
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

/// A norm's gain, and its shift where it has one; `[d]` each.
#[derive(Clone, Copy)]
pub struct Affine {
    pub gamma: Weight,
    pub beta: Option<Weight>,
}

/// How attention's input is cut into heads, and which of a head's dimensions turn by position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// S, positions of a sequence.
    pub length: usize,
    pub heads: usize,
    /// Dimensions of a head that turn, even.
    pub rotary: usize,
    /// Base of the frequencies: angle i of position t is `t · base^(−2i/rotary)`.
    pub base: f64,
}

/// One LSTM layer's parameters as `torch.nn.LSTM` keeps them, gates in the order i, f, g, o.
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
    /// To Δ: `[C, R]`, R numbers of the projection.
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

/// What a delta rule reads: queries, keys and values `[B·S, H·n]`, write strengths before their σ `[B·S, H]`, and where old associations
/// fade the input of the decay `[B·S, H]`.
#[derive(Clone, Copy)]
pub struct Delta<V> {
    pub queries: V,
    pub keys: V,
    pub values: V,
    pub strengths: V,
    pub decay: Option<Decay<V>>,
    /// Gain `[n]` of the norm of each head's result.
    pub gain: Weight,
    /// H.
    pub heads: usize,
    /// S.
    pub length: usize,
    /// β lies between 0 and this, 1 or 2.
    pub range: f64,
}

/// How fast a state fades: `α = exp(−exp(a_log) softplus(x + bias))`, x `[B·S, H]`, the weights `[H]`.
#[derive(Clone, Copy)]
pub struct Decay<V> {
    pub x: V,
    pub a_log: Weight,
    pub bias: Weight,
}

/// How the loss of a policy is weighed, and in which words its numbers stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyTerms {
    pub temperature: f32,
    /// β, the price of the distance from the reference.
    pub kl: f32,
    /// ε, how far a ratio may leave 1.
    pub clip: f32,
    /// First word of each row's advantage, its bits.
    pub advantages: usize,
    /// First word of each row's log-probability under the policy that drew it, its bits; [`NOT_ASKED`] where that is the learning policy itself.
    pub old: usize,
    /// The word with the factor of the sum, its bits.
    pub scale: usize,
}

/// How a token is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    pub temperature: f32,
    /// Only so many of the most probable tokens may be drawn; 0 for all. Of equals at the limit the first ones.
    pub top_k: usize,
}

/// An operator that an engine does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    pub operator: &'static str,
}

impl From<Missing> for String {
    fn from(missing: Missing) -> Self {
        format!(
            "This engine has no kernel for {}, which is defined in Burn alone: choose the engine Burn under Settings, Machine (engine=burn in a link).",
            missing.operator
        )
    }
}

/// The operators. Activations of B sequences of S positions are `[B·S, d]`, sequence by sequence. Tokens, labels and other whole
/// numbers are *words* of the batch; an operator is told the number of the first.
pub trait Operators {
    type Var: Shaped;

    /// The parameter of this name.
    ///
    /// # Panics
    /// When the model has no such parameter: a fault of the model's file.
    fn weight(&self, name: &str) -> Weight;

    /// What `compute` does, over the weights whose names begin with `prefix`, without a gradient.
    fn frozen<T>(&mut self, prefix: &'static str, compute: impl FnOnce(&mut Self) -> T) -> T;

    /// Says that the operators in `compute` depend on their own sequence only, so that a graphics card may gather them into one launch.
    fn chain<T>(&mut self, sequences: usize, compute: impl FnOnce(&mut Self) -> T) -> T;

    /// Says which positions of each sequence the rows of the coming operators stand for.
    fn at_positions(&mut self, span: Range<usize>);

    /// `out[r] = table[token r]` for `rows` tokens, the words from `tokens` on; table `[V, d]`, result `[rows, d]`.
    fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Self::Var;

    /// Of x `[B·S, d]` the positions `from` … of each of B sequences of `length`: `[B·(S − from), d]`. The coming operators stand for
    /// those positions.
    fn positions(&mut self, x: Self::Var, length: usize, from: usize) -> Self::Var;

    /// Of x `[B·n, d]` the rows `from` … of each of B blocks of n: `[B·(n − from), d]`.
    fn rows_from(&mut self, x: Self::Var, n: usize, from: usize) -> Self::Var;

    /// Of x `[B·S, d]` the positions of `segment` of each of B sequences of `length`, and behind each sequence's the rows of `tokens`
    /// `[M, d]`, if given: `[B·(n + M), d]`. Every position must be in one segment.
    fn segment(&mut self, x: Self::Var, length: usize, segment: Range<usize>, tokens: Option<Weight>) -> Self::Var;

    /// Positions `from` … of sequences of which `parts` hold one segment each, in their order: part i is `[B·nᵢ, d]`, of which the first
    /// `kept` rows of each sequence are positions. Result `[B·(S − from), d]`; the coming operators stand for those positions.
    fn join(&mut self, parts: &[(Self::Var, usize)], sequences: usize, from: usize) -> Self::Var;

    /// One linear map.
    fn linear(&mut self, linear: Linear<Self::Var>) -> Self::Var {
        let [out] = self.linears([linear]);
        out
    }

    /// Independent linear maps, each `activation(x Wᵀ + b)`. The result of a GELU is read by one linear map.
    fn linears<const N: usize>(&mut self, linears: [Linear<Self::Var>; N]) -> [Self::Var; N];

    /// `x + Σ (xᵢ Wᵢᵀ + bᵢ)`, the sum of linear maps on top of a residual stream: `[N, out]`.
    fn residual<const N: usize>(&mut self, residual: Self::Var, branches: [(Self::Var, Weight, Option<Weight>); N]) -> Self::Var;

    /// `(x − mean) / √(variance + ε) ⊙ γ + β` over the last dimension, for each pair (γ, β): x `[N, d]`, every result `[N, d]`.
    /// Source: Ba et al., arXiv 1607.06450.
    fn layer_norms<const N: usize>(&mut self, x: Self::Var, affines: [Affine; N], epsilon: f64) -> [Self::Var; N];

    /// `x / √(mean x² + ε) ⊙ γ` over the last dimension: x and result `[N, d]`. Source: Zhang and Sennrich, arXiv 1910.07467.
    fn rms_norm(&mut self, x: Self::Var, gamma: Weight, epsilon: f64) -> Self::Var;

    /// `softmax(rot(q) rot(k)ᵀ / √head, causal) v` for each head; qkv `[B·S, heads · 3 · head]` (by head: q, k, v), result `[B·S, heads · head]`.
    /// Sources: Vaswani et al., arXiv 1706.03762; rotary positions, Su et al., arXiv 2104.09864, with GPT-NeoX's halves.
    fn causal_attention(&mut self, qkv: Self::Var, shape: Heads) -> Self::Var;

    /// A layer of long short-term memory over sequences of `length` from a state of zeros: x `[B·S, in]`, result `[B·S, H]`.
    /// Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; equal to `torch.nn.LSTM`.
    /// ```text
    /// z = x W_inputᵀ + h(t−1) W_hiddenᵀ + b + b'     i, f, g, o = σ z_i, σ z_f, tanh z_g, σ z_o
    /// c = f ⊙ c(t−1) + i ⊙ g                         h = o ⊙ tanh c
    /// ```
    fn lstm(&mut self, x: Self::Var, weights: LstmWeights, length: usize) -> Self::Var;

    /// `silu(bias + Σ_j weight[·, j] ⊙ x(t − 3 + j))` of the first C of x's columns, channel by channel, zeros before the start;
    /// x `[B·S, ≥ C]`, weight `[C, 4]`, bias `[C]`, result `[B·S, C]`. The other columns of x have one other reader.
    fn causal_convolution(&mut self, x: Self::Var, weight: Weight, bias: Weight, length: usize) -> Self::Var;

    /// The selective scan of u `[B·S, C]`, gated: `projected` `[B·S, R + 2·STATE]` holds for each position R numbers that make Δ, then B,
    /// then C; the gate g is the last C columns of `gate` `[B·S, ≥ C]`; result `[B·S, C]`. Source: Gu and Dao, arXiv 2312.00752.
    /// ```text
    /// Δ = softplus(projected[.. R] stepᵀ + bias)        A = −exp(a_log)
    /// S(t) = exp(Δ A) ⊙ S(t−1) + Δ B u                  y = (C · S + D ⊙ u) ⊙ silu(g)
    /// ```
    fn selective_scan(&mut self, u: Self::Var, projected: Self::Var, gate: Self::Var, weights: ScanWeights, length: usize) -> Self::Var;

    /// DPFP-3 features of unit length: x' = [relu x; relu −x], `φ = concat over j = 1, 2, 3 of x' ⊙ roll(x', j)`, divided by its norm.
    /// x `[N, m]`, result `[N, 6m]`. Source: Schlag et al., arXiv 2102.11174.
    fn features(&mut self, x: Self::Var) -> Self::Var;

    /// `x + (q A) / (q · z + 1e-5)` by row, what the memory holds under each row's query: x `[B·n, d]`, q `[B·n, F]`, result `[B·n, d]`.
    /// Source: Rodkin et al., arXiv 2407.04841.
    fn recall(&mut self, x: Self::Var, queries: Self::Var, memory: MemoryVar<Self::Var>) -> Self::Var;

    /// The memory after the rows of each sequence have written their values under their keys, each overwriting what stood there:
    /// keys `[B·M, F]`, values `[B·M, d]`, strengths `[B·M, 1]` before their σ; `old` is none for a memory of zeros. Source: as [`Self::recall`].
    /// ```text
    /// b = σ(strength)    d = k · z + 1e-5    v̄ = (k A) / d    γ = clip(1 − d / ‖k‖², 0, 1)     (v̄ = 0, γ = 1 without an old one)
    /// A ← A + Σ b k (v − v̄)ᵀ                z ← z + Σ γ k
    /// ```
    /// γ counts as a constant in the gradient.
    fn memorize(
        &mut self,
        keys: Self::Var,
        values: Self::Var,
        strengths: Self::Var,
        old: Option<MemoryVar<Self::Var>>,
        sequences: usize,
    ) -> MemoryVar<Self::Var>;

    /// The weights of `scores.len() + 1` hops by row, from the score of each hop but the last: scores `[N, 1]` each, result `[N, hops]`.
    /// `unit` says which of the network's looped parts it is. Source: Graves, arXiv 1603.08983.
    /// ```text
    /// p_t = σ(score_t)     T = the first t with p_0 + … + p_t ≥ 0.9, or the last     R = 1 − Σ_{t<T} p_t
    /// weight_t = p_t for t < T, R for t = T, 0 after
    /// ```
    /// T counts as a constant in the gradient. The last hop's score decides nothing, so there is none.
    fn halting(&mut self, unit: usize, scores: &[Self::Var]) -> Self::Var;

    /// `Σ_t weights[·, t] parts[t]` by row: parts `[N, d]` each, weights `[N, hops]`, result `[N, d]`.
    fn mixture(&mut self, parts: &[Self::Var], weights: Self::Var) -> Self::Var;

    /// Lets the loss to come include `price` times the mean remainder over all rows of all looped parts so far, of which this
    /// pass has `share`, 1 being the whole batch.
    fn charge(&mut self, price: f64, share: f64);

    /// `−Σ log softmax(logits)[label] / of` over the rows whose label counts, how many of them have it as their most
    /// probable token, and every row's most probable token. Logits `[N, V]`; the labels are the words from `labels` on.
    fn cross_entropy(&mut self, logits: Self::Var, labels: usize, of: usize);

    /// `log softmax(logits / temperature)[label]` by row, 0 where none is asked: logits `[N, V]`, the labels are the words from `labels` on; `[N, 1]`.
    fn log_probability(&mut self, logits: Self::Var, labels: usize, temperature: f32) -> Self::Var;

    /// The clipped objective and its price over the rows whose label counts, and their mean distance from the reference;
    /// logits `[N, V]`, reference `[N, 1]`. Sources: Shao et al., arXiv 2402.03300; Schulman et al., arXiv 1707.06347;
    /// the averages are those of TRL 0.16.
    /// ```text
    /// ℓ = log softmax(logits / temperature)[label]    Δ = reference − ℓ    ratio = exp(ℓ − old)
    /// loss     = scale Σ (kl (e^Δ − Δ − 1) − min(ratio A, clip(ratio, 1 − ε, 1 + ε) A))
    /// distance = scale Σ (e^Δ − Δ − 1)
    /// ```
    fn policy_loss(&mut self, logits: Self::Var, labels: usize, reference: Self::Var, terms: PolicyTerms);

    /// The delta rule over sequences of `length` from a state of zeros, by head, each result normed (RMS, ε 1e-5): `[B·S, H·n]`. Queries and
    /// keys are first divided by √(Σ x² + 1e-6). Sources: Yang et al., arXiv 2406.06484; the decay α, Yang et al., arXiv 2412.06464; a range
    /// of 2, Grazzi et al., arXiv 2411.12537.
    /// ```text
    /// β = range σ(strength)     S(t) = α S(t−1) (I − β k kᵀ) + β v kᵀ     y = RMSNorm(S(t) q / √n) ⊙ gain
    /// ```
    ///
    /// # Errors
    /// On an engine that has no kernel of it.
    fn delta_rule(&mut self, delta: Delta<Self::Var>) -> Result<Self::Var, Missing>;
}
