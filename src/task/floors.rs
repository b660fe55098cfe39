//! Floors: shortcuts that answer without inferring the rule. Only a model that beats them has learnt to look ahead.

use super::pattern::Ring;

/// The answer of the shifted-cycle shortcut at depth `depth`, from the shown states `[T]`; `None` if the shown states
/// have no cycle.
///
/// Let `p ≥ 1` be the smallest lag with a rotation `d` such that `rot_d s(T−1−p) = s(T−1)`. The automaton commutes
/// with rotations, so `s(t+p) = rot_d s(t)` for every `t ≥ T−1−p`. The answer is `rot_d s(T−1−p+k)`, applied
/// repeatedly while `k > p`. It is always right.
pub(super) fn continue_cycle(ring: Ring, shown: &[u64], depth: usize) -> Option<u64> {
    let last = shown.len().checked_sub(1)?;
    let (lag, turn) = (1..=last).find_map(|lag| {
        let turn = (0..ring.width()).find(|&turn| ring.rotate(shown[last - lag], turn) == shown[last])?;
        Some((lag, turn))
    })?;
    // Whole laps first, so that the rotated state is one of the shown states.
    let laps = depth.div_ceil(lag);
    let within = shown[last + depth - laps * lag];
    Some((0..laps).fold(within, |state, _| ring.rotate(state, turn)))
}
