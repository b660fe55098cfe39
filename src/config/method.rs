//! How a run answers: the methods that the study compares.

use super::{Looped, ModelKind, Objective, RunConfig};
use crate::task::Layout;

/// A method of reasoning, as arXiv 2508.16745 compares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// The answer alone, after one pass (O-S).
    Straight,
    /// All rows up to the asked one, in one pass (O-O).
    AllRows,
    /// The rule is asked for, or given, beside the answer (O-RS, RO-S).
    WithRule,
    /// Layers applied several times, as often as each token decides (ACT).
    Longer,
    /// Layers applied a fixed number of times: the control of ACT (FCT).
    Fixed,
    /// Segments and an associative memory (ARMT).
    Memory,
    /// Answers drawn by the model and rewarded (GRPO).
    Reward,
    /// The rows between written one after the other (chain of thought).
    Aloud,
}

impl Method {
    /// The methods that the first chart compares, in the order of the story.
    pub const STORY: [Method; 5] = [Method::Straight, Method::Longer, Method::Memory, Method::Reward, Method::Aloud];

    /// The method of a run. A run that combines several has the one that changes its answer most.
    pub fn of(config: &RunConfig) -> Self {
        if config.training.objective == Objective::Grpo {
            return Method::Reward;
        }
        match (config.task.layout, config.model.looped) {
            (Layout::ChainOfThought, _) => Method::Aloud,
            (_, Looped::Layer | Looped::Stack) => Method::Longer,
            (_, Looped::Fixed) => Method::Fixed,
            (Layout::OrbitOrbit, Looped::None) => Method::AllRows,
            (Layout::OrbitRuleState | Layout::RuleOrbitState, Looped::None) => Method::WithRule,
            (Layout::OrbitState, Looped::None) if config.model.kind == ModelKind::Armt => Method::Memory,
            (Layout::OrbitState, Looped::None) => Method::Straight,
        }
    }

    /// The key in lessons: `ref:aloud`.
    pub fn key(self) -> &'static str {
        match self {
            Method::Straight => "straight",
            Method::AllRows => "all-rows",
            Method::WithRule => "with-rule",
            Method::Longer => "longer",
            Method::Fixed => "fixed",
            Method::Memory => "memory",
            Method::Reward => "reward",
            Method::Aloud => "aloud",
        }
    }

    /// The method in plain words.
    pub fn name(self) -> &'static str {
        match self {
            Method::Straight => "Straight",
            Method::AllRows => "All rows at once",
            Method::WithRule => "With the rule",
            Method::Longer => "Thinking longer",
            Method::Fixed => "Always longer",
            Method::Memory => "With a memory",
            Method::Reward => "For a reward",
            Method::Aloud => "Thinking aloud",
        }
    }

    /// The field's word for it.
    pub fn term(self) -> &'static str {
        match self {
            Method::Straight => "direct answer",
            Method::AllRows => "O-O",
            Method::WithRule => "O-RS, RO-S",
            Method::Longer => "ACT",
            Method::Fixed => "FCT",
            Method::Memory => "ARMT",
            Method::Reward => "GRPO",
            Method::Aloud => "chain of thought",
        }
    }

    /// What the model does, in one sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Method::Straight => "The model reads the rows and answers at once.",
            Method::AllRows => "The model answers all rows up to the asked one at once.",
            Method::WithRule => "The model is asked for the rule too, or is shown it.",
            Method::Longer => "Every token passes through each layer up to three times and decides itself how often.",
            Method::Fixed => "Every token passes through each layer the same number of times.",
            Method::Memory => "The model reads two rows at a time and keeps the rest in a memory.",
            Method::Reward => "The model is told only how much of its answer is right, and finds out by itself to write the rows between.",
            Method::Aloud => "The model writes every row up to the asked one and reads what it has written.",
        }
    }
}
