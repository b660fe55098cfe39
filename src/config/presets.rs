//! Ready-made runs. A preset only fills the form: a link always writes every value out, so presets may improve without changing old links.

use super::{EngineChoice, Grpo, Looped, ModelConfig, ModelKind, Objective, Optimizer, RunConfig, Start, TrainingConfig};
use crate::task::{Horizon, Layout, LossOn, Radius, Task, Vocabulary};

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
        key: "cot",
        label: "Thinking aloud",
        help: "Four steps ahead, but the model writes every row on the way and reads what it wrote (chain of thought). After some minutes nearly all are right.",
        config: aloud,
    },
    Preset {
        key: "act",
        label: "Thinking longer",
        help: "Two ahead, where every token goes through each layer up to three times, as it decides itself (ACT). By the end it gets about half right; see which tokens it thinks about longer.",
        config: longer,
    },
    Preset {
        key: "mamba",
        label: "Mamba",
        help: "Quick's task for Mamba, which carries a state of fixed size from token to token instead of looking back. It takes a minute or two.",
        config: mamba,
    },
    Preset {
        key: "armt",
        label: "ARMT",
        help: "Quick's task for ARMT, a transformer that sees two rows at a time and keeps the rest in a memory. It takes about a minute.",
        config: armt,
    },
    Preset {
        key: "deltanet",
        label: "DeltaNet",
        help: "Quick's task for DeltaNet, whose state is a table in which each token replaces what stands under its key. It runs on Burn, where a step takes several times as long.",
        config: deltanet,
    },
    Preset {
        key: "lstm",
        label: "LSTM",
        help: "Quick's task for an LSTM of the 1990s. It takes many times as many steps, but they are small: about a minute and a half.",
        config: lstm,
    },
    Preset {
        key: "grpo",
        label: "Reward",
        help: "A network that looks one step ahead is asked for two, and told only how much of its answer was right (GRPO). Within a minute or two it finds out by itself to write the row between down first.",
        config: grpo,
    },
    Preset {
        key: "paper",
        label: "Paper",
        help: "The exact setting of arXiv 2508.16745, k = 1: 20 cells, 4 billion rules, 40,000 steps of 256 sequences. It wants a good graphics card and hours.",
        config: RunConfig::version_1,
    },
];

/// The paper's comparison in small: one task, one batch, one number of steps, and the methods beside one another. The first ones of
/// `docs/small-paper.links`; `docs/small-paper.md` has the results.
pub static SMALL_PAPER: &[Preset] = &[
    Preset { key: "small-1", label: "Straight, k=1", help: "One row ahead, straight to the answer: solved.", config: || small(1) },
    Preset { key: "small-2", label: "Straight, k=2", help: "Two rows ahead, straight to the answer: about half.", config: || small(2) },
    Preset {
        key: "small-3",
        label: "Straight, k=3",
        help: "Three rows ahead, straight to the answer: less than half.",
        config: || small(3),
    },
    Preset {
        key: "small-4",
        label: "Straight, k=4",
        help: "Four rows ahead, straight to the answer: less than half.",
        config: || small(4),
    },
    Preset {
        key: "small-cot",
        label: "Thinking aloud, k=1 … 4",
        help: "Four rows ahead, each written down: all four solved.",
        config: small_aloud,
    },
    Preset {
        key: "small-armt",
        label: "ARMT, k=2",
        help: "Two rows ahead, with a memory: a little more than straight.",
        config: small_armt,
    },
    Preset {
        key: "small-act",
        label: "Thinking longer, k=2",
        help: "Two rows ahead by layers applied up to three times.",
        config: small_longer,
    },
    Preset {
        key: "small-grpo",
        label: "Reward, k=2",
        help: "Two rows ahead, learnt from a reward alone by the network that looks one ahead: nearly solved.",
        config: || small_reward(2),
    },
    Preset {
        key: "small-grpo-3",
        label: "Reward, k=3",
        help: "Three rows ahead, from a reward alone, by the network that a reward has taught two: it writes both rows between.",
        config: || small_reward(3),
    },
    Preset {
        key: "small-grpo-4",
        label: "Reward, k=4",
        help: "Four rows ahead, from a reward alone, by the network that a reward has taught three.",
        config: || small_reward(4),
    },
];

/// All named runs.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().chain(SMALL_PAPER)
}

/// The keys of all presets, as a sentence names them.
pub fn names() -> String {
    PRESETS.iter().map(|preset| preset.key).collect::<Vec<_>>().join(", ")
}

/// The page's default. `docs/quick-preset.md` has the experiments that led to it.
pub fn quick() -> RunConfig {
    direct(1)
}

/// The run by which a network learns to look one step ahead soonest.
pub fn quick_of(kind: ModelKind) -> RunConfig {
    match kind {
        ModelKind::GptNeox => quick(),
        ModelKind::Lstm => lstm(),
        ModelKind::Mamba => mamba(),
        ModelKind::Armt => armt(),
        ModelKind::DeltaNet => deltanet(),
    }
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
            layout: Layout::OrbitState,
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
            looped: Looped::None,
            hops: 4,
            decay: false,
            reflects: false,
        },
        start: Start::Scratch,
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
            objective: Objective::Examples,
            grpo: RunConfig::version_1().training.grpo,
            ponder: 3e-4,
            stage: 0,
            eval_every: 25,
            eval_samples: 128,
            stop_at: 0.0,
        },
        seed: 1,
        engine: EngineChoice::Auto,
    }
}

/// Quick's task and batch, so that the charts can be laid over one another, with another network. `docs/quick-presets.md` has the
/// experiments that led to each.
fn like_quick(model: impl FnOnce(&mut ModelConfig), steps: u64) -> RunConfig {
    let mut config = quick();
    let mut network = config.model.clone();
    model(&mut network);
    config.set_model(network);
    config.training.decay = steps;
    config.training.steps = steps;
    config
}

fn mamba() -> RunConfig {
    let shape = |model: &mut ModelConfig| {
        model.kind = ModelKind::Mamba;
        // A fourth layer, of less width: with three, one seed in three stays on a plateau.
        model.layers = 4;
        model.width = 32;
    };
    like_quick(shape, 1_500)
}

fn armt() -> RunConfig {
    let memory = |model: &mut ModelConfig| {
        model.kind = ModelKind::Armt;
        // Half the paper's, for rows of 8 cells and rules of 8 entries instead of 20 and 32.
        model.memory_tokens = 8;
        model.memory_width = 16;
    };
    like_quick(memory, 1_500)
}

fn deltanet() -> RunConfig {
    let shape = |model: &mut ModelConfig| {
        model.kind = ModelKind::DeltaNet;
        model.reflects = true;
    };
    like_quick(shape, 1_500)
}

fn lstm() -> RunConfig {
    let shape = |model: &mut ModelConfig| {
        model.kind = ModelKind::Lstm;
        model.layers = 2;
        model.width = 64;
    };
    let mut config = like_quick(shape, 6_000);
    // Its steps are short: a measurement takes as long as several.
    config.training.eval_every = 100;
    config
}

/// From the checkpoint that knows k = 1, by reward alone; `docs/checkpoints.md` has the experiments. A sample has just room for the row between,
/// `[gen]` and the answer: with room for more, drawing another `[gen]` behind the answer makes thinking a risk.
fn grpo() -> RunConfig {
    let mut config = direct(2);
    config.start = Start::Shipped("k1".into());
    let training = &mut config.training;
    training.objective = Objective::Grpo;
    training.grpo = Grpo { group: 16, new_tokens: 17, temperature: 0.9, top_k: 0, kl: 0.01, clip: 0.2 };
    training.optimizer = Optimizer::AdamW;
    (training.learning_rate, training.weight_decay) = (5e-4, 0.0);
    (training.warmup, training.decay) = (5, 0);
    (training.batch, training.steps, training.eval_every) = (16, 100, 10);
    config
}

/// Straight to the answer on the small paper's task, in which continuing a visible cycle answers only half.
fn small(depth: usize) -> RunConfig {
    let mut config = direct(depth);
    (config.task.width, config.task.shown) = (10, 4);
    let training = &mut config.training;
    (training.decay, training.steps) = (1_500, 1_500);
    (training.eval_every, training.eval_samples) = (100, 256);
    config
}

fn small_aloud() -> RunConfig {
    let mut config = small(4);
    config.task.layout = Layout::ChainOfThought;
    config
}

fn small_armt() -> RunConfig {
    let mut config = small(2);
    config.set_model(ModelConfig { kind: ModelKind::Armt, memory_tokens: 8, memory_width: 16, ..config.model.clone() });
    config
}

fn small_longer() -> RunConfig {
    let mut config = small(2);
    (config.model.looped, config.model.hops) = (Looped::Layer, 3);
    config
}

/// By stages: each depth from the run that a reward has taught the one before, with room for the rows between, a `[gen]` behind each, and the answer.
fn small_reward(depth: usize) -> RunConfig {
    let mut config = grpo();
    let before = if depth > 2 { small_reward(depth - 1) } else { small_every_token() };
    config.start = Start::from_run(&before);
    (config.task.width, config.task.shown, config.task.depth) = (10, 4, depth);
    config.training.grpo.new_tokens = (config.task.width + 1) * depth - 1;
    (config.training.eval_every, config.training.eval_samples) = (20, 256);
    config
}

/// The run at k = 1 and 40 steps more in which every token is learnt from, as the checkpoint of [`grpo`] was made.
fn small_every_token() -> RunConfig {
    let mut every_token = small(1);
    every_token.start = Start::from_run(&every_token);
    every_token.loss_on = LossOn::All;
    let training = &mut every_token.training;
    training.optimizer = Optimizer::AdamW;
    (training.learning_rate, training.weight_decay) = (1e-3, 0.0);
    (training.warmup, training.decay) = (5, 0);
    (training.steps, training.eval_every) = (40, 40);
    every_token
}

fn depths() -> RunConfig {
    let mut config = quick();
    config.task.horizon = Horizon::Multi;
    config.training.decay = 3_000;
    config.training.steps = 3_000;
    config
}

/// Quick's task with an answer of four rows, one after the other.
fn aloud() -> RunConfig {
    let mut config = direct(4);
    config.task.layout = Layout::ChainOfThought;
    config.training.decay = 1_500;
    config.training.steps = 1_500;
    config
}

/// Two ahead by layers that are applied up to three times, as often as each token wants.
fn longer() -> RunConfig {
    let mut config = direct(2);
    config.model.looped = Looped::Layer;
    config.model.hops = 3;
    config
}
