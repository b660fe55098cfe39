//! What the page says in words: pure functions of its state.

use super::run::Run;
use super::state::Phase;
use crate::protocol::Ending;
use crate::replay::{EngineClass, Verdict};

/// A whole number with thin spaces between thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes as “34 MB”.
pub fn megabytes(bytes: usize) -> String {
    let megabytes = bytes as f64 / 1e6;
    match megabytes {
        small if small < 1.0 => "1 MB".into(),
        large if large >= 1_000.0 => format!("{:.1} GB", large / 1_000.0),
        middle => format!("{middle:.0} MB"),
    }
}

/// The status line.
pub fn status(phase: Phase, preparing: &str, stopping: bool, run: Option<&Run>) -> String {
    let loss = run.and_then(Run::last_loss).map(|loss| format!(", loss {loss:.3}")).unwrap_or_default();
    let (step, target) = run.map_or((0, 0), |run| (run.step(), run.config.training.steps));
    match phase {
        Phase::Idle => "Ready. Press Train.".into(),
        Phase::Preparing => preparing.into(),
        Phase::Running | Phase::Paused if stopping => "Stopping: one last measurement…".into(),
        Phase::Running => format!("Training: step {} of {}{loss}", thousands(step), thousands(target)),
        Phase::Paused => format!("Paused at step {}{loss}", thousands(step)),
        Phase::Finished => finished(run, step, &loss),
        Phase::Failed => format!("Stopped by a failure at step {}", thousands(step)),
    }
}

fn finished(run: Option<&Run>, step: u64, loss: &str) -> String {
    let step = thousands(step);
    let seconds = run.map_or(0.0, |run| run.seconds);
    let why = match run.and_then(|run| run.ending) {
        Some(Ending::Opened) => return "The opened model is measured: its scores and answers are below.".into(),
        Some(Ending::Target) => "early: the target was reached, at step",
        Some(Ending::Stopped) => "where you stopped it, at step",
        Some(Ending::Reached) | None => "at step",
    };
    format!("Finished {why} {step}{loss}, after {seconds:.0} s of training")
}

/// What the opened link's fingerprint comes to. `steps` and `engine` are the fingerprint's.
pub fn replay(verdict: Option<&Verdict>, steps: usize, engine: EngineClass) -> String {
    let machine = match engine {
        EngineClass::Fused => "the CPU (fused multiply-add)",
        EngineClass::Separate => "the CPU",
        EngineClass::Cpu => "an earlier CPU engine",
        EngineClass::Native => "an earlier command line",
        EngineClass::WebGpu => "WebGPU",
        EngineClass::BurnFlex => "Burn, on the CPU",
        EngineClass::BurnWgpu => "Burn, on WebGPU",
    };
    let steps = thousands(steps as u64);
    match verdict {
        None => {
            format!("This link carries the result of a run of {steps} steps on {machine}. Train to see whether this machine reproduces it.")
        }
        Some(Verdict::Agreeing { steps: made }) => {
            format!("Replaying a run of {steps} steps on {machine}: agrees so far (step {}).", thousands(*made as u64))
        }
        Some(Verdict::Identical) => format!("Reproduced bit for bit: all {steps} losses are those of the link."),
        Some(Verdict::Reproduced) => {
            format!("Reproduced within tolerance: the losses of {steps} steps agree with the link's to 2 %, as far as its engine promises.")
        }
        Some(Verdict::DrewOthers) => format!(
            "Not to be compared: a policy learns from what it draws, and an engine that rounds otherwise than {machine} soon draws something else. On the CPU engine such a run replays bit for bit wherever processors round alike."
        ),
        Some(Verdict::DiffersBetween) => {
            format!(
                "Differs somewhere between two of the recorded steps: other engine, adapter or version. All {steps} steps were compared."
            )
        }
        Some(Verdict::Differs { step, expected, found }) => {
            format!(
                "Differs at step {} (expected {expected:.6}, found {found:.6}): other engine, adapter or version.",
                thousands(*step as u64)
            )
        }
    }
}

/// A share as “93 %”; finer near the ends, where it matters.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if (0.05..10.0).contains(&value) || (99.0..99.95).contains(&value) { format!("{value:.1} %") } else { format!("{value:.0} %") }
}
