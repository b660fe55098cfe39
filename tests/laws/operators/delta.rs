//! The delta rule, computed by chunks, against its recurrence, walked position by position in double precision.

use super::{Network, burn_on_the_card, error, wave};
use lookahead::engine::ParameterShape;
use lookahead::engine::burn::Burn;
use lookahead::engine::eager::Eager;
use lookahead::engine::operators::{Decay, Delta, Operators};
use pollster::block_on;
use std::sync::Arc;

struct Rule {
    sequences: usize,
    length: usize,
    heads: usize,
    head: usize,
    range: f64,
    fades: bool,
    /// Positions after which keys repeat.
    period: usize,
}

const NAMES: [&str; 8] = ["q", "k", "v", "strength", "x", "a_log", "bias", "gain"];

impl Network for Rule {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let rows = self.sequences * self.length;
        let mut read = |name: &str| {
            let table = ops.weight(name);
            ops.embedding(table, tokens, rows)
        };
        let (queries, keys, values, strengths, x) = (read("q"), read("k"), read("v"), read("strength"), read("x"));
        let [a_log, bias, gain] = ["a_log", "bias", "gain"].map(|name| ops.weight(name));
        let decay = self.fades.then_some(Decay { x, a_log, bias });
        let Rule { heads, length, range, .. } = *self;
        ops.delta_rule(Delta { queries, keys, values, strengths, decay, gain, heads, length, range }).unwrap()
    }
}

impl Rule {
    fn rows(&self) -> usize {
        self.sequences * self.length
    }

    fn shape(&self, name: &str) -> [usize; 2] {
        match name {
            "q" | "k" | "v" => [self.rows(), self.heads * self.head],
            "strength" | "x" => [self.rows(), self.heads],
            "gain" => [1, self.head],
            _ => [1, self.heads],
        }
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let [rows, width] = self.shape(name);
        let index = NAMES.iter().position(|known| *known == name).unwrap();
        let row = |row: usize| if name == "k" { row % self.length % self.period } else { row };
        let base = if name == "gain" { 1.0 } else { 0.0 };
        let scale = if name == "strength" { 3.0 } else { 0.9 };
        (0..rows * width).map(|at| base + wave(index, row(at / width) * width + at % width, scale)).collect()
    }

    fn by(&self, burn: &mut Burn) -> Vec<f32> {
        let parameter = |name: &str| ParameterShape { name: name.into(), shape: self.shape(name).to_vec(), frozen: false };
        let parameters: Arc<[ParameterShape]> = NAMES.into_iter().map(parameter).collect();
        let values: Vec<f32> = NAMES.into_iter().flat_map(|name| self.values(name)).collect();
        burn.load(&parameters, &values);
        let mut pass = burn.begin((0..self.rows() as u32).collect(), false);
        let out = self.logits(&mut pass, 0);
        block_on(burn.numbers(&pass, out)).unwrap()
    }

    /// `S ← α S (I − β k kᵀ) + β v kᵀ`, `y = RMSNorm(S q / √n)`.
    fn truth(&self) -> Vec<f32> {
        let Rule { sequences, length, heads, head: n, range, fades, .. } = *self;
        let [q, k, v, strength, x, a_log, bias, gain] =
            NAMES.map(|name| self.values(name).into_iter().map(f64::from).collect::<Vec<f64>>());
        let mut out = vec![0.0f32; self.rows() * heads * n];
        for (sequence, h) in (0..sequences).flat_map(|sequence| (0..heads).map(move |h| (sequence, h))) {
            let mut state = vec![vec![0.0f64; n]; n];
            for row in sequence * length..(sequence + 1) * length {
                let at = |of: &[f64]| of[row * heads * n + h * n..][..n].to_vec();
                let unit = |of: &[f64]| {
                    let size = (of.iter().map(|x| x * x).sum::<f64>() + 1e-6).sqrt();
                    of.iter().map(|x| x / size).collect::<Vec<f64>>()
                };
                let (key, query, value) = (unit(&at(&k)), unit(&at(&q)), at(&v));
                let beta = range / (1.0 + (-strength[row * heads + h]).exp());
                let alpha = if fades { (-a_log[h].exp() * (1.0 + (x[row * heads + h] + bias[h]).exp()).ln()).exp() } else { 1.0 };
                for (line, value) in state.iter_mut().zip(&value) {
                    let held: f64 = line.iter().zip(&key).map(|(s, k)| s * k).sum();
                    line.iter_mut().zip(&key).for_each(|(s, k)| *s = alpha * (*s - beta * held * k) + beta * value * k);
                }
                let read: Vec<f64> =
                    state.iter().map(|line| line.iter().zip(&query).map(|(s, q)| s * q).sum::<f64>() / (n as f64).sqrt()).collect();
                let size = (read.iter().map(|x| x * x).sum::<f64>() / n as f64 + 1e-5).sqrt();
                let into = &mut out[row * heads * n + h * n..][..n];
                into.iter_mut().zip(&read).zip(&gain).for_each(|((y, x), g)| *y = (x / size * g) as f32);
            }
        }
        out
    }
}

#[test]
fn the_delta_rule_by_chunks_is_its_recurrence() {
    // Shorter than a chunk, one, several with a rest; keys that repeat, as the cells of an orbit do.
    for (length, head, period) in [(1, 2, 9), (7, 3, 9), (64, 8, 64), (150, 5, 150), (131, 8, 2), (70, 4, 1)] {
        for (range, fades) in [(1.0, false), (2.0, false), (1.0, true), (2.0, true)] {
            let rule = Rule { sequences: 2, length, heads: 3, head, range, fades, period };
            let truth = rule.truth();
            let at = format!("{length} positions, keys repeat after {period}, range {range}, fades {fades}");
            let engines = [("burn-flex", Some(Burn::flex())), ("burn-wgpu", burn_on_the_card())];
            for (engine, mut burn) in engines.into_iter().filter_map(|(name, burn)| Some((name, burn?))) {
                let off = error(&rule.by(&mut burn), &truth);
                assert!(off < 2e-4, "{at}, on {engine}: off by {off:e}");
            }
        }
    }
}

/// Square matrices, row by row.
type Matrix = Vec<Vec<f32>>;

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let n = a.len();
    (0..n).map(|i| (0..n).map(|j| (0..n).map(|k| a[i][k] * b[k][j]).sum()).collect()).collect()
}

fn matrix(n: usize, entry: impl Fn(usize, usize) -> f32) -> Matrix {
    (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect()
}

/// How far `(I + L) X` is from I.
fn residue(lower: &Matrix, inverse: &Matrix) -> f32 {
    let n = lower.len();
    let whole = product(&matrix(n, |i, j| lower[i][j] + f32::from(u8::from(i == j))), inverse);
    (0..n * n).map(|at| (whole[at / n][at % n] - f32::from(u8::from(at / n == at % n))).abs()).fold(0.0, f32::max)
}

#[test]
fn powers_of_l_lose_what_doubling_keeps() {
    let n = 64;
    // The same key at every position, written at full strength.
    let lower = matrix(n, |i, j| if j < i { 1.0 } else { 0.0 });
    let unit = matrix(n, |i, j| f32::from(u8::from(i == j)));
    let mut power = matrix(n, |i, j| -lower[i][j]);
    let mut squared = matrix(n, |i, j| unit[i][j] + power[i][j]);
    for _ in 1..n.ilog2() {
        power = product(&power, &power);
        let more = product(&squared, &power);
        squared = matrix(n, |i, j| squared[i][j] + more[i][j]);
    }
    let mut doubled = unit;
    for block in [1, 2, 4, 8, 16, 32] {
        let within = matrix(n, |i, j| if i / block == j / block + 1 && (j / block) % 2 == 0 { lower[i][j] } else { 0.0 });
        let less = product(&product(&doubled, &within), &doubled);
        doubled = matrix(n, |i, j| doubled[i][j] - less[i][j]);
    }
    assert!(residue(&lower, &doubled) < 1e-6, "doubling is off by {:e}", residue(&lower, &doubled));
    assert!(residue(&lower, &squared) > 1.0, "squaring is off by {:e} only", residue(&lower, &squared));
}
