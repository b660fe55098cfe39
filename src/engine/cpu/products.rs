//! Matrix products. B is packed into panels; A is read in place, or packed if it is stored transposed. Blocks stay in the second-level cache.
//! Bias, GELU and so on are applied to a block of rows while it is in the cache.

use super::disjoint::ranges;
use super::math;
use super::micro::{COLUMNS, Kernel, Left, ROWS, Right};
use crate::engine::program::{At, Form, Product, Rows, Term};

/// Steps of k in a panel: a panel of B and the matching rows of A stay in the first-level cache.
const DEPTH: usize = 256;
/// Rows of A and C in a block.
const BLOCK: usize = 8 * ROWS;

/// Packing scratch, kept between products.
#[derive(Default)]
pub struct Packing {
    b: Vec<f32>,
    a: Vec<f32>,
    tile: Vec<f32>,
}

/// A packed matrix B, as the micro-kernel reads it.
pub struct Panels<'a> {
    /// `[⌈n / COLUMNS⌉, depth, COLUMNS]`.
    pub values: &'a [f32],
    pub depth: usize,
}

/// Packs `[k, n]` (or `[n, k]` if `transposed`) into panels of COLUMNS columns, `[⌈n/COLUMNS⌉, k, COLUMNS]`; the last panel is filled up with
/// zeros.
pub fn pack(out: &mut Vec<f32>, from: &[f32], stride: usize, transposed: bool, k: usize, n: usize) {
    let panels = n.div_ceil(COLUMNS);
    out.resize(panels * k * COLUMNS, 0.0);
    for (index, panel) in out.chunks_exact_mut(k.max(1) * COLUMNS).enumerate() {
        let first = index * COLUMNS;
        let columns = COLUMNS.min(n - first);
        if columns < COLUMNS {
            panel.fill(0.0);
        }
        if transposed && columns == COLUMNS {
            let rows: [&[f32]; COLUMNS] = std::array::from_fn(|column| &from[(first + column) * stride..][..k]);
            for (step, line) in panel.chunks_exact_mut(COLUMNS).enumerate() {
                for (number, row) in line.iter_mut().zip(&rows) {
                    *number = row[step];
                }
            }
        } else if transposed {
            for column in 0..columns {
                let row = &from[(first + column) * stride..][..k];
                for (line, &number) in panel.chunks_exact_mut(COLUMNS).zip(row) {
                    line[column] = number;
                }
            }
        } else if columns == COLUMNS {
            // The length is a constant: the compiler emits two or four moves instead of a call.
            for (step, line) in panel.as_chunks_mut::<COLUMNS>().0.iter_mut().enumerate() {
                let start = step * stride + first;
                line.copy_from_slice(&from[start..start + COLUMNS]);
            }
        } else {
            for (step, line) in panel.chunks_exact_mut(COLUMNS).enumerate() {
                line[..columns].copy_from_slice(&from[step * stride + first..][..columns]);
            }
        }
    }
}

/// Layout of A: row i of tile t at step k is at `tile · t + row · i + step · k`.
#[derive(Clone, Copy)]
pub struct LeftShape {
    tile: usize,
    row: usize,
    step: usize,
}

impl LeftShape {
    /// A matrix with row stride `row` and column stride `step`.
    pub fn strided(row: usize, step: usize) -> Self {
        Self { tile: ROWS * row, row, step }
    }

    /// Packed tile by tile, `[⌈m / ROWS⌉, depth, ROWS]`.
    fn packed(depth: usize) -> Self {
        Self { tile: depth * ROWS, row: 1, step: ROWS }
    }
}

/// `c[i, j] (+)= Σ_k a[i, k] b[k, j]`, `[m, n]`; the rows of c are `stride` apart.
///
/// # Panics
/// When an operand is shorter than its shape requires: an error in the program.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
pub fn multiply(
    kernel: Kernel,
    spare: &mut Vec<f32>,
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    left: LeftShape,
    panels: &Panels,
    c: &mut [f32],
    stride: usize,
    accumulate: bool,
) {
    if m == 0 || n == 0 {
        return;
    }
    let last = (m - 1) / ROWS * left.tile + (m - 1) % ROWS * left.row;
    assert!(k == 0 || a.len() > last + (k - 1) * left.step, "A is too short");
    assert!(panels.depth >= k && panels.values.len() >= n.div_ceil(COLUMNS) * panels.depth * COLUMNS, "B is too short");
    assert!(stride >= n && c.len() >= (m - 1) * stride + n, "C is too short");
    spare.resize(ROWS * (COLUMNS + k), 0.0);
    pack_last(&mut spare[ROWS * COLUMNS..], a, left, m, k);
    for (column, panel) in (0..n).step_by(COLUMNS).zip(panels.values.chunks_exact(panels.depth.max(1) * COLUMNS)) {
        let columns = COLUMNS.min(n - column);
        let tiles = if columns == COLUMNS { m / ROWS } else { 0 };
        if tiles > 0 {
            let from = Left { start: a.as_ptr(), tile: left.tile, row: left.row, step: left.step };
            let to = Right { start: c[column..].as_mut_ptr(), stride, accumulate };
            // Safety: A, the panel and C hold all these tiles, as asserted above.
            unsafe { (kernel.strip)(tiles, k, from, panel.as_ptr(), to) };
        }
        for row in (tiles * ROWS..m).step_by(ROWS) {
            let size = (ROWS.min(m - row), columns, k);
            edge(kernel, spare, size, &a[row / ROWS * left.tile..], left, panel, &mut c[row * stride + column..], stride, accumulate);
        }
    }
}

/// Packs the rows of the last, incomplete tile, `[k, ROWS]`, and repeats its last row.
fn pack_last(packed: &mut [f32], a: &[f32], left: LeftShape, m: usize, k: usize) {
    let (first, rows) = (m / ROWS * left.tile, m % ROWS);
    if rows == 0 {
        return;
    }
    for row in 0..ROWS {
        let start = first + row.min(rows - 1) * left.row;
        for (line, step) in packed.chunks_exact_mut(ROWS).zip(0..k) {
            line[row] = a[start + step * left.step];
        }
    }
}

/// A tile cut off at the bottom or right edge: computed whole in scratch, then its valid part is copied.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
fn edge(
    kernel: Kernel,
    spare: &mut [f32],
    (rows, columns, k): (usize, usize, usize),
    a: &[f32],
    left: LeftShape,
    panel: &[f32],
    c: &mut [f32],
    stride: usize,
    accumulate: bool,
) {
    for row in 0..rows {
        let line = &mut c[row * stride..][..columns];
        let tile = &mut spare[row * COLUMNS..][..COLUMNS];
        if accumulate {
            tile[..columns].copy_from_slice(line);
        }
    }
    let (tile, last) = spare.split_at_mut(ROWS * COLUMNS);
    let from = if rows == ROWS {
        Left { start: a.as_ptr(), tile: 0, row: left.row, step: left.step }
    } else {
        Left { start: last.as_ptr(), tile: 0, row: 1, step: ROWS }
    };
    let to = Right { start: tile.as_mut_ptr(), stride: COLUMNS, accumulate };
    // Safety: A (or its packed rows) and the panel hold the whole tile, and the scratch tile is complete.
    unsafe { (kernel.strip)(1, k, from, panel.as_ptr(), to) };
    for row in 0..rows {
        c[row * stride..][..columns].copy_from_slice(&spare[row * COLUMNS..][..columns]);
    }
}

/// Computes one [`Product`] on `memory`; `address` returns the address of each array.
pub fn product(kernel: Kernel, packing: &mut Packing, memory: &mut [f32], address: impl Fn(At) -> usize, job: &Product) {
    match job.form {
        Form::Nt => forward(kernel, packing, memory, address, job),
        Form::Nn => input_gradient(kernel, packing, memory, address, job),
        Form::Tn => weight_gradient(kernel, packing, memory, address, job),
    }
}

/// A linear map, forward. Each form is its own function, so that a profiler can show its time.
#[inline(never)]
fn forward(kernel: Kernel, packing: &mut Packing, memory: &mut [f32], address: impl Fn(At) -> usize, job: &Product) {
    product_of_form(kernel, packing, memory, address, job, Form::Nt);
}

/// The gradient of a linear map's input.
#[inline(never)]
fn input_gradient(kernel: Kernel, packing: &mut Packing, memory: &mut [f32], address: impl Fn(At) -> usize, job: &Product) {
    product_of_form(kernel, packing, memory, address, job, Form::Nn);
}

/// The gradient of a linear map's weight.
#[inline(never)]
fn weight_gradient(kernel: Kernel, packing: &mut Packing, memory: &mut [f32], address: impl Fn(At) -> usize, job: &Product) {
    product_of_form(kernel, packing, memory, address, job, Form::Tn);
}

#[inline(always)]
fn product_of_form(
    kernel: Kernel,
    packing: &mut Packing,
    memory: &mut [f32],
    address: impl Fn(At) -> usize,
    product: &Product,
    form: Form,
) {
    let Product { m, n, .. } = *product;
    // With a GELU, z is computed in its own array, because the backward pass needs it.
    let target = match product.gelu {
        Some(z) => Rows { at: z, stride: n * product.pitch },
        None => product.out,
    };
    let accumulate = product.add.is_some_and(|add| add == product.out.at);
    debug_assert!(!accumulate || (product.scale == 1.0 && product.add_scale == 1.0 && product.gelu.is_none()), "accumulation has no scale");
    let out = (address(target.at), target.stride);
    let slices = product.terms.iter().flat_map(|term| (0..term.k).step_by(DEPTH).map(move |from| (term, from, DEPTH.min(term.k - from))));
    let count = product.terms.iter().map(|term| term.k.div_ceil(DEPTH)).sum::<usize>();
    let Packing { b, a, tile } = packing;
    for (index, (term, from, depth)) in slices.enumerate() {
        pack_right(b, memory, &address, term, form, from, depth, n);
        let panels = Panels { values: b, depth };
        for row in (0..m).step_by(BLOCK) {
            let rows = BLOCK.min(m - row);
            let left = pack_left(a, memory, &address, term, form, from, depth, row, rows);
            let (start, end) = (out.0 + row * out.1, out.0 + (row + rows - 1) * out.1 + n);
            let more = accumulate || index > 0;
            match left {
                None => {
                    multiply(kernel, tile, (rows, n, depth), a, LeftShape::packed(depth), &panels, &mut memory[start..end], out.1, more)
                }
                Some(at) => {
                    let stride = term.a.stride;
                    let a_range = at..at + (rows - 1) * stride + depth;
                    let (a, c) = apart(memory, a_range, start..end);
                    multiply(kernel, tile, (rows, n, depth), a, LeftShape::strided(stride, 1), &panels, c, out.1, more);
                }
            }
            if index + 1 == count {
                finish(memory, &address, product, out, row..row + rows, accumulate);
            }
        }
    }
}

/// Packs B's slice of k into panels.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
fn pack_right(
    b: &mut Vec<f32>,
    memory: &[f32],
    address: impl Fn(At) -> usize,
    term: &Term,
    form: Form,
    from: usize,
    depth: usize,
    n: usize,
) {
    let start = address(term.b.at);
    match form {
        Form::Nt => pack(b, &memory[start + from..], term.b.stride, true, depth, n),
        Form::Nn | Form::Tn => pack(b, &memory[start + from * term.b.stride..], term.b.stride, false, depth, n),
    }
}

/// The address of a block of A if it can be read in place. `None` if it is stored transposed: then it is packed into `a`.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
fn pack_left(
    a: &mut Vec<f32>,
    memory: &[f32],
    address: impl Fn(At) -> usize,
    term: &Term,
    form: Form,
    from: usize,
    depth: usize,
    row: usize,
    rows: usize,
) -> Option<usize> {
    let start = address(term.a.at);
    match form {
        Form::Nt | Form::Nn => Some(start + row * term.a.stride + from),
        Form::Tn => {
            a.resize(rows.div_ceil(ROWS) * depth * ROWS, 0.0);
            for (tile, panel) in a.chunks_exact_mut(depth * ROWS).enumerate() {
                let (first, count) = (row + tile * ROWS, ROWS.min(rows - tile * ROWS));
                for (step, line) in panel.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
                    let at = start + (from + step) * term.a.stride + first;
                    if count == ROWS {
                        line.copy_from_slice(&memory[at..at + ROWS]);
                    } else {
                        line[..count].copy_from_slice(&memory[at..at + count]);
                    }
                }
            }
            None
        }
    }
}

/// Two ranges of the memory, the second writable.
fn apart(memory: &mut [f32], read: std::ops::Range<usize>, write: std::ops::Range<usize>) -> (&[f32], &mut [f32]) {
    let [read, write] = ranges(memory, [read, write]);
    (read, write)
}

/// Applies scale, biases, addition, slope and GELU to a block of rows of a product.
fn finish(
    memory: &mut [f32],
    address: impl Fn(At) -> usize,
    product: &Product,
    (out, stride): (usize, usize),
    rows: std::ops::Range<usize>,
    accumulated: bool,
) {
    let (n, pitch) = (product.n, product.n * product.pitch);
    let add = product.add.filter(|_| !accumulated).map(&address);
    for row in rows {
        let line = out + row * stride..out + row * stride + n;
        if product.scale != 1.0 {
            memory[line.clone()].iter_mut().for_each(|number| *number *= product.scale);
        }
        for bias in product.biases.iter().map(|&at| address(at)) {
            let [bias, line] = ranges(memory, [bias..bias + n, line.clone()]);
            line.iter_mut().zip(bias.iter()).for_each(|(number, bias)| *number += bias);
        }
        if let Some(add) = add {
            let scale = product.add_scale;
            let beside = add + row * pitch..add + row * pitch + n;
            let [add, line] = ranges(memory, [beside, line.clone()]);
            line.iter_mut().zip(add.iter()).for_each(|(number, add)| *number += scale * add);
        }
        if let Some(z) = product.slope.map(&address) {
            let [z, line] = ranges(memory, [z + row * pitch..z + row * pitch + n, line.clone()]);
            line.iter_mut().zip(z.iter()).for_each(|(number, &z)| *number *= math::gelu_slope(z));
        }
        if product.gelu.is_some() {
            let result = address(product.out.at) + row * product.out.stride;
            let [z, result] = ranges(memory, [line, result..result + n]);
            result.iter_mut().zip(z.iter()).for_each(|(number, &z)| *number = math::gelu(z));
        }
    }
}
