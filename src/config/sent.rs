//! What a link says of its run's result, `em=1.251.256-2.130.256`: at each depth the number of rows right in every cell, and of rows asked.

use super::error::{LinkError, brief};

/// The exact match that the sender of a link had at one depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentScore {
    pub depth: usize,
    pub exact: usize,
    pub samples: usize,
}

/// The largest depth and number of questions that are read.
const MOST: usize = 10_000_000;

/// The value of `em`.
pub(super) fn write(scores: &[SentScore]) -> String {
    let parts = scores.iter().map(|SentScore { depth, exact, samples }| format!("{depth}.{exact}.{samples}"));
    parts.collect::<Vec<_>>().join("-")
}

/// Reads a value of `em`.
///
/// # Errors
/// If it is not one.
pub(super) fn read(text: &str) -> Result<Vec<SentScore>, LinkError> {
    let number = |text: &str| text.parse().ok().filter(|number| *number <= MOST);
    let score = |part: &str| {
        let mut numbers = part.split('.').map(number);
        let found = SentScore { depth: numbers.next()??, exact: numbers.next()??, samples: numbers.next()?? };
        (numbers.next().is_none() && found.depth > 0 && found.exact <= found.samples && found.samples > 0).then_some(found)
    };
    let scores: Option<Vec<SentScore>> = text.split('-').map(score).collect();
    scores.ok_or_else(|| LinkError::Scores(brief(text)))
}
