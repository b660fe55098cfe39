//! The learning rate over a run.

use crate::config::TrainingConfig;

/// The learning rate of step `step`, counted from 1. It rises linearly from peak/warm-up to the peak over the warm-up. Then it falls
/// linearly and is zero after step `decay`; if `decay` is 0, it stays at the peak. transformers' `get_linear_schedule_with_warmup` uses
/// (step − 1)/warm-up during the warm-up, so that its first step changes nothing; otherwise it is equal.
pub fn learning_rate(training: &TrainingConfig, step: u64) -> f64 {
    let peak = training.learning_rate;
    if step <= training.warmup {
        return peak * step as f64 / training.warmup as f64;
    }
    if training.decay == 0 {
        return peak;
    }
    peak * training.decay.saturating_sub(step - 1) as f64 / (training.decay - training.warmup.min(training.decay - 1)) as f64
}
