//! What the page and the worker say to each other: plain numbers and sentences, exhaustively matched on both sides.
//! Where a variant says so, bytes travel beside the message: see `wire`.

use crate::config::RunConfig;
use crate::replay::EngineClass;
use crate::task::Split;
use serde::{Deserialize, Serialize};

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "a command is sent now and then, never kept in numbers")]
pub enum Command {
    /// Begin this run, on so many workers in all if the engine is the CPU (0: as many as the machine has cores, at most the shards), with
    /// what the bytes beside the message are.
    Start {
        config: RunConfig,
        workers: usize,
        bytes: Bytes,
    },
    Pause,
    /// Go on after a pause.
    Resume,
    /// Make one step while paused.
    Step,
    /// End the run here, with a last measurement.
    Stop,
    /// Change the step count to reach.
    Reach {
        steps: u64,
    },
    /// Open the weights beside the message, which this config.json describes, for the task of `config`, and measure them:
    /// [`Report::Opened`] and what follows a run's end, or [`Report::NotOpened`].
    Open {
        config: RunConfig,
        config_json: String,
        workers: usize,
    },
    /// Send the weights: [`Report::Weights`].
    Save {
        which: Which,
    },
    /// Make the first steps of this run on Burn, from what the bytes beside the message are, and send their losses: [`Report::Checked`]
    /// after each. Whoever sends it wants nothing else of the worker.
    Check {
        config: RunConfig,
        steps: u64,
        bytes: Bytes,
    },
    /// Say what every layer reads when it predicts the cells of one answered state, with the present weights: [`Report::Looked`]. Answered
    /// between two steps, and after the run's end; it changes nothing of the run.
    Look {
        split: Split,
        index: u64,
        depth: usize,
    },
}

/// What the bytes beside a start are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bytes {
    None,
    /// A safetensors file of the weights that the run starts from.
    Weights,
    /// A snapshot, from whose step the run goes on.
    Snapshot,
}

/// Which weights to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// Those of the measurement with the highest exact match.
    Best,
    /// Those of the last step.
    Latest,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// The worker's program has loaded and waits for a command.
    Ready,
    /// Something is under way before the first step; the sentence says what.
    Preparing {
        sentence: String,
    },
    /// The run has begun (or goes on, at `step`).
    Started {
        engine: Engine,
        parameters: usize,
        step: u64,
    },
    /// A saved model is whole and fits the task: the run it stands in, with the network's own shape. Its measurement follows.
    Opened {
        config: Box<RunConfig>,
        engine: Engine,
        parameters: usize,
    },
    /// The files are no model for this task: why, and what to do. Whatever the worker held it still holds.
    NotOpened {
        sentence: String,
    },
    /// Losses of the steps `first`, `first + 1`, … (counted from 1). `seconds` is the training time so far, pauses and measurements left out.
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
    /// What the policy drew in the steps `first`, `first + 1`, …, and the completions of the last one's first prompt.
    Rewarded {
        first: u64,
        steps: Vec<StepReward>,
        group: Vec<Sampled>,
    },
    /// Enough to go on from `step` in a new worker: the bytes come beside the message. The page keeps the newest.
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
    /// The weights as safetensors in the bytes beside the message, and the config.json that belongs beside them.
    Weights {
        which: Which,
        step: u64,
        config_json: String,
    },
    /// What every layer reads at the question that [`Command::Look`] named, after `step` steps; nothing where the worker holds no run.
    Looked {
        step: u64,
        split: Split,
        index: u64,
        depth: usize,
        layers: Vec<LayerReads>,
    },
    /// The losses of the steps that [`Command::Check`] asked for, as many as are made.
    Checked {
        engine: Engine,
        losses: Vec<f32>,
    },
    /// Something failed: what, and what to do. The run stays as it was at the last snapshot.
    Failed {
        sentence: String,
        remedy: String,
    },
}

/// The engine that answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    pub class: EngineClass,
    /// The adapter's or the CPU's description.
    pub name: String,
    /// Whether the adapter is emulated in software.
    pub software: bool,
    /// Workers that share a batch.
    pub workers: usize,
    /// Why the first choice was not taken, or empty.
    pub note: String,
}

/// Accuracy at one depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DepthScore {
    pub depth: usize,
    /// Questions asked.
    pub samples: usize,
    /// Answers right in every cell. Of one state, teacher-forced and free-running greedy answers agree in this number: an answer
    /// whose every cell is right given the true cells before it is the answer that free running gives. A chain of thought is
    /// scored free-running: each state after the model's own earlier ones.
    pub exact: usize,
    /// Share of cells right, each predicted with the true earlier cells given.
    pub bits_teacher_forced: f64,
    /// Share of cells right, each predicted after the model's own earlier cells, over `free_samples` of the questions.
    pub bits_free_running: f64,
    /// Of `free_samples` questions, answers right in every cell when running free.
    pub exact_free_running: usize,
    pub free_samples: usize,
    /// Mean hops of the positions that answer, where layers are looped adaptively.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<f64>,
    /// Share of the rule's entries right, where the rule is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_bits: Option<f64>,
}

/// The model's free-running answer to one held-out question; the page draws the question from (task, seed, split, index) itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    pub index: u64,
    pub depth: usize,
    /// W cells; 2 stands for a token that is no cell.
    pub cells: Vec<u8>,
    /// Hops of each looped part at each position read, `[units][S]`, of the first questions of a network that is looped adaptively.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hops: Option<Vec<Vec<u8>>>,
}

/// What the samples of one step of GRPO came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReward {
    /// Tokens drawn.
    pub tokens: u64,
    /// Mean over the completions, in 0 ..= 1.
    pub reward: f64,
    /// Share of the completions that are right in every cell.
    pub exact: f64,
    /// Mean distance from the policy that the run began with, nats a token.
    pub kl: f64,
}

/// A completion that a policy drew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sampled {
    /// The training sample that it was asked about.
    pub index: u64,
    /// Up to its end, which it includes.
    pub tokens: Vec<u32>,
    pub reward: f64,
    pub advantage: f64,
}

/// What one layer reads when it predicts each of the W cells of a state. Where it is applied several times, the mean of those, as they are weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerReads {
    /// From 0 on.
    pub layer: usize,
    pub reading: Reading,
    /// The position that the first share is about: the start of what can be read.
    pub first: usize,
    /// `[W][heads][n]` in parts of [`WHOLE`]: of each position from `first` to the one that predicts the cell, or of each segment that has
    /// written into the memory. What has no heads counts as one.
    pub shares: Vec<Vec<Vec<u16>>>,
}

/// All that is read. Finer than a byte: attention that is spread over hundreds of positions would be rounded away.
pub const WHOLE: u16 = 10_000;

/// From what a layer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reading {
    /// The positions before, by attention.
    Attention,
    /// A state that the positions before have written.
    State,
    /// An associative memory that the segments before have written.
    Memory,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// The step count was reached.
    Reached,
    /// The early-stop target was reached.
    Target,
    /// Somebody pressed stop.
    Stopped,
    /// Nothing was trained: saved weights were opened and measured.
    Opened,
}
