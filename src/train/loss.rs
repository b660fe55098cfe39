//! The loss on examples, and the programs that compute it.

use crate::engine::{Missing, Operators, ParameterShape, Pass, Program, Purpose, Target, record};
use crate::model::{Model, Shape};
use std::collections::HashMap;
use std::sync::Arc;

/// Totals of the whole batch. Each shard divides by them, so that the shards' losses and gradients add up to the batch's mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchTotals {
    pub sequences: usize,
    /// Labels that count in the loss.
    pub labels: usize,
    /// τ, the weight of the mean remainder in the loss, with adaptive computation time.
    pub ponder: f64,
}

impl BatchTotals {
    /// For passes whose loss is not used.
    pub const UNUSED: Self = Self { sequences: 1, labels: 1, ponder: 0.0 };
}

/// Records the forward pass and the loss. Returns the logits `[B·(S − from), V]` of a batch of this shape.
///
/// The loss is the masked cross-entropy `−Σ log softmax(logits)[label] / of.labels` over the labels that count. With adaptive computation
/// time, τ times the mean remainder is added. The input words are those of [`super::batch::Batch::words`].
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn examples<O: Operators>(ops: &mut O, model: &Model, shape: Shape, of: BatchTotals) -> Result<O::Var, Missing> {
    let (tokens, labels) = (0, shape.sequences * shape.length);
    let logits = model.logits(ops, tokens, shape)?;
    ops.charge(of.ponder, shape.sequences as f64 / of.sequences as f64);
    ops.cross_entropy(logits, labels, of.labels);
    Ok(logits)
}

/// The pass for [`examples`]. Its input words are the tokens, then a label for each position from `from` on.
pub fn pass(shape: Shape, purpose: Purpose) -> Pass {
    let Shape { sequences, length, from } = shape;
    Pass { purpose, sequences, length, from, words: sequences * (2 * length - from), drawing: None }
}

/// Compiles [`examples`] to a program.
///
/// # Errors
/// When the engine lacks an operator of the network.
pub fn program(
    model: &Model,
    parameters: &Arc<[ParameterShape]>,
    shape: Shape,
    of: BatchTotals,
    purpose: Purpose,
    target: Target,
) -> Result<Program, Missing> {
    record(parameters, &pass(shape, purpose), target, |ops| examples(ops, model, shape, of))
}

/// A cache of one thread's programs, by shape, totals and purpose.
#[derive(Default)]
pub struct Programs {
    written: HashMap<(Shape, usize, usize, Purpose), Arc<Program>>,
}

impl Programs {
    /// The program from the cache, or else from [`program`].
    ///
    /// # Errors
    /// When the engine lacks an operator of the network.
    pub fn get(
        &mut self,
        model: &Model,
        parameters: &Arc<[ParameterShape]>,
        shape: Shape,
        of: BatchTotals,
        purpose: Purpose,
    ) -> Result<Arc<Program>, Missing> {
        // The key leaves τ out, because all gradient programs of a run have the same τ.
        let key = (shape, of.sequences, of.labels, purpose);
        if let Some(known) = self.written.get(&key) {
            return Ok(known.clone());
        }
        let written = Arc::new(program(model, parameters, shape, of, purpose, Target::Thread)?);
        self.written.insert(key, written.clone());
        Ok(written)
    }
}
