//! Causal softmax attention with rotary positions: `o_i = Σ_{j ≤ i} p_ij v_j`, `p_i = softmax(q_i · k_j / √head)`.
//!
//! A workgroup takes a block of positions of one head of one sequence, a thread a position. Forwards, and backwards for dq,
//! a thread holds its query and passes over the keys, tile by tile through workgroup memory, up to its own position;
//! backwards for dk and dv it holds its key and passes over the queries from its own position on. Forwards the softmax is
//! computed as the keys come (Milakov and Gimelshein, arXiv 1805.02867), and each row keeps its highest score m and
//! `1 / Σ exp(s − m)`; backwards `p = exp(s − m) / Σ`, `δ = Σ dO ⊙ O`, `ds = p (dO · v − δ) / √head` (Dao et al.,
//! arXiv 2205.14135). Queries and keys turn when they are
//! loaded, and their gradients turn back when they are written.
//!
//! Record: the words of [`head`].

use cubecl::prelude::*;

/// Where the words of a record lie.
pub mod head {
    pub const SEQUENCES: usize = 0;
    pub const LENGTH: usize = 1;
    pub const HEADS: usize = 2;
    pub const QKV: usize = 3;
    /// In the table.
    pub const TURNS: usize = 4;
    pub const OUT: usize = 5;
    pub const SUMS: usize = 6;
    /// The gradient of the output; backwards.
    pub const GRADIENT: usize = 7;
    /// The gradient of `qkv`; backwards.
    pub const INTO: usize = 8;
    pub const WORDS: usize = 9;
}

/// What a pipeline is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Dimensions of a head.
    pub head: usize,
    /// How many of them turn.
    pub rotary: usize,
    /// Positions of a block, as many as threads.
    pub block: usize,
    /// Positions of a staged tile.
    pub tile: usize,
}

/// One dimension of a query or key, turned by its position's angle.
#[cube]
pub fn turned(
    memory: &mut [f32],
    table: &[u32],
    address: usize,
    turns: usize,
    position: usize,
    dimension: usize,
    #[comptime] rotary: usize,
) -> f32 {
    let half = comptime!(rotary / 2);
    let mut value = memory[address + dimension];
    if dimension < rotary {
        let angle = turns + position * rotary + dimension % half;
        let cosine = f32::from_bits(table[angle]);
        let sine = f32::from_bits(table[angle + half]);
        if dimension < half {
            value = value * cosine - memory[address + dimension + half] * sine;
        } else {
            value = value * cosine + memory[address + dimension - half] * sine;
        }
    }
    value
}

/// Writes the gradient of a query or key from that of what it became by turning.
#[cube]
pub fn turn_back(memory: &mut [f32], table: &[u32], gradient: &Array<f32>, address: usize, angles: usize, #[comptime] kind: Kind) {
    let half = comptime!(kind.rotary / 2);
    #[unroll]
    for i in 0..half {
        let cosine = f32::from_bits(table[angles + i]);
        let sine = f32::from_bits(table[angles + half + i]);
        memory[address + i] = gradient[i] * cosine + gradient[i + half] * sine;
        memory[address + half + i] = gradient[i + half] * cosine - gradient[i] * sine;
    }
    #[unroll]
    for i in comptime!(kind.rotary)..comptime!(kind.head) {
        memory[address + i] = gradient[i];
    }
}

/// Stages `tile` rows from position `from` on: `first` the queries or keys, turned, `second` rows as they are.
#[cube]
#[allow(clippy::too_many_arguments)]
fn stage(
    memory: &mut [f32],
    table: &[u32],
    first: &mut Shared<[f32]>,
    second: &mut Shared<[f32]>,
    turning: usize,
    turning_stride: usize,
    plain: usize,
    plain_stride: usize,
    turns: usize,
    from: usize,
    length: usize,
    #[comptime] kind: Kind,
) {
    for index in range_stepped(UNIT_POS as usize, comptime!(kind.tile * kind.head), kind.block) {
        let position = from + index / kind.head;
        let dimension = index % kind.head;
        if position < length {
            let at = turning + position * turning_stride;
            first[index] = turned(memory, table, at, turns, position, dimension, kind.rotary);
            second[index] = memory[plain + position * plain_stride + dimension];
        }
    }
}

/// A position's row of one staged tile times a thread's own row.
#[cube]
fn dot(row: &Array<f32>, staged: &mut Shared<[f32]>, at: usize, #[comptime] head: usize) -> f32 {
    let mut sum = 0.0f32;
    #[unroll]
    for i in 0..head {
        sum += row[i] * staged[at + i];
    }
    sum
}

/// The forward kernel.
#[cube(launch_unchecked)]
pub fn attention_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut keys = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut values = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let length = table[record + head::LENGTH] as usize;
        let heads = table[record + head::HEADS] as usize;
        let turns = table[record + head::TURNS] as usize;
        let blocks = length.div_ceil(kind.block);
        let pair = CUBE_POS / blocks;
        let start = CUBE_POS % blocks * kind.block;
        let stride = heads * comptime!(3 * kind.head);
        let sequence = pair / heads;
        let base = table[record + head::QKV] as usize + sequence * length * stride + pair % heads * comptime!(3 * kind.head);
        let position = start + UNIT_POS as usize;
        let own = position.min(length - 1);
        let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();

        let mut query = Array::<f32>::new(kind.head);
        let mut sums = Array::<f32>::new(kind.head);
        #[unroll]
        for i in 0..kind.head {
            query[i] = scale * turned(memory, table, base + own * stride, turns, own, i, kind.rotary);
        }
        let mut most = f32::new(-1.0e30f32);
        let mut total = 0.0f32;
        let mut from = 0usize;
        while from < (start + kind.block).min(length) {
            sync_cube();
            stage(
                memory,
                table,
                &mut keys,
                &mut values,
                base + kind.head,
                stride,
                base + comptime!(2 * kind.head),
                stride,
                turns,
                from,
                length,
                kind,
            );
            sync_cube();
            let end = (own + 1).max(from) - from;
            for key in 0..end.min(kind.tile) {
                let at = key * kind.head;
                let score = dot(&query, &mut keys, at, kind.head);
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
                    sums[i] += weight * values[at + i];
                }
            }
            from += kind.tile;
        }
        if position < length {
            let out = table[record + head::OUT] as usize + (sequence * length + position) * heads * kind.head + pair % heads * kind.head;
            #[unroll]
            for i in 0..kind.head {
                memory[out + i] = sums[i] / total;
            }
            let kept = table[record + head::SUMS] as usize + (pair * length + position) * 2;
            memory[kept] = most;
            memory[kept + 1] = 1.0f32 / total;
        }
    }
}

/// The gradient of a thread's query.
#[cube]
fn queries(
    memory: &mut [f32],
    table: &[u32],
    keys: &mut Shared<[f32]>,
    values: &mut Shared<[f32]>,
    record: usize,
    group: usize,
    #[comptime] kind: Kind,
) {
    let length = table[record + head::LENGTH] as usize;
    let heads = table[record + head::HEADS] as usize;
    let turns = table[record + head::TURNS] as usize;
    let blocks = length.div_ceil(kind.block);
    let pair = group / blocks;
    let start = group % blocks * kind.block;
    let stride = heads * comptime!(3 * kind.head);
    let sequence = pair / heads;
    let place = sequence * length * stride + pair % heads * comptime!(3 * kind.head);
    let base = table[record + head::QKV] as usize + place;
    let position = start + UNIT_POS as usize;
    let own = position.min(length - 1);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let row = (sequence * length + own) * heads * kind.head + pair % heads * kind.head;
    let gradient = table[record + head::GRADIENT] as usize + row;
    let out = table[record + head::OUT] as usize + row;
    let kept = table[record + head::SUMS] as usize + (pair * length + own) * 2;
    let most = memory[kept];
    let share = memory[kept + 1];

    let mut query = Array::<f32>::new(kind.head);
    let mut upstream = Array::<f32>::new(kind.head);
    let mut sums = Array::<f32>::new(kind.head);
    let mut delta = 0.0f32;
    #[unroll]
    for i in 0..kind.head {
        query[i] = scale * turned(memory, table, base + own * stride, turns, own, i, kind.rotary);
        upstream[i] = memory[gradient + i];
        delta += upstream[i] * memory[out + i];
    }
    let mut from = 0usize;
    while from < (start + kind.block).min(length) {
        sync_cube();
        stage(memory, table, keys, values, base + kind.head, stride, base + comptime!(2 * kind.head), stride, turns, from, length, kind);
        sync_cube();
        let end = (own + 1).max(from) - from;
        for key in 0..end.min(kind.tile) {
            let at = key * kind.head;
            let weight = (dot(&query, keys, at, kind.head) - most).exp() * share;
            let change = weight * (dot(&upstream, values, at, kind.head) - delta) * scale;
            #[unroll]
            for i in 0..kind.head {
                sums[i] += change * keys[at + i];
            }
        }
        from += kind.tile;
    }
    if position < length {
        let into = table[record + head::INTO] as usize + place + position * stride;
        turn_back(memory, table, &sums, into, turns + position * kind.rotary, kind);
    }
}

/// The gradients of a thread's key and value.
#[cube]
#[allow(clippy::too_many_arguments)]
fn keys_and_values(
    memory: &mut [f32],
    table: &[u32],
    queries: &mut Shared<[f32]>,
    upstream: &mut Shared<[f32]>,
    sides: &mut Shared<[f32]>,
    record: usize,
    group: usize,
    #[comptime] kind: Kind,
) {
    let length = table[record + head::LENGTH] as usize;
    let heads = table[record + head::HEADS] as usize;
    let turns = table[record + head::TURNS] as usize;
    let blocks = length.div_ceil(kind.block);
    let pair = group / blocks;
    let start = group % blocks * kind.block;
    let stride = heads * comptime!(3 * kind.head);
    let sequence = pair / heads;
    let place = sequence * length * stride + pair % heads * comptime!(3 * kind.head);
    let base = table[record + head::QKV] as usize + place;
    let position = start + UNIT_POS as usize;
    let own = position.min(length - 1);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let width = heads * kind.head;
    let row = sequence * length * width + pair % heads * kind.head;
    let gradient = table[record + head::GRADIENT] as usize + row;
    let out = table[record + head::OUT] as usize + row;
    let kept = table[record + head::SUMS] as usize + pair * length * 2;

    let mut key = Array::<f32>::new(kind.head);
    let mut value = Array::<f32>::new(kind.head);
    let mut key_sums = Array::<f32>::new(kind.head);
    let mut value_sums = Array::<f32>::new(kind.head);
    #[unroll]
    for i in 0..kind.head {
        key[i] = turned(memory, table, base + own * stride + kind.head, turns, own, i, kind.rotary);
        value[i] = memory[base + own * stride + comptime!(2 * kind.head) + i];
    }
    let mut from = start / kind.tile * kind.tile;
    while from < length {
        sync_cube();
        stage(memory, table, queries, upstream, base, stride, gradient, width, turns, from, length, kind);
        for index in range_stepped(UNIT_POS as usize, kind.tile, kind.block) {
            if from + index < length {
                let at = (from + index) * width;
                let mut delta = 0.0f32;
                for i in 0..kind.head {
                    delta += memory[gradient + at + i] * memory[out + at + i];
                }
                sides[index * 3] = delta;
                sides[index * 3 + 1] = memory[kept + (from + index) * 2];
                sides[index * 3 + 2] = memory[kept + (from + index) * 2 + 1];
            }
        }
        sync_cube();
        let begin = own.max(from) - from;
        for query in begin..(length - from).min(kind.tile) {
            let at = query * kind.head;
            let weight = (dot(&key, queries, at, kind.head) * scale - sides[query * 3 + 1]).exp() * sides[query * 3 + 2];
            let change = weight * (dot(&value, upstream, at, kind.head) - sides[query * 3]) * scale;
            #[unroll]
            for i in 0..kind.head {
                value_sums[i] += weight * upstream[at + i];
                key_sums[i] += change * queries[at + i];
            }
        }
        from += kind.tile;
    }
    if position < length {
        let into = table[record + head::INTO] as usize + place + position * stride + kind.head;
        turn_back(memory, table, &key_sums, into, turns + position * kind.rotary, kind);
        #[unroll]
        for i in 0..kind.head {
            memory[into + kind.head + i] = value_sums[i];
        }
    }
}

/// The backward kernel: the first half of the workgroups makes dq, the second dk and dv.
#[cube(launch_unchecked)]
pub fn attention_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut first = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut second = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut sides = Shared::<[f32]>::new_slice(comptime!(kind.tile * 3));
    if CUBE_POS < count as usize {
        let half = count as usize / 2;
        if CUBE_POS < half {
            queries(memory, table, &mut first, &mut second, record as usize, CUBE_POS, kind);
        } else {
            keys_and_values(memory, table, &mut first, &mut second, &mut sides, record as usize, CUBE_POS - half, kind);
        }
    }
}
