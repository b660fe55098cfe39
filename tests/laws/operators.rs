//! Every operator of the engine against its definition in Burn's tensors (`src/engine/burn`): value, hits, and every gradient by
//! Burn's autodiff, at odd sizes, on every engine of this build.
//!
//! Each case is a small network of its own, written once over the operators: parameters go through them to logits and the masked
//! cross-entropy. Activations enter as rows of an embedding, so that their gradients are among those compared.

mod delta;
mod halting;
mod memory;
mod policy;
mod recurrent;

use crate::common::{Found, Run, engines};
use lookahead::engine::burn::Burn;
use lookahead::engine::eager::Eager;
use lookahead::engine::operators::{Activation, Affine, Heads, Linear, NO_LABEL, Operators, Shaped};
use lookahead::engine::{ParameterShape, Pass, Program, Purpose, Target, record};
use pollster::block_on;
use std::sync::Arc;

const EPSILON: f64 = 1e-5;

/// A network of a test: from its parameters and the word of its first token to logits.
trait Network {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var;
}

/// A network with its parameters and words.
struct Case<N> {
    name: String,
    shapes: Vec<(&'static str, Vec<usize>)>,
    tokens: Vec<u32>,
    labels: Vec<u32>,
    network: N,
}

fn wave(index: usize, element: usize, scale: f64) -> f32 {
    (scale * (0.73 * element as f64 * (1.0 + 0.1 * index as f64) + index as f64).cos()) as f32
}

impl<N: Network> Case<N> {
    fn parameters(&self) -> Arc<[ParameterShape]> {
        let make = |(name, shape): &(&str, Vec<usize>)| ParameterShape { name: name.to_string(), shape: shape.clone(), frozen: false };
        self.shapes.iter().map(make).collect()
    }

    fn weights(&self) -> Vec<Vec<f32>> {
        let values = |(index, (name, shape)): (usize, &(&str, Vec<usize>))| {
            let base = if name.starts_with("gamma") { 1.0 } else { 0.0 };
            // Matrices that neither shrink nor blow up what goes through them.
            let scale = match *name {
                // Some rows halt at once and some never.
                "halting" => 4.0,
                "x" => 0.7,
                _ if shape.len() == 2 => 1.0 / (shape[1] as f64).sqrt(),
                _ => 0.7,
            };
            (0..shape.iter().product()).map(|element| base + wave(index, element, scale)).collect()
        };
        self.shapes.iter().enumerate().map(values).collect()
    }

    fn label_count(&self) -> usize {
        self.labels.iter().filter(|&&label| label != NO_LABEL).count()
    }

    fn program(&self, purpose: Purpose, target: Target) -> Program {
        let (labels, words) = (self.tokens.len(), self.tokens.len() + self.labels.len());
        let pass = Pass { purpose, sequences: 1, length: self.labels.len(), from: 0, words, drawing: None };
        let program = record(&self.parameters(), &pass, target, |ops| {
            let logits = self.network.logits(ops, 0);
            assert_eq!(logits.rows(), self.labels.len(), "{}", self.name);
            ops.keep_logits(logits);
            Operators::cross_entropy(ops, logits, labels, self.label_count());
            Ok(logits)
        });
        program.unwrap()
    }

    fn words(&self) -> Vec<u32> {
        [&self.tokens[..], &self.labels[..]].concat()
    }

    /// Everything an engine gives, by Burn.
    fn by(&self, burn: &mut Burn) -> Found {
        burn.load(&self.parameters(), &self.weights().concat());
        let mut pass = burn.begin(self.words(), true);
        let logits = self.network.logits(&mut pass, 0);
        pass.cross_entropy(logits, self.tokens.len(), self.label_count());
        let numbers = block_on(burn.numbers(&pass, logits)).unwrap();
        if let Some(counts) = block_on(burn.hops(&pass)).unwrap() {
            let first = counts.numbers[0];
            assert!(counts.numbers.iter().any(|hops| *hops != first), "every row halts after {first} hops, so nothing was tested");
        }
        let found = block_on(burn.gradient(pass)).unwrap();
        let best = |row: &[f32]| row.iter().enumerate().fold((0, f32::MIN), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0;
        let answers: Vec<f32> = numbers.chunks(logits.width()).map(|row| best(row) as f32).collect();
        let hits = answers.iter().zip(&self.labels).filter(|(answer, label)| **answer == **label as f32).count();
        Found { loss: found.loss, hits: hits as f32, answers, logits: numbers, gradient: found.gradient }
    }

    /// That these are the numbers of the definition, with gradients off by ten times the tolerance at most.
    fn expect(&self, at: &str, found: &Found, truth: &Found, times: f32, tolerance: f32) {
        assert!(error(&found.logits, &truth.logits) < tolerance, "{at}: logits off by {:e}", error(&found.logits, &truth.logits));
        assert!((found.loss / times - truth.loss).abs() < tolerance * truth.loss.abs(), "{at}: loss {} and {}", found.loss, truth.loss);
        assert_eq!(found.hits, times * truth.hits, "{at}: hits");
        assert_eq!(found.answers, truth.answers, "{at}: answers");
        let mut start = 0;
        for (name, shape) in &self.shapes {
            let range = start..start + shape.iter().product::<usize>();
            start = range.end;
            let part: Vec<f32> = found.gradient[range.clone()].iter().map(|value| value / times).collect();
            let error = error(&part, &truth.gradient[range]);
            assert!(error < 10.0 * tolerance, "{at}: gradient of {name} off by {error:e}");
        }
    }
}

/// Largest difference over the largest true value.
fn error(found: &[f32], truth: &[f32]) -> f32 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(1e-12f32, |largest, value| largest.max(value.abs()));
    found.iter().zip(truth).fold(0.0f32, |error, (found, truth)| error.max((found - truth).abs())) / largest
}

/// Burn on the graphics adapter, where one answers.
fn burn_on_the_card() -> Option<Burn> {
    crate::common::adapter().map(|gpu| Burn::wgpu(&gpu))
}

/// Compares a case on every engine: loss and gradient, and the same added to what is there.
fn compare<N: Network>(case: &Case<N>) {
    compare_on(case, engines());
    // A software adapter takes long over burn-wgpu's many kernels: it gets the small cases.
    let small = case.weights().concat().len() < 2_000;
    if let Some(mut burn) = burn_on_the_card().filter(|_| small || std::env::var_os("LOOKAHEAD_FULL").is_some()) {
        let at = format!("{} on burn-wgpu", case.name);
        case.expect(&at, &case.by(&mut burn), &case.by(&mut Burn::flex()), 1.0, 5e-6);
    }
}

fn compare_on<N: Network>(case: &Case<N>, engines: Vec<(&'static str, f32, Target, Run)>) {
    let truth = case.by(&mut Burn::flex());
    let (weights, words) = (case.weights().concat(), case.words());
    for (engine, tolerance, target, mut run) in engines {
        for (purpose, times) in [(Purpose::Gradient, 1.0), (Purpose::Accumulate, 2.0)] {
            // The second run starts from the first's gradient and total.
            let purposes = if times > 1.0 { vec![Purpose::Gradient, purpose] } else { vec![purpose] };
            let programs: Vec<Program> = purposes.into_iter().map(|purpose| case.program(purpose, target)).collect();
            let found = run(&programs, &weights, &words);
            case.expect(&format!("{} on {engine}, {purpose:?}", case.name), &found, &truth, times, tolerance);
        }
    }
}

/// Tokens that repeat, leave some out and come in no order.
fn tokens(rows: usize, vocabulary: usize) -> Vec<u32> {
    (0..rows).map(|row| ((row * row + 3 * row) % vocabulary) as u32).collect()
}

/// Labels of which every third does not count.
fn labels(rows: usize, vocabulary: usize) -> Vec<u32> {
    (0..rows).map(|row| if row % 3 == 1 { NO_LABEL } else { ((5 * row + 1) % vocabulary) as u32 }).collect()
}

struct Embedding {
    rows: usize,
}

impl Network for Embedding {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let table = ops.weight("x");
        ops.embedding(table, tokens, self.rows)
    }
}

#[test]
fn embedding_and_loss() {
    for (rows, vocabulary, width) in [(1, 2, 2), (7, 5, 3), (33, 9, 17), (130, 128, 129)] {
        compare(&Case {
            name: format!("embedding of {rows} rows"),
            shapes: vec![("x", vec![vocabulary, width])],
            tokens: tokens(rows, vocabulary),
            labels: labels(rows, width),
            network: Embedding { rows },
        });
    }
}

struct Positions {
    rows: usize,
    length: usize,
    from: usize,
}

impl Network for Positions {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.rows }.logits(ops, tokens);
        ops.positions(x, self.length, self.from)
    }
}

#[test]
fn choice_of_positions() {
    for (sequences, length, from, width) in [(1, 5, 4, 3), (3, 7, 2, 5), (2, 9, 0, 4)] {
        let rows = sequences * length;
        compare(&Case {
            name: format!("positions {from} … of {length}"),
            shapes: vec![("x", vec![6, width])],
            tokens: tokens(rows, 6),
            labels: labels(sequences * (length - from), width),
            network: Positions { rows, length, from },
        });
    }
}

struct Norms {
    rows: usize,
    centred: bool,
}

impl Network for Norms {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.rows }.logits(ops, tokens);
        let (w, v) = (ops.weight("w"), ops.weight("v"));
        if !self.centred {
            let gamma = ops.weight("gamma1");
            let y = ops.rms_norm(x, gamma, EPSILON);
            return ops.residual(x, [(y, w, None)]);
        }
        let affines = [("gamma1", "beta1"), ("gamma2", "beta2")]
            .map(|(gamma, beta)| Affine { gamma: ops.weight(gamma), beta: Some(ops.weight(beta)) });
        let [a, b] = ops.layer_norms(x, affines, EPSILON);
        ops.residual(x, [(a, w, None), (b, v, None)])
    }
}

#[test]
fn norms_of_one_stream_with_its_residual() {
    for (rows, width, centred) in [(1, 2, true), (7, 5, true), (33, 48, true), (65, 129, true), (9, 16, false), (34, 33, false)] {
        let vectors = ["gamma1", "beta1", "gamma2", "beta2"].map(|name| (name, vec![width]));
        let matrices = ["w", "v"].map(|name| (name, vec![width, width]));
        compare(&Case {
            name: format!("norms of {rows} × {width}, centred {centred}"),
            shapes: [("x", vec![rows, width])].into_iter().chain(vectors).chain(matrices).collect(),
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            network: Norms { rows, centred },
        });
    }
}

struct Maps {
    rows: usize,
}

impl Network for Maps {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.rows }.logits(ops, tokens);
        let [up, side, down, across] = ["up", "side", "down", "across"].map(|name| (ops.weight(name), ops.weight(&format!("{name}_bias"))));
        let activated = Linear { activation: Activation::Gelu, ..Linear::with_bias(x, up.0, up.1) };
        let [hidden, side] = ops.linears([activated, Linear::with_bias(x, side.0, side.1)]);
        // The same maps once more on top: a weight that is used twice gets both gradients.
        let once = ops.residual(side, [(hidden, down.0, Some(down.1)), (side, across.0, Some(across.1))]);
        ops.linear(Linear::with_bias(once, across.0, across.1))
    }
}

#[test]
fn linear_maps_with_bias_gelu_and_residual() {
    for (rows, width, hidden) in [(1, 2, 3), (7, 5, 9), (33, 16, 48), (65, 33, 70), (130, 64, 129), (600, 8, 9)] {
        let vocabulary = 6.min(rows);
        compare(&Case {
            name: format!("linear maps {rows} × {width} → {hidden}"),
            shapes: vec![
                ("x", vec![vocabulary, width]),
                ("up", vec![hidden, width]),
                ("up_bias", vec![hidden]),
                ("side", vec![width, width]),
                ("side_bias", vec![width]),
                ("down", vec![width, hidden]),
                ("down_bias", vec![width]),
                ("across", vec![width, width]),
                ("across_bias", vec![width]),
            ],
            tokens: tokens(rows, vocabulary),
            labels: labels(rows, width),
            network: Maps { rows },
        });
    }
}

struct Attention {
    rows: usize,
    heads: Heads,
}

impl Network for Attention {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let qkv = Embedding { rows: self.rows }.logits(ops, tokens);
        ops.causal_attention(qkv, self.heads)
    }
}

#[test]
fn causal_attention_with_rotary_positions() {
    let cases = [(1, 1, 1, 2, 2), (2, 5, 1, 6, 2), (1, 37, 3, 8, 4), (2, 70, 2, 16, 16), (1, 130, 1, 32, 8), (3, 9, 2, 5, 4)];
    for (sequences, length, heads, head, rotary) in cases {
        let (rows, width, base) = (sequences * length, heads * head, 100.0);
        compare(&Case {
            name: format!("attention of {heads} heads of {head} over {length}"),
            shapes: vec![("x", vec![rows, 3 * width])],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            network: Attention { rows, heads: Heads { length, heads, rotary, base } },
        });
    }
}
