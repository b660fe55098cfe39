//! States packed in machine words, for the estimates. Cell `i` is bit `W−1−i`, so cell 0 is in front of the binary
//! number. A window of the number is the index of that neighbourhood in the rule table.

use super::automaton::Radius;

/// The geometry of a packed ring: `W` cells, at most 64, read in windows of `2r+1`.
#[derive(Clone, Copy)]
pub(super) struct Ring {
    width: u32,
    right: u32,
    window: u64,
}

impl Ring {
    pub(super) fn new(radius: Radius, width: usize) -> Ring {
        let (_, right) = radius.neighbourhood();
        Ring { width: width as u32, right: right as u32, window: radius.entries() as u64 - 1 }
    }

    pub(super) fn width(self) -> u32 {
        self.width
    }

    /// The state `[W]` of 0 and 1, packed.
    pub(super) fn pack(state: &[u8]) -> u64 {
        state.iter().fold(0, |packed, &cell| packed << 1 | u64::from(cell))
    }

    /// The index into the rule table that the cell at bit `bit` reads.
    pub(super) fn code(self, state: u64, bit: u32) -> u32 {
        let twice = u128::from(state) | u128::from(state) << self.width;
        let lowest = (bit + self.width - self.right) % self.width;
        ((twice >> lowest) as u64 & self.window) as u32
    }

    /// One step under the table whose entry `n` is bit `n` of `rule`.
    pub(super) fn next(self, rule: u32, state: u64) -> u64 {
        (0..self.width).fold(0, |next, bit| next | u64::from(rule >> self.code(state, bit) & 1) << bit)
    }

    /// The entries that a step from `state` reads, as a set of bits.
    pub(super) fn entries_read(self, state: u64) -> u32 {
        (0..self.width).fold(0, |read, bit| read | 1 << self.code(state, bit))
    }

    /// `state` rotated by `by < W` cells.
    pub(super) fn rotate(self, state: u64, by: u32) -> u64 {
        let twice = u128::from(state) | u128::from(state) << self.width;
        let all = u64::MAX >> (64 - self.width);
        (twice >> by) as u64 & all
    }

    /// Share of cells in which two states agree.
    pub(super) fn agreement(self, a: u64, b: u64) -> f64 {
        1.0 - f64::from((a ^ b).count_ones()) / f64::from(self.width)
    }
}
