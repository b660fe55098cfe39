//! Networks: parameters by name and shape, initial weights, forward pass. One file a model.
//!
//! A model is a list of [`Parameter`]s in the interchange format's own names and a function that calls [`Operators`]
//! from tokens to logits. This module knows nothing of devices, losses or optimisers.

pub mod armt;
pub mod config_json;
pub mod deltanet;
pub mod gpt_neox;
pub mod looped;
pub mod lstm;
pub mod mamba;
pub mod weights;

pub use config_json::Described;
pub use weights::{Init, Parameter, Role};

use crate::config::{ModelConfig, ModelKind, RunConfig};
use crate::engine::{Missing, Operators};

/// A network's shape: its configuration, and what the task says of its tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub config: ModelConfig,
    pub vocabulary: usize,
    /// Tokens of a segment, for a network that reads by segments; the last one has what is left.
    pub segment: usize,
    /// How many segments there are.
    pub segments: usize,
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
    /// The network of a run.
    pub fn of(run: &RunConfig) -> Self {
        let task = &run.task;
        Self { config: run.model.clone(), vocabulary: task.vocabulary.size(), segment: task.segment_length(), segments: task.shown }
    }

    /// A saved network that reads sequences of `length` tokens.
    pub fn described(by: Described, length: usize) -> Self {
        let segment = by.segment.unwrap_or(0);
        Self { config: by.config, vocabulary: by.vocabulary, segment, segments: length.div_ceil(segment.max(1)) }
    }

    /// The parameters in the interchange format's order.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = match self.config.kind {
            ModelKind::GptNeox => gpt_neox::parameters(&self.config, self.vocabulary),
            ModelKind::Lstm => lstm::parameters(&self.config, self.vocabulary),
            ModelKind::Mamba => mamba::parameters(&self.config, self.vocabulary),
            ModelKind::Armt => armt::parameters(&self.config, self.vocabulary),
            ModelKind::DeltaNet => deltanet::parameters(&self.config, self.vocabulary),
        };
        all.extend(looped::parameters(&self.config));
        all
    }

    /// Logits `[B·(S − from), V]` of the tokens that follow positions `from` … `S − 1` of the B·S tokens from word `tokens` on.
    ///
    /// # Errors
    /// When the engine lacks an operator of this network.
    pub fn logits<O: Operators>(&self, ops: &mut O, tokens: usize, shape: Shape) -> Result<O::Var, Missing> {
        Ok(match self.config.kind {
            ModelKind::GptNeox => gpt_neox::logits(&self.config, ops, tokens, shape),
            ModelKind::Lstm => lstm::logits(&self.config, ops, tokens, shape),
            ModelKind::Mamba => mamba::logits(&self.config, ops, tokens, shape),
            ModelKind::Armt => armt::logits(self, ops, tokens, shape),
            ModelKind::DeltaNet => deltanet::logits(&self.config, ops, tokens, shape)?,
        })
    }
}
