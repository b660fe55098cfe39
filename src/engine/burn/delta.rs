//! The delta rule, computed by chunks of positions.
//!
//! Notation: P = Sᵀ `[n, n]`; γ is the sum of log α since the chunk's start; `u_t = β_t (v_t − α_t P(t−1)ᵀ k_t)` is what position t adds under
//! its key.
//! ```text
//! P(t) = e^γ_t P(0) + Σ_{j ≤ t} e^(γ_t − γ_j) k_j u_jᵀ
//! (I + L) U = β ⊙ (V − e^γ ⊙ K P(0))            L_tj = β_t e^(γ_t − γ_j) k_t · k_j  for j < t
//! O = (e^γ ⊙ Q P(0) + (Q Kᵀ ⊙ e^(γ_t − γ_j), j ≤ t) U) / √n
//! ```
//! A chunk is thus a few products, and only the state P passes from chunk to chunk. Source: Yang et al., arXiv 2406.06484 and 2412.06464.
//!
//! I + L is inverted by doubling. From X, the inverse of its diagonal blocks of b rows, `X − X (L within each pair of blocks) X` is the inverse
//! of its diagonal blocks of 2b rows. The common method, squaring powers of L, loses all digits where keys repeat, as the cells of an orbit do:
//! the powers of L then grow like binomial coefficients before they cancel (`tests/laws/operators/delta.rs` shows it).

use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::{Device, Tensor, TensorData};

/// Positions in a chunk.
const CHUNK: usize = 32;
/// Added under the root of the divisor of queries and keys; [`NORM_EPSILON`] is added under the root of the norm.
const UNIT_EPSILON: f64 = 1e-6;
const NORM_EPSILON: f64 = 1e-5;

/// The operator's inputs: queries, keys, values `[B·S, H·n]`, strengths before σ `[B·S, H]`, gain `[1, n]`.
pub struct Delta {
    pub queries: Tensor<2>,
    pub keys: Tensor<2>,
    pub values: Tensor<2>,
    pub strengths: Tensor<2>,
    pub decay: Option<Decay>,
    pub gain: Tensor<2>,
    pub heads: usize,
    pub length: usize,
    pub range: f64,
}

/// `α = exp(−exp(a_log) softplus(x + bias))`: x `[B·S, H]`, the others `[1, H]`.
pub struct Decay {
    pub x: Tensor<2>,
    pub a_log: Tensor<2>,
    pub bias: Tensor<2>,
}

/// The operator's result, `[B·S, H·n]`.
pub fn delta_rule(of: Delta) -> Tensor<2> {
    let [rows, width] = of.queries.dims();
    let (heads, length) = (of.heads, of.length);
    let (sequences, head) = (rows / length, width / heads);
    // One matrix per sequence and head: [B·H, S, …].
    let split = |x: Tensor<2>| {
        let [_, columns] = x.dims();
        x.reshape([sequences, length, heads, columns / heads]).swap_dims(1, 2).reshape([sequences * heads, length, columns / heads])
    };
    let unit = |x: Tensor<3>| x.clone() / (x.clone() * x).sum_dim(2).add_scalar(UNIT_EPSILON).sqrt();
    let (queries, keys, values) = (unit(split(of.queries)) * (head as f64).powf(-0.5), unit(split(of.keys)), split(of.values));
    let strengths = split(sigmoid(of.strengths) * of.range);
    let fading = of.decay.map(|decay| split((softplus(decay.x + decay.bias, 1.0) * decay.a_log.exp()).neg()));
    let device = keys.device().without_autodiff();
    let mut state = Tensor::<3>::zeros([sequences * heads, head, head], &device);
    let mut parts = Vec::new();
    for start in (0..length).step_by(CHUNK) {
        let count = CHUNK.min(length - start);
        let part = |x: &Tensor<3>| x.clone().narrow(1, start, count);
        let chunk = Chunk {
            queries: part(&queries),
            keys: part(&keys),
            values: part(&values),
            strengths: part(&strengths),
            fading: fading.as_ref().map(part),
        };
        let (out, next) = chunk.walk(state, &device);
        parts.push(out);
        state = next;
    }
    let out = Tensor::cat(parts, 1);
    let gain = of.gain.reshape([1, 1, head]);
    let normed = out.clone() / (out.clone() * out).mean_dim(2).add_scalar(NORM_EPSILON).sqrt() * gain;
    normed.reshape([sequences, heads, length, head]).swap_dims(1, 2).reshape([rows, width])
}

/// The positions of one chunk for every sequence and head, `[B·H, c, …]`; `fading` is log α.
struct Chunk {
    queries: Tensor<3>,
    keys: Tensor<3>,
    values: Tensor<3>,
    strengths: Tensor<3>,
    fading: Option<Tensor<3>>,
}

impl Chunk {
    /// The outputs of these positions, and the state after them, P `[B·H, n, n]`.
    fn walk(self, state: Tensor<3>, device: &Device) -> (Tensor<3>, Tensor<3>) {
        let Self { queries, keys, values, strengths, fading } = self;
        let [_, count, _] = keys.dims();
        let not_later = mask(count, device, |i, j| j <= i);
        let earlier = mask(count, device, |i, j| j < i);
        let transposed = keys.clone().swap_dims(1, 2);
        let met = keys.clone().matmul(transposed.clone()) * strengths.clone();
        let asked = queries.clone().matmul(transposed.clone());
        let Some(fading) = fading else {
            let lower = met * earlier;
            let new = inverse(lower, device).matmul((values - keys.matmul(state.clone())) * strengths);
            let out = queries.matmul(state.clone()) + (asked * not_later).matmul(new.clone());
            return (out, state + transposed.matmul(new));
        };
        let sums = not_later.clone().expand([fading.dims()[0], count, count]).matmul(fading);
        // Differences with later positions are positive and could overflow: they are set to 0 before the exponential, and masked after it.
        let between = ((sums.clone() - sums.clone().swap_dims(1, 2)) * not_later.clone()).exp() * not_later;
        let since = sums.clone().exp();
        let lower = met * between.clone() * earlier;
        let new = inverse(lower, device).matmul((values - keys.matmul(state.clone()) * since.clone()) * strengths);
        let out = queries.matmul(state.clone()) * since + (asked * between.clone()).matmul(new.clone());
        let last = sums.clone().narrow(1, count - 1, 1);
        let left = (last.clone() - sums).exp();
        (out, state * last.exp() + transposed.matmul(new * left))
    }
}

/// `(I + L)⁻¹` of strictly lower triangular matrices L `[G, c, c]`.
fn inverse(lower: Tensor<3>, device: &Device) -> Tensor<3> {
    let [_, count, _] = lower.dims();
    let mut inverse = mask(count, device, |i, j| i == j) - lower.clone() * within(count, 1, device);
    let mut block = 2;
    while block < count {
        inverse = inverse.clone() - inverse.clone().matmul(lower.clone() * within(count, block, device)).matmul(inverse);
        block *= 2;
    }
    inverse
}

/// 1 where the row is in the second and the column in the first block of a pair of blocks of `block` rows.
fn within(count: usize, block: usize, device: &Device) -> Tensor<3> {
    mask(count, device, |i, j| i / block == j / block + 1 && (j / block).is_multiple_of(2))
}

/// 1 where `holds(row, column)`, else 0: `[1, c, c]`.
fn mask(count: usize, device: &Device, holds: impl Fn(usize, usize) -> bool) -> Tensor<3> {
    let values: Vec<f32> = (0..count * count).map(|at| if holds(at / count, at % count) { 1.0 } else { 0.0 }).collect();
    Tensor::from_data(TensorData::new(values, [1, count, count]), device)
}
