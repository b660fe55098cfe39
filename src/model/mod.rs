//! Networks: parameters by name and shape, initial weights, forward pass. One file a model; shared pieces apart.
//!
//! A model is a list of [`Parameter`]s in the interchange format's own names and a function from [`Weights`] and tokens
//! to logits. This module knows nothing of engines, losses or optimisers.

pub mod gpt_neox;
pub mod rotary;
pub mod weights;

pub use weights::{Init, Parameter, Role, Weights};

use crate::config::{ModelConfig, ModelKind};
use crate::engine::{Int, Tensor};

/// A network's shape: its configuration and the size of its vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub config: ModelConfig,
    pub vocabulary: usize,
}

impl Model {
    /// The parameters in the interchange format's order.
    pub fn parameters(&self) -> Vec<Parameter> {
        match self.config.kind {
            ModelKind::GptNeox => gpt_neox::parameters(&self.config, self.vocabulary),
        }
    }

    /// Logits `[B, S − from, V]` of the tokens that follow positions `from` … `S − 1` of `tokens` `[B, S]`.
    pub fn logits(&self, weights: &Weights, tokens: Tensor<2, Int>, from: usize) -> Tensor<3> {
        match self.config.kind {
            ModelKind::GptNeox => gpt_neox::logits(&self.config, weights, tokens, from),
        }
    }
}
