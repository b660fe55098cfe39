//! The shape of a batch.

/// The shape of a network's input, and the first position with logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// B.
    pub sequences: usize,
    /// S.
    pub length: usize,
    /// The first position whose next token the network predicts.
    pub from: usize,
}
