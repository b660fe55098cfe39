//! Does this machine reproduce that run? A [`Fingerprint`] holds enough of a run's loss trace to say so, and where it first differs.
//!
//! Written `fma-500-9f3a12bc-3fb504f3.3fb1c28d…`: the class of engine, the number of steps, a hash over the bits of all
//! losses, and the bits of the losses of steps 1, 2, 4, 8, … and the last.

use crate::config::Objective;
use crate::config::link::Link;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Engines that a run can be computed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EngineClass {
    /// The CPU engine with fused multiply-add: equal bits on every machine that has it, in a browser or natively.
    Fused,
    /// The CPU engine with separate rounding: equal bits on every machine.
    Separate,
    WebGpu,
    /// The CPU engine of the first links, which no longer exists; equal bits in every browser.
    Cpu,
    /// That engine in the command line of its day, whose last bits differed between machines.
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

    /// The CPU engine's class by how it rounds.
    #[cfg(feature = "engine")]
    pub fn of(arithmetic: crate::engine::cpu::Arithmetic) -> Self {
        match arithmetic {
            crate::engine::cpu::Arithmetic::Fused => EngineClass::Fused,
            crate::engine::cpu::Arithmetic::Separate => EngineClass::Separate,
        }
    }

    /// Whether Burn computed it.
    pub fn is_burn(self) -> bool {
        match self {
            EngineClass::BurnFlex | EngineClass::BurnWgpu => true,
            EngineClass::Fused | EngineClass::Separate | EngineClass::WebGpu | EngineClass::Cpu | EngineClass::Native => false,
        }
    }

    /// Whether two runs of this class have equal bits.
    fn promises_bits(self) -> bool {
        match self {
            EngineClass::Fused | EngineClass::Separate | EngineClass::Cpu => true,
            EngineClass::WebGpu | EngineClass::Native | EngineClass::BurnFlex | EngineClass::BurnWgpu => false,
        }
    }
}

/// Relative difference of two losses up to which runs that do not promise equal bits count as reproduced.
pub const TOLERANCE: f32 = 0.02;

/// A short proof of a run's losses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fingerprint {
    pub engine: EngineClass,
    pub steps: usize,
    pub hash: u32,
    /// Losses at the steps of [`marks`].
    pub losses: Vec<f32>,
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Equal bits at every step.
    Identical,
    /// Equal within [`TOLERANCE`], on engines that do not promise equal bits.
    Reproduced,
    /// Unequal at this step (counted from 1), the first one recorded that is.
    Differs { step: usize, expected: f32, found: f32 },
    /// Equal at every recorded step, but not at some step between two of them.
    DiffersBetween,
    /// Unequal, where a policy learns from what it draws and the engines do not promise equal bits: from the first draw on that a last bit
    /// decides, it learns from others.
    DrewOthers,
    /// All equal so far; the run has yet to reach the fingerprint's last step.
    Agreeing { steps: usize },
}

/// The steps whose losses a fingerprint of so many steps holds, counted from 1.
pub fn marks(steps: usize) -> Vec<usize> {
    let mut marks: Vec<usize> = std::iter::successors(Some(1), |mark| Some(mark * 2)).take_while(|mark| *mark < steps).collect();
    if steps > 0 {
        marks.push(steps);
    }
    marks
}

/// FNV-1a over the little-endian bits of the losses.
fn hash(losses: &[f32]) -> u32 {
    losses
        .iter()
        .flat_map(|loss| loss.to_bits().to_le_bytes())
        .fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

impl Fingerprint {
    /// The fingerprint of a trace, one loss a step; none for an empty trace.
    pub fn of(engine: EngineClass, trace: &[f32]) -> Option<Self> {
        if trace.is_empty() {
            return None;
        }
        let losses = marks(trace.len()).into_iter().map(|mark| trace[mark - 1]).collect();
        Some(Self { engine, steps: trace.len(), hash: hash(trace), losses })
    }

    /// Compares a run in progress or finished with this one.
    pub fn compare(&self, engine: EngineClass, trace: &[f32]) -> Verdict {
        let exact = self.engine == engine && engine.promises_bits();
        let mut identical = true;
        for (mark, &expected) in marks(self.steps).into_iter().zip(&self.losses) {
            let Some(&found) = trace.get(mark - 1) else {
                return Verdict::Agreeing { steps: trace.len() };
            };
            let same = expected.to_bits() == found.to_bits();
            identical &= same;
            let close = (expected - found).abs() <= TOLERANCE * expected.abs();
            if !same && (exact || !close) {
                return Verdict::Differs { step: mark, expected, found };
            }
        }
        if identical && hash(&trace[..self.steps]) == self.hash {
            return Verdict::Identical;
        }
        if exact { Verdict::DiffersBetween } else { Verdict::Reproduced }
    }
}

/// What the losses of a link's run on an engine say of the fingerprint that it carries, if it carries one.
pub fn verdict(link: &Link, engine: EngineClass, trace: &[f32]) -> Option<Verdict> {
    let fingerprint = link.fingerprint.as_ref()?;
    let promised = fingerprint.engine == engine && engine.promises_bits();
    Some(match (fingerprint.compare(engine, trace), link.config.training.objective) {
        (Verdict::Differs { .. } | Verdict::DiffersBetween, Objective::Grpo) if !promised => Verdict::DrewOthers,
        (verdict, Objective::Examples | Objective::Grpo) => verdict,
    })
}

/// How far the same first steps on two engines agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    pub steps: usize,
    /// Greatest relative difference of two losses of one step.
    pub greatest: f32,
    /// The step of it, counted from 1.
    pub at: usize,
}

impl Agreement {
    /// Up to this relative difference two engines have computed the same: rounding alone stays far below it.
    pub const SAME: f32 = 1e-3;

    /// Of two traces, as far as both go; none where they have no step in common or a loss is not finite.
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

    /// Whether the engines have computed the same.
    pub fn same(&self) -> bool {
        self.greatest <= Self::SAME
    }

    /// In one sentence.
    pub fn sentence(&self) -> String {
        let Self { steps, greatest, at } = *self;
        if greatest == 0.0 {
            return format!("All {steps} losses are equal to the last digit.");
        }
        let digits = -greatest.log10().floor() - 1.0;
        if self.same() {
            format!(
                "Burn, which computes everything from the plain definitions, finds the same {steps} losses to {digits} digits (greatest relative difference {greatest:.1e}, at step {at}): the fast engine computes what it says."
            )
        } else {
            format!(
                "The losses differ by {:.1} % at step {at}: one of the two engines is wrong, or both learn from what they draw and drew different samples.",
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

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let broken =
            || "“fp” is not a whole fingerprint; the link was probably cut off. Remove the fp part to run without comparing.".to_string();
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
