//! Translates a run's settings into the engine's update.

use super::schedule::learning_rate;
use crate::config::{Optimizer, RunConfig, TrainingConfig};
use crate::engine::update::{Matrix, Rates, Update};
use crate::model::{Parameter, Role};
use std::ops::Range;

/// With Muon, AdamW still updates embedding, head, gains and biases. This is AdamW's learning rate as a share of Muon's.
const ADAMW_SHARE: f64 = 0.5;
const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;

/// Whether Muon updates this parameter. Muon updates the matrices of the blocks, AdamW all other parameters.
pub fn by_muon(optimizer: Optimizer, parameter: &Parameter) -> bool {
    optimizer == Optimizer::Muon && parameter.role == Role::Hidden
}

/// The update of a run. Offsets count numbers in the concatenation of `parameters`; frozen parameters are left out.
pub fn update(training: &TrainingConfig, parameters: &[Parameter]) -> Update {
    let mut adamw: Vec<Range<usize>> = Vec::new();
    let mut muon = Vec::new();
    let mut offset = 0;
    for parameter in parameters {
        let end = offset + parameter.size();
        if parameter.role == Role::Frozen {
            offset = end;
            continue;
        }
        if by_muon(training.optimizer, parameter) {
            muon.push(Matrix { offset, rows: parameter.shape[0], columns: parameter.shape[1] });
        } else {
            match adamw.last_mut().filter(|last| last.end == offset) {
                Some(last) => last.end = end,
                None => adamw.push(offset..end),
            }
        }
        offset = end;
    }
    Update {
        adamw,
        muon,
        weight_decay: training.weight_decay as f32,
        clip_value: training.clip_value as f32,
        clip_norm: training.clip_norm as f32,
    }
}

/// Learning rates and bias corrections of step `step`, counted from 1. Each stage of a curriculum starts again at 1.
pub fn rates(config: &RunConfig, step: u64) -> Rates {
    let (training, step) = (&config.training, config.stage(step).step);
    let rate = learning_rate(training, step);
    let share = match training.optimizer {
        Optimizer::AdamW => 1.0,
        Optimizer::Muon => ADAMW_SHARE,
    };
    let correction = |beta: f64| (1.0 - libm::pow(beta, step as f64)) as f32;
    Rates { adamw: (share * rate) as f32, muon: rate as f32, corrections: (correction(BETA_1), correction(BETA_2)) }
}
