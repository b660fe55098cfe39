//! The update of the weights on the device, as launches: clipping, AdamW and Muon.

use super::dispatch::{Dispatch, word};
use super::jobs::{Jobs, tiling};
use super::kernels::{ADDERS, muon, update};
use super::launch::{Bound, Buffer, groups, threads};
use super::record::write as write_record;
use crate::engine::program::{At, Form, Product, Rows, Term};
use crate::engine::update::{Matrix, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS, Rates, Update};
use cubecl::client::Client;

/// Number of steps whose totals are kept.
pub const TOTALS: usize = 256;

/// Weights that one workgroup of AdamW updates.
const RUN: usize = 16 * ADDERS;

/// Elements of the gradient that one workgroup of clipping handles, until [`update::PARTIALS`] workgroups are reached.
const CLIPPED: usize = 64 * ADDERS;

/// Addresses of the parts of the state, for `weights` weights.
#[derive(Clone, Copy)]
pub struct Places {
    pub weights: usize,
}

impl Places {
    pub fn partials(self) -> usize {
        2 * self.weights
    }

    pub fn totals(self) -> usize {
        self.partials() + update::PARTIALS
    }

    pub fn numbers(self) -> usize {
        self.totals() + 2 * TOTALS
    }
}

/// The client and buffers that an update uses.
#[derive(Clone, Copy)]
pub struct Buffers<'a> {
    pub client: &'a Client,
    pub memory: &'a Buffer,
    pub state: &'a Buffer,
    pub table: &'a Buffer,
}

/// The launches of an update, and their table.
pub struct Step {
    update: Update,
    places: Places,
    table: Vec<u32>,
    /// Number of AdamW workgroups.
    runs: u32,
    /// Index of Muon's jobs in the table.
    jobs: u32,
    products: Vec<Dispatch>,
}

/// Elements of Muon's scratch at the end of the memory.
pub fn scratch(update: &Update) -> usize {
    update.muon.iter().map(|matrix| 2 * wide(matrix).0 * wide(matrix).1 + 2 * wide(matrix).0 * wide(matrix).0).sum()
}

/// The smaller and the larger side of a matrix.
fn wide(matrix: &Matrix) -> (usize, usize) {
    (matrix.rows.min(matrix.columns), matrix.rows.max(matrix.columns))
}

/// Sides of a matrix, and addresses of its scratch: X and the next X, XXᵀ and its polynomial.
struct Scratch {
    small: usize,
    large: usize,
    x: [usize; 2],
    gram: usize,
    polynomial: usize,
}

impl Step {
    /// The update of `weights` weights, with Muon's scratch from address `scratch` on, for a hardware or a software device.
    pub fn new(update: Update, weights: usize, scratch: usize, software: bool) -> Self {
        let mut table = Vec::new();
        for range in &update.adamw {
            for first in range.clone().step_by(RUN) {
                let words = [(update::run::FIRST, word(first)), (update::run::COUNT, word(RUN.min(range.end - first)))];
                write_record(&mut table, update::run::WORDS, words);
            }
        }
        // Without AdamW one empty workgroup remains, because AdamW's kernel also stores the step's total.
        if table.is_empty() {
            write_record(&mut table, update::run::WORDS, [(update::run::FIRST, 0), (update::run::COUNT, 0)]);
        }
        let runs = word(table.len() / update::run::WORDS);
        let jobs = word(table.len());
        let places: Vec<Scratch> = lay_out(&update.muon, scratch);
        for (matrix, place) in update.muon.iter().zip(&places) {
            let factor = (matrix.rows as f32 / matrix.columns as f32).max(1.0).sqrt();
            let last = place.x[NEWTON_SCHULZ_STEPS % 2];
            let words = [
                (muon::matrix::FIRST, word(matrix.offset)),
                (muon::matrix::ROWS, word(matrix.rows)),
                (muon::matrix::COLUMNS, word(matrix.columns)),
                (muon::matrix::X, word(place.x[0])),
                (muon::matrix::LAST, word(last)),
                (muon::matrix::FACTOR, factor.to_bits()),
            ];
            write_record(&mut table, muon::matrix::WORDS, words);
        }
        let mut products = Vec::new();
        if !places.is_empty() {
            for step in 0..NEWTON_SCHULZ_STEPS {
                for list in newton_schulz(&places, step) {
                    let (kernel, edge) = tiling(&list, software);
                    let mut jobs = Jobs::new(&mut table);
                    for product in &list {
                        jobs.product(product, edge, |at| at.offset);
                    }
                    products.push(jobs.finish(kernel));
                }
            }
        }
        Self { update, places: Places { weights }, table, runs, jobs, products }
    }

    /// The table to upload.
    pub fn table(&self) -> &[u32] {
        &self.table
    }

    /// Enqueues the update. `total` is the address of the step's total in the memory; it is stored at place `slot mod 256` of the totals. If
    /// `work` is false, every launch has 0 workgroups with work: this compiles the pipelines and changes nothing.
    pub fn launch(&self, buffers: &Buffers, total: usize, slot: usize, rates: &Rates, work: bool) {
        if self.update.clip_value > 0.0 || self.update.clip_norm > 0.0 {
            self.clip(buffers, work);
        }
        if !self.update.muon.is_empty() {
            self.muon(buffers, rates, work);
        }
        let Buffers { client, memory, state, table } = *buffers;
        let count = if work { self.runs } else { 0 };
        let place = word(self.places.totals() + slot % TOTALS * 2);
        let Update { weight_decay: decay, clip_norm, .. } = self.update;
        let (correction_1, correction_2) = rates.corrections;
        // SAFETY: the ranges lie within the weights, the total within the memory, the rest within the state (`Places`).
        unsafe {
            update::adamw::launch_unchecked(
                client,
                groups(count),
                threads(ADDERS),
                memory.argument(),
                state.argument(),
                table.argument(),
                word(self.places.weights),
                word(self.places.partials()),
                word(total),
                place,
                count,
                clip_norm,
                rates.adamw,
                decay,
                correction_1,
                correction_2,
            );
        }
    }

    fn clip(&self, buffers: &Buffers, work: bool) {
        let (weights, partials) = (word(self.places.weights), word(self.places.partials()));
        let (memory, state) = (buffers.memory.argument(), buffers.state.argument());
        let all = self.places.weights.div_ceil(CLIPPED).clamp(1, update::PARTIALS);
        let count = if work { word(all) } else { 0 };
        // SAFETY: the gradient follows the weights in every memory, the partial sums lie within the state (`Places`).
        unsafe {
            let size = threads(ADDERS);
            let value = self.update.clip_value;
            update::clip::launch_unchecked(buffers.client, groups(count), size, memory, state, weights, partials, count, value);
        }
    }

    /// Muon's momentum, its Newton–Schulz iterations, and its update.
    fn muon(&self, buffers: &Buffers, rates: &Rates, work: bool) {
        let Buffers { client, memory, state, table } = *buffers;
        let count = if work { word(self.update.muon.len()) } else { 0 };
        let (cubes, size) = (groups(count), threads(muon::SHARERS));
        // SAFETY: the matrices lie within the weights, and their scratch within the memory's end, which `scratch` sized.
        unsafe {
            let (weights, partials) = (word(self.places.weights), word(self.places.partials()));
            let (memory, state, table) = (memory.argument(), state.argument(), table.argument());
            let norm = self.update.clip_norm;
            muon::prepare::launch_unchecked(client, cubes.clone(), size, memory, state, table, self.jobs, weights, partials, count, norm);
        }
        let bound = Bound { client, memory, words: table, table };
        for dispatch in &self.products {
            bound.launch(&Dispatch { count: if work { dispatch.count } else { 0 }, ..*dispatch });
        }
        // SAFETY: as above.
        unsafe {
            let (memory, table, decay) = (memory.argument(), table.argument(), self.update.weight_decay);
            muon::apply::launch_unchecked(client, cubes, size, memory, table, self.jobs, count, rates.muon, decay);
        }
    }
}

fn lay_out(matrices: &[Matrix], mut from: usize) -> Vec<Scratch> {
    matrices
        .iter()
        .map(|matrix| {
            let (small, large) = wide(matrix);
            let first = from;
            let gram = first + 2 * small * large;
            let polynomial = gram + small * small;
            from = polynomial + small * small;
            Scratch { small, large, x: [first, first + small * large], gram, polynomial }
        })
        .collect()
}

/// The three lists of products of one iteration: XXᵀ, `bA + cA²`, `aX + (bA + cA²)X`.
fn newton_schulz(places: &[Scratch], step: usize) -> [Vec<Product>; 3] {
    let (a, b, c) = NEWTON_SCHULZ;
    let rows = |offset: usize, stride: usize| Rows { at: At { buffer: 0, offset }, stride };
    let product = |form, m, n, k, left: Rows, right: Rows, scale, add: Option<(usize, f32)>, out: Rows| Product {
        form,
        m,
        n,
        terms: vec![Term { a: left, b: right, k }],
        scale,
        biases: Vec::new(),
        add: add.map(|(offset, _)| At { buffer: 0, offset }),
        add_scale: add.map_or(0.0, |(_, scale)| scale),
        pitch: 1,
        gelu: None,
        slope: None,
        out,
    };
    let each = |make: &dyn Fn(&Scratch, usize, usize) -> Product| -> Vec<Product> {
        places.iter().map(|place| make(place, place.x[step % 2], place.x[(step + 1) % 2])).collect()
    };
    [
        each(&|p, x, _| {
            let x = rows(x, p.large);
            product(Form::Nt, p.small, p.small, p.large, x, x, 1.0, None, rows(p.gram, p.small))
        }),
        each(&|p, _, _| {
            let gram = rows(p.gram, p.small);
            product(Form::Nn, p.small, p.small, p.small, gram, gram, c, Some((p.gram, b)), rows(p.polynomial, p.small))
        }),
        each(&|p, x, next| {
            let (left, right) = (rows(p.polynomial, p.small), rows(x, p.large));
            product(Form::Nn, p.small, p.large, p.small, left, right, 1.0, Some((x, a)), rows(next, p.large))
        }),
    ]
}
