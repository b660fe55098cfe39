//! A model's parameters and their initial values.

use crate::engine::ParameterShape;
use crate::rng::{Purpose, Stream, stream};
use std::sync::Arc;

/// One named array of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The name in the interchange format.
    pub name: String,
    pub shape: Vec<usize>,
    pub init: Init,
    pub role: Role,
}

/// The distribution of a parameter's initial values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    Zeros,
    Ones,
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform in ±this bound.
    Uniform(f64),
    /// log 1, log 2, … along each row.
    LogCounts,
    /// softplus⁻¹ of a step drawn log-uniformly in [0.001, 0.1].
    Step,
}

/// Mamba's shortest and longest initial step, and transformers' floor for it (`time_step_floor`).
const STEPS: (f64, f64) = (1e-3, 1e-1);
const LEAST_STEP: f64 = 1e-4;

impl Init {
    /// Draws one value, at `column` of its row.
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

/// The role of a parameter, by which the optimiser treats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix of a block, which acts on the residual stream.
    Hidden,
    /// Embedding or output head, with a row for each token.
    Token,
    /// Bias or gain.
    Vector,
    /// Never updated.
    Frozen,
}

/// The name of the weight of this layer.
pub fn weight_of(layer: &str) -> String {
    format!("{layer}.weight")
}

/// The name of the bias of this layer.
pub fn bias_of(layer: &str) -> String {
    format!("{layer}.bias")
}

impl Parameter {
    /// The number of its values.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Name, shape and frozen flag of each parameter, in the engine's type.
pub fn shapes(parameters: &[Parameter]) -> Arc<[ParameterShape]> {
    let shape = |parameter: &Parameter| ParameterShape {
        name: parameter.name.clone(),
        shape: parameter.shape.clone(),
        frozen: parameter.role == Role::Frozen,
    };
    parameters.iter().map(shape).collect()
}

/// The initial weights of a run, all parameters concatenated. Parameter i is drawn from stream (seed, weights, i) on the host, so that
/// every engine starts from the same bits.
pub fn initial(parameters: &[Parameter], seed: u64) -> Vec<f32> {
    let mut values = Vec::with_capacity(count(parameters));
    for (index, parameter) in parameters.iter().enumerate() {
        let mut stream = stream(seed, Purpose::Weights, index as u64);
        let columns = parameter.shape.last().copied().unwrap_or(1);
        values.extend((0..parameter.size()).map(|index| parameter.init.draw(&mut stream, index % columns) as f32));
    }
    values
}

/// The number of values of all parameters together.
pub fn count(parameters: &[Parameter]) -> usize {
    parameters.iter().map(Parameter::size).sum()
}
