//! The programs of training: forward pass, loss, gradient.

use crate::engine::{Carrier, Program, Purpose, Recorder};
use crate::model::{Model, Parameter, Shape};
use std::collections::HashMap;
use std::sync::Arc;

/// The program of a forward pass over a batch of this shape, ending in the masked cross-entropy
/// `−Σ log softmax(logits)[label] / of` over the labels that count; for [`Purpose::Gradient`] and [`Purpose::More`] with its
/// gradient. With [`Purpose::Generate`] it also goes on by itself after position `from`. `of` is how many labels count in the whole batch, so that the losses (and gradients) of a batch's parts add up to its mean.
pub fn program(model: &Model, parameters: &Arc<[Parameter]>, shape: Shape, of: usize, purpose: Purpose, carrier: Carrier) -> Program {
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
    recorder.cross_entropy(logits, labels, of);
    recorder.generate(shape.sequences, shape.length);
    recorder.finish()
}

/// Programs already written for a thread, by what they are for.
#[derive(Default)]
pub struct Programs {
    written: HashMap<(Shape, usize, Purpose), Arc<Program>>,
}

impl Programs {
    /// As [`program`], written once for each shape and purpose.
    pub fn get(&mut self, model: &Model, parameters: &Arc<[Parameter]>, shape: Shape, of: usize, purpose: Purpose) -> Arc<Program> {
        let write = || Arc::new(program(model, parameters, shape, of, purpose, Carrier::Thread));
        self.written.entry((shape, of, purpose)).or_insert_with(write).clone()
    }
}
