//! The automaton: cells with two states on a ring, and a rule given as a table.

use serde::{Deserialize, Serialize};

/// Radius `r` of the neighbourhood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Radius {
    /// Cells `i−1 ..= i+1`: 8 entries, 256 rules (Wolfram's elementary automata).
    One,
    /// Cells `i−1 ..= i+2`: 16 entries, 65,536 rules. For small settings; the paper does not have it.
    ThreeHalves,
    /// Cells `i−2 ..= i+2`: 32 entries, 2³² rules. The paper's setting.
    Two,
}

impl Radius {
    /// Entries of a rule table, `2^(2r+1)`.
    pub fn entries(self) -> usize {
        1 << self.cells()
    }

    /// `"1"`, `"3/2"` or `"2"`.
    pub fn name(self) -> &'static str {
        match self {
            Radius::One => "1",
            Radius::ThreeHalves => "3/2",
            Radius::Two => "2",
        }
    }

    /// The number of cells of the neighbourhood to the (left, right) of its cell.
    pub fn neighbourhood(self) -> (usize, usize) {
        match self {
            Radius::One => (1, 1),
            Radius::ThreeHalves => (1, 2),
            Radius::Two => (2, 2),
        }
    }

    /// Cells of the neighbourhood, `2r+1`.
    pub fn cells(self) -> usize {
        let (left, right) = self.neighbourhood();
        left + 1 + right
    }
}

/// A rule: `table[code]` is the next value of a cell whose neighbourhood reads `code`, leftmost cell first
/// (most significant). For `r = 1` entry `n` is bit `n` of Wolfram's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// `[2^(2r+1)]`, each 0 or 1.
    pub table: Vec<u8>,
}

impl Rule {
    /// The rule whose entry `n` is bit `n` of `number`: for `r = 1`, Wolfram's number. Higher bits are ignored.
    pub fn from_number(radius: Radius, number: u32) -> Rule {
        let table = (0..radius.entries()).map(|n| (number >> n & 1) as u8).collect();
        Rule { table }
    }

    /// The inverse of [`Rule::from_number`].
    pub fn number(&self) -> u32 {
        self.table.iter().rev().fold(0, |number, &entry| number << 1 | u32::from(entry))
    }
}

/// One step of the automaton on a ring: `next[i] = table[code(i)]`, where `code(i)` reads the neighbourhood of cell
/// `i` as a binary number, leftmost cell = most significant bit.
///
/// `state` is `[W]` of 0 and 1, and so is the result. This is the readable definition. [`super::estimate`] uses a
/// packed form, and a test checks that both agree.
///
/// # Panics
/// If `rule` has fewer entries than `radius` needs, or `W` is less than the reach of the neighbourhood.
pub fn next_state(radius: Radius, rule: &Rule, state: &[u8]) -> Vec<u8> {
    let width = state.len();
    let (left, right) = radius.neighbourhood();
    (0..width)
        .map(|i| {
            let code = (0..=left + right).fold(0, |code, offset| code << 1 | usize::from(state[(i + width - left + offset) % width]));
            rule.table[code]
        })
        .collect()
}
