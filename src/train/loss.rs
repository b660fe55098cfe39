//! The loss and its gradient.

use super::batch::Batch;
use crate::engine::Tensor;
use crate::model::{Model, Weights};
use burn_tensor::activation::log_softmax;

/// Masked cross-entropy, `−Σ log softmax(logits)[label] / of`, summed over the labels that count; `of` is how many of
/// them the whole batch has, so that the losses (and gradients) of a batch's shards add up to the batch's mean.
pub fn cross_entropy(model: &Model, weights: &Weights, batch: &Batch, of: usize) -> Tensor<1> {
    let device = weights.tensors[0].device();
    let from = batch.first_asked();
    let logits = model.logits(weights, batch.tokens(&device), from);
    let targets = batch.targets(from, model.vocabulary, 1.0 / of as f32, &device);
    (log_softmax(logits, 2) * targets).sum().neg()
}

/// [`cross_entropy`] and its gradient by every parameter, in the parameters' order and flat as they are.
pub fn gradient(model: &Model, weights: &Weights, batch: &Batch, of: usize) -> (Tensor<1>, Vec<Tensor<1>>) {
    let leaves = weights.tracked();
    let loss = cross_entropy(model, &leaves, batch, of);
    let mut gradients = loss.backward();
    let of_leaf = |leaf: &Tensor<1>| leaf.grad_remove(&mut gradients).unwrap_or_else(|| leaf.clone().inner().zeros_like());
    let by_parameter = leaves.tensors.iter().map(of_leaf).collect();
    (loss.inner(), by_parameter)
}
