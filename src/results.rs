//! The results of training and measuring, as plain numbers. The worker reports them, the page draws them and the command line prints them.

use crate::stats::wilson;
use crate::task::Split;
use serde::{Deserialize, Serialize};

/// Accuracy at one depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepthScore {
    pub depth: usize,
    /// Number of questions asked.
    pub samples: usize,
    /// Number of answers right in every cell. For an answer of one state, teacher-forced and free-running greedy answers give the same number:
    /// if every cell is right given the true cells before it, free running gives the same answer. A chain of thought is scored free-running:
    /// the model reads its own earlier states.
    pub exact: usize,
    /// Teacher-forced share of right cells: each is predicted with the true earlier cells given.
    pub bits_teacher_forced: f64,
    /// Free-running share of right cells, over `free_samples` of the questions: each is predicted from the model's own earlier cells.
    pub bits_free_running: f64,
    /// Number of free-running answers right in every cell, of `free_samples` questions.
    pub exact_free_running: usize,
    pub free_samples: usize,
    /// Mean hops of the positions that predict the answer, if the network has adaptive computation time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<f64>,
    /// Share of the rule's entries that are right, if the task asks for the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_bits: Option<f64>,
}

impl DepthScore {
    /// Exact match, in 0 ..= 1.
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.samples.max(1) as f64
    }

    /// The 95 % interval of the exact match: see [`wilson`].
    pub fn interval(&self) -> (f64, f64) {
        wilson(self.exact, self.samples)
    }
}

/// What a person answered herself at one depth, with the rule hidden.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnScore {
    pub depth: usize,
    pub asked: usize,
    /// Rows right in every cell.
    pub exact: usize,
    /// Median seconds for a row.
    pub seconds: f64,
}

impl OwnScore {
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.asked.max(1) as f64
    }

    /// The 95 % interval of the share: see [`wilson`].
    pub fn interval(&self) -> (f64, f64) {
        wilson(self.exact, self.asked)
    }
}

/// The model's free-running answer to one held-out question; the page draws the question from (task, seed, split, index) itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub index: u64,
    pub depth: usize,
    /// W cells; 2 is any token that is not a cell.
    pub cells: Vec<u8>,
    /// The rows that the model wrote by itself before its answer, in their order; only for a run that learns from a reward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Vec<u8>>,
    /// Hops of each looped part at each position, `[units][S]`. Only for the first questions, and only with adaptive computation time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<Vec<Vec<u8>>>,
}

/// A summary of the samples of one GRPO step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReward {
    /// Number of tokens drawn.
    pub tokens: u64,
    /// Mean reward of the completions, in 0 ..= 1.
    pub reward: f64,
    /// Share of the completions that are right in every cell.
    pub exact: f64,
    /// Mean KL divergence from the policy that the run began with, in nats per token.
    pub kl: f64,
}

/// A completion that a policy drew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Completion {
    /// The index of its training sample.
    pub index: u64,
    /// The tokens up to and including its end.
    pub tokens: Vec<u32>,
    pub reward: f64,
    pub advantage: f64,
}

/// The attribution of one layer for each of the W cells of a state: the share of each source in what it reads. If the layer is applied several
/// times, this is the weighted mean over the applications.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerAttribution {
    /// The layer, counted from 0.
    pub layer: usize,
    pub source: AttributionSource,
    /// The position of the first share: the first position that the layer can read.
    pub first: usize,
    /// `[W][heads][n]` in parts of [`FULL_SHARE`]: the share of each position from `first` to the one that predicts the cell, or of each segment
    /// that has written into the memory. A layer without heads has one.
    pub shares: Vec<Vec<Vec<u16>>>,
}

/// The number that stands for a share of 1. A byte would be too coarse for attention that is spread over hundreds of positions.
pub const FULL_SHARE: u16 = 10_000;

/// The source from which a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributionSource {
    /// Earlier positions, by attention.
    Attention,
    /// A state that earlier positions have written.
    State,
    /// An associative memory that earlier segments have written.
    Memory,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It completed all its steps.
    Reached,
    /// It reached the target of the early stop.
    Target,
    /// The user pressed Stop.
    Stopped,
    /// Saved weights were opened and measured, without training.
    Opened,
}

/// Why a text is not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    NotJson,
    /// It is JSON of another shape: what the reader says.
    Shape(String),
}

/// Accuracy after `step` steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub step: u64,
    /// Training time so far in seconds, without measurements.
    pub seconds: f64,
    pub split: Split,
    /// Whether the weights of this step measured best so far.
    pub best: bool,
    pub depths: Vec<DepthScore>,
}

/// A run as one line of JSON: `lookahead train` writes it, the site ships such lines, and a student hands one in. A reader needs `link` and
/// `measured` only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What the list, or the person who hands it in, calls the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The link of the run, with its fingerprint.
    pub link: String,
    #[serde(default)]
    pub engine: String,
    #[serde(default)]
    pub workers: usize,
    #[serde(default)]
    pub parameters: usize,
    #[serde(default)]
    pub steps: u64,
    /// Why the run ended; `None` if it failed.
    #[serde(default)]
    pub ending: Option<Ending>,
    #[serde(default)]
    pub failure: Option<String>,
    /// Training time without measurements.
    #[serde(default)]
    pub seconds: f64,
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// The comparison with the link's fingerprint, if it has one.
    #[serde(default)]
    pub replay: Option<String>,
    /// The loss of every step; left out with `--thin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub losses: Option<Vec<f32>>,
    /// A summary of the policy's samples, one per step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewards: Vec<StepReward>,
    pub measured: Vec<Measured>,
    /// What the person who hands the line in answered herself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub you: Vec<OwnScore>,
}
