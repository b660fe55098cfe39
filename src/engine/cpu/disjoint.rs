//! Disjoint ranges of one memory.

use std::ops::Range;

/// Disjoint ranges of the memory, all writable.
///
/// # Panics
/// When two ranges overlap or a range lies outside the memory: an error in the program's layout.
pub fn ranges<const N: usize>(memory: &mut [f32], ranges: [Range<usize>; N]) -> [&mut [f32]; N] {
    match memory.get_disjoint_mut(ranges) {
        Ok(parts) => parts,
        Err(error) => panic!("the program's arrays overlap or lie outside its memory: {error:?}"),
    }
}
