//! Results of an unfinished run.

use super::error::CommandError;
use crate::results::{Ending, Measured, StepReward};
use crate::task::Split;
use crate::train::{Measurement, Run};
use serde::{Deserialize, Serialize};

/// The results of a run so far.
#[derive(Default, Serialize, Deserialize)]
pub struct Course {
    pub losses: Vec<f32>,
    pub rewards: Vec<StepReward>,
    pub measured: Vec<Measured>,
    pub seconds: f64,
    /// Why it has ended, if only the last measurements are left.
    pub ending: Option<Ending>,
}

impl Course {
    /// Measures, and returns a short summary.
    pub async fn measure(&mut self, run: &mut Run, split: Split) -> Result<String, CommandError> {
        let (measurement, best) = run.measure(split).await?;
        let words = summary(&self.losses, &measurement);
        self.measured.push(Measured { step: run.step_count(), seconds: self.seconds, split, best, depths: measurement.depths });
        Ok(words)
    }
}

fn summary(losses: &[f32], measurement: &Measurement) -> String {
    let exact: Vec<String> = measurement.depths.iter().map(|score| format!("{:.2}", score.share())).collect();
    format!("loss {:.4}, EM {}", losses.last().copied().unwrap_or(f32::NAN), exact.join(" "))
}
