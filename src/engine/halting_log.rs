//! The halting log: the numbers of hops that a program with adaptive computation time keeps to its end.

use super::operands::At;

/// The number of hops of each row of each looped part.
#[derive(Clone, Debug, PartialEq)]
pub struct HaltingLog {
    /// The numbers of all parts, one part after another, as `f32`.
    pub at: At,
    pub parts: Vec<HaltingLogPart>,
}

/// One part of a [`HaltingLog`].
#[derive(Clone, Debug, PartialEq)]
pub struct HaltingLogPart {
    /// The index of the looped part in the network.
    pub unit: usize,
    /// `[B, n]`: the first of the n are the positions; the others are memory tokens.
    pub rows: usize,
    pub positions: std::ops::Range<usize>,
}

impl HaltingLog {
    /// Number of rows of all parts.
    pub fn count(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }
}
