//! Attention of one position of each sequence, for generation. The equations are those of [`super::attention`].
//!
//! A workgroup computes one head of one sequence. Each of its [`SHARERS`] threads takes some of the keys and computes their softmax. The parts
//! are then joined, scaled by their highest scores. Record: [`at`].

use super::attention::{AttentionKind, rotated, word};
use cubecl::prelude::*;

/// Threads of a workgroup, fewer for large heads.
pub const SHARERS: usize = 32;
/// The same on a software adapter, whose compile time grows with the workgroup memory.
pub const FEW_SHARERS: usize = 8;

record! {
    /// A record: the words of attention, then the position.
    pub mod at after word {
        POSITION,
    }
}

/// The kernel. `kind.block` is the number of threads.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_lines, reason = "one kernel, whose parts share workgroup memory")]
pub fn attention_at(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: AttentionKind) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!(kind.block * kind.head));
    let mut divisor_gradients = Shared::<[f32]>::new_slice(comptime!(kind.block * 2));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let length = table[record + word::LENGTH] as usize;
        let heads = table[record + word::HEADS] as usize;
        let rotary_table = table[record + word::ROTARY_TABLE] as usize;
        let position = table[record + at::POSITION] as usize;
        let sequence = CUBE_POS / heads;
        let place = CUBE_POS % heads * kind.head;
        let stride = heads * comptime!(3 * kind.head);
        let base = table[record + word::QKV] as usize + sequence * length * stride + 3 * place;
        let lane = UNIT_POS as usize;
        let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();

        let mut query = Array::<f32>::new(kind.head);
        let mut sums = Array::<f32>::new(kind.head);
        #[unroll]
        for i in 0..kind.head {
            query[i] = scale * rotated(memory, table, base + position * stride, rotary_table, position, i, kind.rotary);
        }
        let mut most = f32::new(-1.0e30f32);
        let mut total = 0.0f32;
        for key in range_stepped(lane, position + 1, kind.block) {
            let at = base + key * stride + kind.head;
            let mut score = 0.0f32;
            #[unroll]
            for i in 0..kind.head {
                score += query[i] * rotated(memory, table, at, rotary_table, key, i, kind.rotary);
            }
            let higher = most.max(score);
            let shrink = (most - higher).exp();
            let weight = (score - higher).exp();
            most = higher;
            total = total * shrink + weight;
            #[unroll]
            for i in 0..kind.head {
                sums[i] = sums[i] * shrink + weight * memory[at + kind.head + i];
            }
        }
        divisor_gradients[lane * 2] = most;
        divisor_gradients[lane * 2 + 1] = total;
        #[unroll]
        for i in 0..kind.head {
            parts[lane * kind.head + i] = sums[i];
        }
        sync_cube();
        for other in 0..kind.block {
            most = most.max(divisor_gradients[other * 2]);
        }
        let out = table[record + word::OUT] as usize + (sequence * length + position) * heads * kind.head + place;
        for dimension in range_stepped(lane, kind.head, kind.block) {
            let mut sum = 0.0f32;
            let mut all = 0.0f32;
            for other in 0..kind.block {
                let share = (divisor_gradients[other * 2] - most).exp();
                sum += share * parts[other * kind.head + dimension];
                all += share * divisor_gradients[other * 2 + 1];
            }
            memory[out + dimension] = sum / all;
        }
    }
}
