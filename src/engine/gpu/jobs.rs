//! Records of grouped launches: the jobs, then a list of tiles, one a workgroup.

use super::kernels::sums::{column, summand};
use super::kernels::{COLUMNS, NONE, embed};
use super::table::{Dispatch, Kernel, word};
use crate::engine::program::{At, ColumnSum, Copy, Factor, Form, Product, Program};

/// Writes jobs behind a table, and keeps their tiles until [`Jobs::finish`].
pub struct Jobs<'a> {
    table: &'a mut Vec<u32>,
    tiles: Vec<u32>,
    count: usize,
}

impl<'a> Jobs<'a> {
    pub fn new(table: &'a mut Vec<u32>) -> Self {
        Self { table, tiles: Vec::new(), count: 0 }
    }

    /// A matrix product in tiles of `edge`.
    pub fn product(&mut self, product: &Product, edge: usize, address: impl Fn(At) -> usize) {
        let job = word(product_job(self.table, product, address));
        for top in (0..product.m).step_by(edge) {
            for left in (0..product.n).step_by(edge) {
                self.tiles.extend([job, word(top), word(left)]);
                self.count += 1;
            }
        }
    }

    /// A sum over rows.
    pub fn column_sum(&mut self, program: &Program, sum: &ColumnSum) {
        let address = |at: At| word(program.address(at));
        let job = word(self.table.len());
        self.table.extend([word(sum.width), address(sum.out), word(sum.step), u32::from(sum.accumulate), word(sum.summands.len())]);
        debug_assert_eq!(self.table.len() - job as usize, column::WORDS);
        for of in &sum.summands {
            let factor = match of.factor {
                Factor::One => [summand::ONE, 0, 0, 0, 0],
                Factor::Normed(x, statistics) => [summand::NORMED, address(x), address(statistics), 0, 0],
                Factor::Delayed { x, steps, length } => [summand::DELAYED, address(x.at), word(x.stride), word(steps), word(length)],
            };
            self.table.extend([address(of.of), word(of.rows)]);
            self.table.extend(factor);
        }
        for left in (0..sum.width).step_by(COLUMNS) {
            self.tiles.extend([job, word(left)]);
            self.count += 1;
        }
    }

    /// A copy.
    pub fn copy(&mut self, program: &Program, copy: &Copy) {
        let job = word(copy_job(self.table, program, copy));
        for first in (0..copy.blocks * copy.numbers).step_by(embed::COPIED) {
            self.tiles.extend([job, word(first)]);
            self.count += 1;
        }
    }

    /// Writes the tiles and gives the launch.
    pub fn finish(self, kernel: Kernel) -> Dispatch {
        let record = word(self.table.len());
        self.table.extend(self.tiles);
        Dispatch { kernel, record, count: word(self.count) }
    }
}

/// Writes the words of a product, and gives the place of the first.
pub fn product_job(table: &mut Vec<u32>, product: &Product, address: impl Fn(At) -> usize) -> usize {
    let job = table.len();
    let optional = |at: Option<At>| at.map_or(NONE, |at| word(address(at)));
    table.extend([
        word(product.m),
        word(product.n),
        word(product.terms.len()),
        product.scale.to_bits(),
        optional(product.biases.first().copied()),
        optional(product.biases.get(1).copied()),
        optional(product.add),
        product.add_scale.to_bits(),
        optional(product.gelu),
        optional(product.slope),
        word(address(product.out.at)),
        word(product.out.stride),
        word(product.n * product.pitch),
    ]);
    for term in &product.terms {
        let (a, b) = (word(term.a.stride), word(term.b.stride));
        let ((a_row, a_column), (b_row, b_column)) = match product.form {
            Form::Nt => ((a, 1), (1, b)),
            Form::Nn => ((a, 1), (b, 1)),
            Form::Tn => ((1, a), (b, 1)),
        };
        table.extend([word(address(term.a.at)), a_row, a_column, word(address(term.b.at)), b_row, b_column, word(term.k)]);
    }
    job
}

/// Writes the words of a copy, and gives the place of the first.
pub fn copy_job(table: &mut Vec<u32>, program: &Program, copy: &Copy) -> usize {
    let job = table.len();
    let to = word(program.address(copy.to.at));
    table.extend([to, word(copy.to.stride), word(copy.blocks), word(copy.numbers), word(copy.from.len())]);
    debug_assert_eq!(table.len() - job, embed::job::WORDS);
    for from in &copy.from {
        table.extend([word(program.address(from.at)), word(from.stride)]);
    }
    job
}

/// How many tiles keep a graphics card busy: below that, products are made in smaller ones.
const BUSY: usize = 128;

/// The pipeline for a list of products and the side of its tiles: the largest, which read least, of which there are enough.
pub fn tiling(list: &[Product], software: bool) -> (Kernel, usize) {
    let tiles = |edge: usize| -> usize { list.iter().map(|product| product.m.div_ceil(edge) * product.n.div_ceil(edge)).sum() };
    let busy = if software { 2 } else { BUSY };
    let edge = [64, 32].into_iter().find(|&edge| tiles(edge) >= busy).unwrap_or(16);
    let depth = if edge == 64 { 16 } else { 32 };
    (if software { Kernel::Direct { edge } } else { Kernel::Products { edge, depth } }, edge)
}
