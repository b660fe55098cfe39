//! A model's parameters by name, and their initial values.

use crate::rng::{Purpose, Stream, stream};

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
    /// Uniform between minus this and this.
    Uniform(f64),
    /// log 1, log 2, … along each row.
    LogCounts,
    /// softplus⁻¹ of a step drawn log-uniformly in [0.001, 0.1].
    Step,
}

/// Mamba's shortest and longest initial step, and the least it may be.
const STEPS: (f64, f64) = (1e-3, 1e-1);
const LEAST_STEP: f64 = 1e-4;

impl Init {
    /// One value, the one in `column` of its row.
    fn draw(self, stream: &mut Stream, column: usize) -> f64 {
        match self {
            Init::Zeros => 0.0,
            Init::Ones => 1.0,
            Init::Normal(deviation) => deviation * stream.normal(),
            Init::Uniform(bound) => bound * (2.0 * stream.uniform() - 1.0),
            Init::LogCounts => libm::log((column + 1) as f64),
            Init::Step => {
                let (least, most) = (libm::log(STEPS.0), libm::log(STEPS.1));
                let step = libm::exp(least + (most - least) * stream.uniform()).max(LEAST_STEP);
                step + libm::log(-libm::expm1(-step))
            }
        }
    }
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
    /// Never updated.
    Frozen,
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
        let columns = parameter.shape.last().copied().unwrap_or(1);
        values.extend((0..parameter.size()).map(|index| parameter.init.draw(&mut stream, index % columns) as f32));
    }
    values
}

/// How many numbers the parameters hold.
pub fn count(parameters: &[Parameter]) -> usize {
    parameters.iter().map(Parameter::size).sum()
}
