//! The initial weights of a run.

use super::checkpoint;
use super::error::TrainError;
use super::plan::Plan;
use crate::config::{Objective, Start, shipped};
use crate::model::weights;

impl Plan {
    /// The initial weights of the run, all parameters concatenated. If the run starts from a file, they are the file's; halting units that
    /// the file lacks are drawn.
    ///
    /// # Errors
    /// When the file is missing, is not the file that the run names, or does not fit the network.
    pub fn initial(&self, file: Option<&[u8]>) -> Result<Vec<f32>, TrainError> {
        let mut values = weights::initial(self.trained_parameters(), self.config.seed);
        match (&self.config.start, file) {
            (Start::Scratch, _) => {}
            (Start::Shipped(_) | Start::File(_) | Start::Run(_), Some(file)) => {
                if let Start::File(hash) = self.config.start
                    && shipped::hash(file) != hash
                {
                    return Err(TrainError::OtherStart);
                }
                checkpoint::read_over(self.trained_parameters(), file, &mut values)?;
            }
            (Start::Shipped(_) | Start::File(_) | Start::Run(_), None) => {
                return Err(TrainError::NoStart);
            }
        }
        match self.config.training.objective {
            Objective::Examples => {}
            Objective::Grpo => values.extend_from_within(..),
        }
        Ok(values)
    }
}
