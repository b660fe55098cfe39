//! A batch in host memory: tokens, and the labels that count in the loss.

use crate::engine::operators::NO_LABEL;
use crate::model::Shape;
use crate::task::Example;

/// B sequences of equal length S + 1. The network reads the first S tokens of each and predicts the last S.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub sequences: usize,
    /// S, the number of positions that the network reads.
    pub length: usize,
    /// `[B, S]`, row-major.
    pub inputs: Vec<u32>,
    /// `[B, S]`: the next token at each position, `None` if it does not count in the loss.
    pub labels: Vec<Option<u32>>,
}

impl Batch {
    /// A batch of examples. All must have the same length, as the examples of one layout do.
    pub fn new(examples: &[Example]) -> Self {
        let length = examples.first().map_or(0, |example| example.tokens.len().saturating_sub(1));
        let inputs = examples.iter().flat_map(|example| example.inputs[..length].iter().copied()).collect();
        let label = |(&token, &counts): (&u32, &bool)| counts.then_some(token);
        let labels = examples.iter().flat_map(|example| example.tokens[1..].iter().zip(&example.loss_mask[1..]).map(label)).collect();
        Self { sequences: examples.len(), length, inputs, labels }
    }

    /// The first position whose next token counts in any sequence, 0 if there is none. Logits before it are not needed.
    pub fn first_labelled(&self) -> usize {
        let columns = (0..self.length).filter(|column| (0..self.sequences).any(|row| self.labels[row * self.length + column].is_some()));
        columns.min().unwrap_or(0)
    }

    /// The number of labels that count.
    pub fn label_count(&self) -> usize {
        self.labels.iter().flatten().count()
    }

    /// The shape of a forward pass with logits at the positions `from` … S − 1.
    pub fn shape(&self, from: usize) -> Shape {
        Shape { sequences: self.sequences, length: self.length, from }
    }

    /// The input words of a program with logits from position `from` on: all inputs, then the labels from there.
    pub fn words(&self, from: usize) -> Vec<u32> {
        let mut words = self.inputs.clone();
        for row in self.labels.chunks(self.length.max(1)) {
            words.extend(row[from..].iter().map(|label| label.unwrap_or(NO_LABEL)));
        }
        words
    }
}
