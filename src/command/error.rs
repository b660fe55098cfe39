//! Why a command failed: a sentence for the person at the terminal.

use crate::config::{LinkError, sentences};
use crate::engine::{EngineError, Missing};
use crate::train::{CheckpointError, OpeningError, TrainError};
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum CommandError {
    #[error("--from works with one run: give a link instead of a list.")]
    OneRunOnly,
    #[error("--part selects a share of a list: give a file with one run per line.")]
    ListOnly,
    #[error("a part has the form i/n with i from 1 to n, such as 2/4 for the second of four; or it is auto, in a Slurm array.")]
    NotAPart,
    #[error("“{text}” is not a link, nor a preset ({presets}), nor a file that exists.")]
    NotALink { text: String, presets: String },
    #[error("The link cannot be used:\n  {}", sentences(.0).join("\n  "))]
    Link(Vec<LinkError>),
    #[error("This run starts from a file of weights: give that file with --from, as a folder or a model.safetensors.")]
    NoStartFile,
    #[error("The link already says what the run starts from: leave --from out, or take “from” out of the link.")]
    TwoStarts,
    #[error("The run that it starts from failed: {0}")]
    StartFailed(Box<CommandError>),
    #[error(
        "This run is computed by Burn itself: take engine=burn out of the link to compare another engine with Burn. A network without kernels has no other engine."
    )]
    BurnItself,
    #[error("A loss is NaN or infinite, so the losses cannot be compared: lower the learning rate (lr).")]
    NotComparable,
    /// The two engines differ by this much.
    #[error("{0}")]
    Disagreement(String),
    #[error("{} cannot be read: {why}", .path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error("{} cannot be written: {why}", .path.display())]
    Unwritable { path: PathBuf, why: io::Error },
    #[error("The folder {} cannot be created: {why}", .path.display())]
    NoFolder { path: PathBuf, why: io::Error },
    #[error("The list {} cannot be read: {why}", .path.display())]
    UnreadableList { path: PathBuf, why: io::Error },
    #[error("The list {} is not {name} text: save it as UTF-8.", .path.display())]
    ListEncoding { path: PathBuf, name: &'static str },
    #[error("The list {} cannot be used:\n  {}", .path.display(), .faults.join("\n  "))]
    List { path: PathBuf, faults: Vec<String> },
    #[error("The results {} cannot be written: {why}", .path.display())]
    UnwritableResults { path: PathBuf, why: io::Error },
    #[error("Another lookahead process is writing {}: give each part its own file.", .0.display())]
    Locked(PathBuf),
    #[error("Line {line} of {} was not written by train: give another file for the results.", .path.display())]
    ForeignLine { path: PathBuf, line: usize },
    #[error("“{0}” is no range: write its ends as whole numbers, the smaller one first, such as 1..30.")]
    NotARange(String),
    #[error("These are more than {0} runs: sweep fewer settings at a time.")]
    TooManyRuns(usize),
    #[error("“{0}” is a run of the list already: give each value once.")]
    SameRun(String),
    #[error(
        "{missing} runs are missing, and {contradictory} pairs of lines contradict each other (listed above). The other lines were written."
    )]
    NotMerged { missing: usize, contradictory: usize },
    #[error(
        "--part auto reads a Slurm array's variables (SLURM_ARRAY_TASK_ID, …_MIN, …_MAX, …_STEP, …_COUNT): {0}. Write --part i/n instead."
    )]
    NoArray(&'static str),
    #[error("{failed} of {all} runs failed: run the same command again to repeat them.")]
    RunsFailed { failed: usize, all: usize },
    /// A run failed, as its results say too.
    #[error("{0}")]
    Run(String),
    #[error("The results cannot be written: {0}")]
    Results(io::Error),
    #[error("{} cannot be written: {why}. The results are on standard output.", .path.display())]
    ResultsPrinted { path: PathBuf, why: io::Error },
    #[error("Interrupted after step {step}. The same command resumes from there; the snapshot is {}.", .path.display())]
    Interrupted { step: u64, path: PathBuf },
    #[error("Interrupted, and this step could not be kept: {0}. The same command resumes from the last snapshot, if there is one.")]
    NotKept(Box<CommandError>),
    #[error("--save of a list needs --out, in which the runs that are finished are found again.")]
    SaveNeedsOut,
    #[error("The snapshot {} cannot be resumed ({why}): delete it to start again.", .path.display())]
    BrokenSnapshot { path: PathBuf, why: String },
    #[error("The results so far cannot be written: {0}")]
    Snapshot(String),
    #[error("The system does not let this program wait for signals: {0}")]
    Signals(io::Error),
    #[error("Standard output cannot be written: {0}")]
    Output(io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Progress(#[from] indicatif::style::TemplateError),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Opening(#[from] OpeningError),
}

/// The exit status of an interrupted command that can be resumed: EX_TEMPFAIL of sysexits.h.
const RESUMABLE: u8 = 75;

impl CommandError {
    /// Whether a signal ended the command.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Interrupted { .. } | Self::NotKept(_))
    }

    /// The status that the program ends with.
    pub fn exit_status(&self) -> u8 {
        if matches!(self, Self::Interrupted { .. }) { RESUMABLE } else { 1 }
    }
}

impl From<EngineError> for CommandError {
    fn from(error: EngineError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<Missing> for CommandError {
    fn from(missing: Missing) -> Self {
        TrainError::from(missing).into()
    }
}

impl From<CheckpointError> for CommandError {
    fn from(error: CheckpointError) -> Self {
        TrainError::from(error).into()
    }
}

/// Reads a whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|why| CommandError::Unreadable { path: path.into(), why })
}
