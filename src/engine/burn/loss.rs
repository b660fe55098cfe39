//! The definitions of the losses.

use crate::engine::operators::NO_LABEL;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// One number per row, as `[N, 1]`.
pub fn column(values: Vec<f32>, device: &Device) -> Tensor<2> {
    let rows = values.len();
    Tensor::from_data(TensorData::new(values, [rows, 1]), device)
}

/// `log softmax(logits / temperature)[label]` of each row, 0 where the label does not count: logits `[N, V]`, result `[N, 1]`.
pub fn log_probability(logits: Tensor<2>, labels: &[u32], temperature: f32) -> Tensor<2> {
    let [rows, vocabulary] = logits.dims();
    let mut chosen = vec![0.0f32; rows * vocabulary];
    for (row, &label) in labels.iter().enumerate().filter(|(_, label)| **label != NO_LABEL) {
        chosen[row * vocabulary + label as usize] = 1.0;
    }
    let chosen = Tensor::<2>::from_data(TensorData::new(chosen, [rows, vocabulary]), &logits.device().without_autodiff());
    (log_softmax(logits / temperature, 1) * chosen).sum_dim(1)
}

/// Inputs of a policy's loss, `[N, 1]` each.
pub struct Policy {
    /// ℓ.
    pub log: Tensor<2>,
    pub reference: Tensor<2>,
    pub advantages: Tensor<2>,
    /// Log-probabilities under the policy that drew the tokens. `None`: ℓ itself, as a constant.
    pub old: Option<Tensor<2>>,
    /// 1 where the label counts.
    pub counts: Tensor<2>,
    pub kl: f32,
    pub clip: f32,
    pub scale: f32,
}

/// `scale Σ (kl (e^Δ − Δ − 1) − min(ratio A, clip(ratio) A))`, and `scale Σ (e^Δ − Δ − 1)`.
pub fn policy(of: Policy) -> [Tensor<1>; 2] {
    let ratio = (of.log.clone() - of.old.unwrap_or_else(|| of.log.clone().detach())).exp();
    let held = ratio.clone().clamp(1.0 - of.clip, 1.0 + of.clip) * of.advantages.clone();
    let gain = (ratio * of.advantages).min_pair(held);
    let delta = of.reference - of.log;
    let distance = delta.clone().exp() - delta - 1.0;
    let loss = ((distance.clone() * of.kl - gain) * of.counts.clone()).sum() * of.scale;
    [loss, (distance * of.counts).sum() * of.scale]
}
