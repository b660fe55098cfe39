//! A model's weights: one flat tensor a parameter, found by name.

use crate::engine::{Device, Tensor, read, upload};
use crate::rng::{Purpose, stream};
use std::sync::Arc;

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

/// The values of a model's parameters on one device, each as a flat tensor.
#[derive(Clone)]
pub struct Weights {
    pub parameters: Arc<[Parameter]>,
    pub tensors: Vec<Tensor<1>>,
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

impl Weights {
    /// Takes the values of all parameters, one after the other, to a device. `values` must hold [`count`] numbers.
    pub fn upload(parameters: &Arc<[Parameter]>, values: &[f32], device: &Device) -> Self {
        Self { parameters: parameters.clone(), tensors: split(parameters, values, device) }
    }

    /// All values, one parameter after the other.
    ///
    /// # Errors
    /// As [`read`].
    pub async fn read(&self) -> Result<Vec<f32>, String> {
        read(Tensor::cat(self.tensors.clone(), 0)).await
    }

    /// The same weights as leaves of a gradient's graph.
    pub fn tracked(&self) -> Self {
        let tensors = self.tensors.iter().map(|tensor| tensor.clone().autodiff().require_grad()).collect();
        Self { parameters: self.parameters.clone(), tensors }
    }

    /// The vector of this name.
    ///
    /// # Panics
    /// When the model has no such parameter: a fault of the model's file.
    pub fn vector(&self, name: &str) -> Tensor<1> {
        self.tensors[self.index(name)].clone()
    }

    /// The matrix of this name, in its own shape.
    ///
    /// # Panics
    /// As [`Self::vector`].
    pub fn matrix(&self, name: &str) -> Tensor<2> {
        let index = self.index(name);
        let shape = &self.parameters[index].shape;
        self.tensors[index].clone().reshape([shape[0], shape[1]])
    }

    fn index(&self, name: &str) -> usize {
        match self.parameters.iter().position(|parameter| parameter.name == name) {
            Some(index) => index,
            None => panic!("the model has no parameter {name}"),
        }
    }
}

/// Flat values cut into one tensor a parameter.
pub fn split(parameters: &[Parameter], values: &[f32], device: &Device) -> Vec<Tensor<1>> {
    let mut rest = values;
    let cut = |parameter: &Parameter| {
        let (head, tail) = rest.split_at(parameter.size());
        rest = tail;
        upload(head, device)
    };
    parameters.iter().map(cut).collect()
}
