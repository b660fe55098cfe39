//! The engine Burn: computes every operator by its definition in Burn's tensors, and every gradient by Burn's autodiff.
//!
//! It is the slow and simple engine, and it *defines* the operators: the recorder's kernels and their hand-derived gradients are tested against
//! it. A visitor can check a run against it. A network whose operators have no kernels runs only on it.

mod delta;
mod halting;
mod layers;
mod loss;
mod memory;
mod recurrent;
mod tensors;

pub use tensors::{Tensors, Var};

use super::eager::{Counts, Eager, Gradient};
use super::error::EngineError;
use super::parameters::ParameterShape;
use burn::tensor::{Device, Tensor, TensorData, Transaction};
use std::sync::Arc;

/// Burn on one of its devices, with a network's weights.
pub struct Burn {
    device: Device,
    parameters: Arc<[ParameterShape]>,
    /// One tensor per parameter, `[rows, columns]`.
    weights: Vec<Tensor<2>>,
}

impl Burn {
    fn on(device: Device) -> Self {
        Self { device, parameters: Arc::new([]), weights: Vec::new() }
    }

    /// On the CPU: burn-flex, in this thread.
    pub fn flex() -> Self {
        Self::on(Device::flex())
    }

    /// On the GPU: burn-wgpu, on the device that [`super::gpu::open`] has opened. Both engines share it.
    pub fn wgpu(_: &super::gpu::Gpu) -> Self {
        Self::on(Device::from(burn_wgpu::WgpuDevice::default()))
    }
}

fn failed(error: impl std::fmt::Debug) -> EngineError {
    EngineError::BurnFailed(format!("{error:?}"))
}

async fn read<const D: usize>(tensors: Vec<Tensor<D>>) -> Result<Vec<Vec<f32>>, EngineError> {
    let reading = tensors.into_iter().fold(Transaction::default(), Transaction::register);
    let data = reading.execute_async().await.map_err(failed)?;
    data.into_iter().map(|data| data.try_into_vec::<f32>().map_err(failed)).collect()
}

impl Eager for Burn {
    type Pass = Tensors;

    fn load(&mut self, parameters: &Arc<[ParameterShape]>, weights: &[f32]) {
        let mut rest = weights;
        let tensor = |parameter: &ParameterShape| {
            let (own, others) = rest.split_at(parameter.size());
            rest = others;
            let columns = parameter.shape.last().copied().unwrap_or(1);
            Tensor::from_data(TensorData::new(own.to_vec(), [own.len() / columns, columns]), &self.device)
        };
        self.weights = parameters.iter().map(tensor).collect();
        self.parameters = parameters.clone();
    }

    fn begin(&self, words: Vec<u32>, differentiate: bool) -> Tensors {
        let leaf = |(parameter, weight): (&ParameterShape, &Tensor<2>)| {
            if differentiate && !parameter.frozen { weight.clone().autodiff().require_grad() } else { weight.clone() }
        };
        let weights = self.parameters.iter().zip(&self.weights).map(leaf).collect();
        Tensors::new(self.parameters.clone(), weights, words, self.device.clone())
    }

    async fn gradient(&self, pass: Tensors) -> Result<Gradient, EngineError> {
        let loss = pass.loss.clone().ok_or(EngineError::NoLoss)?;
        let mut gradients = loss.backward();
        let mut wanted = vec![loss.inner()];
        wanted.extend(pass.distance.clone().map(Tensor::inner));
        let scalars = wanted.len();
        let found: Vec<Option<Tensor<1>>> =
            pass.weights.iter().map(|weight| weight.grad_remove(&mut gradients).map(|gradient| gradient.flatten(0, 1))).collect();
        wanted.extend(found.iter().flatten().cloned());
        let mut numbers = read(wanted).await?.into_iter();
        let mut scalar = |there: bool| if there { numbers.next().and_then(|value| value.first().copied()) } else { None };
        let (loss, distance) = (scalar(true).unwrap_or(f32::NAN), scalar(scalars > 1).unwrap_or(0.0));
        let mut gradient = Vec::new();
        for (found, parameter) in found.iter().zip(self.parameters.iter()) {
            match found {
                Some(_) => gradient.extend(numbers.next().unwrap_or_default()),
                None => gradient.resize(gradient.len() + parameter.size(), 0.0),
            }
        }
        Ok(Gradient { loss, distance, gradient })
    }

    async fn numbers(&self, pass: &Tensors, var: Var) -> Result<Vec<f32>, EngineError> {
        Ok(read(vec![pass.tensor(var).inner()]).await?.concat())
    }

    async fn hops(&self, pass: &Tensors) -> Result<Option<Counts>, EngineError> {
        if pass.counted.is_empty() {
            return Ok(None);
        }
        let numbers = read(pass.counted.iter().map(|counted| counted.hops.clone().inner()).collect()).await?.concat();
        Ok(Some(Counts { parts: pass.counted.iter().map(|counted| counted.part.clone()).collect(), numbers }))
    }
}
