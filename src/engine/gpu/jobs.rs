//! Records of grouped launches: the jobs, then a list of tiles. Each workgroup computes one tile.

use super::dispatch::{Dispatch, Pipeline, word};
use super::kernels::sums::{self, column, factors, summand};
use super::kernels::{COLUMNS, NONE, embed, products};
use super::record::write as write_record;
use crate::engine::program::{At, ColumnSum, Copy, Factor, Form, Product, Program};

/// Appends jobs to a table, and keeps their tiles until [`Jobs::finish`].
pub struct Jobs<'a> {
    table: &'a mut Vec<u32>,
    tiles: Vec<u32>,
    count: usize,
}

impl<'a> Jobs<'a> {
    pub fn new(table: &'a mut Vec<u32>) -> Self {
        Self { table, tiles: Vec::new(), count: 0 }
    }

    /// Adds a matrix product in tiles of `edge` × `edge`.
    pub fn product(&mut self, product: &Product, edge: usize, address: impl Fn(At) -> usize) {
        let job = word(product_job(self.table, product, address));
        for top in (0..product.m).step_by(edge) {
            for left in (0..product.n).step_by(edge) {
                use products::tile;
                write_record(&mut self.tiles, tile::WORDS, [(tile::JOB, job), (tile::TOP, word(top)), (tile::LEFT, word(left))]);
                self.count += 1;
            }
        }
    }

    /// Adds a sum over rows.
    pub fn column_sum(&mut self, program: &Program, sum: &ColumnSum) {
        let address = |at: At| word(program.address(at));
        let words = [
            (column::WIDTH, word(sum.width)),
            (column::OUT, address(sum.out)),
            (column::STEP, word(sum.step)),
            (column::ACCUMULATE, u32::from(sum.accumulate)),
            (column::SUMMANDS, word(sum.summands.len())),
        ];
        let job = word(write_record(self.table, column::WORDS, words));
        for of in &sum.summands {
            let (factor, x, statistics, [stride, steps, length]) = match of.factor {
                Factor::One => (factors::ONE, NONE, NONE, [0; 3]),
                Factor::Normed(x, statistics) => (factors::NORMED, address(x), address(statistics), [0; 3]),
                Factor::Delayed { x, steps, length } => (factors::DELAYED, address(x.at), NONE, [x.stride, steps, length]),
            };
            let words = [
                (summand::OF, address(of.of)),
                (summand::ROWS, word(of.rows)),
                (summand::FACTOR, factor),
                (summand::X, x),
                (summand::STATISTICS, statistics),
                (summand::STRIDE, word(stride)),
                (summand::STEPS, word(steps)),
                (summand::LENGTH, word(length)),
            ];
            write_record(self.table, summand::WORDS, words);
        }
        for left in (0..sum.width).step_by(COLUMNS) {
            use sums::tile;
            write_record(&mut self.tiles, tile::WORDS, [(tile::JOB, job), (tile::LEFT, word(left))]);
            self.count += 1;
        }
    }

    /// Adds a copy.
    pub fn copy(&mut self, program: &Program, copy: &Copy) {
        let job = word(copy_job(self.table, program, copy));
        for first in (0..copy.blocks * copy.numbers).step_by(embed::COPIED) {
            use embed::tile;
            write_record(&mut self.tiles, tile::WORDS, [(tile::JOB, job), (tile::FIRST, word(first))]);
            self.count += 1;
        }
    }

    /// Writes the tiles and returns the launch.
    pub fn finish(self, kernel: Pipeline) -> Dispatch {
        let record = word(self.table.len());
        self.table.extend(self.tiles);
        Dispatch { kernel, record, count: word(self.count) }
    }
}

/// Writes the words of a product; returns the index of the first.
pub fn product_job(table: &mut Vec<u32>, product: &Product, address: impl Fn(At) -> usize) -> usize {
    use products::{job, term as place};
    let optional = |at: Option<At>| at.map_or(NONE, |at| word(address(at)));
    let words = [
        (job::M, word(product.m)),
        (job::N, word(product.n)),
        (job::TERMS, word(product.terms.len())),
        (job::SCALE, product.scale.to_bits()),
        (job::BIAS, optional(product.biases.first().copied())),
        (job::SECOND_BIAS, optional(product.biases.get(1).copied())),
        (job::ADD, optional(product.add)),
        (job::ADD_SCALE, product.add_scale.to_bits()),
        (job::GELU, optional(product.gelu)),
        (job::SLOPE, optional(product.slope)),
        (job::OUT, word(address(product.out.at))),
        (job::OUT_STRIDE, word(product.out.stride)),
        (job::BESIDE_STRIDE, word(product.n * product.pitch)),
    ];
    let first = write_record(table, job::WORDS, words);
    for term in &product.terms {
        let (a, b) = (word(term.a.stride), word(term.b.stride));
        let ((a_row, a_column), (b_row, b_column)) = match product.form {
            Form::Nt => ((a, 1), (1, b)),
            Form::Nn => ((a, 1), (b, 1)),
            Form::Tn => ((1, a), (b, 1)),
        };
        let words = [
            (place::A, word(address(term.a.at))),
            (place::A_ROW, a_row),
            (place::A_COLUMN, a_column),
            (place::B, word(address(term.b.at))),
            (place::B_ROW, b_row),
            (place::B_COLUMN, b_column),
            (place::K, word(term.k)),
        ];
        write_record(table, place::WORDS, words);
    }
    first
}

/// Writes the words of a copy; returns the index of the first.
pub fn copy_job(table: &mut Vec<u32>, program: &Program, copy: &Copy) -> usize {
    use embed::{job, summand};
    let words = [
        (job::TO, word(program.address(copy.to.at))),
        (job::TO_STRIDE, word(copy.to.stride)),
        (job::BLOCKS, word(copy.blocks)),
        (job::NUMBERS, word(copy.numbers)),
        (job::SOURCES, word(copy.from.len())),
    ];
    let first = write_record(table, job::WORDS, words);
    for from in &copy.from {
        write_record(table, summand::WORDS, [(summand::FROM, word(program.address(from.at))), (summand::STRIDE, word(from.stride))]);
    }
    first
}

/// Tiles that keep a GPU busy. With fewer, products use smaller tiles.
const MIN_WORKGROUPS: usize = 128;

/// The pipeline for a list of products, and the side of its tiles: the largest side that gives enough tiles, because large tiles read least.
pub fn tiling(list: &[Product], software: bool) -> (Pipeline, usize) {
    let tiles = |edge: usize| -> usize { list.iter().map(|product| product.m.div_ceil(edge) * product.n.div_ceil(edge)).sum() };
    let busy = if software { 2 } else { MIN_WORKGROUPS };
    let edge = [64, 32].into_iter().find(|&edge| tiles(edge) >= busy).unwrap_or(16);
    let depth = if edge == 64 { 16 } else { 32 };
    (if software { Pipeline::Direct { edge } } else { Pipeline::Products { edge, depth } }, edge)
}
