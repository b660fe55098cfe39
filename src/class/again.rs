//! Compares a line with its run made again.

use super::check::Handed;
use crate::replay::{EngineClass, Verdict};
use crate::results::DepthScore;
use crate::stats::wilson;

/// What the run, made again, says of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The same losses to the last bit, and the same scores.
    Same,
    /// The engines round differently: the losses have the same course, and the scores agree within their 95 % intervals.
    Near,
    /// The losses are another run's, from this recorded step on if it is known.
    OtherLosses(Option<usize>),
    /// The losses are the run's, but the score of this depth is not.
    OtherScore { depth: usize, told: usize, found: usize },
}

impl Again {
    /// Its name in `data-verdict`.
    pub fn name(self) -> &'static str {
        match self {
            Again::Same => "same",
            Again::Near => "near",
            Again::OtherLosses(_) | Again::OtherScore { .. } => "differs",
        }
    }

    pub fn sentence(self) -> String {
        match self {
            Again::Same => "Made again: the same numbers.".into(),
            Again::Near => "Made again on an engine that rounds differently: the same course, and a score within its interval.".into(),
            Again::OtherLosses(Some(step)) => format!("Differs: made again, the run has other losses from step {step} on."),
            Again::OtherLosses(None) => "Differs: made again, the run has other losses.".into(),
            Again::OtherScore { depth, told, found } => {
                format!("Differs: at k = {depth} the line says {told} right rows; made again, the run has {found}.")
            }
        }
    }
}

/// Compares a line with its run made again on an engine of this class: its losses, and its scores on test rules at the end.
pub fn compare(line: &Handed, class: EngineClass, losses: &[f32], scores: &[DepthScore]) -> Again {
    let promised = line.fingerprint.engine == class && class.promises_bits();
    let same = match line.link().verdict(class, losses) {
        Some(Verdict::Differs { step, .. }) => return Again::OtherLosses(Some(step)),
        Some(Verdict::DiffersBetween) => return Again::OtherLosses(None),
        Some(Verdict::Agreeing { steps }) => return Again::OtherLosses(Some(steps + 1)),
        Some(Verdict::Identical) => true,
        Some(Verdict::Reproduced | Verdict::Parted { .. } | Verdict::DrewOthers) | None => false,
    };
    // A line that says that its run ended early at its target, though the run goes on.
    if promised && losses.len() != line.fingerprint.steps {
        return Again::OtherLosses(Some(line.fingerprint.steps + 1));
    }
    for told in &line.scores {
        let found = scores.iter().find(|score| score.depth == told.depth);
        let agrees = |found: &DepthScore| if same { equal(found, told) } else { overlap(found, told) };
        if !found.is_some_and(agrees) {
            return Again::OtherScore { depth: told.depth, told: told.exact, found: found.map_or(0, |score| score.exact) };
        }
    }
    if same { Again::Same } else { Again::Near }
}

/// Whether two scores are equal. The last bits of a share may change when it is written and read.
fn equal(one: &DepthScore, other: &DepthScore) -> bool {
    let counts = |score: &DepthScore| (score.exact, score.samples, score.exact_free_running, score.free_samples);
    let shares = |score: &DepthScore| [score.bits_teacher_forced, score.bits_free_running];
    counts(one) == counts(other) && shares(one).into_iter().zip(shares(other)).all(|(one, other)| (one - other).abs() < 1e-9)
}

/// Whether the intervals of two scores overlap.
fn overlap(one: &DepthScore, other: &DepthScore) -> bool {
    let (one, other) = (wilson(one.exact, one.samples), wilson(other.exact, other.samples));
    one.0 <= other.1 && other.0 <= one.1
}
