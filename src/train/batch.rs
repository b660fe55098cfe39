//! A batch in host memory: tokens and the labels that count.

use crate::engine::{Device, Int, Tensor, TensorData};
use crate::task::Example;

/// B sequences of one length. The network reads the first S of each one's S + 1 tokens and is asked for the last S.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub sequences: usize,
    /// S, positions the network reads.
    pub length: usize,
    /// `[B, S]`, row-major.
    pub inputs: Vec<i32>,
    /// `[B, S]`: the token after each position where it counts in the loss.
    pub labels: Vec<Option<u32>>,
}

impl Batch {
    /// Examples of equal length, as the layouts make them.
    pub fn new(examples: &[Example]) -> Self {
        let length = examples.first().map_or(0, |example| example.tokens.len().saturating_sub(1));
        let inputs = examples.iter().flat_map(|example| example.tokens[..length].iter().map(|&token| token as i32)).collect();
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

    /// The inputs on a device, `[B, S]`.
    pub fn tokens(&self, device: &Device) -> Tensor<2, Int> {
        Tensor::from_data(TensorData::new(self.inputs.clone(), [self.sequences, self.length]), device)
    }

    /// `[B, S − from, V]`, one where a label counts and zero elsewhere, times `weight`.
    pub fn targets(&self, from: usize, vocabulary: usize, weight: f32, device: &Device) -> Tensor<3> {
        let asked = self.length - from;
        let mut values = vec![0.0f32; self.sequences * asked * vocabulary];
        for row in 0..self.sequences {
            for column in from..self.length {
                if let Some(label) = self.labels[row * self.length + column] {
                    values[(row * asked + column - from) * vocabulary + label as usize] = weight;
                }
            }
        }
        Tensor::from_data(TensorData::new(values, [self.sequences, asked, vocabulary]), device)
    }
}
