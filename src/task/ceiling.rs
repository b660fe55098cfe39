//! The ceiling, which is the score of the Bayes-optimal predictor, and the floors.
//!
//! The shown states do not always determine the rule, and samples are not filtered for it, so no model can reach 1.
//! The optimal predictor knows the entries that the shown states read, and treats every other entry as a fair coin.
//! (It does not know which rules are in its split, and neither does a model. Under `r = 1`, with few rules, a model
//! that has learnt all training rules by heart could gain a little by excluding them.)

use std::ops::Range;

use super::floors::continue_cycle;
use super::pattern::Ring;
use super::sample::{Sample, Task};
use super::split::Split;
use crate::rng::{Purpose, Stream, stream};

/// The largest number of unseen entries that are enumerated: 2¹⁶ completions. Beyond that, completions are sampled.
const ENUMERATED: u32 = 16;
/// Number of completions that are sampled if they are not enumerated.
const SAMPLED: usize = 4096;

/// Mean scores over samples, each in `0 ..= 1`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// Depth `k`.
    pub depth: usize,
    /// Exact match of the Bayes-optimal predictor: the probability of the most probable target.
    pub ceiling: f64,
    /// Bit accuracy of the Bayes-optimal predictor: mean over the bits of `max(P(bit = 1), P(bit = 0))`.
    pub bit_ceiling: f64,
    /// Share of samples in which the shown states read every entry that the target needs.
    pub seen: f64,
    /// Exact match of answering `s(T−1)`.
    pub copy: f64,
    /// Bit accuracy of answering `s(T−1)`.
    pub copy_bits: f64,
    /// Exact match of continuing a shifted cycle. An orbit without a visible cycle counts as wrong.
    pub cycle: f64,
    /// Bit accuracy of the same. For an orbit without a visible cycle, the answer is a copy.
    pub cycle_bits: f64,
    /// Share of the rule's entries that the best answer gets right: the entries that the shown states read, and half of the others.
    pub rule: f64,
    /// Number of samples averaged over.
    pub samples: usize,
}

impl Estimate {
    /// The estimate over zero samples. It is neutral in [`Estimate::merge`].
    pub fn empty(depth: usize) -> Estimate {
        Estimate {
            depth,
            ceiling: 0.0,
            bit_ceiling: 0.0,
            seen: 0.0,
            copy: 0.0,
            copy_bits: 0.0,
            cycle: 0.0,
            cycle_bits: 0.0,
            rule: 0.0,
            samples: 0,
        }
    }

    /// The estimate over the samples of both. They must be different samples of the same depth.
    pub fn merge(&self, other: &Estimate) -> Estimate {
        let samples = self.samples + other.samples;
        let (mine, theirs, all) = (self.samples as f64, other.samples as f64, samples.max(1) as f64);
        Estimate { samples, ..self.combine(other, |a, b| (a * mine + b * theirs) / all) }
    }

    /// `f` on each score of both.
    fn combine(&self, other: &Estimate, f: impl Fn(f64, f64) -> f64) -> Estimate {
        Estimate {
            depth: self.depth,
            ceiling: f(self.ceiling, other.ceiling),
            bit_ceiling: f(self.bit_ceiling, other.bit_ceiling),
            seen: f(self.seen, other.seen),
            copy: f(self.copy, other.copy),
            copy_bits: f(self.copy_bits, other.copy_bits),
            cycle: f(self.cycle, other.cycle),
            cycle_bits: f(self.cycle_bits, other.cycle_bits),
            rule: f(self.rule, other.rule),
            samples: self.samples,
        }
    }
}

/// Ceiling and floors at `depth` over the samples `range` of `split`. To work in slices, cut the range and
/// [`Estimate::merge`] the results. The task must be valid ([`Task::validate`]).
pub fn estimate(task: &Task, seed: u64, split: Split, range: Range<u64>, depth: usize) -> Estimate {
    let samples = range.map(|index| (task.sample(seed, split, index), stream(seed, Purpose::Estimate, split.tagged(index))));
    estimate_samples(task, samples, depth)
}

/// The same over any samples. Each comes with a stream, from which completions are drawn if there are too many to
/// enumerate.
pub fn estimate_samples(task: &Task, samples: impl Iterator<Item = (Sample, Stream)>, depth: usize) -> Estimate {
    // Sums first and one division at the end, so that hits count exactly.
    let sum = samples.fold(Estimate::empty(depth), |sum, (sample, mut stream)| {
        let line = estimate_one(task, &sample, depth, &mut stream);
        Estimate { samples: sum.samples + 1, ..sum.combine(&line, |a, b| a + b) }
    });
    let count = sum.samples.max(1) as f64;
    sum.combine(&sum, |total, _| total / count)
}

/// The distribution of `s(T−1+k)` given the shown states, `(target, probability)` by ascending target; a target is
/// packed with cell 0 as the most significant of its `W` bits.
///
/// Exact if every completion needs at most 16 unseen entries. Else the frequencies in 4,096 completions drawn from
/// `stream`.
pub fn target_distribution(task: &Task, sample: &Sample, depth: usize, stream: &mut Stream) -> Vec<(u64, f64)> {
    let ring = Ring::new(task.radius, task.width);
    let start = Evolution::new(ring, sample, task, depth);
    let leaves = enumerate(ring, start).unwrap_or_else(|| draw(ring, start, stream));
    merge_targets(leaves)
}

fn estimate_one(task: &Task, sample: &Sample, depth: usize, stream: &mut Stream) -> Estimate {
    let ring = Ring::new(task.radius, task.width);
    let shown: Vec<u64> = sample.states[..task.shown].iter().map(|state| Ring::pack(state)).collect();
    let last = shown[task.shown - 1];
    let rule = sample.rule.number();

    let known = known_entries(ring, task, &shown);
    let (mut truth, mut needed) = (last, 0);
    for _ in 0..depth {
        needed |= ring.entries_read(truth);
        truth = ring.next(rule, truth);
    }

    let targets = target_distribution(task, sample, depth, stream);
    let ceiling = targets.iter().map(|&(_, probability)| probability).fold(0.0, f64::max);
    let bits = (0..ring.width()).map(|bit| {
        let one: f64 = targets.iter().filter(|(target, _)| target >> bit & 1 == 1).map(|&(_, p)| p).sum();
        one.max(1.0 - one)
    });
    let copy_bits = ring.agreement(last, truth);
    let cycle = continue_cycle(ring, &shown, depth);
    let share = |hit: bool| if hit { 1.0 } else { 0.0 };
    Estimate {
        depth,
        ceiling,
        bit_ceiling: bits.sum::<f64>() / f64::from(ring.width()),
        seen: share(needed & !known == 0),
        copy: share(last == truth),
        copy_bits,
        cycle: share(cycle == Some(truth)),
        cycle_bits: cycle.map_or(copy_bits, |answer| ring.agreement(answer, truth)),
        rule: 0.5 + 0.5 * f64::from(known.count_ones()) / task.radius.entries() as f64,
        samples: 1,
    }
}

/// The entries that the transitions between the shown states read, as a set of bits; all entries if the rule is shown.
fn known_entries(ring: Ring, task: &Task, shown: &[u64]) -> u32 {
    if task.layout.shows_rule() {
        return u32::MAX >> (32 - task.radius.entries());
    }
    shown.iter().rev().skip(1).fold(0, |known, &state| known | ring.entries_read(state))
}

/// A `k`-step evolution under a partly known rule. It halts when it first needs an unknown entry.
#[derive(Clone, Copy)]
struct Evolution {
    known: u32,
    rule: u32,
    /// Unknown entries decided so far.
    decided: u32,
    state: u64,
    next: u64,
    bit: u32,
    steps_left: usize,
}

impl Evolution {
    fn new(ring: Ring, sample: &Sample, task: &Task, depth: usize) -> Evolution {
        let packed: Vec<u64> = sample.states[..task.shown].iter().map(|state| Ring::pack(state)).collect();
        let known = known_entries(ring, task, &packed);
        let rule = sample.rule.number() & known;
        Evolution { known, rule, decided: 0, state: packed[task.shown - 1], next: 0, bit: 0, steps_left: depth }
    }

    /// Continues. Returns `Some(entry)` if `entry` must be decided first, and `None` if `state` is the target.
    fn advance(&mut self, ring: Ring) -> Option<u32> {
        while self.steps_left > 0 {
            while self.bit < ring.width() {
                let code = ring.code(self.state, self.bit);
                if self.known >> code & 1 == 0 {
                    return Some(code);
                }
                self.next |= u64::from(self.rule >> code & 1) << self.bit;
                self.bit += 1;
            }
            self.state = self.next;
            self.next = 0;
            self.bit = 0;
            self.steps_left -= 1;
        }
        None
    }

    fn decide(mut self, entry: u32, value: u8) -> Evolution {
        self.known |= 1 << entry;
        self.rule |= u32::from(value) << entry;
        self.decided += 1;
        self
    }
}

/// Every completion; it branches only when an unseen entry is first needed. `None` if one needs too many unseen entries.
fn enumerate(ring: Ring, start: Evolution) -> Option<Vec<(u64, f64)>> {
    let mut leaves = Vec::new();
    let mut open = vec![start];
    while let Some(mut evolution) = open.pop() {
        match evolution.advance(ring) {
            None => leaves.push((evolution.state, 1.0 / f64::from(1u32 << evolution.decided))),
            Some(_) if evolution.decided == ENUMERATED => return None,
            Some(entry) => open.extend([0, 1].map(|value| evolution.decide(entry, value))),
        }
    }
    Some(leaves)
}

fn draw(ring: Ring, start: Evolution, stream: &mut Stream) -> Vec<(u64, f64)> {
    let completion = |_| {
        let mut evolution = start;
        while let Some(entry) = evolution.advance(ring) {
            evolution = evolution.decide(entry, stream.bit());
        }
        (evolution.state, 1.0 / SAMPLED as f64)
    };
    (0..SAMPLED).map(completion).collect()
}

/// Merges equal targets. Probabilities are multiples of 2⁻¹⁶, so the sums are exact in any order.
fn merge_targets(mut leaves: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    leaves.sort_unstable_by_key(|&(target, _)| target);
    leaves.dedup_by(|(target, probability), (kept, total)| {
        let equal = target == kept;
        if equal {
            *total += *probability;
        }
        equal
    });
    leaves
}
