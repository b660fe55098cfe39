//! A run of this page as the line of results that `lookahead train --thin` writes.

use super::run::{Measurement, Run};
use crate::results::{Measured, Record};
use crate::task::Split;

impl Run {
    /// The line. `label` is the name of the student, or empty.
    ///
    /// The page keeps one measurement for each step, so the validation after the last step is not in it: the test takes its place.
    pub fn record(&self, label: &str) -> Record {
        let engine = self.engine.as_ref();
        let fingerprint = self.fingerprint();
        let mut most = None;
        let measured = self.measured.iter().map(|measurement| measured(measurement, &mut most)).collect();
        Record {
            label: Some(label.trim().to_string()).filter(|label| !label.is_empty()),
            link: self.fragment(),
            engine: engine.map(|engine| engine.class.name().into()).unwrap_or_default(),
            workers: engine.map_or(0, |engine| engine.workers),
            parameters: self.parameters,
            steps: self.step(),
            ending: self.ending,
            failure: None,
            seconds: self.seconds,
            fingerprint: fingerprint.map(|fingerprint| fingerprint.to_string()),
            replay: None,
            losses: None,
            rewards: Vec::new(),
            measured,
            you: Vec::new(),
        }
    }
}

/// A measurement as the command line writes it. `most` is the largest number of right rows in a validation so far: the best weights have it.
fn measured(Measurement { step, seconds, split, depths }: &Measurement, most: &mut Option<usize>) -> Measured {
    let exact = depths.iter().map(|score| score.exact).sum();
    let best = *split == Split::Validation && most.is_none_or(|most| exact > most);
    if best {
        *most = Some(exact);
    }
    Measured { step: *step, seconds: *seconds, split: *split, best, depths: depths.clone() }
}
