//! Clipping, AdamW and Muon on flat arrays.

use super::math::sum;
use super::micro::Kernel;
use super::products::{self, Packing};
use crate::engine::program::{At, Form, Product, Rows, Term};
use crate::engine::update::{
    BETA_1, BETA_2, EPSILON, MOMENTUM, MOMENTUM_REST, Matrix, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS, REST_1, REST_2, Rates, Update,
};

/// First and second moments, each as long as the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    pub first: Vec<f32>,
    pub second: Vec<f32>,
}

impl Moments {
    /// Zeros: the moments before the first step.
    pub fn zero(weights: usize) -> Self {
        Self { first: vec![0.0; weights], second: vec![0.0; weights] }
    }
}

/// Applies an [`Update`].
pub struct Updater {
    update: Update,
    kernel: Kernel,
    packing: Packing,
    /// For each of Muon's matrices two Newton–Schulz steps: from the first place to the second, and back.
    steps: Vec<[[Product; 3]; 2]>,
    /// X, the next X, A and bA + cA².
    space: Vec<f32>,
}

/// Elements summed in one partial sum; the partial sums are added in double precision.
const CHUNK: usize = 4096;

impl Updater {
    pub fn new(update: Update, kernel: Kernel) -> Self {
        let steps = |matrix: &Matrix| {
            let Matrix { rows, columns, .. } = *matrix;
            let size = rows * columns;
            [newton_schulz(rows, columns, 0, size, 2 * size), newton_schulz(rows, columns, size, 0, 2 * size)]
        };
        let steps = update.muon.iter().map(steps).collect();
        Self { update, kernel, packing: Packing::default(), steps, space: Vec::new() }
    }

    /// One update of `weights` by `gradient`, which is clipped in place. All arrays are as long as the weights.
    #[inline(never)]
    pub fn apply(&mut self, rates: &Rates, weights: &mut [f32], gradient: &mut [f32], moments: &mut Moments) {
        clip(&self.update, gradient);
        let decay = self.update.weight_decay;
        for range in &self.update.adamw {
            let arrays = weights[range.clone()].iter_mut().zip(&gradient[range.clone()]);
            let moments = moments.first[range.clone()].iter_mut().zip(&mut moments.second[range.clone()]);
            let keep = 1.0 - rates.adamw * decay;
            for ((weight, &gradient), (first, second)) in arrays.zip(moments) {
                *first = *first * BETA_1 + gradient * REST_1;
                *second = *second * BETA_2 + gradient * gradient * REST_2;
                let direction = *first / rates.corrections.0 / ((*second / rates.corrections.1).sqrt() + EPSILON);
                *weight = *weight * keep - direction * rates.adamw;
            }
        }
        for index in 0..self.update.muon.len() {
            let matrix = self.update.muon[index];
            let range = matrix.offset..matrix.offset + matrix.rows * matrix.columns;
            let direction = self.orthogonal(index, &matrix, &gradient[range.clone()], &mut moments.first[range.clone()]);
            let keep = 1.0 - rates.muon * decay;
            let rate = rates.muon * (matrix.rows as f32 / matrix.columns as f32).max(1.0).sqrt();
            for (weight, direction) in weights[range].iter_mut().zip(direction) {
                *weight = *weight * keep - direction * rate;
            }
        }
    }

    /// The nearest semi-orthogonal matrix, by Newton–Schulz, of the momentum with Nesterov's look-ahead.
    fn orthogonal(&mut self, index: usize, matrix: &Matrix, gradient: &[f32], momentum: &mut [f32]) -> &[f32] {
        let Matrix { rows, columns, .. } = *matrix;
        let (size, side) = (rows * columns, rows.min(columns));
        self.space.resize(2 * size + 2 * side * side, 0.0);
        for ((ahead, momentum), &gradient) in self.space.iter_mut().zip(momentum).zip(gradient) {
            *momentum = *momentum * MOMENTUM + gradient * MOMENTUM_REST;
            *ahead = *momentum * MOMENTUM + gradient * MOMENTUM_REST;
        }
        let norm = sum(size, |i| self.space[i] * self.space[i]).sqrt() + 1e-7;
        self.space[..size].iter_mut().for_each(|number| *number /= norm);
        for step in 0..NEWTON_SCHULZ_STEPS {
            for product in &self.steps[index][step % 2] {
                products::product(self.kernel, &mut self.packing, &mut self.space, |at| at.offset, product);
            }
        }
        let found = NEWTON_SCHULZ_STEPS % 2 * size;
        &self.space[found..found + size]
    }
}

/// One step X → aX + (bA + cA²)X as three products on a memory: X is at `x`, the result goes to `next`, and A and the polynomial are stored
/// from `rest` on. A wide X has A = XXᵀ at its left; a tall X has A = XᵀX at its right.
pub fn newton_schulz(rows: usize, columns: usize, x: usize, next: usize, rest: usize) -> [Product; 3] {
    let (a, b, c) = NEWTON_SCHULZ;
    let (tall, side) = (rows > columns, rows.min(columns));
    let matrix = |offset: usize, stride: usize| Rows { at: At { buffer: 0, offset }, stride };
    let (gram, polynomial) = (matrix(rest, side), matrix(rest + side * side, side));
    let (old, new) = (matrix(x, columns), matrix(next, columns));
    let product =
        |form: Form, m: usize, n: usize, left: Rows, right: Rows, k: usize, scale: f32, add: Option<(Rows, f32)>, out: Rows| Product {
            scale,
            add: add.map(|(rows, _)| rows.at),
            add_scale: add.map_or(0.0, |(_, scale)| scale),
            ..Product::plain(form, m, n, vec![Term { a: left, b: right, k }], out)
        };
    let form = if tall { Form::Tn } else { Form::Nt };
    let (left, right) = if tall { (old, polynomial) } else { (polynomial, old) };
    [
        product(form, side, side, old, old, rows.max(columns), 1.0, None, gram),
        product(Form::Nn, side, side, gram, gram, side, c, Some((gram, b)), polynomial),
        product(Form::Nn, rows, columns, left, right, side, 1.0, Some((old, a)), new),
    ]
}

/// Clips as `torch.nn.utils.clip_grad_value_` and then `clip_grad_norm_` do.
fn clip(update: &Update, gradient: &mut [f32]) {
    let limit = update.clip_value;
    if limit > 0.0 {
        // A NaN fails both comparisons and stays a NaN.
        gradient.iter_mut().for_each(|entry| {
            *entry = if *entry > limit {
                limit
            } else if *entry < -limit {
                -limit
            } else {
                *entry
            }
        });
    }
    if update.clip_norm > 0.0 {
        let squares: f64 = gradient.chunks(CHUNK).map(|chunk| f64::from(sum(chunk.len(), |i| chunk[i] * chunk[i]))).sum();
        let scale = update.clip_norm / (squares.sqrt() as f32 + 1e-6);
        if scale < 1.0 {
            gradient.iter_mut().for_each(|entry| *entry *= scale);
        }
    }
}
