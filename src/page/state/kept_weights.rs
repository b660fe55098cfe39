//! Weights that are stored in this browser, so that a run can start from them.

use crate::config::{EngineChoice, RunConfig, Start, link};
use crate::replay::EngineClass;
use serde::{Deserialize, Serialize};

/// Weights that a run can start from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptWeights {
    pub hash: u64,
    /// The name shown on the page.
    pub label: String,
    /// The link of the run that trained them. Its network has their shapes.
    pub link: String,
    /// The engine that trained them, if that run's link reproduces them.
    #[serde(default)]
    pub class: Option<EngineClass>,
    /// When they were stored, in milliseconds since 1970.
    #[serde(default)]
    pub written: f64,
}

impl KeptWeights {
    pub fn config(&self) -> Option<RunConfig> {
        link::read(&self.link).ok().map(|link| link.config)
    }

    /// The `start` of a run that starts from them.
    pub fn start(&self) -> Start {
        let run = self.class.and_then(|_| self.config());
        run.map_or(Start::File(self.hash), |run| Start::from_run(&run))
    }

    /// Whether `config` starts from these weights. With `expected`, they must also come from an engine of that class.
    fn begins(&self, config: &RunConfig, expected: Option<EngineClass>) -> bool {
        if config.start == Start::File(self.hash) {
            return true;
        }
        let Some(class) = self.class else { return false };
        let engine = match config.engine {
            EngineChoice::Auto => true,
            EngineChoice::Cpu => !class.is_burn() && class != EngineClass::WebGpu,
            EngineChoice::Portable => class == EngineClass::Separate,
            EngineChoice::WebGpu => class == EngineClass::WebGpu,
            EngineChoice::Burn => class.is_burn(),
            EngineChoice::BurnFlex => class == EngineClass::BurnFlex,
            EngineChoice::BurnWgpu => class == EngineClass::BurnWgpu,
        };
        engine && expected.is_none_or(|expected| expected == class) && config.start == self.start()
    }
}

/// The names of all records of weights begin with this.
pub const PREFIX: &str = "weights ";

/// The name of the record with weights of this hash.
pub fn record(hash: u64) -> String {
    format!("{PREFIX}{hash:016x}")
}

/// The hash of the newest weights that `config` starts from. With `expected`, they must also come from an engine of that class.
pub fn newest(all: &[KeptWeights], config: &RunConfig, expected: Option<EngineClass>) -> Option<u64> {
    all.iter().rev().find(|kept| kept.begins(config, expected)).map(|kept| kept.hash)
}
