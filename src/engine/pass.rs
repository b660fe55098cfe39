//! What a pass over a batch is for, whatever engine makes it.

use super::Program;
use super::operators::{Missing, Sampling};
use super::recorder::{Carrier, Recorder, Var};
use crate::model::Parameter;
use std::sync::Arc;

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Forward pass only.
    Answer,
    /// Forward pass, and then each sequence continued with the network's own answers, token by token.
    Generate,
    /// Loss and gradient, which replace what was there.
    Gradient,
    /// Loss and gradient, added to what is there.
    More,
}

/// A pass over B sequences of S positions, which is asked from a position on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    pub purpose: Purpose,
    /// B.
    pub sequences: usize,
    /// S.
    pub length: usize,
    /// The first position whose next token is asked.
    pub from: usize,
    /// Words of the batch: tokens `[B, S]` first.
    pub words: usize,
    /// How tokens are drawn where the pass generates, and the first word of the numbers in [0, 1) that they are drawn with, `[B, S − from]`;
    /// without it the most probable tokens are taken.
    pub drawing: Option<(Sampling, usize)>,
}

/// Writes down what `compute` computes, as a program for `carrier`. `compute` gives the logits, `[B·(S − from), V]`.
///
/// # Errors
/// When an operator has no kernel.
pub fn record(
    parameters: &Arc<[Parameter]>,
    pass: &Pass,
    carrier: Carrier,
    compute: impl FnOnce(&mut Recorder) -> Result<Var, Missing>,
) -> Result<Program, Missing> {
    let mut recorder = Recorder::new(parameters, pass.purpose, carrier);
    recorder.words(pass.words);
    if pass.purpose == Purpose::Generate {
        recorder.generate_after(pass.from);
    }
    if let Some((sampling, uniforms)) = pass.drawing {
        recorder.draw(sampling, uniforms);
    }
    let logits = compute(&mut recorder)?;
    if pass.purpose == Purpose::Answer {
        recorder.keep_logits(logits);
    }
    recorder.generate(pass.sequences, pass.length);
    Ok(recorder.finish())
}
