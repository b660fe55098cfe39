//! Networks: parameters by name and shape, initial weights, forward pass. One file a model.
//!
//! A model is a list of [`Parameter`]s in the interchange format's own names and a function that calls the engine's operators
//! from tokens to logits. This module knows nothing of devices, losses or optimisers.

pub mod gpt_neox;
pub mod weights;

pub use weights::{Init, Parameter, Role};

use crate::config::{ModelConfig, ModelKind};
use crate::engine::{Recorder, Var};

/// A network's shape: its configuration and the size of its vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub config: ModelConfig,
    pub vocabulary: usize,
}

/// The shape of what a network reads, and from which position on it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// B.
    pub sequences: usize,
    /// S.
    pub length: usize,
    /// The first position whose next token is asked.
    pub from: usize,
}

impl Model {
    /// The parameters in the interchange format's order.
    pub fn parameters(&self) -> Vec<Parameter> {
        match self.config.kind {
            ModelKind::GptNeox => gpt_neox::parameters(&self.config, self.vocabulary),
        }
    }

    /// Logits `[B·(S − from), V]` of the tokens that follow positions `from` … `S − 1` of the B·S tokens from word `tokens` on.
    pub fn logits(&self, recorder: &mut Recorder, tokens: usize, shape: Shape) -> Var {
        match self.config.kind {
            ModelKind::GptNeox => gpt_neox::logits(&self.config, recorder, tokens, shape),
        }
    }
}
