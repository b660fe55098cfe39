//! Records of grouped launches: the jobs, then a list of tiles, one a workgroup.

use super::kernels::sums;
use super::kernels::{COLUMNS, NONE};
use super::table::{Dispatch, Kernel, word};
use crate::engine::program::{At, ColumnSum, Form, Product, Program};

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
        let job = word(self.table.len());
        let optional = |at: Option<At>| at.map_or(NONE, |at| word(address(at)));
        self.table.extend([
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
        ]);
        for term in &product.terms {
            let (a, b) = (word(term.a.stride), word(term.b.stride));
            let ((a_row, a_column), (b_row, b_column)) = match product.form {
                Form::Nt => ((a, 1), (1, b)),
                Form::Nn => ((a, 1), (b, 1)),
                Form::Tn => ((1, a), (b, 1)),
            };
            self.table.extend([word(address(term.a.at)), a_row, a_column, word(address(term.b.at)), b_row, b_column, word(term.k)]);
        }
        for top in (0..product.m).step_by(edge) {
            for left in (0..product.n).step_by(edge) {
                self.tiles.extend([job, word(top), word(left)]);
                self.count += 1;
            }
        }
    }

    /// A sum over rows.
    pub fn column_sum(&mut self, program: &Program, sum: &ColumnSum) {
        let job = word(self.table.len());
        let (x, statistics) = sum.normed.map_or((NONE, 0), |(x, statistics)| (word(program.address(x)), word(program.address(statistics))));
        self.table.extend([
            word(program.address(sum.of)),
            x,
            statistics,
            word(sum.rows),
            word(sum.width),
            word(program.address(sum.out)),
            u32::from(sum.accumulate),
        ]);
        debug_assert_eq!(self.table.len() - job as usize, sums::column::WORDS);
        for left in (0..sum.width).step_by(COLUMNS) {
            self.tiles.extend([job, word(left)]);
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
