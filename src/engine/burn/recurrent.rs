//! The definitions of the operators along a sequence, step by step.

use crate::engine::operators::{STATE, TAPS};
use burn::tensor::Tensor;
use burn::tensor::activation::{sigmoid, silu, softplus};

/// Position t of each sequence: x `[B, S, d]`, result `[B, d]`.
fn at(x: &Tensor<3>, t: usize) -> Tensor<2> {
    let [sequences, _, width] = x.dims();
    x.clone().narrow(1, t, 1).reshape([sequences, width])
}

/// The inverse of [`at`] for all positions: `[B, d]` each, result `[B·S, d]`.
fn together(steps: Vec<Tensor<2>>) -> Tensor<2> {
    let ([sequences, width], length) = (steps[0].dims(), steps.len());
    Tensor::stack::<3>(steps, 1).reshape([sequences * length, width])
}

/// One layer's parameters: W_input `[4H, in]`, W_hidden `[4H, H]`, b and b' `[1, 4H]`.
pub struct Lstm {
    pub input: Tensor<2>,
    pub hidden: Tensor<2>,
    pub biases: [Tensor<2>; 2],
}

/// `c = f ⊙ c(t−1) + i ⊙ g`, `h = o ⊙ tanh c`: x `[B·S, in]`, result `[B·S, H]`.
pub fn lstm(x: Tensor<2>, weights: Lstm, length: usize) -> Tensor<2> {
    let ([rows, _], [_, width]) = (x.dims(), weights.hidden.dims());
    let sequences = rows / length;
    let [b, b2] = weights.biases;
    let inputs = (x.matmul(weights.input.transpose()) + b + b2).reshape([sequences, length, 4 * width]);
    let zeros = Tensor::<2>::zeros([sequences, width], &inputs.device().without_autodiff());
    let (mut h, mut c) = (zeros.clone(), zeros);
    let mut steps = Vec::with_capacity(length);
    for t in 0..length {
        let gates = at(&inputs, t) + h.matmul(weights.hidden.clone().transpose());
        let gate = |index: usize| gates.clone().narrow(1, index * width, width);
        c = sigmoid(gate(1)) * c + sigmoid(gate(0)) * gate(2).tanh();
        h = sigmoid(gate(3)) * c.clone().tanh();
        steps.push(h.clone());
    }
    together(steps)
}

/// `silu(bias + Σ_j weight[·, j] ⊙ x(t − 3 + j))`: x `[B·S, C]`, weight `[C, 4]`, bias `[1, C]`.
pub fn causal_convolution(x: Tensor<2>, weight: Tensor<2>, bias: Tensor<2>, length: usize) -> Tensor<2> {
    let [rows, channels] = x.dims();
    let sequences = rows / length;
    let x = x.reshape([sequences, length, channels]);
    let before = Tensor::<3>::zeros([sequences, TAPS - 1, channels], &x.device().without_autodiff());
    let padded = Tensor::cat(vec![before, x], 1);
    let tap = |index: usize| padded.clone().narrow(1, index, length) * weight.clone().narrow(1, index, 1).reshape([1, 1, channels]);
    let sum = (1..TAPS).fold(tap(0), |sum, index| sum + tap(index));
    silu(sum.reshape([rows, channels]) + bias)
}

/// A selective scan's parameters: step `[C, R]`, step_bias `[1, C]`, a_log `[C, STATE]`, skip `[1, C]`.
pub struct Scan {
    pub step: Tensor<2>,
    pub step_bias: Tensor<2>,
    pub a_log: Tensor<2>,
    pub skip: Tensor<2>,
}

/// `S(t) = exp(Δ A) ⊙ S(t−1) + Δ B u`, `y = (C · S + D ⊙ u) ⊙ silu(g)`: u and g `[B·S, C]`, projected `[B·S, R + 2·STATE]`.
pub fn selective_scan(u: Tensor<2>, projected: Tensor<2>, gate: Tensor<2>, weights: Scan, length: usize) -> Tensor<2> {
    let ([rows, channels], [_, rank]) = (u.dims(), weights.step.dims());
    let sequences = rows / length;
    let numbers = projected.clone().narrow(1, 0, rank);
    let delta = softplus(numbers.matmul(weights.step.transpose()) + weights.step_bias, 1.0).reshape([sequences, length, channels]);
    let projected = projected.reshape([sequences, length, rank + 2 * STATE]);
    let along = u.clone().reshape([sequences, length, channels]);
    let a = weights.a_log.exp().neg().reshape([1, channels, STATE]);
    let mut state = Tensor::<3>::zeros([sequences, channels, STATE], &u.device().without_autodiff());
    let mut steps = Vec::with_capacity(length);
    for t in 0..length {
        let by_channel = |x: &Tensor<3>| at(x, t).reshape([sequences, channels, 1]);
        let by_state = |from: usize| at(&projected, t).narrow(1, from, STATE).reshape([sequences, 1, STATE]);
        let d = by_channel(&delta);
        state = (d.clone() * a.clone()).exp() * state + d * by_state(rank) * by_channel(&along);
        steps.push((state.clone() * by_state(rank + STATE)).sum_dim(2).reshape([sequences, channels]));
    }
    (together(steps) + u * weights.skip) * silu(gate)
}
