//! The positions of each state's cells in a sequence.

use super::layout::{Example, Layout, LossOn};
use super::sample::{Sample, Task};
use std::ops::Range;

/// A state of a sequence, and its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlaces {
    /// The state's number, counted from the first shown state, which is 0.
    pub state: usize,
    /// The W positions in the model's input. For a shown state, the positions of its cells. For an asked state, the positions before its
    /// cells, which predict them.
    pub positions: Range<usize>,
}

impl Task {
    /// The positions of the shown states and then of the asked ones, in the sequence that asks `sample` for `depth`. In segments a state
    /// can appear twice; then these are the later positions.
    pub fn places(&self, sample: &Sample, depth: usize) -> Vec<StatePlaces> {
        let example = self.encode(sample, depth, LossOn::Target);
        let end = example.targets.first().map_or(0, |target| target.start);
        let shown = self.runs(&example).into_iter().filter(|start| *start < end).collect::<Vec<_>>();
        // Segments are pairs (s0, s1), (s1, s2) …, and the last state comes again after `[gen]`.
        let nth = |state: usize| if self.segmented { 2 * state } else { state };
        let shown = (0..self.shown).filter_map(|state| Some((state, *shown.get(nth(state))?)));
        let asked = example.targets.iter().map(|target| (self.shown - 1 + target.depth, target.start - 1));
        shown.chain(asked).map(|(state, start)| StatePlaces { state, positions: start..start + self.width }).collect()
    }

    /// The positions of the rule's entries in that sequence, shown or asked for; empty in most layouts.
    pub fn rule_places(&self, sample: &Sample, depth: usize) -> Range<usize> {
        self.encode(sample, depth, LossOn::Target).rule.unwrap_or_else(|| self.shown_rule())
    }

    /// The first position of each run of W cells: consecutive bits, without the rule's.
    fn runs(&self, example: &Example) -> Vec<usize> {
        let rule = example.rule.clone().unwrap_or_else(|| self.shown_rule());
        let cell = |position: usize| example.tokens.get(position).is_some_and(|&token| token < 2) && !rule.contains(&position);
        let begins = |&position: &usize| cell(position) && (position == 0 || !cell(position - 1));
        (0..example.tokens.len()).filter(begins).collect()
    }

    /// The positions of the rule's entries, if they are shown; else empty.
    fn shown_rule(&self) -> Range<usize> {
        match self.layout {
            Layout::RuleOrbitState => {
                let start = if self.segmented { (self.shown - 1) * self.segment_length() + 1 } else { 0 };
                start..start + self.radius.entries()
            }
            Layout::OrbitState | Layout::OrbitOrbit | Layout::OrbitRuleState | Layout::ChainOfThought => 0..0,
        }
    }
}
