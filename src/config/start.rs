//! The start of a run: the weights that it begins with.

use super::limits::MOST_RUNS;
use super::{EngineChoice, RunConfig};
use serde::{Deserialize, Serialize};

/// The weights that a run starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Start {
    /// New random weights.
    Scratch,
    /// The checkpoint of the site with this name: see [`super::shipped`].
    Shipped(String),
    /// The file of weights with this hash: see [`super::shipped::hash`].
    File(#[serde(with = "digits")] u64),
    /// The weights of this run's best measurement. The engine here is always automatic, because the engine of the run that starts from it computes
    /// both.
    Run(Box<RunConfig>),
}

/// A hash as text: JavaScript's numbers cannot hold it.
mod digits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(hash: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{hash:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        u64::from_str_radix(&String::deserialize(deserializer)?, 16).map_err(serde::de::Error::custom)
    }
}

impl Start {
    /// A start from this run's best weights.
    pub fn from_run(run: &RunConfig) -> Self {
        Self::Run(Box::new(RunConfig { engine: EngineChoice::Auto, ..run.clone() }))
    }

    /// Whether a link is enough to get the weights. It is not if they come from the user's own file.
    pub fn travels(&self) -> bool {
        match self {
            Start::Scratch | Start::Shipped(_) => true,
            Start::File(_) => false,
            Start::Run(run) => run.start.travels(),
        }
    }
}

impl RunConfig {
    /// The run that this run starts from, on this run's engine.
    pub fn first(&self) -> Option<RunConfig> {
        match &self.start {
            Start::Run(run) => Some(RunConfig { engine: self.engine, ..(**run).clone() }),
            Start::Scratch | Start::Shipped(_) | Start::File(_) => None,
        }
    }

    /// The chain of runs that this run starts from, the nearest first.
    pub fn firsts(&self) -> impl Iterator<Item = RunConfig> {
        std::iter::successors(self.first(), RunConfig::first)
    }

    /// Whether another run's link can start from this run: it needs no file of the user, its chain of runs is short enough, and it has no problems.
    pub fn can_be_started_from(&self) -> bool {
        self.start.travels() && self.firsts().count() < MOST_RUNS && self.problems().is_empty()
    }
}
