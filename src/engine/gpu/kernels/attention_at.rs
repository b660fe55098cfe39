//! Attention of one position of each sequence, for generation; the equations are those of [`super::attention`].
//!
//! A workgroup takes one head of one sequence, each of its [`SHARERS`] threads some keys, with a softmax of its own; the parts are then
//! put together, each by its highest score. Record: the first words of [`super::attention::head`] up to `OUT`, then the position.

use super::attention::{Kind, head, turned};
use cubecl::prelude::*;

/// Threads of a workgroup, fewer for large heads.
pub const SHARERS: usize = 32;
/// On a software adapter, which compiles the longer the more workgroup memory there is.
pub const FEW_SHARERS: usize = 8;

/// In the record.
pub const POSITION: usize = head::SUMS;

/// The kernel. `kind.block` is the number of threads.
#[cube(launch_unchecked)]
pub fn attention_at(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut parts = Shared::<[f32]>::new_slice(comptime!(kind.block * kind.head));
    let mut sides = Shared::<[f32]>::new_slice(comptime!(kind.block * 2));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let length = table[record + head::LENGTH] as usize;
        let heads = table[record + head::HEADS] as usize;
        let turns = table[record + head::TURNS] as usize;
        let position = table[record + POSITION] as usize;
        let sequence = CUBE_POS / heads;
        let place = CUBE_POS % heads * kind.head;
        let stride = heads * comptime!(3 * kind.head);
        let base = table[record + head::QKV] as usize + sequence * length * stride + 3 * place;
        let lane = UNIT_POS as usize;
        let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();

        let mut query = Array::<f32>::new(kind.head);
        let mut sums = Array::<f32>::new(kind.head);
        #[unroll]
        for i in 0..kind.head {
            query[i] = scale * turned(memory, table, base + position * stride, turns, position, i, kind.rotary);
        }
        let mut most = f32::new(-1.0e30f32);
        let mut total = 0.0f32;
        for key in range_stepped(lane, position + 1, kind.block) {
            let at = base + key * stride + kind.head;
            let mut score = 0.0f32;
            #[unroll]
            for i in 0..kind.head {
                score += query[i] * turned(memory, table, at, turns, key, i, kind.rotary);
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
        sides[lane * 2] = most;
        sides[lane * 2 + 1] = total;
        #[unroll]
        for i in 0..kind.head {
            parts[lane * kind.head + i] = sums[i];
        }
        sync_cube();
        for other in 0..kind.block {
            most = most.max(sides[other * 2]);
        }
        let out = table[record + head::OUT] as usize + (sequence * length + position) * heads * kind.head + place;
        for dimension in range_stepped(lane, kind.head, kind.block) {
            let mut sum = 0.0f32;
            let mut all = 0.0f32;
            for other in 0..kind.block {
                let share = (sides[other * 2] - most).exp();
                sum += share * parts[other * kind.head + dimension];
                all += share * sides[other * 2 + 1];
            }
            memory[out + dimension] = sum / all;
        }
    }
}
