//! Ready-made runs. A preset only fills the form, and a link contains the values instead of the preset's name. So a preset can change without
//! changing old links.

use super::{EngineChoice, Grpo, Looped, ModelConfig, ModelKind, Objective, Optimizer, RunConfig, Start, TrainingConfig};
use crate::task::{Horizon, Layout, LossOn, Radius, Task, Vocabulary};

/// A named run.
pub struct Preset {
    /// Name on the command line and in tests.
    pub key: &'static str,
    /// Name on its button, in plain words.
    pub label: &'static str,
    /// The field's word for what is special about it.
    pub term: &'static str,
    /// What it does, in one to three sentences. It asks what to expect and does not say what comes out.
    pub help: &'static str,
    pub config: fn() -> RunConfig,
}

/// Number of presets that tell the story, in its order: the first of [`PRESETS`].
pub const STORY: usize = 6;

/// The presets, the page's default first. The first [`STORY`] have one task with low floors, so that a curve shows what the network has learnt.
pub static PRESETS: &[Preset] = &[
    Preset {
        key: "one",
        label: "One ahead",
        term: "direct answer",
        help: "Four rows are shown, and the network answers the next one at once. How long until it has found out that there is a rule?",
        config: one,
    },
    Preset {
        key: "two",
        label: "Two ahead",
        term: "direct answer",
        help: "The same network is asked for the row after the next. Will it answer as well as one row ahead? Say what you expect, then train.",
        config: || small(2),
    },
    Preset {
        key: "cot",
        label: "Thinking aloud",
        term: "chain of thought",
        help: "Four rows ahead, and the network writes every row on the way and reads what it wrote. How much worse will the fourth row be than the first?",
        config: small_aloud,
    },
    Preset {
        key: "act",
        label: "Thinking longer",
        term: "ACT",
        help: "Two rows ahead, and every token goes through each layer up to three times and decides itself how often. Does it help? Which tokens take longer?",
        config: small_longer,
    },
    Preset {
        key: "memory",
        label: "With a memory",
        term: "ARMT",
        help: "Two rows ahead, with a network that sees two rows at a time and keeps the rest in a memory. Is a memory enough for the second step?",
        config: small_armt,
    },
    Preset {
        key: "grpo",
        label: "For a reward",
        term: "GRPO",
        help: "A network that looks one row ahead is asked for two. It is told only how much of its answer is right. What will it write before its answer?",
        config: grpo,
    },
    Preset {
        key: "quick",
        label: "Quick",
        term: "8 cells, 6 rows",
        help: "One row ahead on a smaller task, in half a minute. Many of its answers can be had by repeating a visible pattern: see the floor.",
        config: quick,
    },
    Preset {
        key: "depths",
        label: "All depths",
        term: "multi-horizon",
        help: "Quick's task with one network for k = 1 … 4: each question says how far to look. It takes some minutes. Which depth comes first?",
        config: depths,
    },
    Preset {
        key: "lstm",
        label: "LSTM",
        term: "recurrent",
        help: "Quick's task for an LSTM, a network of the 1990s. Its steps are short, and it gets many of them: about a minute and a half.",
        config: lstm,
    },
    Preset {
        key: "mamba",
        label: "Mamba",
        term: "state space",
        help: "Quick's task for Mamba. Mamba does not look back: it carries a state of fixed size from token to token. It takes a minute or two.",
        config: mamba,
    },
    Preset {
        key: "armt",
        label: "ARMT",
        term: "associative memory",
        help: "Quick's task for ARMT, a transformer that sees two rows at a time and keeps the rest in a memory. It takes about a minute.",
        config: armt,
    },
    Preset {
        key: "deltanet",
        label: "DeltaNet",
        term: "delta rule",
        help: "Quick's task for DeltaNet. Its state is a table, and each token replaces the value under its key. It runs on Burn, where a step takes several times as long.",
        config: deltanet,
    },
    Preset {
        key: "paper",
        label: "Paper",
        term: "arXiv 2508.16745",
        help: "The exact setting of the paper, k = 1: 20 cells, 4 billion rules, 40,000 steps of 256 sequences. It needs a good graphics card and hours.",
        config: RunConfig::version_1,
    },
];

/// The paper's comparison in small: all methods on one task with one batch size and one number of steps. These runs are the first ones of
/// `docs/small-paper.links`; `docs/small-paper.md` has the results.
pub static SMALL_PAPER: &[Preset] = &[
    Preset {
        key: "small-1",
        label: "Straight, k = 1",
        term: "direct answer",
        help: "One row ahead, the answer alone.",
        config: || small(1),
    },
    Preset {
        key: "small-2",
        label: "Straight, k = 2",
        term: "direct answer",
        help: "Two rows ahead, the answer alone.",
        config: || small(2),
    },
    Preset {
        key: "small-3",
        label: "Straight, k = 3",
        term: "direct answer",
        help: "Three rows ahead, the answer alone.",
        config: || small(3),
    },
    Preset {
        key: "small-4",
        label: "Straight, k = 4",
        term: "direct answer",
        help: "Four rows ahead, the answer alone.",
        config: || small(4),
    },
    Preset {
        key: "small-cot",
        label: "Thinking aloud, k = 1 … 4",
        term: "chain of thought",
        help: "Four rows ahead, and the model writes each row.",
        config: small_aloud,
    },
    Preset { key: "small-armt", label: "With a memory, k = 2", term: "ARMT", help: "Two rows ahead, with a memory.", config: small_armt },
    Preset {
        key: "small-act",
        label: "Thinking longer, k = 2",
        term: "ACT",
        help: "Two rows ahead, with layers that are applied up to three times.",
        config: small_longer,
    },
    Preset {
        key: "small-grpo",
        label: "For a reward, k = 2",
        term: "GRPO",
        help: "Two rows ahead: a network that looks one row ahead learns from a reward alone.",
        config: || small_reward(2),
    },
    Preset {
        key: "small-grpo-3",
        label: "For a reward, k = 3",
        term: "GRPO",
        help: "Three rows ahead: the network of “For a reward, k = 2” learns from a reward alone.",
        config: || small_reward(3),
    },
    Preset {
        key: "small-grpo-4",
        label: "For a reward, k = 4",
        term: "GRPO",
        help: "Four rows ahead: the network of “For a reward, k = 3” learns from a reward alone.",
        config: || small_reward(4),
    },
];

/// All named runs.
pub fn all() -> impl Iterator<Item = &'static Preset> {
    PRESETS.iter().chain(SMALL_PAPER)
}

/// The keys of the page's presets, separated by commas.
pub fn names() -> String {
    PRESETS.iter().map(|preset| preset.key).collect::<Vec<_>>().join(", ")
}

/// The page's default.
pub fn one() -> RunConfig {
    small(1)
}

/// A smaller task. `docs/quick-preset.md` has the experiments that led to it.
pub fn quick() -> RunConfig {
    direct(1)
}

/// The quick preset of a network: the run in which it learns to look one step ahead.
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

/// Quick's task and batch with another network, so that the charts can be compared. `docs/quick-presets.md` has the experiments that led to
/// each preset.
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
        // Four narrower layers: with three layers, one seed in three stays on a plateau.
        model.layers = 4;
        model.width = 32;
    };
    like_quick(shape, 1_500)
}

fn armt() -> RunConfig {
    let memory = |model: &mut ModelConfig| {
        model.kind = ModelKind::Armt;
        // Half the paper's sizes, because rows have 8 cells instead of 20 and rules 8 entries instead of 32.
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
    // Its steps are short, and a measurement takes as long as several steps.
    config.training.eval_every = 100;
    config
}

/// GRPO at k = 2, from the checkpoint that solves k = 1: the first stage of [`small_reward`], whose results are those of the small paper.
fn grpo() -> RunConfig {
    RunConfig { start: Start::Shipped("small-k1".into()), ..small_reward(2) }
}

/// The answer alone on the task of the small paper. There, continuing a visible cycle gives only half of the answers.
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

/// GRPO in stages: each depth starts from the GRPO run of the depth before; `docs/checkpoints.md` has the experiments. A sample has room for
/// exactly the rows between, a `[gen]` after each, and the answer. With more room, the policy can draw another `[gen]` after the answer, and
/// thinking then often costs reward.
fn small_reward(depth: usize) -> RunConfig {
    let mut config = small(depth);
    let before = if depth > 2 { small_reward(depth - 1) } else { small_every_token() };
    config.start = Start::from_run(&before);
    let training = &mut config.training;
    training.objective = Objective::Grpo;
    let new_tokens = (config.task.width + 1) * depth - 1;
    training.grpo = Grpo { group: 16, new_tokens, temperature: 0.9, top_k: 0, kl: 0.01, clip: 0.2 };
    training.optimizer = Optimizer::AdamW;
    (training.learning_rate, training.weight_decay) = (5e-4, 0.0);
    (training.warmup, training.decay) = (5, 0);
    (training.batch, training.steps, training.eval_every) = (16, 100, 20);
    config
}

/// The run at k = 1 and 40 more steps with the loss on every token, so that the signs between rows can be drawn (`docs/checkpoints.md`).
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
