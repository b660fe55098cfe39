//! Why an engine cannot compute.

use super::operators::Missing;
use thiserror::Error;

/// Why an engine cannot compute; each reason in a sentence that says what to do where somebody can do something.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    #[error(transparent)]
    Missing(#[from] Missing),
    #[error("The graphics card could not be opened: {0}")]
    Unopened(String),
    /// The weights are more than the device holds.
    #[error(
        "The graphics card holds {held} numbers in one memory, but this model needs {needed}: choose a smaller model, or the engine CPU."
    )]
    ModelTooLarge { held: usize, needed: usize },
    /// The activations of one sequence are more than the device holds.
    #[error(
        "One sequence of this run is more than the graphics card lets a page use: choose a smaller network, fewer rows, or the CPU engine."
    )]
    SequenceTooLarge,
    #[error("The graphics card did not return its results: the device was lost, reset or ran out of memory.")]
    Lost,
    #[error("Burn could not read its result back ({0}): press Resume to go on in a fresh engine, or choose another engine.")]
    BurnFailed(String),
    #[error("A pass without a loss has no gradient.")]
    NoLoss,
    #[error("This network gives no answers.")]
    NoAnswers,
    #[error("This network draws no tokens.")]
    NoDraws,
}
