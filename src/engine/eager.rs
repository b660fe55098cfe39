//! Engines that compute operators when they are called, instead of writing them down first.

use super::operators::Operators;
use super::program::JournalPart;
use crate::model::Parameter;
use std::future::Future;
use std::sync::Arc;

/// What a pass with a loss came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    pub loss: f32,
    /// Mean distance from the reference where a policy learns, else 0.
    pub distance: f32,
    /// Of all parameters, one after the other.
    pub gradient: Vec<f32>,
}

/// How often adaptive computation time computed the rows of each looped part.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    pub parts: Vec<JournalPart>,
    /// Of each row of each part, one part after the other.
    pub numbers: Vec<f32>,
}

/// An engine with weights.
pub trait Eager {
    /// One pass over a batch.
    type Pass: Operators;

    /// The weights of the passes to come, all parameters one after the other.
    fn load(&mut self, parameters: &Arc<[Parameter]>, weights: &[f32]);

    /// Begins a pass over a batch of these words; `differentiate` if its gradient will be asked for.
    fn begin(&self, words: Vec<u32>, differentiate: bool) -> Self::Pass;

    /// Loss and gradient of a pass that has computed a loss.
    ///
    /// # Errors
    /// When the device failed.
    fn gradient(&self, pass: Self::Pass) -> impl Future<Output = Result<Gradient, String>>;

    /// The numbers of an activation.
    ///
    /// # Errors
    /// When the device failed.
    fn numbers(&self, pass: &Self::Pass, var: <Self::Pass as Operators>::Var) -> impl Future<Output = Result<Vec<f32>, String>>;

    /// The hops of a pass, where layers are looped adaptively.
    ///
    /// # Errors
    /// When the device failed.
    fn hops(&self, pass: &Self::Pass) -> impl Future<Output = Result<Option<Counts>, String>>;
}
