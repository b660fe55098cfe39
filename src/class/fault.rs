//! What is not right about a line.

use thiserror::Error;

/// Why a line does not count. Each is a sentence that follows the line's place: “Line 3: …”.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    #[error("this is not a whole line of results. It was probably cut off: copy it again with the Copy button.")]
    NotJson,
    #[error("it contains NaN or an infinite number.")]
    NotFinite,
    #[error("it has no link to a run.")]
    NoLink,
    #[error("it is not a line of results ({0}).")]
    Foreign(String),
    #[error("its link cannot be read. {0}")]
    Unreadable(String),
    #[error("it has no fingerprint, so nobody can check its numbers.")]
    NoFingerprint,
    #[error("the fingerprint in its link is not the one in its field “fingerprint”.")]
    TwoFingerprints,
    #[error("it says {told} steps, but its fingerprint has {counted}.")]
    Steps { told: u64, counted: u64 },
    #[error("its run failed: {0}")]
    Failed(String),
    #[error("its run was stopped before its end, so it cannot be compared with the others.")]
    Stopped,
    #[error("it has no score on test rules after the last step.")]
    NoScore,
    #[error("it has a score for k = {0}, which its run does not ask.")]
    Unasked(usize),
    #[error("the score for k = {0} is missing, or comes twice.")]
    Missing(usize),
    #[error("at k = {depth} it counts {samples} questions, but its run asks {asked}.")]
    Samples { depth: usize, samples: usize, asked: usize },
    #[error("at k = {depth} it has {exact} right answers to {samples} questions.")]
    Above { depth: usize, exact: usize, samples: usize },
    #[error("at k = {0} its share of right cells is not between 0 and 1.")]
    Share(usize),
    #[error("at k = {0} its right rows and its right cells contradict each other.")]
    Contradiction(usize),
    #[error("it is the same run as {0}, so it counts once. Two students may have the same number.")]
    Twice(String),
}
