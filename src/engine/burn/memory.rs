//! The definition of the associative memory.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid};

/// Added to the divisor q · z or k · z.
const STEADY: f64 = 1e-5;

/// DPFP-3 features of each row, of unit length: x `[N, m]`, result `[N, 6m]`.
pub fn features(x: Tensor<2>) -> Tensor<2> {
    let signs = Tensor::cat(vec![relu(x.clone()), relu(x.neg())], 1);
    let width = signs.dims()[1];
    let rolled = |j: usize| Tensor::cat(vec![signs.clone().narrow(1, width - j, j), signs.clone().narrow(1, 0, width - j)], 1);
    let phi = Tensor::cat((1..=3).map(|j| signs.clone() * rolled(j)).collect(), 1);
    let norm = (phi.clone() * phi.clone()).sum_dim(1).sqrt().clamp_min(1e-12);
    phi / norm
}

/// One memory per sequence, B in all: A `[B·F, d]`, z `[B, F]`.
#[derive(Clone)]
pub struct Held {
    pub a: Tensor<2>,
    pub z: Tensor<2>,
}

impl Held {
    /// A `[B, F, d]` and z `[B, F, 1]`.
    fn by_sequence(self) -> (Tensor<3>, Tensor<3>) {
        let ([sequences, features], [_, width]) = (self.z.dims(), self.a.dims());
        (self.a.reshape([sequences, features, width]), self.z.reshape([sequences, features, 1]))
    }
}

fn by_sequence(x: Tensor<2>, sequences: usize) -> Tensor<3> {
    let [rows, width] = x.dims();
    x.reshape([sequences, rows / sequences, width])
}

/// `x + (q A) / (q · z + 1e-5)` of each row.
pub fn recall(x: Tensor<2>, queries: Tensor<2>, memory: Held) -> Tensor<2> {
    let shape = x.dims();
    let q = by_sequence(queries, memory.z.dims()[0]);
    let (a, z) = memory.by_sequence();
    x + (q.clone().matmul(a) / (q.matmul(z) + STEADY)).reshape(shape)
}

/// `A ← A + Σ b k (v − v̄)ᵀ`, `z ← z + Σ γ k`.
pub fn memorize(keys: Tensor<2>, values: Tensor<2>, strengths: Tensor<2>, old: Option<Held>, sequences: usize) -> Held {
    let [_, features] = keys.dims();
    let [_, width] = values.dims();
    let [k, v, b] = [keys, values, sigmoid(strengths)].map(|x| by_sequence(x, sequences));
    let (a, z) = match old {
        None => (k.clone().swap_dims(1, 2).matmul(v * b), k.sum_dim(1).swap_dims(1, 2)),
        Some(old) => {
            let (a, z) = old.by_sequence();
            let d = k.clone().matmul(z.clone()) + STEADY;
            let novel = v - k.clone().matmul(a.clone()) / d.clone();
            let squares = (k.clone() * k.clone()).sum_dim(2);
            let share = (d.detach() / squares.detach()).neg().add_scalar(1.0).clamp(0.0, 1.0);
            (a + k.clone().swap_dims(1, 2).matmul(novel * b), z + (k * share).sum_dim(1).swap_dims(1, 2))
        }
    };
    Held { a: a.reshape([sequences * features, width]), z: z.reshape([sequences, features]) }
}
