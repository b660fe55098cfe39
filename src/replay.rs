//! Fingerprints: they show whether this machine reproduces a run, and at which recorded step it first differs.
//!
//! A [`Fingerprint`] is written `fma-500-9f3a12bc-3fb504f3.3fb1c28d…`: the class of the engine, the number of steps, a hash
//! of the bits of all losses, and the bits of the losses at steps 1, 2, 4, 8, … and the last step.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Classes of engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineClass {
    /// The CPU engine with fused multiply-add: equal bits on every machine that supports it, in a browser or natively.
    Fused,
    /// The CPU engine with separate rounding: equal bits on every machine.
    Separate,
    WebGpu,
    /// The CPU engine of the first links, which no longer exists; equal bits in every browser.
    Cpu,
    /// The same early engine on the command line. Its last bits differed between machines.
    Native,
    /// Burn on the CPU.
    BurnFlex,
    /// Burn on the graphics card.
    BurnWgpu,
}

impl EngineClass {
    const ALL: [EngineClass; 7] = [
        EngineClass::Fused,
        EngineClass::Separate,
        EngineClass::WebGpu,
        EngineClass::Cpu,
        EngineClass::Native,
        EngineClass::BurnFlex,
        EngineClass::BurnWgpu,
    ];

    pub fn name(self) -> &'static str {
        match self {
            EngineClass::Fused => "fma",
            EngineClass::Separate => "simd",
            EngineClass::WebGpu => "webgpu",
            EngineClass::Cpu => "cpu",
            EngineClass::Native => "native",
            EngineClass::BurnFlex => "burnflex",
            EngineClass::BurnWgpu => "burnwgpu",
        }
    }

    /// Whether it is Burn.
    pub fn is_burn(self) -> bool {
        match self {
            EngineClass::BurnFlex | EngineClass::BurnWgpu => true,
            EngineClass::Fused | EngineClass::Separate | EngineClass::WebGpu | EngineClass::Cpu | EngineClass::Native => false,
        }
    }

    /// Whether two runs of this class always have equal bits.
    pub fn promises_bits(self) -> bool {
        match self {
            EngineClass::Fused | EngineClass::Separate | EngineClass::Cpu => true,
            EngineClass::WebGpu | EngineClass::Native | EngineClass::BurnFlex | EngineClass::BurnWgpu => false,
        }
    }
}

/// The largest relative difference of two losses that counts as reproduced, for engines that do not promise equal bits.
pub const TOLERANCE: f32 = 0.02;

/// The largest difference of two losses, as a share of the first loss, at which two runs still have the same course. Engines that round
/// differently part: a difference in a last bit grows from step to step, and a spike of one of them says nothing.
pub const COURSE: f32 = 0.05;

/// A short code of a run's losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub engine: EngineClass,
    pub steps: usize,
    pub hash: u32,
    /// Losses at the steps of [`marks`].
    pub losses: Vec<f32>,
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Equal bits at every step.
    Identical,
    /// Equal within [`TOLERANCE`], on engines that do not promise equal bits.
    Reproduced,
    /// On engines that do not promise equal bits: apart by more than [`TOLERANCE`] from this step on (counted from 1), but within [`COURSE`] at
    /// every recorded step.
    Parted { step: usize },
    /// Unequal at this step (counted from 1), the first recorded step that differs.
    Differs { step: usize, expected: f32, found: f32 },
    /// Equal at every recorded step, but different at a step between two of them.
    DiffersBetween,
    /// Unequal, for a policy that learns from its own samples on engines that do not promise equal bits. As soon as a last bit changes a draw,
    /// it learns from different samples.
    DrewOthers,
    /// All equal so far, but the run has not reached the fingerprint's last step yet.
    Agreeing { steps: usize },
}

/// The steps whose losses a fingerprint of `steps` steps contains, counted from 1.
pub fn marks(steps: usize) -> Vec<usize> {
    let mut marks: Vec<usize> = std::iter::successors(Some(1), |mark| Some(mark * 2)).take_while(|mark| *mark < steps).collect();
    if steps > 0 {
        marks.push(steps);
    }
    marks
}

/// The 32-bit FNV-1a hash of the little-endian bits of the losses.
fn hash(losses: &[f32]) -> u32 {
    losses
        .iter()
        .flat_map(|loss| loss.to_bits().to_le_bytes())
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Fingerprint {
    /// The fingerprint of a trace with one loss per step; `None` for an empty trace.
    pub fn of(engine: EngineClass, trace: &[f32]) -> Option<Self> {
        if trace.is_empty() {
            return None;
        }
        let losses = marks(trace.len()).into_iter().map(|mark| trace[mark - 1]).collect();
        Some(Self { engine, steps: trace.len(), hash: hash(trace), losses })
    }

    /// Compares the losses of a run, in progress or finished, with this fingerprint.
    pub fn compare(&self, engine: EngineClass, trace: &[f32]) -> Verdict {
        let exact = self.engine == engine && engine.promises_bits();
        let first = self.losses.first().copied().unwrap_or_default();
        let (mut identical, mut parted) = (true, None);
        for (mark, &expected) in marks(self.steps).into_iter().zip(&self.losses) {
            let Some(&found) = trace.get(mark - 1) else {
                return parted.unwrap_or(Verdict::Agreeing { steps: trace.len() });
            };
            let same = expected.to_bits() == found.to_bits();
            identical &= same;
            let close = (expected - found).abs() <= TOLERANCE * expected.abs();
            if !same && (exact || !close) {
                let alike = (expected - found).abs() <= COURSE * first.abs();
                if exact || !alike {
                    return Verdict::Differs { step: mark, expected, found };
                }
                parted.get_or_insert(Verdict::Parted { step: mark });
            }
        }
        if let Some(parted) = parted {
            return parted;
        }
        if identical && hash(&trace[..self.steps]) == self.hash {
            return Verdict::Identical;
        }
        if exact { Verdict::DiffersBetween } else { Verdict::Reproduced }
    }
}

/// How far the losses of the same first steps on two engines agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    pub steps: usize,
    /// The greatest relative difference of the two losses of a step.
    pub greatest: f32,
    /// The step with the greatest difference, counted from 1.
    pub at: usize,
}

impl Agreement {
    /// The largest relative difference at which two engines count as equal. Rounding alone stays far below it.
    pub const SAME: f32 = 1e-3;

    /// Compares two traces, up to the shorter one; `None` if they have no step in common or a loss is not finite.
    pub fn of(ours: &[f32], theirs: &[f32]) -> Option<Self> {
        let apart = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / b.abs().max(f32::MIN_POSITIVE));
        let (mut steps, mut greatest, mut at) = (0, 0.0, 1);
        for (index, difference) in apart.enumerate() {
            if !difference.is_finite() {
                return None;
            }
            steps += 1;
            if difference > greatest {
                (greatest, at) = (difference, index + 1);
            }
        }
        (steps > 0).then_some(Self { steps, greatest, at })
    }

    /// Whether the engines agree within [`Agreement::SAME`].
    pub fn same(&self) -> bool {
        self.greatest <= Self::SAME
    }

    /// The result in one sentence.
    pub fn sentence(&self) -> String {
        let Self { steps, greatest, at } = *self;
        if greatest == 0.0 {
            return format!("All {steps} losses are equal to the last digit on both engines.");
        }
        let digits = -greatest.log10().floor() - 1.0;
        if self.same() {
            format!(
                "Burn finds the same {steps} losses to {digits} digits (greatest relative difference {greatest:.1e}, at step {at}). Burn computes every operator from its plain definition, so the fast engine is right."
            )
        } else {
            format!(
                "The losses differ by {:.1} % at step {at}: one of the two engines is wrong. With rewards (GRPO) the engines may also have drawn different samples.",
                100.0 * greatest
            )
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{:08x}-", self.engine.name(), self.steps, self.hash)?;
        for (index, loss) in self.losses.iter().enumerate() {
            let separator = if index == 0 { "" } else { "." };
            write!(out, "{separator}{:08x}", loss.to_bits())?;
        }
        Ok(())
    }
}

/// The text is not a whole fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("“fp” is not a complete fingerprint: the link was probably cut off. Remove the fp part to run without comparing.")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let broken = || FingerprintError;
        let parts: Vec<&str> = text.split('-').collect();
        let [engine, steps, hash, losses] = parts[..] else { return Err(broken()) };
        let engine = EngineClass::ALL.into_iter().find(|class| class.name() == engine).ok_or_else(broken)?;
        let steps: usize = steps.parse().ok().filter(|steps| (1..=10_000_000).contains(steps)).ok_or_else(broken)?;
        let hash = hexadecimal(hash).ok_or_else(broken)?;
        let losses: Option<Vec<f32>> = losses.split('.').map(|loss| hexadecimal(loss).map(f32::from_bits)).collect();
        let losses =
            losses.filter(|losses| losses.len() == marks(steps).len() && losses.iter().all(|loss| loss.is_finite())).ok_or_else(broken)?;
        Ok(Self { engine, steps, hash, losses })
    }
}

fn hexadecimal(text: &str) -> Option<u32> {
    (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok()).flatten()
}
