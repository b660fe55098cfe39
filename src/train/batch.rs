//! A batch in host memory: tokens and the labels that count.

use crate::engine::operators::NOT_ASKED;
use crate::model::Shape;
use crate::task::Example;

/// B sequences of one length. The network reads the first S of each one's S + 1 tokens and is asked for the last S.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub sequences: usize,
    /// S, positions the network reads.
    pub length: usize,
    /// `[B, S]`, row-major.
    pub inputs: Vec<u32>,
    /// `[B, S]`: the token after each position where it counts in the loss.
    pub labels: Vec<Option<u32>>,
}

impl Batch {
    /// Examples of equal length, as the layouts make them.
    pub fn new(examples: &[Example]) -> Self {
        let length = examples.first().map_or(0, |example| example.tokens.len().saturating_sub(1));
        let inputs = examples.iter().flat_map(|example| example.inputs[..length].iter().copied()).collect();
        let label = |(&token, &counts): (&u32, &bool)| counts.then_some(token);
        let labels = examples.iter().flat_map(|example| example.tokens[1..].iter().zip(&example.loss_mask[1..]).map(label)).collect();
        Self { sequences: examples.len(), length, inputs, labels }
    }

    /// The first position whose next token counts in any sequence: the network need not answer before it.
    pub fn first_asked(&self) -> usize {
        let columns = (0..self.length).filter(|column| (0..self.sequences).any(|row| self.labels[row * self.length + column].is_some()));
        columns.min().unwrap_or(0)
    }

    /// How many labels count.
    pub fn asked(&self) -> usize {
        self.labels.iter().flatten().count()
    }

    /// The shape of a forward pass that answers from a position on.
    pub fn shape(&self, from: usize) -> Shape {
        Shape { sequences: self.sequences, length: self.length, from }
    }

    /// The words of a program that answers from a position on: the inputs, then the labels from there.
    pub fn words(&self, from: usize) -> Vec<u32> {
        let mut words = self.inputs.clone();
        for row in self.labels.chunks(self.length.max(1)) {
            words.extend(row[from..].iter().map(|label| label.unwrap_or(NOT_ASKED)));
        }
        words
    }
}
