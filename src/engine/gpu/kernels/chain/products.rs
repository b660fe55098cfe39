//! The rows of one sequence of a product, one tile after another: a thread computes 4 × 4 elements of a tile.
//!
//! Record: [`own`], then [`job`] with its terms.

use super::ChainKind;
use crate::engine::gpu::kernels::products::{finish, job, term};
use cubecl::prelude::*;

/// A thread computes `PER` × `PER` elements of a tile.
pub const PER: usize = 4;
/// The part of the inner dimension that is staged at a time.
pub const DEPTH: usize = 16;

/// Elements of workgroup memory for one operand of a tile with `side` threads along it.
pub fn room(side: usize, staged: bool) -> usize {
    if staged { DEPTH * (PER * side + 1) } else { 1 }
}

/// Copies `PER · side` rows (A) or columns (B) of an operand to workgroup memory, `DEPTH` of k; elements outside the operand are zero.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
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

/// Adds one term to a thread's sums, through workgroup memory.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
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
    #[comptime] kind: ChainKind,
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

/// The same without workgroup memory, for adapters emulated on the CPU: a barrier costs them more than reading a number again. Rows and columns
/// past the end read the last one's elements; their results are not written.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn directly(
    memory: &mut [f32],
    table: &[u32],
    sums: &mut Array<f32>,
    term: usize,
    top: usize,
    end: usize,
    left: usize,
    n: usize,
    #[comptime] kind: ChainKind,
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

record! {
    /// The first word of a record. The words of [`job`] and its terms follow.
    pub mod own {
        /// The rows of one sequence.
        ROWS,
    }
}

/// Computes one sequence's rows of a product.
#[cube]
pub fn product(
    memory: &mut [f32],
    table: &[u32],
    a: &mut Shared<[f32]>,
    b: &mut Shared<[f32]>,
    record: usize,
    sequence: usize,
    #[comptime] kind: ChainKind,
) {
    let first = sequence * table[record + own::ROWS] as usize;
    let end = first + table[record + own::ROWS] as usize;
    let job = record + own::WORDS;
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
        // This second array is indexed at run time, so that the first can stay in registers.
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
