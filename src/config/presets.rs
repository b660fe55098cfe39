//! Ready-made runs. A preset only fills the form: a link always writes every value out, so presets may improve without changing old links.

use super::{EngineChoice, ModelConfig, ModelKind, Optimizer, RunConfig, TrainingConfig};
use crate::task::{Horizon, LossOn, Radius, Task, Vocabulary};

/// A named run.
pub struct Preset {
    /// Name in `--preset` and in tests.
    pub key: &'static str,
    /// Name on its button.
    pub label: &'static str,
    /// What a person will see, in a sentence or two.
    pub help: &'static str,
    pub config: fn() -> RunConfig,
}

/// The presets, the page's default first.
pub static PRESETS: &[Preset] = &[
    Preset {
        key: "quick",
        label: "Quick",
        help: "A small automaton and a small transformer. Within a minute it finds the rule and looks one step ahead. Then try Two ahead.",
        config: quick,
    },
    Preset {
        key: "two",
        label: "Two ahead",
        help: "The same, asked for the row after the next. Train it after Quick and compare: with as many steps it lags behind.",
        config: || direct(2),
    },
    Preset {
        key: "depths",
        label: "All depths",
        help: "One model for k = 1 … 4, told each time how far to look. It takes some minutes; one step ahead comes first.",
        config: depths,
    },
    Preset {
        key: "paper",
        label: "Paper",
        help: "The exact setting of arXiv 2508.16745, k = 1: 20 cells, 4 billion rules, 40,000 steps of 256 sequences. It wants a good graphics card and hours.",
        config: RunConfig::version_1,
    },
];

/// The page's default. `docs/quick-preset.md` has the experiments that led to it.
pub fn quick() -> RunConfig {
    direct(1)
}

/// One model for one depth.
fn direct(depth: usize) -> RunConfig {
    RunConfig {
        task: Task {
            radius: Radius::One,
            width: 8,
            shown: 6,
            depth,
            horizon: Horizon::Single,
            vocabulary: Vocabulary::Compact,
            segmented: false,
        },
        loss_on: LossOn::Rows,
        model: ModelConfig {
            kind: ModelKind::GptNeox,
            layers: 3,
            width: 48,
            heads: 4,
            ff: 96,
            rotary_fraction: 1.0,
            rotary_base: 100.0,
            memory_tokens: 16,
            memory_width: 32,
        },
        training: TrainingConfig {
            optimizer: Optimizer::Muon,
            learning_rate: 0.02,
            weight_decay: 0.01,
            warmup: 10,
            decay: 700,
            clip_value: 0.0,
            clip_norm: 1.0,
            batch: 32,
            examples: 0,
            steps: 700,
            eval_every: 25,
            eval_samples: 128,
            stop_at: 0.0,
        },
        seed: 1,
        engine: EngineChoice::Auto,
    }
}

fn depths() -> RunConfig {
    let mut config = quick();
    config.task.horizon = Horizon::Multi;
    config.training.decay = 3_000;
    config.training.steps = 3_000;
    config
}
