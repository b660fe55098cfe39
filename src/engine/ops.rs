//! Operators whose stock form is wrong or dear on one of the engines. Models call them by what they do.

use burn_tensor::{Tensor, activation};

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

fn on_cpu<const D: usize>(x: &Tensor<D>) -> bool {
    x.device() == super::cpu()
}
