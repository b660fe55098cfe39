//! The purpose and the sizes of a pass over a batch, for any engine.

use super::operators::Sampling;

/// The purpose of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Forward pass only.
    Answer,
    /// Forward pass, then continue each sequence with the network's own answers, token by token.
    Generate,
    /// Loss and gradient; they replace the old ones.
    Gradient,
    /// Loss and gradient, added to the old ones.
    Accumulate,
}

/// A pass over B sequences of S positions. Answers are asked from position `from` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    pub purpose: Purpose,
    /// B.
    pub sequences: usize,
    /// S.
    pub length: usize,
    /// The first position whose next token is asked.
    pub from: usize,
    /// Number of words of the batch: tokens `[B, S]` first.
    pub words: usize,
    /// How a generating pass draws tokens, and the first word of the numbers in [0, 1) for drawing, `[B, S − from]`. `None`: take the most
    /// probable token.
    pub drawing: Option<(Sampling, usize)>,
}

/// The kind of device a program is recorded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A thread of the CPU: runs one instruction after another.
    Thread,
    /// A GPU: [`super::Operators::chain`] gathers instructions into one launch.
    Gpu,
}
