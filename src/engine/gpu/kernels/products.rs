//! Grouped matrix products: `out = slope ⊙ gelu?(scale · Σ A B + Σ biases + add_scale · add)` for many products in one launch.
//!
//! A workgroup of 64 threads computes one square tile of one product. Each thread keeps `(edge / 8)²` sums in registers; its rows and columns
//! are 8 apart, so that neighbouring threads access neighbouring elements. Both operands pass through workgroup memory, `depth` of the inner
//! dimension at a time. They are read in the order of their addresses for every [`Form`](crate::engine::program::Form): here a form is just a
//! pair of strides.
//!
//! Record of a launch: [`tile`] for each tile. Job: [`job`], then [`term`] for each term.

use super::NONE;
use super::erf::{gelu, gelu_slope};
use cubecl::prelude::*;

/// Threads along each side of a tile.
pub const SIDE: usize = 8;

record! {
    /// Indices of the words of a tile. `JOB` is the index of its job in the table.
    pub mod tile {
        JOB,
        TOP,
        LEFT,
    }
}

record! {
    /// Indices of the words of a job, relative to its start.
    pub mod job {
        M,
        N,
        TERMS,
        SCALE,
        BIAS,
        SECOND_BIAS,
        ADD,
        ADD_SCALE,
        GELU,
        SLOPE,
        OUT,
        OUT_STRIDE,
        /// Stride of the rows of `add`, `gelu` and `slope`, in elements.
        BESIDE_STRIDE,
    }
}

record! {
    /// Indices of the words of a term: for each operand its address and the strides of its rows and columns, then k.
    pub mod term {
        A,
        A_ROW,
        A_COLUMN,
        B,
        B_ROW,
        B_COLUMN,
        K,
    }
}

/// Copies `edge × depth` elements of an operand to workgroup memory, as `depth` rows of `edge + 1`; elements outside the operand are zero.
///
/// `along` is the stride of the tile's rows (A) or columns (B); `inner` is the stride of k.
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
    #[comptime] edge: usize,
    #[comptime] depth: usize,
) {
    let unit = UNIT_POS as usize;
    #[unroll]
    for step in 0..comptime!(edge * depth / (SIDE * SIDE)) {
        let index = unit + step * comptime!(SIDE * SIDE);
        let i = select(inner == 1, index / depth, index % edge);
        let k = select(inner == 1, index % depth, index / edge);
        let inside = from + i < end && from_k + k < end_k;
        let value = memory[select(inside, address + (from + i) * along + (from_k + k) * inner, 0)];
        staged[k * comptime!(edge + 1) + i] = select(inside, value, 0.0f32);
    }
}

/// Adds the product of the two staged tiles to the thread's sums.
#[cube]
fn multiply(a: &mut Shared<[f32]>, b: &mut Shared<[f32]>, sums: &mut Array<f32>, count: usize, #[comptime] edge: usize) {
    let per = comptime!(edge / SIDE);
    let row = UNIT_POS as usize / SIDE;
    let column = UNIT_POS as usize % SIDE;
    for k in 0..count {
        let mut x = Array::<f32>::new(per);
        let mut y = Array::<f32>::new(per);
        #[unroll]
        for i in 0..per {
            x[i] = a[k * comptime!(edge + 1) + row + i * SIDE];
            y[i] = b[k * comptime!(edge + 1) + column + i * SIDE];
        }
        #[unroll]
        for i in 0..per {
            #[unroll]
            for j in 0..per {
                sums[i * per + j] += x[i] * y[j];
            }
        }
    }
}

/// Finishes and writes one element of the result.
#[cube]
pub fn finish(memory: &mut [f32], table: &[u32], job: usize, row: usize, column: usize, sum: f32) {
    let at = row * table[job + job::BESIDE_STRIDE] as usize + column;
    let mut value = sum * f32::from_bits(table[job + job::SCALE]);
    let bias = table[job + job::BIAS];
    if bias != NONE {
        value += memory[bias as usize + column];
    }
    let bias = table[job + job::SECOND_BIAS];
    if bias != NONE {
        value += memory[bias as usize + column];
    }
    let add = table[job + job::ADD];
    if add != NONE {
        value += f32::from_bits(table[job + job::ADD_SCALE]) * memory[add as usize + at];
    }
    let kept = table[job + job::GELU];
    if kept != NONE {
        memory[kept as usize + at] = value;
        value = gelu(value);
    }
    let slope = table[job + job::SLOPE];
    if slope != NONE {
        value *= gelu_slope(memory[slope as usize + at]);
    }
    memory[table[job + job::OUT] as usize + row * table[job + job::OUT_STRIDE] as usize + column] = value;
}

/// The kernel. `edge` is the tile's side, `depth` how much of k is staged at a time.
#[cube(launch_unchecked)]
pub fn products(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] edge: usize, #[comptime] depth: usize) {
    let mut a = Shared::<[f32]>::new_slice(comptime!(depth * (edge + 1)));
    let mut b = Shared::<[f32]>::new_slice(comptime!(depth * (edge + 1)));
    if CUBE_POS < count as usize {
        let per = comptime!(edge / SIDE);
        let tile = record as usize + CUBE_POS * tile::WORDS;
        let job = table[tile + tile::JOB] as usize;
        let top = table[tile + tile::TOP] as usize;
        let left = table[tile + tile::LEFT] as usize;
        let m = table[job + job::M] as usize;
        let n = table[job + job::N] as usize;
        let mut sums = Array::<f32>::new(comptime!(per * per));
        for index in 0..table[job + job::TERMS] as usize {
            let term = job + job::WORDS + index * term::WORDS;
            let k = table[term + term::K] as usize;
            let mut from = 0usize;
            while from < k {
                sync_cube();
                stage(
                    memory,
                    &mut a,
                    table[term + term::A] as usize,
                    table[term + term::A_ROW] as usize,
                    table[term + term::A_COLUMN] as usize,
                    top,
                    m,
                    from,
                    k,
                    edge,
                    depth,
                );
                stage(
                    memory,
                    &mut b,
                    table[term + term::B] as usize,
                    table[term + term::B_COLUMN] as usize,
                    table[term + term::B_ROW] as usize,
                    left,
                    n,
                    from,
                    k,
                    edge,
                    depth,
                );
                sync_cube();
                multiply(&mut a, &mut b, &mut sums, (k - from).min(depth), edge);
                from += depth;
            }
        }
        finish_tile(memory, table, job, top, left, m, n, &sums, edge);
    }
}

/// Writes a thread's elements of a tile.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn finish_tile(
    memory: &mut [f32],
    table: &[u32],
    job: usize,
    top: usize,
    left: usize,
    m: usize,
    n: usize,
    sums: &Array<f32>,
    #[comptime] edge: usize,
) {
    let per = comptime!(edge / SIDE);
    // This second array is indexed at run time, so that the first can stay in registers.
    let mut results = Array::<f32>::new(comptime!(per * per));
    #[unroll]
    for i in 0..comptime!(per * per) {
        results[i] = sums[i];
    }
    let row = top + UNIT_POS as usize / SIDE;
    let column = left + UNIT_POS as usize % SIDE;
    for i in 0..comptime!(per * per) {
        let r = row + i / per * SIDE;
        let c = column + i % per * SIDE;
        if r < m && c < n {
            finish(memory, table, job, r, c, results[i]);
        }
    }
}

/// The same without workgroup memory, for adapters emulated on the CPU: a barrier costs them more than reading a number again. Rows and columns
/// past the end read the last one's elements; their results are not written.
#[cube(launch_unchecked)]
pub fn direct(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] edge: usize) {
    if CUBE_POS < count as usize {
        let per = comptime!(edge / SIDE);
        let tile = record as usize + CUBE_POS * tile::WORDS;
        let job = table[tile + tile::JOB] as usize;
        let top = table[tile + tile::TOP] as usize;
        let left = table[tile + tile::LEFT] as usize;
        let m = table[job + job::M] as usize;
        let n = table[job + job::N] as usize;
        let mut sums = Array::<f32>::new(comptime!(per * per));
        let mut rows = Array::<usize>::new(per);
        let mut columns = Array::<usize>::new(per);
        for index in 0..table[job + job::TERMS] as usize {
            let term = job + job::WORDS + index * term::WORDS;
            #[unroll]
            for i in 0..per {
                let row = (top + UNIT_POS as usize / SIDE + i * SIDE).min(m - 1);
                let column = (left + UNIT_POS as usize % SIDE + i * SIDE).min(n - 1);
                rows[i] = table[term + term::A] as usize + row * table[term + term::A_ROW] as usize;
                columns[i] = table[term + term::B] as usize + column * table[term + term::B_COLUMN] as usize;
            }
            let a_step = table[term + term::A_COLUMN] as usize;
            let b_step = table[term + term::B_ROW] as usize;
            for k in 0..table[term + term::K] as usize {
                let mut x = Array::<f32>::new(per);
                let mut y = Array::<f32>::new(per);
                #[unroll]
                for i in 0..per {
                    x[i] = memory[rows[i] + k * a_step];
                    y[i] = memory[columns[i] + k * b_step];
                }
                #[unroll]
                for i in 0..per {
                    #[unroll]
                    for j in 0..per {
                        sums[i * per + j] += x[i] * y[j];
                    }
                }
            }
        }
        finish_tile(memory, table, job, top, left, m, n, &sums, edge);
    }
}
