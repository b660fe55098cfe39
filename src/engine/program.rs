//! A training step or a forward pass as a fixed list of instructions over one flat memory.
//!
//! Operators (`super::ops`) record the list with a [`super::Recorder`]. The engines run it, one kernel per instruction. A program knows sizes
//! and addresses; it knows no model and no device.
//!
//! Memory is `f32` and laid out `weights | gradient | total | scratch`. Buffers in scratch share space if their lives do not overlap. A second
//! memory of `u32` words holds what changes from step to step (tokens, labels). The program itself holds the constant tables.

pub use super::halting_log::{HaltingLog, HaltingLogPart};
pub use super::instruction::*;
pub use super::operands::*;
pub use super::operators::{FEATURES, HALTED, NO_LABEL, PolicyTerms, STATE, Sampling, TAPS};

/// Consecutive instructions in which no two sequences mix. A GPU may give each sequence to one workgroup and run all of them in one launch.
/// Every array in them is `[B, …]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    pub instructions: std::ops::Range<usize>,
    /// B.
    pub sequences: usize,
}

/// A finished list of instructions with its memory layout.
#[derive(Clone, Debug)]
pub struct Program {
    pub instructions: Vec<Instruction>,
    /// The positions of a sequence that the rows of each instruction represent, starting at row 0; later rows are memory tokens. The
    /// instructions that generation appends have no entry.
    pub spans: Vec<std::ops::Range<usize>>,
    /// In rising order, not overlapping.
    pub chains: Vec<Chain>,
    /// Address of the first element of each buffer.
    pub base: Vec<usize>,
    /// Elements of all weights, and of their gradient: memory begins `weights | gradient`, each of this length.
    pub weights: usize,
    /// The constant tables.
    pub constants: Vec<f32>,
    /// Elements of the memory.
    pub size: usize,
    /// Number of words: tokens first, then labels.
    pub words: usize,
    /// Two elements: the loss, and the number of exact hits (for a policy, its distance). They follow the gradient in every program. `None` if
    /// the program has no loss.
    pub total: Option<At>,
    /// The most probable token of each asked row, and their number, if the program gives answers.
    pub answers: Option<(At, usize)>,
    /// The tokens that the program itself appended to each sequence, `[B, S − from]`, and their number, if it generates.
    pub generated: Option<(At, usize)>,
    /// The number of hops of each row, if the network uses adaptive computation time.
    pub halting_log: Option<HaltingLog>,
    /// Logits `[rows, vocabulary]` and their number of elements, if the program keeps them to the end.
    pub logits: Option<(At, usize)>,
}

impl Program {
    /// The address of an array in the memory.
    pub fn address(&self, at: At) -> usize {
        self.base[at.buffer] + at.offset
    }
}
