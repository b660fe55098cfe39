//! Layouts: how an orbit becomes tokens. K is the depth; in an answer with several states it is their number.
//!
//! | layout | sequence | answer |
//! |---|---|---|
//! | O-S, orbit → state | `[sep] s0 … [sep] s(T−1) [gen] s(T−1+k)` | the state |
//! | … multi-horizon | `[sep] s0 … [sep] s(T−1) [shift k] [gen] s(T−1+k)` | the state |
//! | O-O, orbit → orbit | `… [gen] ([sep] s(T−1+j))` for j = 1 … K, every cell read as `[mask]` | the K states |
//! | O-RS, orbit → rule, state | `… [gen] rule [sep] s(T−1+k)`, every entry of the rule read as `[rule]` | the rule and the state |
//! | RO-S, rule, orbit → state | `rule [sep] s0 … [sep] s(T−1) [gen] s(T−1+k)` | the state |
//! | CoT, chain of thought | `… [gen] ([sep] s(T−1+j))` for j = 1 … K | the K states and their separators |
//!
//! In segments, the shown orbit is `([sep] s(t) [sep] s(t+1))` for t = 0 … T−2, and then comes the last segment:
//!
//! | layout | last segment |
//! |---|---|
//! | O-S | `[gen] s(T−1) [sep] s(T−1+k)`, with `[shift k]` for the `[sep]` if multi-horizon |
//! | O-O, CoT | `[gen] s(T−1) ([sep] s(T−1+j))` for j = 1 … K |
//! | O-RS (ours) | `[gen] s(T−1) rule [sep] s(T−1+k)` |
//! | RO-S (ours) | `[gen] rule [sep] s(T−1) [sep] s(T−1+k)` |
//!
//! A label is predicted from the position before it. In O-O the model reads masks instead of the answer's cells, so these cells do not see
//! each other.

use serde::{Deserialize, Serialize};
use std::ops::Range;

use super::sample::{Sample, Task};

/// Whether a task asks for one depth or for any of four.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Horizon {
    /// One depth. No token says which one: the model learns it from the targets.
    Single,
    /// Depths 1 … 4. A shift token says which one.
    Multi,
}

/// The parts of an answer, and what the model reads before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Layout {
    /// O-S: one state.
    OrbitState,
    /// O-O: K states at once.
    OrbitOrbit,
    /// O-RS: the rule, then one state.
    OrbitRuleState,
    /// RO-S: one state, after reading the rule.
    RuleOrbitState,
    /// CoT: K states, one after the other. The model reads the earlier ones.
    ChainOfThought,
}

impl Layout {
    /// Whether one answer contains the states of all depths 1 … K.
    pub fn answers_all(self) -> bool {
        match self {
            Layout::OrbitOrbit | Layout::ChainOfThought => true,
            Layout::OrbitState | Layout::OrbitRuleState | Layout::RuleOrbitState => false,
        }
    }

    /// Whether the rule is asked for.
    pub fn asks_rule(self) -> bool {
        match self {
            Layout::OrbitRuleState => true,
            Layout::OrbitState | Layout::OrbitOrbit | Layout::RuleOrbitState | Layout::ChainOfThought => false,
        }
    }

    /// Whether the rule is shown.
    pub fn shows_rule(self) -> bool {
        match self {
            Layout::RuleOrbitState => true,
            Layout::OrbitState | Layout::OrbitOrbit | Layout::OrbitRuleState | Layout::ChainOfThought => false,
        }
    }

    /// Whether answers are scored free-running: each state from the model's own earlier states. Else each cell is predicted from the true
    /// cells before it.
    pub fn scored_free_running(self) -> bool {
        match self {
            Layout::ChainOfThought => true,
            Layout::OrbitState | Layout::OrbitOrbit | Layout::OrbitRuleState | Layout::RuleOrbitState => false,
        }
    }
}

/// Which tokens a model is trained to predict.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LossOn {
    /// The tokens of the answer, as in the paper.
    Target,
    /// Also the bits of the shown states that follow from another state: `s1 … s(T−1)`.
    Rows,
    /// Also the tokens between the states, and an `<eos>` that then ends the sequence. From these a model learns to write by itself.
    All,
}

impl LossOn {
    fn shown_states(self) -> bool {
        match self {
            LossOn::Target => false,
            LossOn::Rows | LossOn::All => true,
        }
    }

    fn signs(self) -> bool {
        match self {
            LossOn::Target | LossOn::Rows => false,
            LossOn::All => true,
        }
    }
}

/// A state that the sequence asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    pub depth: usize,
    /// The position at which its `W` bits begin.
    pub start: usize,
}

/// One sequence, ready for a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// `[L]`, the whole sequence with its answer.
    pub tokens: Vec<u32>,
    /// `[L]`, the same as the model reads it: with `[mask]` and `[rule]` in place of tokens that it must not see.
    pub inputs: Vec<u32>,
    /// `[L]`: whether token `p` is a label, to be predicted from the tokens before `p`.
    pub loss_mask: Vec<bool>,
    /// The states asked for, by rising depth. The sequence ends with the last one, or with an `<eos>` after it.
    pub targets: Vec<Target>,
    /// The positions of the rule's entries, if the sequence asks for them.
    pub rule: Option<Range<usize>>,
    /// The position from which a free-running model reads its own tokens; `None` if it reads masks in place of the answer.
    pub free_from: Option<usize>,
    /// The depth asked; the largest if there are several.
    pub depth: usize,
}

impl Task {
    /// Tokens of one sequence, `L`: 231 in the paper's setting, 232 with the shift token, 420 in segments. One more with an `<eos>`.
    pub fn sequence_length(&self) -> usize {
        let (state, entries) = (self.width + 1, self.radius.entries());
        let shown_rule = if self.layout.shows_rule() { entries } else { 0 };
        let (separator, answer) = match self.layout {
            Layout::OrbitState | Layout::RuleOrbitState => (1, self.width),
            Layout::OrbitOrbit | Layout::ChainOfThought => (0, self.depth * state),
            Layout::OrbitRuleState => (0, entries + state),
        };
        if self.segmented {
            let last = 1 + shown_rule + shown_rule.min(1) + self.width + separator + answer;
            return (self.shown - 1) * self.segment_length() + last;
        }
        let shift = match self.horizon {
            Horizon::Single => 0,
            Horizon::Multi => 1,
        };
        shown_rule + self.shown * state + shift + 1 + answer
    }

    /// Tokens of every segment except the last: two states, each after its separator.
    pub fn segment_length(&self) -> usize {
        2 * (self.width + 1)
    }

    /// The sequence that asks `sample` for depth `depth`. A layout that answers all depths always writes all K states, and
    /// asks for the first `depth` of them.
    ///
    /// # Panics
    /// If `sample` is too short for `depth`: it reaches `max(max_depth, 4)`. For the multi-horizon task, also if
    /// `depth` is not in 1 … 4.
    pub fn encode(&self, sample: &Sample, depth: usize, loss_on: LossOn) -> Example {
        let mut writer = Writer::new(self.sequence_length());
        if self.segmented {
            self.write_segments(&mut writer, sample, depth, loss_on);
        } else {
            self.write_orbit(&mut writer, sample, depth, loss_on);
        }
        let answer = writer.tokens.len();
        let state = |depth: usize| &sample.states[self.shown - 1 + depth];
        match self.layout {
            Layout::OrbitState | Layout::RuleOrbitState => writer.target(state(depth), depth, Read::Truth),
            Layout::OrbitRuleState => {
                writer.rule(&sample.rule.table, Read::As(self.vocabulary.rule()));
                writer.token(self.vocabulary.sep(), loss_on.signs());
                writer.target(state(depth), depth, Read::Truth);
            }
            Layout::OrbitOrbit => {
                for each in 1..=self.depth {
                    writer.token(self.vocabulary.sep(), loss_on.signs());
                    writer.target(state(each), each, Read::As(self.vocabulary.mask()));
                }
            }
            Layout::ChainOfThought => {
                for each in 1..=self.depth {
                    writer.token(self.vocabulary.sep(), true);
                    writer.target(state(each), each, Read::Truth);
                }
            }
        }
        if loss_on.signs() {
            writer.token(self.vocabulary.eos(), true);
        }
        let Writer { tokens, inputs, mut loss_mask, targets, rule } = writer;
        if self.layout.answers_all()
            && let Some(deeper) = targets.get(depth)
        {
            loss_mask[deeper.start - 1..].fill(false);
        }
        let free_from = match self.layout {
            Layout::OrbitState | Layout::RuleOrbitState | Layout::OrbitRuleState => targets.first().map(|target| target.start),
            Layout::OrbitOrbit => None,
            Layout::ChainOfThought => Some(answer),
        };
        Example { tokens, inputs, loss_mask, targets, rule, free_from, depth }
    }

    /// Writes everything before the answer, each shown state once.
    fn write_orbit(&self, writer: &mut Writer, sample: &Sample, depth: usize, loss_on: LossOn) {
        let vocabulary = self.vocabulary;
        if self.layout.shows_rule() {
            writer.bits(&sample.rule.table, false, Read::Truth);
        }
        for (t, state) in sample.states[..self.shown].iter().enumerate() {
            writer.token(vocabulary.sep(), t > 0 && loss_on.signs());
            // s0 is random, so a loss on it could only add noise.
            writer.bits(state, t > 0 && loss_on.shown_states(), Read::Truth);
        }
        match self.horizon {
            Horizon::Single => {}
            Horizon::Multi => writer.token(vocabulary.shift(depth), false),
        }
        writer.token(vocabulary.generate(), loss_on.signs());
    }

    /// Writes everything before the answer in segments, each shown state with the one after it.
    fn write_segments(&self, writer: &mut Writer, sample: &Sample, depth: usize, loss_on: LossOn) {
        let vocabulary = self.vocabulary;
        for (t, pair) in sample.states[..self.shown].windows(2).enumerate() {
            writer.token(vocabulary.sep(), t > 0 && loss_on.signs());
            writer.bits(&pair[0], false, Read::Truth);
            writer.token(vocabulary.sep(), loss_on.signs());
            writer.bits(&pair[1], loss_on.shown_states(), Read::Truth);
        }
        writer.token(vocabulary.generate(), loss_on.signs());
        if self.layout.shows_rule() {
            writer.bits(&sample.rule.table, false, Read::Truth);
            writer.token(vocabulary.sep(), false);
        }
        writer.bits(&sample.states[self.shown - 1], false, Read::Truth);
        match (self.layout, self.horizon) {
            (Layout::OrbitState, Horizon::Multi) => writer.token(vocabulary.shift(depth), false),
            (Layout::OrbitState | Layout::RuleOrbitState, _) => writer.token(vocabulary.sep(), loss_on.signs()),
            (Layout::OrbitOrbit | Layout::OrbitRuleState | Layout::ChainOfThought, _) => {}
        }
    }
}

/// The token that a model reads in place of a bit.
#[derive(Clone, Copy)]
enum Read {
    Truth,
    As(u32),
}

/// A sequence that is being written.
struct Writer {
    tokens: Vec<u32>,
    inputs: Vec<u32>,
    loss_mask: Vec<bool>,
    targets: Vec<Target>,
    rule: Option<Range<usize>>,
}

impl Writer {
    fn new(length: usize) -> Self {
        let (tokens, inputs, loss_mask) = (Vec::with_capacity(length), Vec::with_capacity(length), Vec::with_capacity(length));
        Self { tokens, inputs, loss_mask, targets: Vec::new(), rule: None }
    }

    fn token(&mut self, id: u32, label: bool) {
        self.tokens.push(id);
        self.inputs.push(id);
        self.loss_mask.push(label);
    }

    fn bits(&mut self, bits: &[u8], label: bool, read: Read) {
        self.tokens.extend(bits.iter().map(|&bit| u32::from(bit)));
        self.inputs.extend(bits.iter().map(|&bit| match read {
            Read::Truth => u32::from(bit),
            Read::As(id) => id,
        }));
        self.loss_mask.resize(self.tokens.len(), label);
    }

    fn target(&mut self, state: &[u8], depth: usize, read: Read) {
        self.targets.push(Target { depth, start: self.tokens.len() });
        self.bits(state, true, read);
    }

    fn rule(&mut self, table: &[u8], read: Read) {
        let start = self.tokens.len();
        self.bits(table, true, read);
        self.rule = Some(start..self.tokens.len());
    }
}
