//! The learning rate over a run.

use crate::config::TrainingConfig;

/// The learning rate of step `step`, counted from 1: linear from peak/warm-up to the peak over the warm-up, then linear to
/// zero at `decay` (level if that is 0). transformers' `get_linear_schedule_with_warmup` is the same but for a first
/// step of rate zero, which we do not spend.
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
