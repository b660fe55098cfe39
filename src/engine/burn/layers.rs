//! The definitions of norms, GELU and attention.

use crate::engine::operators::Heads;
use crate::engine::ops::rotary_table;
use burn::tensor::activation::softmax;
use burn::tensor::{Tensor, TensorData};

/// `x̂ ⊙ γ + β` of each row: x `[N, d]`, γ and β `[1, d]`. `centred` subtracts the mean first.
pub fn norm(x: Tensor<2>, gamma: Tensor<2>, beta: Option<Tensor<2>>, epsilon: f64, centred: bool) -> Tensor<2> {
    let x = if centred { x.clone() - x.mean_dim(1) } else { x };
    let scaled = x.clone() / (x.clone() * x).mean_dim(1).add_scalar(epsilon).sqrt() * gamma;
    match beta {
        Some(beta) => scaled + beta,
        None => scaled,
    }
}

/// Exact GELU, `x Φ(x)`. Burn's own GELU is not used, because its derivative differs on some backends.
pub fn gelu(x: Tensor<2>) -> Tensor<2> {
    let phi = (x.clone() * std::f32::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
    x * phi
}

/// Rotates the first `rotary` dimensions of every head by position; dimension i is paired with i + rotary/2: x `[B, heads, S, head]`.
fn turn(x: Tensor<4>, rotary: usize, base: f64) -> Tensor<4> {
    let [_, _, length, head] = x.dims();
    let half = rotary / 2;
    let table = rotary_table(length, rotary, base);
    let column = |from: usize| {
        let values: Vec<f32> = table.chunks(rotary).flat_map(|row| &row[from..from + half]).copied().collect();
        Tensor::<4>::from_data(TensorData::new(values, [1, 1, length, half]), &x.device().without_autodiff())
    };
    let (cosines, sines) = (column(0), column(half));
    let part = |from: usize, count: usize| x.clone().narrow(3, from, count);
    let (first, second) = (part(0, half), part(half, half));
    let mut parts = vec![first.clone() * cosines.clone() - second.clone() * sines.clone(), second * cosines + first * sines];
    if rotary < head {
        parts.push(part(rotary, head - rotary));
    }
    Tensor::cat(parts, 3)
}

/// `softmax(rot(q) rot(k)ᵀ / √head, causal) v`: qkv `[B·S, heads · 3 · head]`, result `[B·S, heads · head]`.
pub fn causal_attention(qkv: Tensor<2>, Heads { length, heads, rotary, base }: Heads) -> Tensor<2> {
    let [rows, width] = qkv.dims();
    let (sequences, head) = (rows / length, width / (3 * heads));
    let qkv = qkv.reshape([sequences, length, heads, 3 * head]).swap_dims(1, 2);
    let part = |index: usize| qkv.clone().narrow(3, index * head, head);
    let (q, k, v) = (turn(part(0), rotary, base), turn(part(1), rotary, base), part(2));
    let scores = q.matmul(k.swap_dims(2, 3)) * (head as f64).powf(-0.5);
    let later: Vec<f32> = (0..length * length).map(|at| if at % length > at / length { -1e9 } else { 0.0 }).collect();
    let later = Tensor::<4>::from_data(TensorData::new(later, [1, 1, length, length]), &scores.device().without_autodiff());
    softmax(scores + later, 3).matmul(v).swap_dims(1, 2).reshape([rows, heads * head])
}
