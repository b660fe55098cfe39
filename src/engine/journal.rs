//! What a program keeps to its end of adaptive computation time.

use super::operands::At;

/// How often each row of each looped part was computed, kept to the program's end.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    /// Those of all parts, one after the other, as numbers.
    pub at: At,
    pub parts: Vec<JournalPart>,
}

/// One part of a [`Journal`].
#[derive(Clone, Debug, PartialEq)]
pub struct JournalPart {
    /// Which of the looped parts of the network it is.
    pub unit: usize,
    /// `[B, n]`: the first of the n are the positions, any others memory rows.
    pub rows: usize,
    pub positions: std::ops::Range<usize>,
}

impl Journal {
    /// How many numbers it has.
    pub fn count(&self) -> usize {
        self.parts.iter().map(|part| part.rows).sum()
    }
}
