//! A product's rows of one sequence, tile after tile: a thread makes 4 × 4 numbers of a tile.
//!
//! Record: how many rows a sequence has, then the job of [`job`] with its terms.

use super::Kind;
use crate::engine::gpu::kernels::products::{finish, job, term};
use cubecl::prelude::*;

/// Numbers of a tile along each side that a thread makes.
pub const PER: usize = 4;
/// How much of the inner dimension is staged at a time.
pub const DEPTH: usize = 16;

/// Numbers of workgroup memory for an operand of a tile with so many threads along it.
pub fn room(side: usize, staged: bool) -> usize {
    if staged { DEPTH * (PER * side + 1) } else { 1 }
}

/// Copies `PER · side` rows (A) or columns (B) of an operand to workgroup memory, `DEPTH` of k, zeros outside.
#[cube]
#[allow(clippy::too_many_arguments)]
fn stage(
    memory: &mut [f32],
    staged: &mut Shared<[f32]>,
    address: usize,
    along: usize,
    inner: usize,
    from: usize,
    end: usize,
    from_k: usize,
    end_k: usize,
    #[comptime] side: usize,
    #[comptime] threads: usize,
) {
    let edge = comptime!(PER * side);
    for index in range_stepped(UNIT_POS as usize, comptime!(PER * side * DEPTH), threads) {
        let i = select(inner == 1, index / DEPTH, index % edge);
        let k = select(inner == 1, index % DEPTH, index / edge);
        let inside = from + i < end && from_k + k < end_k;
        let value = memory[select(inside, address + (from + i) * along + (from_k + k) * inner, 0)];
        staged[k * comptime!(PER * side + 1) + i] = select(inside, value, 0.0f32);
    }
}

/// Adds one term's share to a thread's sums, through workgroup memory.
#[cube]
#[allow(clippy::too_many_arguments)]
fn through_workgroup(
    memory: &mut [f32],
    table: &[u32],
    a: &mut Shared<[f32]>,
    b: &mut Shared<[f32]>,
    sums: &mut Array<f32>,
    term: usize,
    top: usize,
    end: usize,
    left: usize,
    n: usize,
    #[comptime] kind: Kind,
) {
    let k = table[term + term::K] as usize;
    let row = UNIT_POS as usize / kind.across;
    let column = UNIT_POS as usize % kind.across;
    let mut from = 0usize;
    while from < k {
        sync_cube();
        let (address, along, inner) =
            (table[term + term::A] as usize, table[term + term::A_ROW] as usize, table[term + term::A_COLUMN] as usize);
        stage(memory, a, address, along, inner, top, end, from, k, kind.down, comptime!(kind.threads()));
        let (address, along, inner) =
            (table[term + term::B] as usize, table[term + term::B_COLUMN] as usize, table[term + term::B_ROW] as usize);
        stage(memory, b, address, along, inner, left, n, from, k, kind.across, comptime!(kind.threads()));
        sync_cube();
        for step in 0..(k - from).min(DEPTH) {
            let mut x = Array::<f32>::new(PER);
            let mut y = Array::<f32>::new(PER);
            #[unroll]
            for i in 0..PER {
                x[i] = a[step * comptime!(PER * kind.down + 1) + row + i * kind.down];
                y[i] = b[step * comptime!(PER * kind.across + 1) + column + i * kind.across];
            }
            #[unroll]
            for i in 0..PER {
                #[unroll]
                for j in 0..PER {
                    sums[i * PER + j] += x[i] * y[j];
                }
            }
        }
        from += DEPTH;
    }
}

/// The same from where the operands lie: a barrier costs an adapter that is emulated on the CPU more than reading a number again.
/// Rows and columns past the last read the last one's numbers, and are not written.
#[cube]
#[allow(clippy::too_many_arguments)]
fn directly(
    memory: &mut [f32],
    table: &[u32],
    sums: &mut Array<f32>,
    term: usize,
    top: usize,
    end: usize,
    left: usize,
    n: usize,
    #[comptime] kind: Kind,
) {
    let mut rows = Array::<usize>::new(PER);
    let mut columns = Array::<usize>::new(PER);
    #[unroll]
    for i in 0..PER {
        let row = (top + UNIT_POS as usize / kind.across + i * kind.down).min(end - 1);
        let column = (left + UNIT_POS as usize % kind.across + i * kind.across).min(n - 1);
        rows[i] = table[term + term::A] as usize + row * table[term + term::A_ROW] as usize;
        columns[i] = table[term + term::B] as usize + column * table[term + term::B_COLUMN] as usize;
    }
    let a_step = table[term + term::A_COLUMN] as usize;
    let b_step = table[term + term::B_ROW] as usize;
    for k in 0..table[term + term::K] as usize {
        let mut x = Array::<f32>::new(PER);
        let mut y = Array::<f32>::new(PER);
        #[unroll]
        for i in 0..PER {
            x[i] = memory[rows[i] + k * a_step];
            y[i] = memory[columns[i] + k * b_step];
        }
        #[unroll]
        for i in 0..PER {
            #[unroll]
            for j in 0..PER {
                sums[i * PER + j] += x[i] * y[j];
            }
        }
    }
}

/// A product.
#[cube]
pub fn product(
    memory: &mut [f32],
    table: &[u32],
    a: &mut Shared<[f32]>,
    b: &mut Shared<[f32]>,
    record: usize,
    sequence: usize,
    #[comptime] kind: Kind,
) {
    let first = sequence * table[record] as usize;
    let end = first + table[record] as usize;
    let job = record + 1;
    let n = table[job + job::N] as usize;
    let beside = n.div_ceil(comptime!(PER * kind.across));
    for tile in 0..(end - first).div_ceil(comptime!(PER * kind.down)) * beside {
        let top = first + tile / beside * comptime!(PER * kind.down);
        let left = tile % beside * comptime!(PER * kind.across);
        let mut sums = Array::<f32>::new(comptime!(PER * PER));
        #[unroll]
        for i in 0..comptime!(PER * PER) {
            sums[i] = 0.0f32;
        }
        for index in 0..table[job + job::TERMS] as usize {
            let term = job + job::WORDS + index * term::WORDS;
            if comptime!(kind.staged) {
                through_workgroup(memory, table, a, b, &mut sums, term, top, end, left, n, kind);
            } else {
                directly(memory, table, &mut sums, term, top, end, left, n, kind);
            }
        }
        // A second array, indexed at run time, so that the first can stay in registers.
        let mut results = Array::<f32>::new(comptime!(PER * PER));
        #[unroll]
        for i in 0..comptime!(PER * PER) {
            results[i] = sums[i];
        }
        let row = top + UNIT_POS as usize / kind.across;
        let column = left + UNIT_POS as usize % kind.across;
        for i in 0..comptime!(PER * PER) {
            let r = row + i / PER * kind.down;
            let c = column + i % PER * kind.across;
            if r < end && c < n {
                finish(memory, table, job, r, c, results[i]);
            }
        }
    }
}
