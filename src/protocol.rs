//! The messages between page and worker: plain numbers and sentences. Both sides match all variants.
//! Some messages come with bytes, as their documentation says: see `wire`.

use crate::config::RunConfig;
use crate::replay::EngineClass;
use crate::results::{Completion, DepthScore, Ending, LayerAttribution, Prediction, StepReward};
use crate::task::Split;
use serde::{Deserialize, Serialize};

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "commands are sent rarely, and never stored in large numbers")]
pub enum Command {
    /// Begin this run. `workers` is the total number of CPU workers (0: one per core, at most one per shard). `bytes` says what the message's
    /// bytes are.
    Start {
        config: RunConfig,
        workers: usize,
        bytes: Bytes,
    },
    Pause,
    /// Continue after a pause.
    Resume,
    /// Compute one step while paused.
    Step,
    /// End the run here, with a last measurement.
    Stop,
    /// Change the step at which the run ends.
    Reach {
        steps: u64,
    },
    /// Open the weights in the message's bytes, which this config.json describes, and measure them on the task of `config`. The answer is
    /// [`Report::Opened`] and then the reports of a run's end, or [`Report::NotOpened`], or [`Report::OpensOnBurn`].
    Open {
        config: RunConfig,
        config_json: String,
        workers: usize,
    },
    /// Send the weights: [`Report::Weights`].
    Save {
        which: Which,
    },
    /// Compute the first `steps` steps of this run on Burn, and send their losses: [`Report::Checked`] after each step. `bytes` says what the
    /// message's bytes are. The sender uses the worker for nothing else.
    Check {
        config: RunConfig,
        steps: u64,
        bytes: Bytes,
    },
    /// Compute the attribution of every layer for the cells of one answered state, with the present weights: [`Report::Attributed`]. The worker
    /// answers between two steps or after the run's end, and the run does not change.
    Attribute {
        split: Split,
        index: u64,
        depth: usize,
    },
}

/// What the bytes of a start message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bytes {
    None,
    /// A safetensors file of the weights that the run starts from.
    Weights,
    /// A snapshot, from which the run continues.
    Snapshot,
}

/// Which weights to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// The weights of the measurement with the highest exact match.
    Best,
    /// The weights of the last step.
    Latest,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The worker's program has loaded and waits for a command.
    Ready,
    /// Work before the first step; the sentence says which.
    Preparing {
        sentence: String,
    },
    /// The run has begun, or continues at `step`.
    Started {
        engine: Engine,
        parameters: usize,
        step: u64,
    },
    /// A saved model is complete and fits the task. `config` has the model's own network. Its measurement follows.
    Opened {
        config: Box<RunConfig>,
        engine: Engine,
        parameters: usize,
        /// The type of the file's numbers, if they were converted to float32.
        converted: Option<String>,
    },
    /// The files are not a model for this task: why, and what to do. The worker still holds its run.
    NotOpened {
        sentence: String,
    },
    /// The files fit, but only the program with Burn can compute the network: open them there. This worker still holds its run.
    OpensOnBurn,
    /// Losses of the steps `first`, `first + 1`, … (counted from 1). `seconds` is the training time so far, without pauses and measurements.
    Losses {
        first: u64,
        losses: Vec<f32>,
        seconds: f64,
    },
    /// Accuracy on held-out rules after `step` steps. `seconds` as in [`Report::Losses`].
    Measured {
        step: u64,
        seconds: f64,
        split: Split,
        depths: Vec<DepthScore>,
        predictions: Vec<Prediction>,
        best: bool,
    },
    /// A summary of the policy's samples in each of the steps `first`, `first + 1`, …, and the completions of the last step's first prompt.
    Rewarded {
        first: u64,
        steps: Vec<StepReward>,
        group: Vec<Completion>,
    },
    /// A snapshot at `step`, in the message's bytes. A new worker can continue from it. The page keeps the newest.
    Snapshot {
        step: u64,
    },
    Paused {
        step: u64,
    },
    Resumed {
        step: u64,
    },
    /// The run has ended.
    Finished {
        step: u64,
        seconds: f64,
        why: Ending,
    },
    /// The weights as safetensors in the message's bytes, and their config.json.
    Weights {
        which: Which,
        step: u64,
        config_json: String,
    },
    /// The attribution of every layer at the question of [`Command::Attribute`], after `step` steps; empty if the worker holds no run.
    Attributed {
        step: u64,
        split: Split,
        index: u64,
        depth: usize,
        layers: Vec<LayerAttribution>,
    },
    /// The losses so far of the steps that [`Command::Check`] asked for.
    Checked {
        engine: Engine,
        losses: Vec<f32>,
    },
    /// An error: what happened, and what to do. The run stays as it was at the last snapshot.
    Failed {
        sentence: String,
        remedy: String,
    },
}

/// The engine that answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    pub class: EngineClass,
    /// The description of the adapter or the CPU.
    pub name: String,
    /// Whether the adapter is emulated in software.
    pub software: bool,
    /// Number of workers that share a batch.
    pub workers: usize,
    /// Why the first choice was not used, or empty.
    pub note: String,
}
