//! The one table of fields: key, label, unit, range, when it has an effect, since when it is written, help. The form, the link, the command line
//! and the documentation are drawn from it. A new setting is one row here and one member of [`super::RunConfig`].

use super::choices::*;
use super::fields::{Field, FieldGroup, FieldKind, Needs, Otherwise, Since, WayOut};
use super::{Looped, ModelConfig, ModelKind, Objective};
use crate::task::Horizon;

const ALWAYS: Needs = Needs { met: |_| true, otherwise: Otherwise::Hide };
const HEADS: Needs = Needs { met: |c| c.model.kind.has_heads(), otherwise: Otherwise::Hide };
const ROTARY: Needs = Needs { met: |c| c.model.kind.attends(), otherwise: Otherwise::Hide };
const SEGMENTS: Needs = Needs { met: |c| c.model.kind.segmented(), otherwise: Otherwise::Hide };
const DELTA_NET: Needs = Needs { met: |c| c.model.kind == ModelKind::DeltaNet, otherwise: Otherwise::Hide };
const LOOPED: Needs = Needs { met: |c| c.model.looped != Looped::None, otherwise: Otherwise::Hide };
const GRPO: Needs = Needs { met: |c| c.training.objective == Objective::Grpo, otherwise: Otherwise::Hide };
const EXAMPLES: Needs = Needs {
    met: |c| c.training.objective == Objective::Examples,
    otherwise: Otherwise::Disable("GRPO learns from rewards for its own answers: see “Learns by” under Training."),
};
const HALTING: Needs = Needs {
    met: |c| c.model.halting_units() > 0,
    otherwise: Otherwise::Disable("Only for adaptive computation time (ACT): see “Thinking time” under Model."),
};
const ONE_DEPTH: Needs = Needs {
    met: |c| c.task.horizon == Horizon::Single,
    otherwise: Otherwise::Disable("This run asks all of 1 … 4: choose “one depth” above to set k."),
};
const ONE_DEPTH_AT_FIRST: Needs = Needs {
    otherwise: Otherwise::Disable("This run asks all of 1 … 4 from the start: choose “one depth” under Task for a curriculum."),
    ..ONE_DEPTH
};

const ASK_ONE_DEPTH: WayOut = WayOut { label: "Ask one depth", sets: ("horizon", "one") };
const ANSWER_ONE_ROW: WayOut = WayOut { label: "Answer with one row", sets: ("layout", "os") };
const NO_CURRICULUM: WayOut = WayOut { label: "No curriculum", sets: ("stage", "0") };
const NEVER_STOP_EARLY: WayOut = WayOut { label: "Never stop early", sets: ("stop", "0") };

fn choice<T: PartialEq>(choices: &[(&str, &str)], values: &[T], value: &T) -> String {
    let index = values.iter().position(|candidate| candidate == value).unwrap_or(0);
    choices[index].0.to_string()
}

/// The table, in the order of the form and of the link.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    Field {
        key: "r", label: "Neighbourhood radius", unit: "", group: FieldGroup::Task, kind: FieldKind::Choice(RADIUS_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How far a cell looks to decide its next colour. A larger radius means a longer rule table, and the rows shown reveal a smaller part of it.",
        get: |c| choice(RADIUS_CHOICES, &RADII, &c.task.radius), write: |c, v| c.task.radius = v.pick(&RADII),
    },
    Field {
        key: "W", label: "Cells in a row", unit: "cells", group: FieldGroup::Task, kind: FieldKind::Integer { min: 4, max: 64 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "Width of the automaton. The row is a ring: its last cell is a neighbour of its first cell.",
        get: |c| c.task.width.to_string(), write: |c, v| c.task.width = v.integer() as usize,
    },
    Field {
        key: "T", label: "Rows shown", unit: "rows", group: FieldGroup::Task, kind: FieldKind::Integer { min: 2, max: 32 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How many rows the model sees before the question. The rule itself is not part of them.",
        get: |c| c.task.shown.to_string(), write: |c, v| c.task.shown = v.integer() as usize,
    },
    Field {
        key: "layout", label: "Answer", unit: "", group: FieldGroup::Task, kind: FieldKind::Choice(LAYOUT_CHOICES),
        needs: ALWAYS, since: Since::Later, ways_out: &[],
        help: "What the model writes: one row straight away, all rows at once without seeing them, or first the rule. If it is shown the rule, it only has to apply it. When it thinks aloud, it writes every row up to k and reads what it wrote.",
        get: |c| choice(LAYOUT_CHOICES, &LAYOUTS, &c.task.layout), write: |c, v| c.task.layout = v.pick(&LAYOUTS),
    },
    Field {
        key: "horizon", label: "Depths asked", unit: "", group: FieldGroup::Task, kind: FieldKind::Choice(HORIZON_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[ASK_ONE_DEPTH, ANSWER_ONE_ROW],
        help: "One depth: a model for a single k. All: one model answers k = 1 … 4, and a marker before the answer says which k.",
        get: |c| choice(HORIZON_CHOICES, &HORIZONS, &c.task.horizon), write: |c, v| c.task.horizon = v.pick(&HORIZONS),
    },
    Field {
        key: "k", label: "Depth k", unit: "steps ahead", group: FieldGroup::Task, kind: FieldKind::Integer { min: 1, max: 16 },
        needs: ONE_DEPTH, since: Since::FirstLinks, ways_out: &[],
        help: "How many steps after the last shown row the answer is. The rows between are not shown. If the answer has several rows, k is their number.",
        get: |c| c.task.depth.to_string(), write: |c, v| c.task.depth = v.integer() as usize,
    },
    Field {
        key: "loss", label: "Learns from", unit: "", group: FieldGroup::Task, kind: FieldKind::Choice(LOSS_CHOICES),
        needs: EXAMPLES, since: Since::FirstLinks, ways_out: &[],
        help: "The answer only: as in the paper. Every row: the model also predicts each shown row from the rows before it, which teaches the rule much sooner. Every token: it also predicts the signs between rows and the end, so that it can write on by itself.",
        get: |c| choice(LOSS_CHOICES, &LOSSES, &c.loss_on), write: |c, v| c.loss_on = v.pick(&LOSSES),
    },
    Field {
        key: "vocab", label: "Vocabulary", unit: "", group: FieldGroup::Task, kind: FieldKind::Choice(VOCABULARY_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The tokens in which rows are written. The paper's list has 128 ids, and most are never used. The compact list is equivalent and cheaper.",
        get: |c| choice(VOCABULARY_CHOICES, &VOCABULARIES, &c.task.vocabulary), write: |c, v| c.task.vocabulary = v.pick(&VOCABULARIES),
    },
    Field {
        key: "model", label: "Architecture", unit: "", group: FieldGroup::Model, kind: FieldKind::Choice(MODEL_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The kind of network: it decides how the model carries information along the sequence.",
        get: |c| choice(MODEL_CHOICES, &MODELS, &c.model.kind),
        write: |c, v| c.set_model(ModelConfig { kind: v.pick(&MODELS), ..c.model.clone() }),
    },
    Field {
        key: "layers", label: "Layers", unit: "blocks", group: FieldGroup::Model, kind: FieldKind::Integer { min: 1, max: 16 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The number of blocks, one after another. Each gives the model one more round of looking and thinking.",
        get: |c| c.model.layers.to_string(), write: |c, v| c.model.layers = v.integer() as usize,
    },
    Field {
        key: "d", label: "Model width", unit: "numbers per token", group: FieldGroup::Model, kind: FieldKind::Integer { min: 8, max: 512 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How many numbers represent one token inside the model.",
        get: |c| c.model.width.to_string(), write: |c, v| c.model.width = v.integer() as usize,
    },
    Field {
        key: "heads", label: "Attention heads", unit: "", group: FieldGroup::Model, kind: FieldKind::Integer { min: 1, max: 16 },
        needs: HEADS, since: Since::FirstLinks, ways_out: &[],
        help: "How many positions each layer can look at at once. The heads share the width evenly.",
        get: |c| c.model.heads.to_string(), write: |c, v| c.model.heads = v.integer() as usize,
    },
    Field {
        key: "ff", label: "MLP width", unit: "", group: FieldGroup::Model, kind: FieldKind::Integer { min: 8, max: 2048 },
        needs: HEADS, since: Since::FirstLinks, ways_out: &[],
        help: "Width of the small two-layer network inside each block.",
        get: |c| c.model.ff.to_string(), write: |c, v| c.model.ff = v.integer() as usize,
    },
    Field {
        key: "rope", label: "Rotary share", unit: "of a head", group: FieldGroup::Model, kind: FieldKind::Real { min: 0.05, max: 1.0 },
        needs: ROTARY, since: Since::FirstLinks, ways_out: &[],
        help: "The share of each head's numbers that encode position. Small heads need all of them to distinguish neighbours.",
        get: |c| c.model.rotary_fraction.to_string(), write: |c, v| c.model.rotary_fraction = v.real(),
    },
    Field {
        key: "base", label: "Rotary base", unit: "", group: FieldGroup::Model, kind: FieldKind::Real { min: 2.0, max: 1_000_000.0 },
        needs: ROTARY, since: Since::FirstLinks, ways_out: &[],
        help: "Sets the slowest rotation of the position code. A smaller base suits short sequences better.",
        get: |c| c.model.rotary_base.to_string(), write: |c, v| c.model.rotary_base = v.real(),
    },
    Field {
        key: "mem", label: "Memory tokens", unit: "per segment", group: FieldGroup::Model, kind: FieldKind::Integer { min: 1, max: 64 },
        needs: SEGMENTS, since: Since::FirstLinks, ways_out: &[],
        help: "ARMT only: how many extra tokens each segment has. The segment writes into the memory from them.",
        get: |c| c.model.memory_tokens.to_string(), write: |c, v| c.model.memory_tokens = v.integer() as usize,
    },
    Field {
        key: "dmem", label: "Key width", unit: "numbers", group: FieldGroup::Model, kind: FieldKind::Integer { min: 2, max: 64 },
        needs: SEGMENTS, since: Since::FirstLinks, ways_out: &[],
        help: "ARMT only: how many numbers a key of the memory has. The memory has six features for each number.",
        get: |c| c.model.memory_width.to_string(), write: |c, v| c.model.memory_width = v.integer() as usize,
    },
    Field {
        key: "fade", label: "State", unit: "", group: FieldGroup::Model, kind: FieldKind::Choice(DECAY_CHOICES),
        needs: DELTA_NET, since: Since::Later, ways_out: &[],
        help: "DeltaNet only: whether the state's values fade from token to token (Gated DeltaNet), or stay until they are overwritten.",
        get: |c| choice(DECAY_CHOICES, &DECAYS, &c.model.decay), write: |c, v| c.model.decay = v.pick(&DECAYS),
    },
    Field {
        key: "beta", label: "Write strength", unit: "at most", group: FieldGroup::Model, kind: FieldKind::Choice(STRENGTH_CHOICES),
        needs: DELTA_NET, since: Since::Later, ways_out: &[],
        help: "DeltaNet only: at strength 1 a token replaces the value under its key. Up to 2 it can also write the opposite value, so that a state can flip back and forth (negative eigenvalues).",
        get: |c| choice(STRENGTH_CHOICES, &STRENGTHS, &c.model.reflects), write: |c, v| c.model.reflects = v.pick(&STRENGTHS),
    },
    Field {
        key: "loop", label: "Thinking time", unit: "", group: FieldGroup::Model, kind: FieldKind::Choice(LOOP_CHOICES),
        needs: ALWAYS, since: Since::Later, ways_out: &[],
        help: "Layers can be applied several times with the same weights. With adaptive computation time (ACT) every token decides how often. The fixed control always applies them the same number of times.",
        get: |c| choice(LOOP_CHOICES, &LOOPS, &c.model.looped), write: |c, v| c.model.looped = v.pick(&LOOPS),
    },
    Field {
        key: "hops", label: "Hops", unit: "at most", group: FieldGroup::Model, kind: FieldKind::Integer { min: 2, max: 8 },
        needs: LOOPED, since: Since::Later, ways_out: &[],
        help: "How often a layer, or all layers together, can be applied to a token. The fixed control always uses this number. The paper has at most 4, and 3 for the control. Each hop makes a step longer.",
        get: |c| c.model.hops.to_string(), write: |c, v| c.model.hops = v.integer() as usize,
    },
    Field {
        key: "learn", label: "Learns by", unit: "", group: FieldGroup::Training, kind: FieldKind::Choice(OBJECTIVE_CHOICES),
        needs: ALWAYS, since: Since::Later, ways_out: &[],
        help: "From the true answers, or from a reward: with GRPO a trained model writes several answers to each question. Answers with more right cells than the others become more likely.",
        get: |c| choice(OBJECTIVE_CHOICES, &OBJECTIVES, &c.training.objective), write: |c, v| c.training.objective = v.pick(&OBJECTIVES),
    },
    Field {
        key: "group", label: "Answers per question", unit: "samples", group: FieldGroup::Training, kind: FieldKind::Integer { min: 2, max: 64 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: how many answers to the same question are compared with each other.",
        get: |c| c.training.grpo.group.to_string(), write: |c, v| c.training.grpo.group = v.integer() as usize,
    },
    Field {
        key: "new", label: "Tokens per sample", unit: "at most", group: FieldGroup::Training, kind: FieldKind::Integer { min: 5, max: 512 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: the greatest length of an answer, thinking included. All of these tokens are computed, so more tokens take longer.",
        get: |c| c.training.grpo.new_tokens.to_string(), write: |c, v| c.training.grpo.new_tokens = v.integer() as usize,
    },
    Field {
        key: "temp", label: "Temperature", unit: "", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.05, max: 5.0 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: how random the drawn answers are. Near 0 the likeliest token always wins, so all answers are the same.",
        get: |c| c.training.grpo.temperature.to_string(), write: |c, v| c.training.grpo.temperature = v.real(),
    },
    Field {
        key: "topk", label: "Likeliest tokens", unit: "tokens", group: FieldGroup::Training, kind: FieldKind::Integer { min: 0, max: 128 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: only this many of the likeliest tokens can be drawn. 0 allows all tokens.",
        get: |c| c.training.grpo.top_k.to_string(), write: |c, v| c.training.grpo.top_k = v.integer() as usize,
    },
    Field {
        key: "kl", label: "Leash", unit: "β", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.0, max: 10.0 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: the price of moving away from the model that the run began with (the weight of the KL divergence).",
        get: |c| c.training.grpo.kl.to_string(), write: |c, v| c.training.grpo.kl = v.real(),
    },
    Field {
        key: "eps", label: "Clip ratios", unit: "ε", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.01, max: 1.0 },
        needs: GRPO, since: Since::Later, ways_out: &[],
        help: "GRPO: how far one update can change a token's probability before its gradient is cut. This program makes one update per batch, so nothing is ever cut.",
        get: |c| c.training.grpo.clip.to_string(), write: |c, v| c.training.grpo.clip = v.real(),
    },
    Field {
        key: "opt", label: "Optimiser", unit: "", group: FieldGroup::Training, kind: FieldKind::Choice(OPTIMIZER_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The update rule. The paper uses AdamW. Muon learns in far fewer steps in small runs.",
        get: |c| choice(OPTIMIZER_CHOICES, &OPTIMIZERS, &c.training.optimizer), write: |c, v| c.training.optimizer = v.pick(&OPTIMIZERS),
    },
    Field {
        key: "lr", label: "Learning rate", unit: "", group: FieldGroup::Training, kind: FieldKind::Real { min: 1e-6, max: 1.0 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The largest size of an update. If it is too small, training is slow; if too large, the loss does not settle.",
        get: |c| c.training.learning_rate.to_string(), write: |c, v| c.training.learning_rate = v.real(),
    },
    Field {
        key: "wd", label: "Weight decay", unit: "", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.0, max: 1.0 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "Pulls every weight a little towards zero at each step.",
        get: |c| c.training.weight_decay.to_string(), write: |c, v| c.training.weight_decay = v.real(),
    },
    Field {
        key: "warmup", label: "Warm-up", unit: "steps", group: FieldGroup::Training, kind: FieldKind::Integer { min: 0, max: 100_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The number of steps in which the learning rate rises from zero.",
        get: |c| c.training.warmup.to_string(), write: |c, v| c.training.warmup = v.integer(),
    },
    Field {
        key: "decay", label: "Decay ends", unit: "steps", group: FieldGroup::Training, kind: FieldKind::Integer { min: 0, max: 10_000_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The step at which the falling learning rate reaches zero. The model learns nothing after it. 0 keeps the rate constant.",
        get: |c| c.training.decay.to_string(), write: |c, v| c.training.decay = v.integer(),
    },
    Field {
        key: "clipv", label: "Clip each gradient", unit: "± value", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.0, max: 1000.0 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The largest size of a single entry of the gradient. 0 means no limit.",
        get: |c| c.training.clip_value.to_string(), write: |c, v| c.training.clip_value = v.real(),
    },
    Field {
        key: "clipn", label: "Clip the whole gradient", unit: "norm", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.0, max: 1000.0 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The largest norm of the whole gradient; a longer gradient is scaled down. 0 means no limit.",
        get: |c| c.training.clip_norm.to_string(), write: |c, v| c.training.clip_norm = v.real(),
    },
    Field {
        key: "batch", label: "Batch", unit: "sequences per step", group: FieldGroup::Training, kind: FieldKind::Integer { min: 1, max: 1024 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How many sequences each step learns from.",
        get: |c| c.training.batch.to_string(), write: |c, v| c.training.batch = v.integer() as usize,
    },
    Field {
        key: "examples", label: "Training set", unit: "sequences", group: FieldGroup::Training, kind: FieldKind::Integer { min: 0, max: 100_000_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How many different training sequences there are; after the last one, training starts again from the first. 0 always makes new ones.",
        get: |c| c.training.examples.to_string(), write: |c, v| c.training.examples = v.integer(),
    },
    Field {
        key: "steps", label: "Steps", unit: "steps", group: FieldGroup::Training, kind: FieldKind::Integer { min: 1, max: 1_000_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The number of training steps of the run.",
        get: |c| c.training.steps.to_string(), write: |c, v| c.training.steps = v.integer(),
    },
    Field {
        key: "tau", label: "Price of thinking", unit: "τ", group: FieldGroup::Training, kind: FieldKind::Real { min: 0.0, max: 10.0 },
        needs: HALTING, since: Since::Later, ways_out: &[],
        help: "Adaptive computation time only: the weight of the mean remainder in the loss. It makes tokens stop when more hops no longer help. The paper has 0.0003, and 0 with all rows at once.",
        get: |c| c.training.ponder.to_string(), write: |c, v| c.training.ponder = v.real(),
    },
    Field {
        key: "stage", label: "Curriculum stage", unit: "steps", group: FieldGroup::Training, kind: FieldKind::Integer { min: 0, max: 1_000_000 },
        needs: ONE_DEPTH_AT_FIRST, since: Since::Later, ways_out: &[ASK_ONE_DEPTH, NO_CURRICULUM],
        help: "The length of a stage: the run begins with k = 1 and adds one step ahead after each stage, up to k. Every stage has its own warm-up and decay. 0 asks for k from the start.",
        get: |c| c.training.stage.to_string(), write: |c, v| c.training.stage = v.integer(),
    },
    Field {
        key: "every", label: "Measure every", unit: "steps", group: FieldGroup::Measuring, kind: FieldKind::Integer { min: 1, max: 100_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "Steps between two measurements on held-out rules.",
        get: |c| c.training.eval_every.to_string(), write: |c, v| c.training.eval_every = v.integer(),
    },
    Field {
        key: "evaln", label: "Questions per depth", unit: "sequences", group: FieldGroup::Measuring, kind: FieldKind::Integer { min: 8, max: 100_000 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "How many held-out questions each measurement asks at each depth. More questions give narrower intervals and take longer.",
        get: |c| c.training.eval_samples.to_string(), write: |c, v| c.training.eval_samples = v.integer() as usize,
    },
    Field {
        key: "stop", label: "Stop early at", unit: "of floor → ceiling", group: FieldGroup::Measuring, kind: FieldKind::Real { min: 0.0, max: 1.0 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[NEVER_STOP_EARLY],
        help: "Ends the run early when exact match at the smallest depth is this share of the way from floor to ceiling. The floor is the better of copying and continuing a cycle. 0 never stops early.",
        get: |c| c.training.stop_at.to_string(), write: |c, v| c.training.stop_at = v.real(),
    },
    Field {
        key: "seed", label: "Seed", unit: "", group: FieldGroup::Machine, kind: FieldKind::Integer { min: 0, max: u32::MAX as u64 },
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "The start of all random numbers. The same seed gives the same run; another seed gives other weights and other questions.",
        get: |c| c.seed.to_string(), write: |c, v| c.seed = v.integer(),
    },
    Field {
        key: "engine", label: "Engine", unit: "", group: FieldGroup::Machine, kind: FieldKind::Choice(ENGINE_CHOICES),
        needs: ALWAYS, since: Since::FirstLinks, ways_out: &[],
        help: "Where the run is computed. Automatic uses WebGPU if a real graphics card answers, else the CPU. Only the CPU replays bit for bit, and only among processors that round alike; “the same bits on every machine” rounds as all of them can, and takes about a sixth longer. Burn computes every operator by its plain definition: it is slower, and checks the other two.",
        get: |c| choice(ENGINE_CHOICES, &ENGINES, &c.engine), write: |c, v| c.engine = v.pick(&ENGINES),
    },
];
