//! A task's settings, and how sample `i` of a split is drawn.

use serde::{Deserialize, Serialize};

use super::automaton::{Radius, Rule, next_state};
use super::layout::{Horizon, Layout};
use super::split::{Split, split_of};
use super::vocabulary::Vocabulary;
use crate::rng::{Purpose, stream};

/// Depths of the multi-horizon task, `1 ..= MULTI_DEPTHS`. Each has its shift token.
pub const MULTI_DEPTHS: usize = 4;

/// The settings of a task, as plain data.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// Radius `r` of the neighbourhood.
    pub radius: Radius,
    /// Width `W`, cells.
    pub width: usize,
    /// Shown states `T`.
    pub shown: usize,
    /// Depth `k` if the horizon is [`Horizon::Single`]; unused if it is [`Horizon::Multi`]. If one answer has the states
    /// of all depths, this is K, their number.
    pub depth: usize,
    pub horizon: Horizon,
    pub layout: Layout,
    pub vocabulary: Vocabulary,
    /// Whether the orbit is written in segments of two states each, for networks that read by segments.
    pub segmented: bool,
}

/// One orbit of one rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sample {
    pub rule: Rule,
    /// `[T + max(max_depth, 4)][W]`: the shown states and the states after them.
    pub states: Vec<Vec<u8>>,
}

impl Task {
    /// The largest width, in cells: a state fits into one machine word.
    pub const WIDTH_LIMIT: usize = 64;
    /// The largest number of shown states.
    pub const SHOWN_LIMIT: usize = 64;
    /// Largest depth.
    pub const DEPTH_LIMIT: usize = 16;

    /// The first invalid setting: its key in a link, and a sentence that names it and its range. `None` if all are valid.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let narrowest = self.radius.cells();
        if !(narrowest..=Self::WIDTH_LIMIT).contains(&self.width) {
            let (name, limit) = (self.radius.name(), Self::WIDTH_LIMIT);
            return Some(("W", format!("The width is {}; at radius {name} choose a width from {narrowest} to {limit}.", self.width)));
        }
        // One shown state has no transition, so it says nothing about the rule.
        if !(2..=Self::SHOWN_LIMIT).contains(&self.shown) {
            return Some(("T", format!("The number of shown states is {}; choose from 2 to {}.", self.shown, Self::SHOWN_LIMIT)));
        }
        if !(1..=Self::DEPTH_LIMIT).contains(&self.depth) {
            return Some(("k", format!("The depth is {}; choose from 1 to {}.", self.depth, Self::DEPTH_LIMIT)));
        }
        let marked = self.horizon == Horizon::Multi && self.layout != Layout::OrbitState;
        marked.then(|| {
            let sentence = "A marker can ask for any of 1 … 4 only if the answer is one row: choose “one depth” here, or “the row k steps ahead” as the answer.";
            ("horizon", sentence.into())
        })
    }

    /// The largest depth asked for.
    pub fn max_depth(&self) -> usize {
        match self.horizon {
            Horizon::Single => self.depth,
            Horizon::Multi => MULTI_DEPTHS,
        }
    }

    /// The depths asked for, ascending.
    pub fn depths(&self) -> Vec<usize> {
        match self.horizon {
            Horizon::Single if self.layout.answers_all() => (1..=self.depth).collect(),
            Horizon::Single => vec![self.depth],
            Horizon::Multi => (1..=MULTI_DEPTHS).collect(),
        }
    }

    /// Sample `index` of `split`: a uniformly drawn rule of the split, and the orbit of a uniformly drawn initial state.
    ///
    /// It depends only on its arguments, and only on these settings: radius, width, shown states, horizon and depth. With
    /// fewer states, the orbit is a prefix of the orbit with more states.
    pub fn sample(&self, seed: u64, split: Split, index: u64) -> Sample {
        let mut stream = stream(seed, split.purpose(), index);
        let rule = loop {
            let rule = Rule::from_number(self.radius, stream.bits64() as u32);
            if split_of(&rule, self.radius) == split {
                break rule;
            }
        };
        let cells = stream.bits64();
        let first = (0..self.width).map(|i| (cells >> i & 1) as u8).collect();
        Sample { states: self.orbit(&rule, first), rule }
    }

    /// The orbit of `first`, `[W]`, under `rule`. It has as many states as a sample.
    pub fn orbit(&self, rule: &Rule, first: Vec<u8>) -> Vec<Vec<u8>> {
        let length = self.shown + self.max_depth().max(MULTI_DEPTHS);
        std::iter::successors(Some(first), |state| Some(next_state(self.radius, rule, state))).take(length).collect()
    }

    /// The depth asked of sample `index` of `split`: `k`, or for the multi-horizon task uniform in 1 … 4, drawn from its
    /// own stream.
    pub fn depth_of(&self, seed: u64, split: Split, index: u64) -> usize {
        match self.horizon {
            Horizon::Single => self.depth,
            Horizon::Multi => {
                let mut stream = stream(seed, Purpose::Depth, split.tagged(index));
                1 + stream.below(MULTI_DEPTHS as u64) as usize
            }
        }
    }
}
