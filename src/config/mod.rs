//! The run as plain data. One value of [`RunConfig`] decides a run completely: the same value replays.
//!
//! [`fields`] holds the one table of fields that drives the form, the link, the command line and the
//! documentation; [`link`] writes a run as a URL fragment and reads it back; [`presets`] names ready-made runs.
//! This module knows nothing of browsers, tensors or clocks.

pub mod fields;
pub mod link;
pub mod presets;
mod size;

use crate::task::{Horizon, LossOn, Radius, Task, Vocabulary};
use serde::{Deserialize, Serialize};

/// Everything that decides a run. Two runs with equal configurations draw the same numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The automaton, how much of an orbit is shown and how far ahead the question asks.
    pub task: Task,
    /// Which tokens of a sequence count in the loss.
    pub loss_on: LossOn,
    /// The network.
    pub model: ModelConfig,
    /// How it learns and how it is measured.
    pub training: TrainingConfig,
    /// The seed of every random number of the run.
    pub seed: u64,
    /// Where it is computed.
    pub engine: EngineChoice,
}

/// The architectures. Each has its own file under `src/model`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModelKind {
    GptNeox,
    Lstm,
    Mamba,
    Armt,
}

impl ModelKind {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 4] = [Self::GptNeox, Self::Lstm, Self::Mamba, Self::Armt];

    /// Its value in links.
    pub fn key(self) -> &'static str {
        match self {
            ModelKind::GptNeox => "neox",
            ModelKind::Lstm => "lstm",
            ModelKind::Mamba => "mamba",
            ModelKind::Armt => "armt",
        }
    }

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            ModelKind::GptNeox => "GPT-NeoX",
            ModelKind::Lstm => "LSTM",
            ModelKind::Mamba => "Mamba",
            ModelKind::Armt => "ARMT",
        }
    }

    /// Whether it attends, with heads, rotary positions and an MLP.
    pub fn attends(self) -> bool {
        match self {
            ModelKind::GptNeox | ModelKind::Armt => true,
            ModelKind::Lstm | ModelKind::Mamba => false,
        }
    }

    /// Whether it reads a sequence segment by segment, with a memory between them.
    pub fn segmented(self) -> bool {
        match self {
            ModelKind::Armt => true,
            ModelKind::GptNeox | ModelKind::Lstm | ModelKind::Mamba => false,
        }
    }
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    pub kind: ModelKind,
    /// Number of blocks, L.
    pub layers: usize,
    /// Width of the residual stream, d.
    pub width: usize,
    /// Attention heads, h; d must be a multiple of h.
    pub heads: usize,
    /// Width of the block's MLP, d_ff.
    pub ff: usize,
    /// Share of each head's dimensions that rotary positions turn, in (0, 1].
    pub rotary_fraction: f64,
    /// Base of the rotary frequencies.
    pub rotary_base: f64,
    /// Memory tokens of a segment.
    pub memory_tokens: usize,
    /// Numbers that a memory's keys are made of.
    pub memory_width: usize,
}

impl ModelConfig {
    /// Dimensions of one head that rotary positions turn: fraction · d/h without its decimals, as GPT-NeoX takes it.
    pub fn rotary_dims(&self) -> usize {
        ((self.width / self.heads) as f64 * self.rotary_fraction) as usize
    }
}

/// The update rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Optimizer {
    /// AdamW (Loshchilov and Hutter) on every parameter; β = (.9, .999), ε = 1e-8.
    AdamW,
    /// Muon (Jordan) on the blocks' matrices, AdamW on the rest at half the rate.
    Muon,
}

/// How a run learns and how it is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfig {
    pub optimizer: Optimizer,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// The step at which the linear decay after warm-up would reach zero; 0 keeps the rate constant.
    pub decay: u64,
    /// Clip every entry of the gradient to ± this; 0 leaves it.
    pub clip_value: f64,
    /// Clip the gradient's global norm to this; 0 leaves it.
    pub clip_norm: f64,
    /// Sequences in a step.
    pub batch: usize,
    /// Training sequences in all, gone through in order and again from the first; 0 draws fresh ones without end.
    pub examples: u64,
    /// The step count to reach.
    pub steps: u64,
    /// Steps between evaluations.
    pub eval_every: u64,
    /// Held-out sequences an evaluation asks, per depth.
    pub eval_samples: usize,
    /// Stop early when exact match at the smallest asked depth has come this share of the way from its floor to its ceiling; 0 never.
    pub stop_at: f64,
}

/// Where a run is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineChoice {
    /// WebGPU if an adapter that is not a software one answers, else the CPU.
    Auto,
    Cpu,
    WebGpu,
}

/// One thing wrong with a configuration: the field's key and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub key: String,
    pub sentence: String,
}

impl RunConfig {
    /// The values that a link of version 1 has where it names none: the paper's setting, frozen for ever.
    pub fn version_1() -> Self {
        Self {
            task: Task {
                radius: Radius::Two,
                width: 20,
                shown: 10,
                depth: 1,
                horizon: Horizon::Single,
                vocabulary: Vocabulary::Paper,
                segmented: false,
            },
            loss_on: LossOn::Target,
            model: ModelConfig {
                kind: ModelKind::GptNeox,
                layers: 4,
                width: 128,
                heads: 4,
                ff: 128,
                rotary_fraction: 0.25,
                rotary_base: 10_000.0,
                memory_tokens: 16,
                memory_width: 32,
            },
            training: TrainingConfig {
                optimizer: Optimizer::AdamW,
                learning_rate: 3e-4,
                weight_decay: 0.01,
                warmup: 1_000,
                decay: 80_000,
                clip_value: 0.5,
                clip_norm: 0.0,
                batch: 256,
                examples: 950_000,
                steps: 40_000,
                eval_every: 500,
                eval_samples: 512,
                stop_at: 0.0,
            },
            seed: 1,
            engine: EngineChoice::Auto,
        }
    }

    /// The network, and with it how the task writes a sequence down.
    pub fn set_model(&mut self, model: ModelConfig) {
        self.task.segmented = model.kind.segmented();
        self.model = model;
    }

    /// What is wrong across fields; each field's own range is checked where it is set. Empty when the run can start.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut tell = |key: &str, sentence: String| problems.push(Problem { key: key.into(), sentence });
        if let Err(sentence) = self.task.validate() {
            tell("W", sentence);
        }
        let model = &self.model;
        if model.kind.attends()
            && let Some((key, sentence)) = attention_problem(model)
        {
            tell(key, sentence);
        }
        // WebAssembly has 4 GB in all.
        if self.least_bytes() > 3_000_000_000 {
            tell(
                "T",
                format!(
                    "A sequence of {} tokens is too long for {} layers of width {} in a browser's memory: show fewer rows or cells, or use a smaller network.",
                    self.task.sequence_length(),
                    model.layers,
                    model.width
                ),
            );
        }
        let training = &self.training;
        if training.decay > 0 && training.decay <= training.warmup {
            tell(
                "decay",
                format!(
                    "The decay would end (step {}) before the warm-up does (step {}): raise one or set decay to 0.",
                    training.decay, training.warmup
                ),
            );
        }
        problems
    }
}

/// What is wrong with a network's heads: the field's key and a sentence.
fn attention_problem(model: &ModelConfig) -> Option<(&'static str, String)> {
    if !model.width.is_multiple_of(model.heads) {
        let sentence = format!(
            "The model width {} cannot be shared evenly by {} heads: choose a width that is a multiple of the heads.",
            model.width, model.heads
        );
        return Some(("heads", sentence));
    }
    let (head, dims) = (model.width / model.heads, model.rotary_dims());
    // transformers gives an odd number of dimensions a meaning of its own; nobody wants it.
    (dims < 2 || !dims.is_multiple_of(2)).then(|| {
        let sentence = format!(
            "Rotary positions turn dimensions in pairs, and this share of a head's {head} dimensions is {dims}: choose a share that gives an even number, such as 1."
        );
        ("rope", sentence)
    })
}
