//! Where the cells of each state stand in a sequence.

use super::layout::{Example, Layout, LossOn};
use super::sample::{Sample, Task};
use std::ops::Range;

/// A state of a sequence, and its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatePlaces {
    /// Counted from the first shown state, 0.
    pub state: usize,
    /// The positions of a model's input that are about its W cells: of a shown state the cells themselves; of an asked one the
    /// positions before them, from which they are predicted.
    pub positions: Range<usize>,
}

impl Task {
    /// The places of the shown states and then of the asked ones, in the sequence that asks `sample` for `depth`. Of a state that
    /// stands there twice, in segments, those of the later one.
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

    /// Where the rule's entries stand in that sequence, shown or asked for; nowhere in most layouts.
    pub fn rule_places(&self, sample: &Sample, depth: usize) -> Range<usize> {
        self.encode(sample, depth, LossOn::Target).rule.unwrap_or_else(|| self.shown_rule())
    }

    /// Where each run of W cells begins: bits that stand together, the rule's left out.
    fn runs(&self, example: &Example) -> Vec<usize> {
        let rule = example.rule.clone().unwrap_or_else(|| self.shown_rule());
        let cell = |position: usize| example.tokens.get(position).is_some_and(|&token| token < 2) && !rule.contains(&position);
        let begins = |&position: &usize| cell(position) && (position == 0 || !cell(position - 1));
        (0..example.tokens.len()).filter(begins).collect()
    }

    /// Where the rule's entries stand, if they are shown.
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
