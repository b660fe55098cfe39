//! `verify`: the same first steps on the run's engine and on Burn.

use super::error::CommandError;
use super::place::{burn, place};
use super::print;
use super::start::Begun;
use crate::config::{EngineChoice, RunConfig};
use crate::replay::{Agreement, EngineClass};
use crate::train::{Backend, Run};
use std::io::IsTerminal;

/// Computes `steps` steps on both engines, prints all their losses, and then one sentence.
///
/// # Errors
/// If an engine failed, or the two do not agree.
pub fn verify(Begun { link, start, kernel }: &Begun, steps: u64, on: EngineChoice, workers: usize) -> Result<(), CommandError> {
    if link.config.on_burn() {
        return Err(CommandError::BurnItself);
    }
    let ours = losses(&link.config, start.as_deref(), steps, place(&link.config, workers, *kernel)?)?;
    let theirs = losses(&link.config, start.as_deref(), steps, burn(&link.config, on)?)?;
    let agreement = Agreement::of(&ours.1, &theirs.1).ok_or(CommandError::NotComparable)?;
    if std::io::stdout().is_terminal() {
        print(&format!("step  {:>12}  {:>12}", ours.0.name(), theirs.0.name()))?;
        for (index, (a, b)) in ours.1.iter().zip(&theirs.1).enumerate() {
            print(&format!("{:4}  {a:12.8}  {b:12.8}", index + 1))?;
        }
        print(&agreement.sentence())?;
    } else {
        let result = serde_json::json!({
            "engine": ours.0.name(), "burn": theirs.0.name(), "steps": agreement.steps, "greatest": agreement.greatest, "at": agreement.at,
            "losses": ours.1, "losses_of_burn": theirs.1, "sentence": agreement.sentence(),
        });
        print(&result.to_string())?;
    }
    if agreement.same() { Ok(()) } else { Err(CommandError::Disagreement(agreement.sentence())) }
}

/// The losses of the first `steps` steps, and the engine's class.
fn losses(
    config: &RunConfig,
    start: Option<&[u8]>,
    steps: u64,
    (place, class): (Backend, EngineClass),
) -> Result<(EngineClass, Vec<f32>), CommandError> {
    let mut run = pollster::block_on(Run::new(config, place, start))?;
    let mut losses = Vec::new();
    for _ in 0..steps.min(config.training.steps) {
        pollster::block_on(run.step())?;
        losses.extend(pollster::block_on(run.losses())?);
    }
    Ok((class, losses))
}
