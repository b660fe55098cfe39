//! A model's parameters by name, and their initial values.

use crate::rng::{Purpose, stream};

/// One named array of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The interchange format's own name.
    pub name: String,
    pub shape: Vec<usize>,
    pub init: Init,
    pub role: Role,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    Zeros,
    Ones,
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
}

/// What an optimiser may want to know of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A block's matrix: acts on the residual stream.
    Hidden,
    /// Embedding or output head: rows stand for tokens.
    Token,
    /// Bias or gain.
    Vector,
}

impl Parameter {
    /// How many numbers it holds.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The initial weights of a run, all parameters one after the other: parameter i is drawn from stream (seed, weights, i)
/// on the host, so that every engine starts from equal bits.
pub fn initial(parameters: &[Parameter], seed: u64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count(parameters));
    for (index, parameter) in parameters.iter().enumerate() {
        let mut stream = stream(seed, Purpose::Weights, index as u64);
        values.extend((0..parameter.size()).map(|_| match parameter.init {
            Init::Zeros => 0.0,
            Init::Ones => 1.0,
            Init::Normal(deviation) => (deviation * stream.normal()) as f32,
        }));
    }
    values
}

/// How many numbers the parameters hold.
pub fn count(parameters: &[Parameter]) -> usize {
    parameters.iter().map(Parameter::size).sum()
}
