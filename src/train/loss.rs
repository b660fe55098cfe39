//! The programs of training: forward pass, loss, gradient.

use crate::engine::{Carrier, Program, Purpose, Recorder};
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

/// The program of a forward pass over a batch of this shape, ending in the masked cross-entropy
/// `−Σ log softmax(logits)[label] / of` over the labels that count; for [`Purpose::Gradient`] and [`Purpose::More`] with its
/// gradient. Where layers are looped adaptively, the loss has τ times the mean remainder. With [`Purpose::Generate`] the program also goes on by itself after position `from`.
pub fn program(model: &Model, parameters: &Arc<[Parameter]>, shape: Shape, of: Whole, purpose: Purpose, carrier: Carrier) -> Program {
    let mut recorder = Recorder::new(parameters, purpose, carrier);
    if purpose == Purpose::Generate {
        recorder.generate_after(shape.from);
    }
    let tokens = recorder.words(shape.sequences * shape.length);
    let labels = recorder.words(shape.sequences * (shape.length - shape.from));
    let logits = model.logits(&mut recorder, tokens, shape);
    if purpose == Purpose::Answer {
        recorder.keep_logits(logits);
    }
    recorder.charge(of.ponder, shape.sequences as f64 / of.sequences as f64);
    recorder.cross_entropy(logits, labels, of.labels);
    recorder.generate(shape.sequences, shape.length);
    recorder.finish()
}

/// Programs already written for a thread, by what they are for.
#[derive(Default)]
pub struct Programs {
    written: HashMap<(Shape, usize, usize, Purpose), Arc<Program>>,
}

impl Programs {
    /// As [`program`], written once for each shape and purpose.
    pub fn get(&mut self, model: &Model, parameters: &Arc<[Parameter]>, shape: Shape, of: Whole, purpose: Purpose) -> Arc<Program> {
        let write = || Arc::new(program(model, parameters, shape, of, purpose, Carrier::Thread));
        // τ is the run's, and the same for all of them.
        self.written.entry((shape, of.sequences, of.labels, purpose)).or_insert_with(write).clone()
    }
}
