//! The values of fields with a fixed list. For each field: the values, and in the same order their words in links and in the form.

use super::{EngineChoice, Looped, ModelKind, Objective, Optimizer};
use crate::task::{Horizon, Layout, LossOn, Radius, Vocabulary};

pub(super) const RADII: [Radius; 3] = [Radius::One, Radius::ThreeHalves, Radius::Two];
pub(super) const RADIUS_CHOICES: &[(&str, &str)] =
    &[("1", "1 · three cells, 256 rules"), ("1.5", "3/2 · four cells, 65,536 rules"), ("2", "2 · five cells, 4 billion rules")];
pub(super) const HORIZONS: [Horizon; 2] = [Horizon::Single, Horizon::Multi];
pub(super) const HORIZON_CHOICES: &[(&str, &str)] = &[("one", "one depth"), ("multi", "all of 1 … 4")];
pub(super) const LAYOUTS: [Layout; 5] =
    [Layout::OrbitState, Layout::OrbitOrbit, Layout::OrbitRuleState, Layout::RuleOrbitState, Layout::ChainOfThought];
pub(super) const LAYOUT_CHOICES: &[(&str, &str)] = &[
    ("os", "the row k steps ahead (O-S)"),
    ("oo", "all rows up to k at once (O-O)"),
    ("ors", "the rule, then the row (O-RS)"),
    ("ros", "the row, with the rule shown (RO-S)"),
    ("cot", "row after row, thinking aloud (CoT)"),
];
pub(super) const VOCABULARIES: [Vocabulary; 2] = [Vocabulary::Compact, Vocabulary::Paper];
pub(super) const VOCABULARY_CHOICES: &[(&str, &str)] = &[("compact", "compact (12 tokens)"), ("paper", "the paper's (128 tokens)")];
pub(super) const LOSSES: [LossOn; 3] = [LossOn::Target, LossOn::Rows, LossOn::All];
pub(super) const LOSS_CHOICES: &[(&str, &str)] =
    &[("target", "the answer only"), ("rows", "every row"), ("all", "every token, and the end")];
pub(super) const MODELS: [ModelKind; 5] = ModelKind::ALL;
pub(super) const MODEL_CHOICES: &[(&str, &str)] = &[
    ("neox", "GPT-NeoX (transformer)"),
    ("lstm", "LSTM"),
    ("mamba", "Mamba"),
    ("armt", "ARMT (transformer with memory)"),
    ("deltanet", "DeltaNet"),
];
pub(super) const DECAYS: [bool; 2] = [false, true];
pub(super) const DECAY_CHOICES: &[(&str, &str)] = &[("none", "stays until overwritten"), ("gated", "fades, as each token decides")];
pub(super) const STRENGTHS: [bool; 2] = [false, true];
pub(super) const STRENGTH_CHOICES: &[(&str, &str)] = &[("1", "1 · replaces the old value"), ("2", "2 · may reverse the old value")];
pub(super) const LOOPS: [Looped; 4] = [Looped::None, Looped::Layer, Looped::Stack, Looped::Fixed];
pub(super) const LOOP_CHOICES: &[(&str, &str)] = &[
    ("none", "each layer once"),
    ("layer", "each layer as often as each token decides (ACT)"),
    ("stack", "all layers as often as each token decides (ACT)"),
    ("fixed", "each layer a fixed number of times (FCT)"),
];
pub(super) const OPTIMIZERS: [Optimizer; 2] = [Optimizer::AdamW, Optimizer::Muon];
pub(super) const OPTIMIZER_CHOICES: &[(&str, &str)] = &[("adamw", "AdamW"), ("muon", "Muon")];
pub(super) const OBJECTIVES: [Objective; 2] = [Objective::Examples, Objective::Grpo];
pub(super) const OBJECTIVE_CHOICES: &[(&str, &str)] = &[("examples", "the true answers"), ("grpo", "a reward for its own answers (GRPO)")];
pub(super) const ENGINES: [EngineChoice; 7] = [
    EngineChoice::Auto,
    EngineChoice::Cpu,
    EngineChoice::Portable,
    EngineChoice::WebGpu,
    EngineChoice::Burn,
    EngineChoice::BurnFlex,
    EngineChoice::BurnWgpu,
];
pub(super) const ENGINE_CHOICES: &[(&str, &str)] = &[
    ("auto", "automatic"),
    ("cpu", "CPU"),
    ("portable", "CPU, the same bits on every machine"),
    ("webgpu", "WebGPU"),
    ("burn", "Burn, automatic"),
    ("burn-flex", "Burn on the CPU"),
    ("burn-wgpu", "Burn on WebGPU"),
];
