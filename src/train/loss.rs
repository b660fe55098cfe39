//! The loss on examples, and the programs that compute it.

use crate::engine::{Carrier, Missing, Operators, Pass, Program, Purpose, record};
use crate::model::{Model, Parameter, Shape};
use std::collections::HashMap;
use std::sync::Arc;

/// What the whole of a batch has, so that the losses (and gradients) of its parts add up to its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole {
    pub sequences: usize,
    /// Labels that count.
    pub labels: usize,
    /// τ.
    pub ponder: f64,
}

impl Whole {
    /// For passes whose loss nobody reads.
    pub const ANY: Self = Self { sequences: 1, labels: 1, ponder: 0.0 };
}

/// Logits `[B·(S − from), V]` of a batch of this shape, and the loss: the masked cross-entropy `−Σ log softmax(logits)[label] / of` over
/// the labels that count; where layers are looped adaptively, plus τ times the mean remainder. The words are those of
/// [`super::batch::Batch::words`].
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn examples<O: Operators>(ops: &mut O, model: &Model, shape: Shape, of: Whole) -> Result<O::Var, Missing> {
    let (tokens, labels) = (0, shape.sequences * shape.length);
    let logits = model.logits(ops, tokens, shape)?;
    ops.charge(of.ponder, shape.sequences as f64 / of.sequences as f64);
    ops.cross_entropy(logits, labels, of.labels);
    Ok(logits)
}

/// The pass that [`examples`] is computed in: tokens, then a label for each position asked.
pub fn pass(shape: Shape, purpose: Purpose) -> Pass {
    let Shape { sequences, length, from } = shape;
    Pass { purpose, sequences, length, from, words: sequences * (2 * length - from), drawing: None }
}

/// The program of [`examples`].
///
/// # Errors
/// As [`examples`].
pub fn program(
    model: &Model,
    parameters: &Arc<[Parameter]>,
    shape: Shape,
    of: Whole,
    purpose: Purpose,
    carrier: Carrier,
) -> Result<Program, Missing> {
    record(parameters, &pass(shape, purpose), carrier, |ops| examples(ops, model, shape, of))
}

/// Programs already written for a thread, by what they are for.
#[derive(Default)]
pub struct Programs {
    written: HashMap<(Shape, usize, usize, Purpose), Arc<Program>>,
}

impl Programs {
    /// As [`program`], written once for each shape and purpose.
    ///
    /// # Errors
    /// As [`program`].
    pub fn get(
        &mut self,
        model: &Model,
        parameters: &Arc<[Parameter]>,
        shape: Shape,
        of: Whole,
        purpose: Purpose,
    ) -> Result<Arc<Program>, Missing> {
        // τ is the run's, and the same for all of them.
        let key = (shape, of.sequences, of.labels, purpose);
        if let Some(known) = self.written.get(&key) {
            return Ok(known.clone());
        }
        let written = Arc::new(program(model, parameters, shape, of, purpose, Carrier::Thread)?);
        self.written.insert(key, written.clone());
        Ok(written)
    }
}
