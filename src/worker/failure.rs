//! The worker's errors, and their reports to the page.

use crate::adapter::AdapterError;
use crate::engine::EngineError;
use crate::protocol::Report;
use crate::train::{CheckpointError, TrainError};
use crate::wire::{self, WireError};
use thiserror::Error;

/// The error of a command.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum WorkerError {
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    #[error(transparent)]
    Wire(#[from] WireError),
    /// After so many seconds.
    #[error("The graphics card has given no device for {0} seconds.")]
    SilentCard(i32),
    /// The adapter's name, then the loss that the card gives and the CPU's.
    #[error("The graphics card ({name}) computes wrong: its loss of step {step} is {found}, and the CPU's is {expected}.")]
    WrongCard { name: String, step: usize, found: f32, expected: f32 },
    /// The run's settings do not fit together. Each problem is a sentence.
    #[error("{}", .0.join(" "))]
    Settings(Vec<String>),
    #[error("{why} The link asks for WebGPU: choose the CPU or automatic engine in the form to run it here.")]
    WebGpuAsked { why: Box<WorkerError> },
    #[error("{why} The link asks for Burn on WebGPU: choose Burn on the CPU in the form to run it here.")]
    BurnOnWebGpuAsked { why: Box<WorkerError> },
    /// This program was built without Burn. The page must start `worker-burn` for runs on Burn.
    #[error("This part of the page has no Burn, which computes this run: reload the page, its parts are of different versions.")]
    NoBurn,
    /// This program was built to fuse products and sums. The page must start `worker` for runs on the portable engine.
    #[error("This part of the page rounds otherwise than this run asks for: reload the page, its parts are of different versions.")]
    NotPortable,
    #[error("There is no run yet: press Train first.")]
    NoRun,
}

impl From<EngineError> for WorkerError {
    fn from(error: EngineError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<CheckpointError> for WorkerError {
    fn from(error: CheckpointError) -> Self {
        TrainError::from(error).into()
    }
}

/// The kind of a failure, which decides what the page advises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A run could not begin.
    Start,
    /// A model fits the task, but the measurement failed.
    Opening,
    /// The loss is not finite.
    Diverged,
    /// The engine cannot go on.
    Engine,
    /// The engine panicked. The page knows what can be done, because it has the snapshot.
    Internal,
}

impl Failure {
    /// The kind of an error in a run that has begun.
    pub fn of_run(error: &WorkerError) -> Self {
        match error {
            WorkerError::Train(TrainError::Diverged(_)) => Failure::Diverged,
            WorkerError::Train(_)
            | WorkerError::Adapter(_)
            | WorkerError::Wire(_)
            | WorkerError::SilentCard(_)
            | WorkerError::WrongCard { .. }
            | WorkerError::Settings(_)
            | WorkerError::WebGpuAsked { .. }
            | WorkerError::BurnOnWebGpuAsked { .. }
            | WorkerError::NoBurn
            | WorkerError::NotPortable
            | WorkerError::NoRun => Failure::Engine,
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Failure::Start => "Nothing is lost: change the setting it names, or the engine, and press Train again.",
            Failure::Opening => "Choose another engine under Settings, Machine, and open the model again.",
            Failure::Diverged => {
                "Lower the learning rate or clip the gradient more tightly, then train anew; going on from the last snapshot would end the same way."
            }
            Failure::Internal => "",
            Failure::Engine => {
                "Press Resume to go on from the last snapshot in a fresh engine; if it fails again, choose the CPU engine or a smaller batch."
            }
        }
    }

    /// Reports the failure to the page, with this sentence and the remedy.
    pub fn tell(self, sentence: impl ToString) {
        wire::post(&Report::Failed { sentence: sentence.to_string(), remedy: self.remedy().into() }, None);
    }
}

/// The callback for errors of the graphics card: reports that the engine cannot go on.
pub fn engine_failed(sentence: &str) {
    Failure::Engine.tell(sentence);
}
