//! Clipping, AdamW and Muon over flat parameters, on the device they live on and without a read-back.

use super::schedule::learning_rate;
use crate::config::{Optimizer, TrainingConfig};
use crate::engine::Tensor;
use crate::model::{Parameter, Role};

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Muon's momentum.
const MOMENTUM: f64 = 0.95;
/// Under Muon, the rate of what AdamW keeps (embedding, head, gains, biases) as a share of Muon's.
const ADAMW_SHARE: f64 = 0.5;
/// Coefficients of Muon's quintic Newton–Schulz iteration. Source: K. Jordan, "Muon", 2024.
const NEWTON_SCHULZ: (f64, f64, f64) = (3.4445, -4.7750, 2.0315);
const NEWTON_SCHULZ_STEPS: usize = 5;

/// Moving averages of one parameter: first moment (AdamW) or momentum (Muon), and second moment (AdamW; empty under Muon).
#[derive(Clone)]
pub struct Moments {
    pub first: Tensor<1>,
    pub second: Option<Tensor<1>>,
}

/// Whether Muon takes a parameter: the blocks' matrices; AdamW keeps the rest.
pub fn by_muon(optimizer: Optimizer, parameter: &Parameter) -> bool {
    optimizer == Optimizer::Muon && parameter.role == Role::Hidden
}

/// Zero moments for these parameters.
pub fn moments(optimizer: Optimizer, parameters: &[Parameter], weights: &[Tensor<1>]) -> Vec<Moments> {
    let zero = |(parameter, weight): (&Parameter, &Tensor<1>)| Moments {
        first: weight.zeros_like(),
        second: (!by_muon(optimizer, parameter)).then(|| weight.zeros_like()),
    };
    parameters.iter().zip(weights).map(zero).collect()
}

/// Clips each entry to ± `clip_value`, then the whole to norm `clip_norm`, as `torch.nn.utils.clip_grad_value_` and `clip_grad_norm_` do; 0 switches either off.
pub fn clip(training: &TrainingConfig, gradients: Vec<Tensor<1>>) -> Vec<Tensor<1>> {
    let limit = training.clip_value;
    let gradients: Vec<_> =
        if limit > 0.0 { gradients.into_iter().map(|gradient| gradient.clamp(-limit, limit)).collect() } else { gradients };
    if training.clip_norm <= 0.0 {
        return gradients;
    }
    let squares: Vec<_> = gradients.iter().map(|gradient| (gradient.clone() * gradient.clone()).sum()).collect();
    let norm = Tensor::cat(squares, 0).sum().sqrt();
    let scale = ((norm + 1e-6).recip() * training.clip_norm).clamp_max(1.0);
    gradients.into_iter().map(|gradient| gradient * scale.clone()).collect()
}

/// One update, number `step` counted from 1, of every parameter by its clipped gradient.
pub fn update(
    training: &TrainingConfig,
    parameters: &[Parameter],
    weights: &mut [Tensor<1>],
    moments: &mut [Moments],
    gradients: Vec<Tensor<1>>,
    step: u64,
) {
    let rate = learning_rate(training, step);
    for (index, gradient) in clip(training, gradients).into_iter().enumerate() {
        let parameter = &parameters[index];
        let muon = by_muon(training.optimizer, parameter);
        let rate = if training.optimizer == Optimizer::Muon && !muon { rate * ADAMW_SHARE } else { rate };
        let direction = if muon {
            muon_direction(parameter, &mut moments[index], gradient)
        } else {
            adamw_direction(&mut moments[index], gradient, step)
        };
        weights[index] = weights[index].clone() * (1.0 - rate * training.weight_decay) - direction * rate;
    }
}

/// `m̂ / (√v̂ + ε)`. Source: Loshchilov and Hutter, arXiv 1711.05101; bias correction as in PyTorch.
fn adamw_direction(moments: &mut Moments, gradient: Tensor<1>, step: u64) -> Tensor<1> {
    let first = moments.first.clone() * BETA_1 + gradient.clone() * (1.0 - BETA_1);
    let old = moments.second.take().unwrap_or_else(|| gradient.zeros_like());
    let second = old * BETA_2 + gradient.clone() * gradient * (1.0 - BETA_2);
    let correction = |beta: f64| 1.0 - libm::pow(beta, step as f64);
    let denominator = (second.clone() / correction(BETA_2)).sqrt() + EPSILON;
    let direction = first.clone() / correction(BETA_1) / denominator;
    *moments = Moments { first, second: Some(second) };
    direction
}

/// The momentum's nearest semi-orthogonal matrix, with Nesterov's look-ahead, times √max(1, rows/columns).
fn muon_direction(parameter: &Parameter, moments: &mut Moments, gradient: Tensor<1>) -> Tensor<1> {
    let momentum = moments.first.clone() * MOMENTUM + gradient.clone() * (1.0 - MOMENTUM);
    moments.first = momentum.clone();
    let ahead = momentum * MOMENTUM + gradient * (1.0 - MOMENTUM);
    let (rows, columns) = (parameter.shape[0], parameter.shape[1]);
    let scale = (rows as f64 / columns as f64).max(1.0).sqrt();
    orthogonalize(ahead.reshape([rows, columns])).reshape([rows * columns]) * scale
}

/// Newton–Schulz: five times `X ← aX + (bA + cA²)X` with `A = XXᵀ`, from X over its Frobenius norm, on the wide side.
fn orthogonalize(matrix: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = matrix.dims();
    let tall = rows > columns;
    let matrix = if tall { matrix.transpose() } else { matrix };
    let norm = (matrix.clone() * matrix.clone()).sum().sqrt() + 1e-7;
    let mut x = matrix / norm.reshape([1, 1]);
    let (a, b, c) = NEWTON_SCHULZ;
    for _ in 0..NEWTON_SCHULZ_STEPS {
        let gram = x.clone().matmul(x.clone().transpose());
        let polynomial = gram.clone() * b + gram.clone().matmul(gram) * c;
        x = x.clone() * a + polynomial.matmul(x);
    }
    if tall { x.transpose() } else { x }
}
