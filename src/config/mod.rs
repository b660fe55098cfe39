//! The run as plain data. One value of [`RunConfig`] decides a run completely: the same value replays.
//!
//! [`fields`] holds the one table of fields that drives the form, the link, the command line and the
//! documentation; [`link`] writes a run as a URL fragment and reads it back; [`presets`] names ready-made runs.
//! This module knows nothing of browsers, tensors or clocks.

mod choices;
pub mod fields;
pub mod link;
pub mod presets;
mod problems;
pub mod shipped;
mod size;
mod start;

pub use start::Start;

use crate::task::{Horizon, Layout, LossOn, Radius, Task, Vocabulary};
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
    /// Where its weights come from.
    pub start: Start,
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
    DeltaNet,
}

impl ModelKind {
    /// All of them, in the order of the form.
    pub const ALL: [Self; 5] = [Self::GptNeox, Self::Lstm, Self::Mamba, Self::Armt, Self::DeltaNet];

    /// Its value in links.
    pub fn key(self) -> &'static str {
        match self {
            ModelKind::GptNeox => "neox",
            ModelKind::Lstm => "lstm",
            ModelKind::Mamba => "mamba",
            ModelKind::Armt => "armt",
            ModelKind::DeltaNet => "deltanet",
        }
    }

    /// Its short name.
    pub fn name(self) -> &'static str {
        match self {
            ModelKind::GptNeox => "GPT-NeoX",
            ModelKind::Lstm => "LSTM",
            ModelKind::Mamba => "Mamba",
            ModelKind::Armt => "ARMT",
            ModelKind::DeltaNet => "DeltaNet",
        }
    }

    /// Whether it attends, with rotary positions.
    pub fn attends(self) -> bool {
        match self {
            ModelKind::GptNeox | ModelKind::Armt => true,
            ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => false,
        }
    }

    /// Whether its width is cut into heads, and an MLP follows them.
    pub fn has_heads(self) -> bool {
        self.attends() || self == ModelKind::DeltaNet
    }

    /// Those that every engine computes.
    pub fn with_kernels() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.has_kernels())
    }

    /// Whether every operator of it has kernels; without, it is computed by Burn alone.
    pub fn has_kernels(self) -> bool {
        match self {
            ModelKind::GptNeox | ModelKind::Lstm | ModelKind::Mamba | ModelKind::Armt => true,
            ModelKind::DeltaNet => false,
        }
    }

    /// Whether it reads a sequence segment by segment, with a memory between them.
    pub fn segmented(self) -> bool {
        match self {
            ModelKind::Armt => true,
            ModelKind::GptNeox | ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => false,
        }
    }
}

/// What of a network is applied again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Looped {
    None,
    /// Each layer by itself, as often as each token wants (adaptive computation time).
    Layer,
    /// All layers together, as often as each token wants.
    Stack,
    /// Each layer, always as often: the control.
    Fixed,
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
    pub looped: Looped,
    /// How often what is looped is applied at most, or always.
    pub hops: usize,
    /// DeltaNet: whether what a state holds fades.
    pub decay: bool,
    /// DeltaNet: whether a token may write at up to twice the strength that replaces what was held, which reflects it.
    pub reflects: bool,
}

impl ModelConfig {
    /// How many parts of the network decide when they have been applied often enough.
    pub fn halting_units(&self) -> usize {
        match self.looped {
            Looped::None | Looped::Fixed => 0,
            Looped::Layer => self.layers,
            Looped::Stack => 1,
        }
    }

    /// How often each layer is applied at most.
    pub fn applications(&self) -> usize {
        match self.looped {
            Looped::None => 1,
            Looped::Layer | Looped::Stack | Looped::Fixed => self.hops,
        }
    }

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

/// What a run learns from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// The true answers.
    Examples,
    /// A reward for its own: group relative policy optimisation.
    Grpo,
}

/// Settings of group relative policy optimisation (arXiv 2402.03300).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grpo {
    /// Samples of each prompt, which are compared with one another.
    pub group: usize,
    /// Tokens that a sample may have at most.
    pub new_tokens: usize,
    pub temperature: f64,
    /// How many of the most probable tokens may be drawn; 0 for all.
    pub top_k: usize,
    /// β, the price of the distance from the policy that the run began with.
    pub kl: f64,
    /// ε, how far a ratio of probabilities may leave 1.
    pub clip: f64,
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
    pub objective: Objective,
    pub grpo: Grpo,
    /// τ, the price in the loss of the mean remainder of adaptive computation time.
    pub ponder: f64,
    /// Steps of each stage of a curriculum, which asks for depth 1, then 2, … up to the task's; 0 for none. Each stage begins with
    /// the weights of the one before, a fresh optimiser and its own schedule; the last one goes on to the end.
    pub stage: u64,
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
    /// WebGPU if an adapter that is not a software one answers, else the CPU; Burn for a network that has no kernels.
    Auto,
    Cpu,
    WebGpu,
    /// Burn: burn-wgpu if an adapter that is not a software one answers, else burn-flex.
    Burn,
    BurnFlex,
    BurnWgpu,
}

impl EngineChoice {
    /// Whether it asks for Burn.
    pub fn is_burn(self) -> bool {
        match self {
            EngineChoice::Burn | EngineChoice::BurnFlex | EngineChoice::BurnWgpu => true,
            EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::WebGpu => false,
        }
    }
}

/// One thing wrong with a configuration: the field's key and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub key: String,
    pub sentence: String,
}

/// A place in a curriculum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Counted from 0.
    pub index: u64,
    /// The step within the stage, counted from 1.
    pub step: u64,
    /// The depth that a stage of a curriculum asks for.
    pub depth: Option<usize>,
}

impl Stage {
    /// Whether the step is the first of a stage that follows another.
    pub fn begins_anew(self) -> bool {
        self.index > 0 && self.step == 1
    }
}

impl RunConfig {
    /// Whether Burn computes the run: because it is asked for, or because the network has no kernels.
    pub fn on_burn(&self) -> bool {
        self.engine.is_burn() || self.engine == EngineChoice::Auto && !self.model.kind.has_kernels()
    }

    /// The values that a link of version 1 has where it names none: the paper's setting, frozen for ever.
    pub fn version_1() -> Self {
        Self {
            task: Task {
                radius: Radius::Two,
                width: 20,
                shown: 10,
                depth: 1,
                horizon: Horizon::Single,
                layout: Layout::OrbitState,
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
                looped: Looped::None,
                hops: 4,
                decay: false,
                reflects: false,
            },
            start: Start::Scratch,
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
                objective: Objective::Examples,
                grpo: Grpo { group: 8, new_tokens: 256, temperature: 0.9, top_k: 50, kl: 0.01, clip: 0.2 },
                ponder: 3e-4,
                stage: 0,
                eval_every: 500,
                eval_samples: 512,
                stop_at: 0.0,
            },
            seed: 1,
            engine: EngineChoice::Auto,
        }
    }

    /// How many stages the run has.
    pub fn stages(&self) -> u64 {
        if self.training.stage == 0 { 1 } else { self.task.depth as u64 }
    }

    /// Where step `step`, counted from 1, stands in the curriculum.
    pub fn stage(&self, step: u64) -> Stage {
        let length = self.training.stage;
        if length == 0 {
            return Stage { index: 0, step, depth: None };
        }
        let index = ((step - 1) / length).min(self.stages() - 1);
        Stage { index, step: step - index * length, depth: Some(index as usize + 1) }
    }

    /// The network, and with it how the task writes a sequence down.
    pub fn set_model(&mut self, model: ModelConfig) {
        self.task.segmented = model.kind.segmented();
        self.model = model;
    }
}
