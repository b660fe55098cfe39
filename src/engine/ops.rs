//! Operators whose stock form is wrong or dear on one of the engines. Models call them by what they do.

use burn_tensor::{Bool, Device, Tensor, TensorData, activation};

/// Exact GELU, `x Φ(x) = x/2 (1 + erf(x/√2))`, any shape.
///
/// burn's own `gelu` is exact forwards everywhere, but its WebGPU backward is that of the tanh approximation (0.22.1,
/// `burn-backend/src/backend/ops/activation.rs`), off by up to 1e-3; composed from `erf` both directions are exact.
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if on_cpu(&x) {
        return activation::gelu(x);
    }
    let phi = (x.clone() * std::f32::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
    x * phi
}

/// `(x − mean) / √(variance + ε) · γ + β` over the last dimension; x `[N, d]`, γ and β `[d]`. Ba et al., arXiv 1607.06450.
pub fn layer_norm(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<2> {
    let centred = x.clone() - x.mean_dim(1);
    let variance = (centred.clone() * centred.clone()).mean_dim(1);
    centred / (variance + epsilon).sqrt() * gamma.unsqueeze() + beta.unsqueeze()
}

/// `x Wᵀ + b` with the weight as PyTorch keeps it; x `[N, in]`, W `[out, in]`, b `[out]`.
pub fn linear(x: Tensor<2>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<2> {
    let product = x.matmul(weight.transpose());
    match bias {
        Some(bias) => product + bias.unsqueeze(),
        None => product,
    }
}

/// Which positions may look where: position t sees 0 … t.
pub struct Causal {
    /// `[1, 1, S, S]`, true where a position may not look.
    future: Tensor<4, Bool>,
    /// `[1, 1, S, S]`, 0 where a position may look and a large negative number where it may not.
    penalty: Tensor<4>,
    /// `[1, 1, S, S]`, 1 where a position may look and 0 where it may not.
    past: Tensor<4>,
}

impl Causal {
    pub fn new(length: usize, device: &Device) -> Self {
        let future: Vec<bool> = (0..length * length).map(|index| index % length > index / length).collect();
        let table = |hidden: f32, seen: f32| {
            let values: Vec<f32> = future.iter().map(|&future| if future { hidden } else { seen }).collect();
            Tensor::from_data(TensorData::new(values, [1, 1, length, length]), device)
        };
        let (penalty, past) = (table(-1e9, 0.0), table(0.0, 1.0));
        Self { future: Tensor::from_data(TensorData::new(future, [1, 1, length, length]), device), penalty, past }
    }

    /// Softmax of scores `[B, h, S, S]` over the positions each one may look at, exactly 0 elsewhere.
    ///
    /// Hidden scores are set to a harmless value before `exp` and to zero after it, rather than to −∞ before it: in wasm
    /// `expf` takes a denormal division for every argument below −87, which made it a third of a training step.
    pub fn softmax(&self, scores: Tensor<4>) -> Tensor<4> {
        let highest = (scores.clone().detach() + self.penalty.clone()).max_dim(3);
        let weights = (scores - highest).mask_fill(self.future.clone(), -1.0).exp() * self.past.clone();
        let sum = weights.clone().sum_dim(3);
        weights / sum
    }
}

fn on_cpu<const D: usize>(x: &Tensor<D>) -> bool {
    x.device() == super::cpu()
}
