//! The answers to one held-out question.

use serde::{Deserialize, Serialize};

/// Stands for an answered token that is neither of the two cell tokens.
pub const NO_CELL: u8 = 2;

/// The answers to one question at one depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub index: u64,
    pub depth: usize,
    /// The true W cells.
    pub truth: Vec<u8>,
    /// The most probable token of each cell, given the true cells before it.
    pub teacher_forced: Vec<u8>,
    /// The most probable token of each cell, given the model's own cells before it.
    pub free_running: Option<Vec<u8>>,
    /// The rows that the model wrote by itself before its answer; only if it answered by a completion.
    pub written: Vec<Vec<u8>>,
    /// Right entries of the rule's table and all entries; only where the task asks for the rule.
    pub rule: Option<(usize, usize)>,
    /// Mean hops over the positions that predict the answer; only with adaptive computation time.
    pub hops: Option<f64>,
    /// Hops of every looped part at every position, `[units][S]`; only for the questions that the page shows.
    pub hop_map: Option<Vec<Vec<u8>>>,
}
