//! A dispatch: its pipeline, and its record in the table.

use super::kernels::attention::AttentionKind;
use super::kernels::{NONE, chain, lstm};
use crate::engine::program::{At, Program};

/// The pipeline of a dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pipeline {
    Products {
        edge: usize,
        depth: usize,
    },
    /// Products without workgroup memory.
    Direct {
        edge: usize,
    },
    NormForward,
    NormBackward,
    Embed,
    EmbedBackward,
    Copies,
    Columns,
    Total,
    CrossEntropy,
    Answer,
    AttentionForward(AttentionKind),
    AttentionAt(AttentionKind),
    AttentionBackward(AttentionKind),
    /// The transpose of an LSTM's weight.
    Transpose,
    LstmForward(lstm::LstmKind),
    LstmBackward(lstm::LstmKind),
    ConvolutionForward,
    ConvolutionBackward,
    ScanForward,
    /// The first launch of a scan's gradient.
    ScanBackward,
    /// The second launch: gradients that are sums over channels.
    ScanProjected,
    Features,
    Recall,
    Halting,
    HaltingBackward,
    Mixture,
    MixtureBackward,
    Draw,
    LogProbability,
    Policy,
    /// A chain.
    Chain(chain::ChainKind),
}

/// A dispatch: its pipeline, the index of its record in the table, and the number of workgroups with work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatch {
    pub kernel: Pipeline,
    pub record: u32,
    pub count: u32,
}

/// An address or size as a word of the table. No binding holds 2³² elements, so the word cannot overflow.
pub fn word(number: usize) -> u32 {
    number as u32
}

/// The address of an operand, or [`NONE`].
pub fn optional(program: &Program, at: Option<At>) -> u32 {
    at.map_or(NONE, |at| word(program.address(at)))
}
