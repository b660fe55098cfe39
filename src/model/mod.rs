//! Networks: parameters with name and shape, initial weights, forward pass. Each network has its own file.
//!
//! A model is a list of [`Parameter`]s and a function that calls [`Operators`] from tokens to logits. The parameters have the names of the
//! interchange format. This module does not depend on devices, losses or optimisers.

pub mod armt;
pub mod config_json;
pub mod deltanet;
mod error;
pub mod gpt_neox;
mod json;
pub mod looped;
pub mod lstm;
pub mod mamba;
mod shape;
pub mod weights;

pub use config_json::Described;
pub use error::DescriptionError;
pub use shape::Shape;
pub use weights::{Init, Parameter, Role};

use crate::config::{ModelConfig, ModelKind, RunConfig};
use crate::engine::{Missing, Operators};

/// A network's shape: its configuration, and the sizes that the task sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub config: ModelConfig,
    pub vocabulary: usize,
    /// Tokens of a segment, for a network that reads by segments. The last segment has the remaining tokens.
    pub segment: usize,
    /// The number of segments.
    pub segments: usize,
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

    /// The parameters in the order of the interchange format; the halting units' follow.
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

    /// Logits `[B·(S − from), V]` for the tokens after the positions `from` … `S − 1`. The B·S input tokens begin at word `tokens`.
    ///
    /// # Errors
    /// When the engine lacks an operator of this network.
    pub fn logits<O: Operators>(&self, ops: &mut O, tokens: usize, shape: Shape) -> Result<O::Var, Missing> {
        Ok(match self.config.kind {
            ModelKind::GptNeox => gpt_neox::logits(&self.config, ops, tokens, shape),
            ModelKind::Lstm => lstm::logits(&self.config, ops, tokens, shape),
            ModelKind::Mamba => mamba::logits(&self.config, ops, tokens, shape),
            ModelKind::Armt => armt::logits(&self.config, [self.segment, self.segments], ops, tokens, shape),
            ModelKind::DeltaNet => deltanet::logits(&self.config, ops, tokens, shape)?,
        })
    }
}
