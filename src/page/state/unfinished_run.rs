//! A run that an earlier visit left unfinished, as it is stored with its snapshot.

use super::run::{Measurement, Run};
use crate::config::RunConfig;
use crate::protocol::Engine;
use crate::results::StepReward;
use serde::{Deserialize, Serialize};

/// The stored description of the run and its snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnfinishedRun {
    /// The name of the tab that stored it.
    pub tab: String,
    /// The build that computed it. Another build may compute other numbers.
    pub build: String,
    /// When it was stored, in milliseconds since 1970.
    pub written: f64,
    /// The hash of the snapshot, and its step.
    pub hash: u64,
    pub step: u64,
    pub name: String,
    pub config: RunConfig,
    pub engine: Option<Engine>,
    pub losses: Vec<f32>,
    pub rewards: Vec<StepReward>,
    pub measured: Vec<Measurement>,
    pub best_step: Option<u64>,
}

/// Where and when a run is stored.
pub struct Stamp {
    pub tab: String,
    pub build: String,
    pub written: f64,
    /// The hash of its snapshot.
    pub hash: u64,
}

impl UnfinishedRun {
    pub fn of(run: &Run, step: u64, stamp: Stamp) -> Self {
        Self {
            tab: stamp.tab,
            build: stamp.build,
            written: stamp.written,
            hash: stamp.hash,
            step,
            name: run.name.clone(),
            config: run.config.clone(),
            engine: run.engine.clone(),
            losses: run.losses[..run.losses.len().min(step as usize)].to_vec(),
            rewards: run.rewards.clone(),
            measured: run.measured.clone(),
            best_step: run.best_step,
        }
    }
}
