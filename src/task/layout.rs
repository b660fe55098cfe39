//! From an orbit to tokens.
//!
//! | layout | sequence | length |
//! |---|---|---|
//! | orbit → state | `[sep] s0 … [sep] s(T−1) [gen] s(T−1+k)` | `T(W+1) + 1 + W` |
//! | multi-horizon | `[sep] s0 … [sep] s(T−1) [shift k] [gen] s(T−1+k)` | one more |
//! | segments | `([sep] s(t) [sep] s(t+1))` for t = 0 … T−2, then `[gen] s(T−1) [sep] s(T−1+k)` | `2T(W+1)` |
//! | segments, multi-horizon | the same with `[shift k]` for the last `[sep]` | the same |

use serde::{Deserialize, Serialize};

use super::sample::{MULTI_DEPTHS, Sample, Task};

/// Whether a task asks for one depth or for any of four.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Horizon {
    /// One depth, told to nobody: the model learns it from the targets.
    Single,
    /// Depths 1 … 4, told by a shift token.
    Multi,
}

/// How symbols are numbered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Vocabulary {
    /// 12 ids: 0, 1, sep 2, gen 3, eos 4, rule 5, mask 6, shift 7 … 10, and one spare.
    Compact,
    /// The authors' 128 ids: 0, 1, sep 100, gen 101, eos 102, rule 103, mask 104, shift 106 … 109.
    Paper,
}

impl Vocabulary {
    /// Number of ids, the width of a model's output.
    pub fn size(self) -> usize {
        match self {
            Vocabulary::Compact => 12,
            Vocabulary::Paper => 128,
        }
    }

    /// `<sep>`, before each state.
    pub fn sep(self) -> u32 {
        match self {
            Vocabulary::Compact => 2,
            Vocabulary::Paper => 100,
        }
    }

    /// `<gen>`, after which the answer is written.
    pub fn generate(self) -> u32 {
        self.sep() + 1
    }

    /// `<eos>`, after an answer of free length.
    pub fn eos(self) -> u32 {
        self.sep() + 2
    }

    /// `<rule>`, in place of a rule's entry.
    pub fn rule(self) -> u32 {
        self.sep() + 3
    }

    /// `<mask>`, in place of a state's bit.
    pub fn mask(self) -> u32 {
        self.sep() + 4
    }

    /// The token that asks for depth `k`, 1 … 4.
    ///
    /// # Panics
    /// When there is no such token.
    pub fn shift(self, depth: usize) -> u32 {
        assert!((1..=MULTI_DEPTHS).contains(&depth), "there is no shift token for depth {depth}, only for 1 to 4");
        let first = match self {
            Vocabulary::Compact => 7,
            Vocabulary::Paper => 106,
        };
        first + depth as u32 - 1
    }
}

/// Which tokens a model is trained to predict.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum LossOn {
    /// The `W` bits of the target state, as in the paper.
    Target,
    /// Those, and the bits of the shown states that follow from another: `s1 … s(T−1)`.
    Rows,
}

impl LossOn {
    fn shown_states(self) -> bool {
        match self {
            LossOn::Target => false,
            LossOn::Rows => true,
        }
    }
}

/// One sequence, ready for a batch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// `[L]`, the whole sequence, target included.
    pub tokens: Vec<u32>,
    /// `[L]`: whether token `p` is a label, to be predicted from the tokens before `p`.
    pub loss_mask: Vec<bool>,
    /// Where the target's `W` bits begin; they end the sequence.
    pub target_start: usize,
    /// Depth `k` of the target.
    pub depth: usize,
}

impl Task {
    /// Tokens of one sequence, `L`: 231 in the paper's setting, 232 with the shift token, 420 in segments.
    pub fn sequence_length(&self) -> usize {
        if self.segmented {
            return self.shown * self.segment_length();
        }
        let shift = match self.horizon {
            Horizon::Single => 0,
            Horizon::Multi => 1,
        };
        self.shown * (self.width + 1) + shift + 1 + self.width
    }

    /// Tokens of one segment: two states, each after its separator.
    pub fn segment_length(&self) -> usize {
        2 * (self.width + 1)
    }

    /// The sequence that asks `sample` for depth `depth`.
    ///
    /// # Panics
    /// When `sample` is too short for `depth`: it reaches `max(max_depth, 4)`. For the multi-horizon task, also when
    /// `depth` is not in 1 … 4.
    pub fn encode(&self, sample: &Sample, depth: usize, loss_on: LossOn) -> Example {
        let mut writer = Writer { tokens: Vec::with_capacity(self.sequence_length()), loss_mask: Vec::new() };
        if self.segmented {
            self.write_segments(&mut writer, sample, depth, loss_on);
        } else {
            self.write_orbit(&mut writer, sample, depth, loss_on);
        }
        let target = &sample.states[self.shown - 1 + depth];
        writer.state(target, true);
        let Writer { tokens, loss_mask } = writer;
        Example { target_start: tokens.len() - target.len(), tokens, loss_mask, depth }
    }

    /// Everything before the target, each shown state once.
    fn write_orbit(&self, writer: &mut Writer, sample: &Sample, depth: usize, loss_on: LossOn) {
        let vocabulary = self.vocabulary;
        for (t, state) in sample.states[..self.shown].iter().enumerate() {
            writer.token(vocabulary.sep());
            // s0 is all coins: a loss on it could only add noise.
            writer.state(state, t > 0 && loss_on.shown_states());
        }
        match self.horizon {
            Horizon::Single => {}
            Horizon::Multi => writer.token(vocabulary.shift(depth)),
        }
        writer.token(vocabulary.generate());
    }

    /// Everything before the target, each shown state with the one after it.
    fn write_segments(&self, writer: &mut Writer, sample: &Sample, depth: usize, loss_on: LossOn) {
        let vocabulary = self.vocabulary;
        for pair in sample.states[..self.shown].windows(2) {
            writer.token(vocabulary.sep());
            writer.state(&pair[0], false);
            writer.token(vocabulary.sep());
            writer.state(&pair[1], loss_on.shown_states());
        }
        writer.token(vocabulary.generate());
        writer.state(&sample.states[self.shown - 1], false);
        writer.token(match self.horizon {
            Horizon::Single => vocabulary.sep(),
            Horizon::Multi => vocabulary.shift(depth),
        });
    }
}

/// A sequence being written.
struct Writer {
    tokens: Vec<u32>,
    loss_mask: Vec<bool>,
}

impl Writer {
    fn token(&mut self, id: u32) {
        self.tokens.push(id);
        self.loss_mask.push(false);
    }

    fn state(&mut self, bits: &[u8], label: bool) {
        self.tokens.extend(bits.iter().map(|&bit| u32::from(bit)));
        self.loss_mask.resize(self.tokens.len(), label);
    }
}
