//! The one table of fields: key, label, unit, range, help. The form, the link, the command line and the
//! documentation are drawn from it; a new setting is one row here and one member of [`RunConfig`].

use super::choices::*;
use super::{Looped, ModelConfig, ModelKind, Objective, RunConfig};
use crate::task::Horizon;

/// Where the form shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Task,
    Model,
    Training,
    Measuring,
    Machine,
}

/// What values a field takes; ranges are inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Integer {
        min: u64,
        max: u64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// (value in the link, label in the form)
    Choice(&'static [(&'static str, &'static str)]),
}

/// One row of the table.
pub struct Field {
    /// Name in the link and on the command line.
    pub key: &'static str,
    /// Name in the form.
    pub label: &'static str,
    /// Unit of the value, or empty.
    pub unit: &'static str,
    pub group: Group,
    pub kind: Kind,
    /// One or two sentences in plain language.
    pub help: &'static str,
    /// The value as the link writes it.
    pub get: fn(&RunConfig) -> String,
    write: fn(&mut RunConfig, Value),
}

impl Field {
    /// Whether the field means anything to this run: heads do not to a network without attention. Links write it all the same.
    pub fn applies(&self, config: &RunConfig) -> bool {
        match self.key {
            "heads" | "ff" => config.model.kind.has_heads(),
            "rope" | "base" => config.model.kind.attends(),
            "fade" | "beta" => config.model.kind == ModelKind::DeltaNet,
            "mem" | "dmem" => config.model.kind.segmented(),
            _ if self.about_rewards() => config.training.objective == Objective::Grpo,
            "loss" => config.training.objective == Objective::Examples,
            "hops" => config.model.looped != Looped::None,
            "tau" => config.model.halting_units() > 0,
            "k" | "stage" => config.task.horizon == Horizon::Single,
            _ => true,
        }
    }

    /// Whether it is a setting of GRPO alone.
    pub fn about_rewards(&self) -> bool {
        matches!(self.key, "group" | "new" | "temp" | "topk" | "kl" | "eps")
    }

    /// Whether the field came after the first links: a link names it only where it differs from what the version froze, so that
    /// the links of runs that do without stay as they were.
    pub fn came_later(&self) -> bool {
        self.about_rewards() || matches!(self.key, "layout" | "stage" | "loop" | "hops" | "tau" | "learn" | "fade" | "beta")
    }
}

/// A value that has passed its field's range: a choice is its index in the field's list.
enum Value {
    Integer(u64),
    Real(f64),
    Choice(usize),
}

impl Value {
    fn integer(&self) -> u64 {
        match *self {
            Value::Integer(value) => value,
            Value::Real(value) => value as u64,
            Value::Choice(index) => index as u64,
        }
    }
    fn real(&self) -> f64 {
        match *self {
            Value::Integer(value) => value as f64,
            Value::Real(value) => value,
            Value::Choice(index) => index as f64,
        }
    }
    fn pick<T: Copy>(&self, values: &[T]) -> T {
        values[(self.integer() as usize).min(values.len() - 1)]
    }
}

impl Field {
    /// Sets the field from text.
    ///
    /// # Errors
    /// A sentence that names the field, what was given and what it may be. The configuration is then unchanged.
    pub fn set(&self, config: &mut RunConfig, text: &str) -> Result<(), String> {
        let value = match self.kind {
            Kind::Integer { min, max } => {
                let value = text.parse::<u64>().ok().filter(|value| (min..=max).contains(value));
                Value::Integer(
                    value.ok_or_else(|| {
                        format!("“{}” ({}) must be a whole number from {min} to {max}, not “{text}”.", self.label, self.key)
                    })?,
                )
            }
            Kind::Real { min, max } => {
                let value = text.parse::<f64>().ok().filter(|value| (min..=max).contains(value));
                Value::Real(
                    value.ok_or_else(|| format!("“{}” ({}) must be a number from {min} to {max}, not “{text}”.", self.label, self.key))?,
                )
            }
            Kind::Choice(choices) => {
                let index = choices.iter().position(|(value, _)| *value == text);
                let allowed = choices.iter().map(|(value, _)| *value).collect::<Vec<_>>().join(", ");
                Value::Choice(index.ok_or_else(|| format!("“{}” ({}) must be one of {allowed}, not “{text}”.", self.label, self.key))?)
            }
        };
        (self.write)(config, value);
        Ok(())
    }
}

/// The row with this key.
pub fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}

fn choice<T: PartialEq>(choices: &[(&str, &str)], values: &[T], value: &T) -> String {
    let index = values.iter().position(|candidate| candidate == value).unwrap_or(0);
    choices[index].0.to_string()
}

/// The table, in the order of the form and of the link.
#[rustfmt::skip]
pub static FIELDS: &[Field] = &[
    Field {
        key: "r", label: "Neighbourhood radius", unit: "", group: Group::Task, kind: Kind::Choice(RADIUS_CHOICES),
        help: "How far a cell looks to decide its next colour. A wider look means a longer rule table, of which the orbit shows less.",
        get: |c| choice(RADIUS_CHOICES, &RADII, &c.task.radius), write: |c, v| c.task.radius = v.pick(&RADII),
    },
    Field {
        key: "W", label: "Cells in a row", unit: "cells", group: Group::Task, kind: Kind::Integer { min: 4, max: 64 },
        help: "Width of the automaton. The row is a ring: its last cell is the first one's neighbour.",
        get: |c| c.task.width.to_string(), write: |c, v| c.task.width = v.integer() as usize,
    },
    Field {
        key: "T", label: "Rows shown", unit: "rows", group: Group::Task, kind: Kind::Integer { min: 2, max: 32 },
        help: "How many rows of the orbit the model sees before it is asked. The rule itself is never shown.",
        get: |c| c.task.shown.to_string(), write: |c, v| c.task.shown = v.integer() as usize,
    },
    Field {
        key: "layout", label: "Answer", unit: "", group: Group::Task, kind: Kind::Choice(LAYOUT_CHOICES),
        help: "What the model writes. One row straight away, or all rows at once without seeing its own, or the rule first; shown the rule, it only has to apply it. Thinking aloud, it writes every row up to k and reads what it wrote.",
        get: |c| choice(LAYOUT_CHOICES, &LAYOUTS, &c.task.layout), write: |c, v| c.task.layout = v.pick(&LAYOUTS),
    },
    Field {
        key: "horizon", label: "Depths asked", unit: "", group: Group::Task, kind: Kind::Choice(HORIZON_CHOICES),
        help: "One depth: a model for a single k. All: one model answers k = 1 … 4, told which k by a marker before the answer.",
        get: |c| choice(HORIZON_CHOICES, &HORIZONS, &c.task.horizon), write: |c, v| c.task.horizon = v.pick(&HORIZONS),
    },
    Field {
        key: "k", label: "Depth k", unit: "steps ahead", group: Group::Task, kind: Kind::Integer { min: 1, max: 16 },
        help: "How many steps past the last shown row the answer lies; the rows between are not shown. Where the answer has several rows, how many.",
        get: |c| c.task.depth.to_string(), write: |c, v| c.task.depth = v.integer() as usize,
    },
    Field {
        key: "loss", label: "Learns from", unit: "", group: Group::Task, kind: Kind::Choice(LOSS_CHOICES),
        help: "The answer only is the paper's way. Every row also asks for each shown row from those before it, which teaches the rule much sooner. Every token asks for the signs between rows too, and for the end: a model that has learnt them can write on by itself.",
        get: |c| choice(LOSS_CHOICES, &LOSSES, &c.loss_on), write: |c, v| c.loss_on = v.pick(&LOSSES),
    },
    Field {
        key: "vocab", label: "Vocabulary", unit: "", group: Group::Task, kind: Kind::Choice(VOCABULARY_CHOICES),
        help: "The tokens a row is written in. The paper's list has 128 ids, most never used; the compact one is equivalent and cheaper.",
        get: |c| choice(VOCABULARY_CHOICES, &VOCABULARIES, &c.task.vocabulary), write: |c, v| c.task.vocabulary = v.pick(&VOCABULARIES),
    },
    Field {
        key: "model", label: "Architecture", unit: "", group: Group::Model, kind: Kind::Choice(MODEL_CHOICES),
        help: "The kind of network: how it carries what it has read along the sequence.",
        get: |c| choice(MODEL_CHOICES, &MODELS, &c.model.kind),
        write: |c, v| c.set_model(ModelConfig { kind: v.pick(&MODELS), ..c.model.clone() }),
    },
    Field {
        key: "layers", label: "Layers", unit: "blocks", group: Group::Model, kind: Kind::Integer { min: 1, max: 16 },
        help: "Blocks stacked on one another. Each gives the model one more round of looking and thinking.",
        get: |c| c.model.layers.to_string(), write: |c, v| c.model.layers = v.integer() as usize,
    },
    Field {
        key: "d", label: "Model width", unit: "numbers a token", group: Group::Model, kind: Kind::Integer { min: 8, max: 512 },
        help: "How many numbers stand for one token inside the model.",
        get: |c| c.model.width.to_string(), write: |c, v| c.model.width = v.integer() as usize,
    },
    Field {
        key: "heads", label: "Attention heads", unit: "", group: Group::Model, kind: Kind::Integer { min: 1, max: 16 },
        help: "How many places at once each layer can look at. They share the width evenly.",
        get: |c| c.model.heads.to_string(), write: |c, v| c.model.heads = v.integer() as usize,
    },
    Field {
        key: "ff", label: "MLP width", unit: "", group: Group::Model, kind: Kind::Integer { min: 8, max: 2048 },
        help: "Width of the small two-layer network inside each block.",
        get: |c| c.model.ff.to_string(), write: |c, v| c.model.ff = v.integer() as usize,
    },
    Field {
        key: "rope", label: "Rotary share", unit: "of a head", group: Group::Model, kind: Kind::Real { min: 0.05, max: 1.0 },
        help: "Share of each head's numbers that carry position. Small heads want all of them to tell neighbours apart.",
        get: |c| c.model.rotary_fraction.to_string(), write: |c, v| c.model.rotary_fraction = v.real(),
    },
    Field {
        key: "base", label: "Rotary base", unit: "", group: Group::Model, kind: Kind::Real { min: 2.0, max: 1_000_000.0 },
        help: "Sets the slowest rotation of the position code. Short sequences are told apart better by a smaller base.",
        get: |c| c.model.rotary_base.to_string(), write: |c, v| c.model.rotary_base = v.real(),
    },
    Field {
        key: "mem", label: "Memory tokens", unit: "a segment", group: Group::Model, kind: Kind::Integer { min: 1, max: 64 },
        help: "ARMT only: how many rows of its own each segment has, from which it writes into the memory.",
        get: |c| c.model.memory_tokens.to_string(), write: |c, v| c.model.memory_tokens = v.integer() as usize,
    },
    Field {
        key: "dmem", label: "Key width", unit: "numbers", group: Group::Model, kind: Kind::Integer { min: 2, max: 64 },
        help: "ARMT only: how many numbers a memory's key is made of. The memory has six features for each.",
        get: |c| c.model.memory_width.to_string(), write: |c, v| c.model.memory_width = v.integer() as usize,
    },
    Field {
        key: "fade", label: "State", unit: "", group: Group::Model, kind: Kind::Choice(DECAY_CHOICES),
        help: "DeltaNet only: whether what the state holds fades from token to token (Gated DeltaNet), or stays until it is overwritten.",
        get: |c| choice(DECAY_CHOICES, &DECAYS, &c.model.decay), write: |c, v| c.model.decay = v.pick(&DECAYS),
    },
    Field {
        key: "beta", label: "Write strength", unit: "at most", group: Group::Model, kind: Kind::Choice(STRENGTH_CHOICES),
        help: "DeltaNet only: at strength 1 a token replaces what stood under its key. Up to 2 it can also write the opposite of it, so that a state can flip back and forth (negative eigenvalues).",
        get: |c| choice(STRENGTH_CHOICES, &STRENGTHS, &c.model.reflects), write: |c, v| c.model.reflects = v.pick(&STRENGTHS),
    },
    Field {
        key: "loop", label: "Thinking time", unit: "", group: Group::Model, kind: Kind::Choice(LOOP_CHOICES),
        help: "Layers may be applied again and again with the same weights. With adaptive computation time (ACT) every token decides for itself how often; the fixed control decides nothing.",
        get: |c| choice(LOOP_CHOICES, &LOOPS, &c.model.looped), write: |c, v| c.model.looped = v.pick(&LOOPS),
    },
    Field {
        key: "hops", label: "Hops", unit: "at most", group: Group::Model, kind: Kind::Integer { min: 2, max: 8 },
        help: "How often a layer, or all of them, may be applied to a token; the fixed control always does. The paper has at most 4, and 3 for the control. Each makes a step that much longer.",
        get: |c| c.model.hops.to_string(), write: |c, v| c.model.hops = v.integer() as usize,
    },
    Field {
        key: "learn", label: "Learns by", unit: "", group: Group::Training, kind: Kind::Choice(OBJECTIVE_CHOICES),
        help: "From the true answers, or by trial: GRPO lets a trained model write several answers to each question and makes those likelier that got more of the row right than the others.",
        get: |c| choice(OBJECTIVE_CHOICES, &OBJECTIVES, &c.training.objective), write: |c, v| c.training.objective = v.pick(&OBJECTIVES),
    },
    Field {
        key: "group", label: "Answers a question", unit: "samples", group: Group::Training, kind: Kind::Integer { min: 2, max: 64 },
        help: "GRPO: how many answers to the same question are compared with one another.",
        get: |c| c.training.grpo.group.to_string(), write: |c, v| c.training.grpo.group = v.integer() as usize,
    },
    Field {
        key: "new", label: "Tokens a sample", unit: "at most", group: Group::Training, kind: Kind::Integer { min: 5, max: 512 },
        help: "GRPO: how long an answer may become, thinking included. All of them are computed, so more is slower.",
        get: |c| c.training.grpo.new_tokens.to_string(), write: |c, v| c.training.grpo.new_tokens = v.integer() as usize,
    },
    Field {
        key: "temp", label: "Temperature", unit: "", group: Group::Training, kind: Kind::Real { min: 0.05, max: 5.0 },
        help: "GRPO: how boldly answers are drawn. Near 0 the likeliest token always wins, and no answer differs from another.",
        get: |c| c.training.grpo.temperature.to_string(), write: |c, v| c.training.grpo.temperature = v.real(),
    },
    Field {
        key: "topk", label: "Likeliest tokens", unit: "tokens", group: Group::Training, kind: Kind::Integer { min: 0, max: 128 },
        help: "GRPO: only so many of the likeliest tokens may be drawn. 0 allows all.",
        get: |c| c.training.grpo.top_k.to_string(), write: |c, v| c.training.grpo.top_k = v.integer() as usize,
    },
    Field {
        key: "kl", label: "Leash", unit: "β", group: Group::Training, kind: Kind::Real { min: 0.0, max: 10.0 },
        help: "GRPO: the price of drifting away from the model that the run began with (the weight of the KL divergence).",
        get: |c| c.training.grpo.kl.to_string(), write: |c, v| c.training.grpo.kl = v.real(),
    },
    Field {
        key: "eps", label: "Clip ratios", unit: "ε", group: Group::Training, kind: Kind::Real { min: 0.01, max: 1.0 },
        help: "GRPO: how far one update may push a token's probability before its gradient is cut. With one update a batch, as here, nothing is ever cut.",
        get: |c| c.training.grpo.clip.to_string(), write: |c, v| c.training.grpo.clip = v.real(),
    },
    Field {
        key: "opt", label: "Optimiser", unit: "", group: Group::Training, kind: Kind::Choice(OPTIMIZER_CHOICES),
        help: "How gradients become steps. AdamW is the paper's; Muon learns in far fewer steps on small budgets.",
        get: |c| choice(OPTIMIZER_CHOICES, &OPTIMIZERS, &c.training.optimizer), write: |c, v| c.training.optimizer = v.pick(&OPTIMIZERS),
    },
    Field {
        key: "lr", label: "Learning rate", unit: "", group: Group::Training, kind: Kind::Real { min: 1e-6, max: 1.0 },
        help: "Size of a step at its largest. Too small is slow; too large never settles.",
        get: |c| c.training.learning_rate.to_string(), write: |c, v| c.training.learning_rate = v.real(),
    },
    Field {
        key: "wd", label: "Weight decay", unit: "", group: Group::Training, kind: Kind::Real { min: 0.0, max: 1.0 },
        help: "Pulls every weight a little towards zero at each step.",
        get: |c| c.training.weight_decay.to_string(), write: |c, v| c.training.weight_decay = v.real(),
    },
    Field {
        key: "warmup", label: "Warm-up", unit: "steps", group: Group::Training, kind: Kind::Integer { min: 0, max: 100_000 },
        help: "Steps over which the learning rate climbs from zero.",
        get: |c| c.training.warmup.to_string(), write: |c, v| c.training.warmup = v.integer(),
    },
    Field {
        key: "decay", label: "Decay ends", unit: "steps", group: Group::Training, kind: Kind::Integer { min: 0, max: 10_000_000 },
        help: "The step at which the falling learning rate reaches zero; past it nothing more is learnt. 0 keeps it level.",
        get: |c| c.training.decay.to_string(), write: |c, v| c.training.decay = v.integer(),
    },
    Field {
        key: "clipv", label: "Clip each gradient", unit: "± value", group: Group::Training, kind: Kind::Real { min: 0.0, max: 1000.0 },
        help: "No single gradient entry may exceed this. 0 leaves them as they are.",
        get: |c| c.training.clip_value.to_string(), write: |c, v| c.training.clip_value = v.real(),
    },
    Field {
        key: "clipn", label: "Clip the whole gradient", unit: "norm", group: Group::Training, kind: Kind::Real { min: 0.0, max: 1000.0 },
        help: "The gradient as a whole is shortened to at most this length. 0 leaves it.",
        get: |c| c.training.clip_norm.to_string(), write: |c, v| c.training.clip_norm = v.real(),
    },
    Field {
        key: "batch", label: "Batch", unit: "sequences a step", group: Group::Training, kind: Kind::Integer { min: 1, max: 1024 },
        help: "How many fresh sequences each step learns from.",
        get: |c| c.training.batch.to_string(), write: |c, v| c.training.batch = v.integer() as usize,
    },
    Field {
        key: "examples", label: "Training set", unit: "sequences", group: Group::Training, kind: Kind::Integer { min: 0, max: 100_000_000 },
        help: "How many training sequences there are before they come round again. 0 makes fresh ones for ever.",
        get: |c| c.training.examples.to_string(), write: |c, v| c.training.examples = v.integer(),
    },
    Field {
        key: "steps", label: "Steps", unit: "steps", group: Group::Training, kind: Kind::Integer { min: 1, max: 1_000_000 },
        help: "Where the run ends.",
        get: |c| c.training.steps.to_string(), write: |c, v| c.training.steps = v.integer(),
    },
    Field {
        key: "tau", label: "Price of thinking", unit: "τ", group: Group::Training, kind: Kind::Real { min: 0.0, max: 10.0 },
        help: "Adaptive computation time only: what the mean remainder adds to the loss, so that tokens halt no later than it pays. The paper has 0.0003, and 0 with all rows at once.",
        get: |c| c.training.ponder.to_string(), write: |c, v| c.training.ponder = v.real(),
    },
    Field {
        key: "stage", label: "Curriculum stage", unit: "steps", group: Group::Training, kind: Kind::Integer { min: 0, max: 1_000_000 },
        help: "Begin with k = 1 and ask for one more after each so many steps, up to k; every stage has its own warm-up and decay. 0 asks for k from the start.",
        get: |c| c.training.stage.to_string(), write: |c, v| c.training.stage = v.integer(),
    },
    Field {
        key: "every", label: "Measure every", unit: "steps", group: Group::Measuring, kind: Kind::Integer { min: 1, max: 100_000 },
        help: "Steps between two measurements on rules the model has never trained on.",
        get: |c| c.training.eval_every.to_string(), write: |c, v| c.training.eval_every = v.integer(),
    },
    Field {
        key: "evaln", label: "Questions a depth", unit: "sequences", group: Group::Measuring, kind: Kind::Integer { min: 8, max: 100_000 },
        help: "How many held-out questions each measurement asks at each depth. More gives narrower intervals and takes longer.",
        get: |c| c.training.eval_samples.to_string(), write: |c, v| c.training.eval_samples = v.integer() as usize,
    },
    Field {
        key: "stop", label: "Stop early at", unit: "of floor → ceiling", group: Group::Measuring, kind: Kind::Real { min: 0.0, max: 1.0 },
        help: "End the run once exact match at the smallest depth has come this share of the way from the better shortcut (copying, or continuing a cycle) to the best possible. 0 never stops early.",
        get: |c| c.training.stop_at.to_string(), write: |c, v| c.training.stop_at = v.real(),
    },
    Field {
        key: "seed", label: "Seed", unit: "", group: Group::Machine, kind: Kind::Integer { min: 0, max: u32::MAX as u64 },
        help: "The start of every random number. The same seed gives the same run; another seed, another class's luck.",
        get: |c| c.seed.to_string(), write: |c, v| c.seed = v.integer(),
    },
    Field {
        key: "engine", label: "Engine", unit: "", group: Group::Machine, kind: Kind::Choice(ENGINE_CHOICES),
        help: "Where it computes. Automatic takes WebGPU when a real graphics card answers and the CPU otherwise. Only the CPU replays bit for bit. Burn computes every operator by its plain definition: slower, and a check on the other two.",
        get: |c| choice(ENGINE_CHOICES, &ENGINES, &c.engine), write: |c, v| c.engine = v.pick(&ENGINES),
    },
];
