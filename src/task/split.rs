//! Splits the rules into training, validation and test.

use serde::{Deserialize, Serialize};

use super::automaton::{Radius, Rule};
use crate::rng::Purpose;

/// A part of the rule space. Every rule is in exactly one split, the same in all runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Split {
    Train,
    Validation,
    Test,
}

impl Split {
    /// `"train"`, `"validation"` or `"test"`.
    pub fn name(self) -> &'static str {
        match self {
            Split::Train => "train",
            Split::Validation => "validation",
            Split::Test => "test",
        }
    }

    /// The stream that samples of this split are drawn from.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Split::Train => Purpose::TrainExample,
            Split::Validation => Purpose::ValidationExample,
            Split::Test => Purpose::TestExample,
        }
    }

    /// A stream index that differs between the splits, for purposes the splits share.
    ///
    /// Training keeps `index` itself; the others set the top bits, which no sample index reaches.
    pub(super) fn tagged(self, index: u64) -> u64 {
        let tag = match self {
            Split::Train => 0,
            Split::Validation => 1,
            Split::Test => 2,
        };
        index | tag << 62
    }
}

/// The split of `rule`. It depends only on the rule's table and its radius, and not on the seed. So models of different
/// runs can be compared on rules that none of them has seen.
///
/// Let `n` be the table read as a number (entry 0 = lowest bit), `e` the number of entries, and
/// `u = mix(e·2³² + n) / 2⁶⁴`. Here `mix` is the finaliser of SplitMix64 after one step of its counter (Steele, Lea
/// and Flood, 2014). The rule is for test if `u < t`, for validation if `t ≤ u < t+v`, else for training:
/// `t = 20 %`, `v = 10 %` for `r = 1` and `3/2`; `t = 10 %`, `v = 5 %` (about the published 9 % and 5 %) for `r = 2`.
pub fn split_of(rule: &Rule, radius: Radius) -> Split {
    let (test, validation) = match radius {
        Radius::One | Radius::ThreeHalves => (20, 10),
        Radius::Two => (10, 5),
    };
    let hash = mix((radius.entries() as u64) << 32 | u64::from(rule.number()));
    let percent = |share: u64| u64::MAX / 100 * share;
    if hash < percent(test) {
        Split::Test
    } else if hash < percent(test + validation) {
        Split::Validation
    } else {
        Split::Train
    }
}

fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}
