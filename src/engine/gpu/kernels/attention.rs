//! Causal softmax attention with rotary positions: `o_i = Σ_{j ≤ i} p_ij v_j`, `p_i = softmax(q_i · k_j / √head)`.
//!
//! A workgroup computes a block of positions of one head of one sequence; a thread computes one position. In the forward pass, and in the
//! backward pass for dq, a thread keeps its query and loops over the keys up to its own position. For dk and dv it keeps its key and loops over
//! the queries from its own position on. Both go tile by tile through workgroup memory.
//!
//! The forward pass computes the softmax while it reads the keys (Milakov and Gimelshein, arXiv 1805.02867). Each row keeps its highest score m
//! and `1 / Σ exp(s − m)`. Backward: `p = exp(s − m) / Σ`, `δ = Σ dO ⊙ O`, `ds = p (dO · v − δ) / √head` (Dao et al., arXiv 2205.14135).
//! Queries and keys are rotated when they are loaded. Their gradients are rotated back when they are written.
//!
//! Records: [`forward`] and [`backward`].

use cubecl::prelude::*;

record! {
    /// The words that every record begins with.
    pub mod word {
        SEQUENCES,
        LENGTH,
        HEADS,
        QKV,
        /// Index of the rotary table in the table.
        ROTARY_TABLE,
        OUT,
    }
}

record! {
    /// A record of the forward kernel.
    pub mod forward after word {
        /// The highest score and the sum of the exponentials of each row.
        SUMS,
    }
}

record! {
    /// A record of the backward kernel.
    pub mod backward after forward {
        /// The gradient of the output.
        GRADIENT,
        /// The gradient of `qkv`.
        INTO,
    }
}

/// The compile-time values of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttentionKind {
    /// Dimensions of a head.
    pub head: usize,
    /// How many of a head's first dimensions are rotated.
    pub rotary: usize,
    /// Positions of a block; also the number of threads.
    pub block: usize,
    /// Positions of a staged tile.
    pub tile: usize,
}

/// One dimension of a query or key, rotated by its position's angle.
#[cube]
pub fn rotated(
    memory: &mut [f32],
    table: &[u32],
    address: usize,
    rotary_table: usize,
    position: usize,
    dimension: usize,
    #[comptime] rotary: usize,
) -> f32 {
    let half = comptime!(rotary / 2);
    let mut value = memory[address + dimension];
    if dimension < rotary {
        let angle = rotary_table + position * rotary + dimension % half;
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

/// Writes the gradient of a query or key, from the gradient of the rotated query or key.
#[cube]
pub fn rotate_back(
    memory: &mut [f32],
    table: &[u32],
    gradient: &Array<f32>,
    address: usize,
    angles: usize,
    #[comptime] kind: AttentionKind,
) {
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

/// Stages `tile` rows from position `from` on: the queries or keys in `first`, rotated; other rows in `second`, unchanged.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn stage(
    memory: &mut [f32],
    table: &[u32],
    first: &mut Shared<[f32]>,
    second: &mut Shared<[f32]>,
    turning: usize,
    turning_stride: usize,
    plain: usize,
    plain_stride: usize,
    rotary_table: usize,
    from: usize,
    length: usize,
    #[comptime] kind: AttentionKind,
) {
    for index in range_stepped(UNIT_POS as usize, comptime!(kind.tile * kind.head), kind.block) {
        let position = from + index / kind.head;
        let dimension = index % kind.head;
        if position < length {
            let at = turning + position * turning_stride;
            first[index] = rotated(memory, table, at, rotary_table, position, dimension, kind.rotary);
            second[index] = memory[plain + position * plain_stride + dimension];
        }
    }
}

/// The dot product of a thread's own row and one row of a staged tile.
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
#[allow(clippy::too_many_lines, reason = "one kernel, whose parts share workgroup memory")]
pub fn attention_forward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: AttentionKind) {
    let mut keys = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut values = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    if CUBE_POS < count as usize {
        let record = record as usize;
        let length = table[record + word::LENGTH] as usize;
        let heads = table[record + word::HEADS] as usize;
        let rotary_table = table[record + word::ROTARY_TABLE] as usize;
        let blocks = length.div_ceil(kind.block);
        let pair = CUBE_POS / blocks;
        let start = CUBE_POS % blocks * kind.block;
        let stride = heads * comptime!(3 * kind.head);
        let sequence = pair / heads;
        let base = table[record + word::QKV] as usize + sequence * length * stride + pair % heads * comptime!(3 * kind.head);
        let position = start + UNIT_POS as usize;
        let own = position.min(length - 1);
        let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();

        let mut query = Array::<f32>::new(kind.head);
        let mut sums = Array::<f32>::new(kind.head);
        #[unroll]
        for i in 0..kind.head {
            query[i] = scale * rotated(memory, table, base + own * stride, rotary_table, own, i, kind.rotary);
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
                rotary_table,
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
            let out = table[record + word::OUT] as usize + (sequence * length + position) * heads * kind.head + pair % heads * kind.head;
            #[unroll]
            for i in 0..kind.head {
                memory[out + i] = sums[i] / total;
            }
            let kept = table[record + forward::SUMS] as usize + (pair * length + position) * 2;
            memory[kept] = most;
            memory[kept + 1] = 1.0f32 / total;
        }
    }
}

/// The gradient of a thread's query.
#[cube]
#[allow(clippy::too_many_lines, reason = "one kernel, whose parts share workgroup memory")]
fn queries(
    memory: &mut [f32],
    table: &[u32],
    keys: &mut Shared<[f32]>,
    values: &mut Shared<[f32]>,
    record: usize,
    group: usize,
    #[comptime] kind: AttentionKind,
) {
    let length = table[record + word::LENGTH] as usize;
    let heads = table[record + word::HEADS] as usize;
    let rotary_table = table[record + word::ROTARY_TABLE] as usize;
    let blocks = length.div_ceil(kind.block);
    let pair = group / blocks;
    let start = group % blocks * kind.block;
    let stride = heads * comptime!(3 * kind.head);
    let sequence = pair / heads;
    let place = sequence * length * stride + pair % heads * comptime!(3 * kind.head);
    let base = table[record + word::QKV] as usize + place;
    let position = start + UNIT_POS as usize;
    let own = position.min(length - 1);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let row = (sequence * length + own) * heads * kind.head + pair % heads * kind.head;
    let gradient = table[record + backward::GRADIENT] as usize + row;
    let out = table[record + word::OUT] as usize + row;
    let kept = table[record + backward::SUMS] as usize + (pair * length + own) * 2;
    let most = memory[kept];
    let share = memory[kept + 1];

    let mut query = Array::<f32>::new(kind.head);
    let mut upstream = Array::<f32>::new(kind.head);
    let mut sums = Array::<f32>::new(kind.head);
    let mut delta = 0.0f32;
    #[unroll]
    for i in 0..kind.head {
        query[i] = scale * rotated(memory, table, base + own * stride, rotary_table, own, i, kind.rotary);
        upstream[i] = memory[gradient + i];
        delta += upstream[i] * memory[out + i];
    }
    let mut from = 0usize;
    while from < (start + kind.block).min(length) {
        sync_cube();
        stage(
            memory,
            table,
            keys,
            values,
            base + kind.head,
            stride,
            base + comptime!(2 * kind.head),
            stride,
            rotary_table,
            from,
            length,
            kind,
        );
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
        let into = table[record + backward::INTO] as usize + place + position * stride;
        rotate_back(memory, table, &sums, into, rotary_table + position * kind.rotary, kind);
    }
}

/// The gradients of a thread's key and value.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
#[allow(clippy::too_many_lines, reason = "one kernel, whose parts share workgroup memory")]
fn keys_and_values(
    memory: &mut [f32],
    table: &[u32],
    queries: &mut Shared<[f32]>,
    upstream: &mut Shared<[f32]>,
    divisor_gradients: &mut Shared<[f32]>,
    record: usize,
    group: usize,
    #[comptime] kind: AttentionKind,
) {
    let length = table[record + word::LENGTH] as usize;
    let heads = table[record + word::HEADS] as usize;
    let rotary_table = table[record + word::ROTARY_TABLE] as usize;
    let blocks = length.div_ceil(kind.block);
    let pair = group / blocks;
    let start = group % blocks * kind.block;
    let stride = heads * comptime!(3 * kind.head);
    let sequence = pair / heads;
    let place = sequence * length * stride + pair % heads * comptime!(3 * kind.head);
    let base = table[record + word::QKV] as usize + place;
    let position = start + UNIT_POS as usize;
    let own = position.min(length - 1);
    let scale = 1.0f32 / f32::cast_from(kind.head).sqrt();
    let width = heads * kind.head;
    let row = sequence * length * width + pair % heads * kind.head;
    let gradient = table[record + backward::GRADIENT] as usize + row;
    let out = table[record + word::OUT] as usize + row;
    let kept = table[record + backward::SUMS] as usize + pair * length * 2;

    let mut key = Array::<f32>::new(kind.head);
    let mut value = Array::<f32>::new(kind.head);
    let mut key_sums = Array::<f32>::new(kind.head);
    let mut value_sums = Array::<f32>::new(kind.head);
    #[unroll]
    for i in 0..kind.head {
        key[i] = rotated(memory, table, base + own * stride + kind.head, rotary_table, own, i, kind.rotary);
        value[i] = memory[base + own * stride + comptime!(2 * kind.head) + i];
    }
    let mut from = start / kind.tile * kind.tile;
    while from < length {
        sync_cube();
        stage(memory, table, queries, upstream, base, stride, gradient, width, rotary_table, from, length, kind);
        for index in range_stepped(UNIT_POS as usize, kind.tile, kind.block) {
            if from + index < length {
                let at = (from + index) * width;
                let mut delta = 0.0f32;
                for i in 0..kind.head {
                    delta += memory[gradient + at + i] * memory[out + at + i];
                }
                divisor_gradients[index * 3] = delta;
                divisor_gradients[index * 3 + 1] = memory[kept + (from + index) * 2];
                divisor_gradients[index * 3 + 2] = memory[kept + (from + index) * 2 + 1];
            }
        }
        sync_cube();
        let begin = own.max(from) - from;
        for query in begin..(length - from).min(kind.tile) {
            let at = query * kind.head;
            let weight =
                (dot(&key, queries, at, kind.head) * scale - divisor_gradients[query * 3 + 1]).exp() * divisor_gradients[query * 3 + 2];
            let change = weight * (dot(&value, upstream, at, kind.head) - divisor_gradients[query * 3]) * scale;
            #[unroll]
            for i in 0..kind.head {
                value_sums[i] += weight * upstream[at + i];
                key_sums[i] += change * queries[at + i];
            }
        }
        from += kind.tile;
    }
    if position < length {
        let into = table[record + backward::INTO] as usize + place + position * stride + kind.head;
        rotate_back(memory, table, &key_sums, into, rotary_table + position * kind.rotary, kind);
        #[unroll]
        for i in 0..kind.head {
            memory[into + kind.head + i] = value_sums[i];
        }
    }
}

/// The backward kernel: the first half of the workgroups computes dq, the second half dk and dv.
#[cube(launch_unchecked)]
pub fn attention_backward(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: AttentionKind) {
    let mut first = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut second = Shared::<[f32]>::new_slice(comptime!(kind.tile * kind.head));
    let mut divisor_gradients = Shared::<[f32]>::new_slice(comptime!(kind.tile * 3));
    if CUBE_POS < count as usize {
        let half = count as usize / 2;
        if CUBE_POS < half {
            queries(memory, table, &mut first, &mut second, record as usize, CUBE_POS, kind);
        } else {
            keys_and_values(memory, table, &mut first, &mut second, &mut divisor_gradients, record as usize, CUBE_POS - half, kind);
        }
    }
}
