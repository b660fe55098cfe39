//! Sentences of the page, as pure functions of its state.

use crate::page::state::Phase;
use crate::page::state::run::Run;
use crate::replay::{EngineClass, Verdict};
use crate::results::Ending;

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
        Phase::Failed => format!("Stopped by an error at step {}", thousands(step)),
    }
}

fn finished(run: Option<&Run>, step: u64, loss: &str) -> String {
    let step = thousands(step);
    let seconds = run.map_or(0.0, |run| run.seconds);
    let why = match run.and_then(|run| run.ending) {
        Some(Ending::Opened) => return "The model is open and measured: its scores and answers are below.".into(),
        Some(Ending::Target) => "early, because it reached the target, at step",
        Some(Ending::Stopped) => "where you stopped it, at step",
        Some(Ending::Reached) | None => "at step",
    };
    format!("Finished {why} {step}{loss}, after {seconds:.0} s of training")
}

/// The result of comparing a run with the opened link's fingerprint. `steps`, `last` loss and `engine` are the fingerprint's.
pub fn replay(verdict: Option<&Verdict>, steps: usize, last: f32, engine: EngineClass) -> String {
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
            format!(
                "This link contains the result of a run of {steps} steps on {machine}, whose last loss was {last:.3}. Rings in the chart of losses show its course. Press Train to see whether this machine reproduces it."
            )
        }
        Some(Verdict::Agreeing { steps: made }) => {
            format!("Replaying a run of {steps} steps on {machine}: agrees so far (step {}).", thousands(*made as u64))
        }
        Some(Verdict::Identical) => format!("Reproduced bit for bit: all {steps} losses are those of the link."),
        Some(Verdict::Reproduced) => {
            format!(
                "Reproduced within tolerance: the losses of {steps} steps agree with the link's to within 2 %. This engine does not promise equal bits."
            )
        }
        Some(Verdict::Parted { step }) => format!(
            "The run has the same course. It was trained on {machine}, and this machine rounds differently, so the losses agree to within 2 % until they part at step {}. Bit for bit it replays on a machine with the same arithmetic.",
            thousands(*step as u64)
        ),
        Some(Verdict::DrewOthers) => format!(
            "No comparison is possible: a policy learns from the answers it draws. An engine that rounds differently from {machine} soon draws other answers. On the CPU engine such a run replays bit for bit on processors that round in the same way."
        ),
        Some(Verdict::DiffersBetween) => {
            format!(
                "Differs somewhere between two of the recorded steps: the engine, adapter or version is different. All {steps} steps were compared."
            )
        }
        Some(Verdict::Differs { step, expected, found }) => {
            format!(
                "Differs at step {} (expected {expected:.6}, found {found:.6}): the engine, adapter or version is different.",
                thousands(*step as u64)
            )
        }
    }
}

/// A share as “93 %”, with one decimal near 0 % and 100 %.
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if (0.05..10.0).contains(&value) || (99.0..99.95).contains(&value) { format!("{value:.1} %") } else { format!("{value:.0} %") }
}
