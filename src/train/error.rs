//! Errors of training: a run that cannot begin or go on, and a file that is not a usable model.

use crate::config::FieldError;
use crate::engine::{EngineError, Missing};
use crate::model::DescriptionError;
use safetensors::tensor::Dtype;
use thiserror::Error;

/// Why a run cannot begin or go on.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TrainError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("This run starts from saved weights, and they are not here: open their file first.")]
    NoStart,
    #[error("This weights file is not the one that the link starts from: choose that one, or train without it.")]
    OtherStart,
    /// The loss of this step is not finite.
    #[error("The loss of step {0} is not a number: the run has diverged.")]
    Diverged(u64),
    #[error("A gradient was asked where a question was expected.")]
    NotAQuestion,
    #[error("A worker answered a question where a gradient was asked.")]
    NotAGradient,
    #[error("A worker left a part of the batch out.")]
    PartLeftOut,
    #[error("A worker thread of the CPU engine stopped.")]
    ThreadStopped,
    /// A helper worker failed; this is its error sentence.
    #[error("{0}")]
    Helper(String),
}

impl From<Missing> for TrainError {
    fn from(missing: Missing) -> Self {
        EngineError::from(missing).into()
    }
}

/// What is wrong with a weights file or a snapshot.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum CheckpointError {
    #[error("The weights' file is not whole ({0}): it was cut off, or is no safetensors file. Save or download it again.")]
    CutOff(String),
    #[error("The weights' file is no safetensors file ({0}): choose the model.safetensors that was saved with the model.")]
    NotSafetensors(String),
    #[error("The file has no tensor “{0}”: it is not of this architecture or has fewer layers.")]
    NoTensor(String),
    #[error(
        "“{name}” is {found:?} in the file and {expected:?} in this model: the sizes differ. Use the config.json saved beside the file."
    )]
    Shape { name: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("“{name}” is stored as {kind:?}, not float32: convert the file to float32 first.")]
    NotFloat32 { name: String, kind: Dtype },
    #[error("The weights to start from hold NaN or infinity: the run had diverged when they were saved. Choose others.")]
    StartNotFinite,
    #[error("“{0}” holds NaN or infinity: the run had diverged when it was saved. Save an earlier one.")]
    NotFinite(String),
    #[error("“{name}” cannot be saved: {why}")]
    TensorUnsaved { name: String, why: String },
    #[error("The weights cannot be saved: {0}")]
    Unsaved(String),
    #[error("The snapshot is broken: {0}")]
    BrokenSnapshot(String),
    #[error("The file does not say at which step it was saved: it holds weights, not a run to go on with.")]
    NoStep,
}

/// Why the two files of a model cannot be opened for a task.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum OpeningError {
    #[error(transparent)]
    Description(#[from] DescriptionError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(
        "The weights know {known} tokens and the task has {asked}: choose the vocabulary they were trained with (under Task, perhaps {other}; vocab in a link), then open them again."
    )]
    Vocabulary { known: usize, asked: usize, other: &'static str },
    #[error(
        "The weights read segments of {read} tokens and the task has segments of {asked}: set the cells in a row (W) to {width}, then open them again."
    )]
    Segments { read: usize, asked: usize, width: usize },
    #[error("config.json describes a network that this version cannot train. {0}")]
    Untrainable(FieldError),
    /// The run's settings do not fit together once the model's shape is set. The first problem, as a sentence.
    #[error("{0}")]
    Problem(String),
    #[error(
        "The weights have more layers than config.json says ({layers}; “{name}” is one too many): use the config.json saved beside them."
    )]
    MoreLayers { layers: usize, name: String },
    #[error(
        "The config.json is missing. It describes the network of the weights. Choose both files that were saved together: model.safetensors and config.json."
    )]
    NoDescription,
    #[error("A run is in progress: stop it first, then open the model.")]
    Busy,
    #[error("The weights did not arrive: open the files again.")]
    NoWeights,
}
