//! Causal attention of one sequence: a thread computes one position of one head at a time, and reads keys from the memory.
//!
//! Equations, names and record are those of [`crate::engine::gpu::kernels::attention`].

use crate::engine::gpu::kernels::attention::{AttentionKind, backward, forward, rotate_back, word};
use cubecl::prelude::*;

/// Loads a query or key and rotates it; the angles of its position begin at `angles`.
#[cube]
fn load_rotated(memory: &mut [f32], table: &[u32], row: &mut Array<f32>, address: usize, angles: usize, #[comptime] kind: AttentionKind) {
    let half = comptime!(kind.rotary / 2);
    #[unroll]
    for i in 0..half {
        let cosine = f32::from_bits(table[angles + i]);
        let sine = f32::from_bits(table[angles + half + i]);
        let (x, y) = (memory[address + i], memory[address + half + i]);
        row[i] = x * cosine - y * sine;
        row[i + half] = y * cosine + x * sine;
    }
    #[unroll]
    for i in comptime!(kind.rotary)..comptime!(kind.head) {
        row[i] = memory[address + i];
    }
}

#[cube]
fn load(memory: &mut [f32], row: &mut Array<f32>, address: usize, #[comptime] head: usize) {
    #[unroll]
    for i in 0..head {
        row[i] = memory[address + i];
    }
}

#[cube]
fn dot(x: &Array<f32>, y: &Array<f32>, #[comptime] head: usize) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..head {
        sum += x[i] * y[i];
    }
    sum
}

#[cube]
fn dot_with(memory: &mut [f32], x: &Array<f32>, address: usize, #[comptime] head: usize) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..head {
        sum += x[i] * memory[address + i];
    }
    sum
}

#[cube]
fn clear(row: &mut Array<f32>, #[comptime] head: usize) {
    #[unroll]
    for i in 0..head {
        row[i] = 0.0f32;
    }
}

/// The forward pass.
#[cube]
pub fn attention(
    memory: &mut [f32],
    table: &[u32],
    record: usize,
    sequence: usize,
    #[comptime] threads: usize,
    #[comptime] kind: AttentionKind,
) {
    let length = table[record + word::LENGTH] as usize;
    let heads = table[record + word::HEADS] as usize;
    let rotary_table = table[record + word::ROTARY_TABLE] as usize;
    let stride = heads * comptime!(3 * kind.head);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let mut query = Array::<f32>::new(kind.head);
    let mut key = Array::<f32>::new(kind.head);
    let mut sums = Array::<f32>::new(kind.head);
    for task in range_stepped(UNIT_POS as usize, heads * length, threads) {
        let of = task / length;
        let own = task % length;
        let base = table[record + word::QKV] as usize + sequence * length * stride + of * comptime!(3 * kind.head);
        load_rotated(memory, table, &mut query, base + own * stride, rotary_table + own * kind.rotary, kind);
        clear(&mut sums, kind.head);
        let mut most = f32::new(-1.0e30f32);
        let mut total = 0.0f32;
        for position in 0..own + 1 {
            let at = base + position * stride + kind.head;
            load_rotated(memory, table, &mut key, at, rotary_table + position * kind.rotary, kind);
            let score = scale * dot(&query, &key, kind.head);
            if score > most {
                let shrink = (most - score).exp();
                total *= shrink;
                #[unroll]
                for i in 0..kind.head {
                    sums[i] *= shrink;
                }
                most = score;
            }
            let weight = (score - most).exp();
            total += weight;
            #[unroll]
            for i in 0..kind.head {
                sums[i] += weight * memory[at + kind.head + i];
            }
        }
        let out = table[record + word::OUT] as usize + (sequence * length + own) * heads * kind.head + of * kind.head;
        #[unroll]
        for i in 0..kind.head {
            memory[out + i] = sums[i] / total;
        }
        let kept = table[record + forward::SUMS] as usize + ((sequence * heads + of) * length + own) * 2;
        memory[kept] = most;
        memory[kept + 1] = 1.0f32 / total;
    }
}

/// The gradients of the queries.
#[cube]
pub fn queries(
    memory: &mut [f32],
    table: &[u32],
    record: usize,
    sequence: usize,
    #[comptime] threads: usize,
    #[comptime] kind: AttentionKind,
) {
    let length = table[record + word::LENGTH] as usize;
    let heads = table[record + word::HEADS] as usize;
    let rotary_table = table[record + word::ROTARY_TABLE] as usize;
    let stride = heads * comptime!(3 * kind.head);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let mut query = Array::<f32>::new(kind.head);
    let mut upstream = Array::<f32>::new(kind.head);
    let mut key = Array::<f32>::new(kind.head);
    let mut sums = Array::<f32>::new(kind.head);
    for task in range_stepped(UNIT_POS as usize, heads * length, threads) {
        let of = task / length;
        let own = task % length;
        let place = sequence * length * stride + of * comptime!(3 * kind.head);
        let base = table[record + word::QKV] as usize + place;
        let row = (sequence * length + own) * heads * kind.head + of * kind.head;
        load_rotated(memory, table, &mut query, base + own * stride, rotary_table + own * kind.rotary, kind);
        load(memory, &mut upstream, table[record + backward::GRADIENT] as usize + row, kind.head);
        clear(&mut sums, kind.head);
        let delta = dot_with(memory, &upstream, table[record + word::OUT] as usize + row, kind.head);
        let kept = table[record + backward::SUMS] as usize + ((sequence * heads + of) * length + own) * 2;
        let most = memory[kept];
        let share = memory[kept + 1];
        for position in 0..own + 1 {
            let at = base + position * stride + kind.head;
            load_rotated(memory, table, &mut key, at, rotary_table + position * kind.rotary, kind);
            let weight = (scale * dot(&query, &key, kind.head) - most).exp() * share;
            let change = weight * (dot_with(memory, &upstream, at + kind.head, kind.head) - delta) * scale;
            #[unroll]
            for i in 0..kind.head {
                sums[i] += change * key[i];
            }
        }
        rotate_back(
            memory,
            table,
            &sums,
            table[record + backward::INTO] as usize + place + own * stride,
            rotary_table + own * kind.rotary,
            kind,
        );
    }
}

/// The gradients of the keys and values.
#[cube]
pub fn keys_and_values(
    memory: &mut [f32],
    table: &[u32],
    record: usize,
    sequence: usize,
    #[comptime] threads: usize,
    #[comptime] kind: AttentionKind,
) {
    let length = table[record + word::LENGTH] as usize;
    let heads = table[record + word::HEADS] as usize;
    let rotary_table = table[record + word::ROTARY_TABLE] as usize;
    let stride = heads * comptime!(3 * kind.head);
    let width = heads * kind.head;
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let mut key = Array::<f32>::new(kind.head);
    let mut value = Array::<f32>::new(kind.head);
    let mut query = Array::<f32>::new(kind.head);
    let mut upstream = Array::<f32>::new(kind.head);
    let mut key_sums = Array::<f32>::new(kind.head);
    let mut value_sums = Array::<f32>::new(kind.head);
    for task in range_stepped(UNIT_POS as usize, heads * length, threads) {
        let of = task / length;
        let own = task % length;
        let place = sequence * length * stride + of * comptime!(3 * kind.head);
        let base = table[record + word::QKV] as usize + place;
        load_rotated(memory, table, &mut key, base + own * stride + kind.head, rotary_table + own * kind.rotary, kind);
        load(memory, &mut value, base + own * stride + comptime!(2 * kind.head), kind.head);
        clear(&mut key_sums, kind.head);
        clear(&mut value_sums, kind.head);
        for position in own..length {
            let row = (sequence * length + position) * width + of * kind.head;
            load_rotated(memory, table, &mut query, base + position * stride, rotary_table + position * kind.rotary, kind);
            load(memory, &mut upstream, table[record + backward::GRADIENT] as usize + row, kind.head);
            let delta = dot_with(memory, &upstream, table[record + word::OUT] as usize + row, kind.head);
            let kept = table[record + backward::SUMS] as usize + ((sequence * heads + of) * length + position) * 2;
            let weight = (scale * dot(&key, &query, kind.head) - memory[kept]).exp() * memory[kept + 1];
            let change = weight * (dot(&value, &upstream, kind.head) - delta) * scale;
            #[unroll]
            for i in 0..kind.head {
                value_sums[i] += weight * upstream[i];
                key_sums[i] += change * query[i];
            }
        }
        let into = table[record + backward::INTO] as usize + place + own * stride + kind.head;
        rotate_back(memory, table, &key_sums, into, rotary_table + own * kind.rotary, kind);
        #[unroll]
        for i in 0..kind.head {
            memory[into + kind.head + i] = value_sums[i];
        }
    }
}
