//! The run as plain data. One value of [`RunConfig`] determines a run completely: the same value gives the same run again.
//!
//! [`fields`] is the one table of fields that drives the form, the link, the command line and the
//! documentation. [`link`] writes a run as a URL fragment and reads it back, [`short`] also reads names. [`presets`] names ready-made runs.
//! This module does not depend on browsers, tensors or clocks.

mod choices;
mod error;
pub mod fields;
mod limits;
pub mod link;
mod mangled;
mod method;
pub mod presets;
mod problems;
mod sent;
pub mod shipped;
pub mod short;
pub mod size;
mod start;
mod start_text;
mod table;

pub use error::{FieldError, LinkError, sentences};
pub use method::Method;
pub use sent::SentScore;
pub use start::Start;

use crate::task::{Horizon, Layout, LossOn, Radius, Task, Vocabulary};
use serde::{Deserialize, Serialize};

/// Everything that determines a run. Two runs with equal configurations use the same random numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// The automaton, the number of rows shown, and the depth of the question.
    pub task: Task,
    /// Which tokens of a sequence count in the loss.
    pub loss_on: LossOn,
    /// The network.
    pub model: ModelConfig,
    /// The weights that it starts from.
    pub start: Start,
    /// Training and measuring.
    pub training: TrainingConfig,
    /// The seed of every random number of the run.
    pub seed: u64,
    /// The engine that computes it.
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
    /// All architectures, in the order of the form.
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

    /// Whether it has attention with rotary positions.
    pub fn attends(self) -> bool {
        match self {
            ModelKind::GptNeox | ModelKind::Armt => true,
            ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => false,
        }
    }

    /// Whether it has heads and an MLP in each block.
    pub fn has_heads(self) -> bool {
        self.attends() || self == ModelKind::DeltaNet
    }

    /// The architectures that every engine can compute.
    pub fn with_kernels() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.has_kernels())
    }

    /// Whether all its operators have kernels. If not, only Burn can compute it.
    pub fn has_kernels(self) -> bool {
        match self {
            ModelKind::GptNeox | ModelKind::Lstm | ModelKind::Mamba | ModelKind::Armt => true,
            ModelKind::DeltaNet => false,
        }
    }

    /// Whether it reads a sequence segment by segment, with a memory between segments.
    pub fn segmented(self) -> bool {
        match self {
            ModelKind::Armt => true,
            ModelKind::GptNeox | ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => false,
        }
    }
}

/// The part of a network that is applied several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Looped {
    None,
    /// Each layer by itself, as often as each token decides (adaptive computation time).
    Layer,
    /// All layers together, as often as each token decides.
    Stack,
    /// Each layer a fixed number of times: the control (FCT).
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
    /// ARMT: memory tokens of a segment.
    pub memory_tokens: usize,
    /// ARMT: width of the memory's keys.
    pub memory_width: usize,
    pub looped: Looped,
    /// The largest number of applications of the looped part; for [`Looped::Fixed`], the number of applications.
    pub hops: usize,
    /// DeltaNet: whether the state fades from token to token.
    pub decay: bool,
    /// DeltaNet: whether the write strength goes up to 2. Strength 1 replaces the old value, and 2 reflects it.
    pub reflects: bool,
}

impl ModelConfig {
    /// Number of halting units: parts of the network that decide how often they are applied.
    pub fn halting_units(&self) -> usize {
        match self.looped {
            Looped::None | Looped::Fixed => 0,
            Looped::Layer => self.layers,
            Looped::Stack => 1,
        }
    }

    /// The largest number of applications of each layer.
    pub fn applications(&self) -> usize {
        match self.looped {
            Looped::None => 1,
            Looped::Layer | Looped::Stack | Looped::Fixed => self.hops,
        }
    }

    /// Dimensions of one head that rotary positions turn: ⌊fraction · ⌊d/h⌋⌋, as in GPT-NeoX.
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

/// The objective of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// Learn from the true answers.
    Examples,
    /// Learn from a reward for its own answers: group relative policy optimisation.
    Grpo,
}

/// Settings of group relative policy optimisation (arXiv 2402.03300).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grpo {
    /// Samples of each prompt, which are compared with each other.
    pub group: usize,
    /// The largest number of tokens in a sample.
    pub new_tokens: usize,
    pub temperature: f64,
    /// Only this many of the most probable tokens can be drawn; 0 for all.
    pub top_k: usize,
    /// β, the weight in the loss of the KL divergence from the policy that the run began with.
    pub kl: f64,
    /// ε, how far a ratio of probabilities may differ from 1.
    pub clip: f64,
}

/// Settings of training and measuring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingConfig {
    pub optimizer: Optimizer,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// The step at which the linear decay after warm-up reaches zero; 0 keeps the rate constant.
    pub decay: u64,
    /// Every entry of the gradient is clipped to ± this; 0 for no clipping.
    pub clip_value: f64,
    /// The gradient's global norm is clipped to this; 0 for no clipping.
    pub clip_norm: f64,
    /// Sequences in a step.
    pub batch: usize,
    /// Number of different training sequences, used in order and then again from the first; 0 always draws new ones.
    pub examples: u64,
    /// The step at which the run ends.
    pub steps: u64,
    pub objective: Objective,
    pub grpo: Grpo,
    /// τ, the weight in the loss of the mean remainder of adaptive computation time.
    pub ponder: f64,
    /// Steps of each stage of a curriculum, which asks for depth 1, then 2, … up to the task's; 0 for no curriculum. Each stage begins with
    /// the weights of the stage before, a new optimiser state and its own schedule. The last stage continues to the end.
    pub stage: u64,
    /// Steps between evaluations.
    pub eval_every: u64,
    /// Held-out sequences per depth in an evaluation.
    pub eval_samples: usize,
    /// Stop early when exact match at the smallest asked depth is this share of the way from its floor to its ceiling; 0 never stops early.
    pub stop_at: f64,
}

/// The engine that computes a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineChoice {
    /// WebGPU if a real graphics card answers, not a software adapter; else the CPU. Burn for a network without kernels.
    Auto,
    Cpu,
    /// The CPU with products and sums rounded separately, which every machine can do: equal bits everywhere.
    Portable,
    WebGpu,
    /// Burn: burn-wgpu if a real graphics card answers, not a software adapter; else burn-flex.
    Burn,
    BurnFlex,
    BurnWgpu,
}

impl EngineChoice {
    /// Whether it asks for Burn.
    pub fn is_burn(self) -> bool {
        match self {
            EngineChoice::Burn | EngineChoice::BurnFlex | EngineChoice::BurnWgpu => true,
            EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::Portable | EngineChoice::WebGpu => false,
        }
    }
}

/// A problem of a configuration: the field's key and a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub key: String,
    pub sentence: String,
}

/// A step's place in a curriculum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The stage, counted from 0.
    pub index: u64,
    /// The step within the stage, counted from 1.
    pub step: u64,
    /// The depth that the stage asks for; `None` without a curriculum.
    pub depth: Option<usize>,
}

impl Stage {
    /// Whether the step is the first of a stage that follows another.
    pub fn begins_anew(self) -> bool {
        self.index > 0 && self.step == 1
    }
}

impl RunConfig {
    /// Whether Burn computes the run: the run asks for it, or its engine is automatic and its network has no kernels.
    pub fn on_burn(&self) -> bool {
        self.engine.is_burn() || self.engine == EngineChoice::Auto && !self.model.kind.has_kernels()
    }

    /// The values of settings that a link of version 1 does not name: the paper's setting. They never change.
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

    /// Number of stages of the run; 1 without a curriculum.
    pub fn stages(&self) -> u64 {
        if self.training.stage == 0 { 1 } else { self.task.depth as u64 }
    }

    /// The place of step `step`, counted from 1, in the curriculum.
    pub fn stage(&self, step: u64) -> Stage {
        let length = self.training.stage;
        if length == 0 {
            return Stage { index: 0, step, depth: None };
        }
        let index = ((step - 1) / length).min(self.stages() - 1);
        Stage { index, step: step - index * length, depth: Some(index as usize + 1) }
    }

    /// Sets the network, and accordingly whether the task writes sequences in segments.
    pub fn set_model(&mut self, model: ModelConfig) {
        self.task.segmented = model.kind.segmented();
        self.model = model;
    }
}
