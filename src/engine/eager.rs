//! Engines that compute operators when they are called, without recording a program.

use super::error::EngineError;
use super::operators::Operators;
use super::parameters::ParameterShape;
use super::program::HaltingLogPart;
use std::future::Future;
use std::sync::Arc;

/// The loss and gradient of a pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    pub loss: f32,
    /// Mean distance from the reference if a policy learns, else 0.
    pub distance: f32,
    /// The gradient of all parameters, one flat array.
    pub gradient: Vec<f32>,
}

/// The number of hops of the rows of each looped part.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    pub parts: Vec<HaltingLogPart>,
    /// One number per row, one part after another.
    pub numbers: Vec<f32>,
}

/// An engine that holds weights.
pub trait Eager {
    /// One pass over a batch.
    type Pass: Operators;

    /// Sets the weights of the next passes, all parameters as one flat array.
    fn load(&mut self, parameters: &Arc<[ParameterShape]>, weights: &[f32]);

    /// Begins a pass over a batch of these words. `differentiate` must be true if its gradient is needed.
    fn begin(&self, words: Vec<u32>, differentiate: bool) -> Self::Pass;

    /// Loss and gradient of a pass that has computed a loss.
    ///
    /// # Errors
    /// When the device failed.
    fn gradient(&self, pass: Self::Pass) -> impl Future<Output = Result<Gradient, EngineError>>;

    /// The elements of an activation.
    ///
    /// # Errors
    /// When the device failed.
    fn numbers(&self, pass: &Self::Pass, var: <Self::Pass as Operators>::Var) -> impl Future<Output = Result<Vec<f32>, EngineError>>;

    /// The number of hops of each row; `None` without adaptive computation time.
    ///
    /// # Errors
    /// When the device failed.
    fn hops(&self, pass: &Self::Pass) -> impl Future<Output = Result<Option<Counts>, EngineError>>;
}
