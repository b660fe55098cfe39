//! Vocabularies: the token ids of a task's symbols.

use serde::{Deserialize, Serialize};

use super::sample::MULTI_DEPTHS;

/// The token ids of a task's symbols.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Vocabulary {
    /// 12 ids: 0, 1, sep 2, gen 3, eos 4, rule 5, mask 6, shift 7 … 10, and one spare.
    Compact,
    /// The authors' 128 ids: 0, 1, sep 100, gen 101, eos 102, rule 103, mask 104, shift 106 … 109.
    Paper,
}

impl Vocabulary {
    /// Its name in links.
    pub fn name(self) -> &'static str {
        match self {
            Vocabulary::Compact => "compact",
            Vocabulary::Paper => "paper",
        }
    }

    /// Number of ids, which is the width of a model's output.
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
    /// If there is no such token.
    pub fn shift(self, depth: usize) -> u32 {
        assert!((1..=MULTI_DEPTHS).contains(&depth), "there is no shift token for depth {depth}, only for 1 to 4");
        let first = match self {
            Vocabulary::Compact => 7,
            Vocabulary::Paper => 106,
        };
        first + depth as u32 - 1
    }
}
