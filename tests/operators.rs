//! Every operator of the engine against its plain definition in burn's stock tensors: value, hits, and every gradient by
//! burn's autodiff, at odd sizes, on every engine of this build.
//!
//! Each case is a small network of its own: parameters go through the operator to logits and the masked cross-entropy.
//! Activations enter as rows of an embedding, so that their gradients are among those compared.

mod common;
#[path = "operators/halting.rs"]
mod halting;
#[path = "operators/memory.rs"]
mod memory;
#[path = "operators/policy.rs"]
mod policy;
#[path = "operators/recurrent.rs"]
mod recurrent;

use burn_tensor::activation::{log_softmax, softmax};
use burn_tensor::{Device, Int, Tensor, TensorData};
use common::{Found, Run, engines};
use lookahead::engine::ops::{Activation, Affine, Heads, Linear};
use lookahead::engine::program::NOT_ASKED;
use lookahead::engine::{Carrier, Program, Purpose, Recorder, Var, Weight};
use lookahead::model::{Init, Parameter, Role};
use std::sync::Arc;

const EPSILON: f64 = 1e-5;

/// A network by the engine's operators, from its parameters and the word of its first token to logits.
type Record = Box<dyn Fn(&mut Recorder, usize) -> Var>;
/// The same in burn's tensors.
type Definition = Box<dyn Fn(&Plain) -> Tensor<2>>;

/// A network of a test: its parameters, its words, and the same function written twice.
struct Case {
    name: String,
    shapes: Vec<(&'static str, Vec<usize>)>,
    tokens: Vec<u32>,
    labels: Vec<u32>,
    record: Record,
    plain: Definition,
}

/// Parameters as burn's tensors, and the tokens.
struct Plain {
    leaves: Vec<(&'static str, Tensor<1>, Vec<usize>)>,
    tokens: Tensor<1, Int>,
}

impl Plain {
    fn vector(&self, name: &str) -> Tensor<1> {
        self.leaves.iter().find(|leaf| leaf.0 == name).unwrap().1.clone()
    }

    fn matrix(&self, name: &str) -> Tensor<2> {
        let (_, tensor, shape) = self.leaves.iter().find(|leaf| leaf.0 == name).unwrap();
        tensor.clone().reshape([shape[0], shape[1]])
    }

    fn embedded(&self) -> Tensor<2> {
        self.matrix("x").select(0, self.tokens.clone())
    }
}

fn wave(index: usize, element: usize, scale: f64) -> f32 {
    (scale * (0.73 * element as f64 * (1.0 + 0.1 * index as f64) + index as f64).cos()) as f32
}

impl Case {
    fn parameters(&self) -> Arc<[Parameter]> {
        let make = |(name, shape): &(&str, Vec<usize>)| Parameter {
            name: name.to_string(),
            shape: shape.clone(),
            init: Init::Zeros,
            role: Role::Hidden,
        };
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

    fn asked(&self) -> usize {
        self.labels.iter().filter(|&&label| label != NOT_ASKED).count()
    }

    fn program(&self, purpose: Purpose, carrier: Carrier) -> Program {
        let mut recorder = Recorder::new(&self.parameters(), purpose, carrier);
        let tokens = recorder.words(self.tokens.len());
        let labels = recorder.words(self.labels.len());
        let logits = (self.record)(&mut recorder, tokens);
        assert_eq!(logits.rows, self.labels.len(), "{}", self.name);
        recorder.keep_logits(logits);
        recorder.cross_entropy(logits, labels, self.asked());
        recorder.finish()
    }

    fn words(&self) -> Vec<u32> {
        [&self.tokens[..], &self.labels[..]].concat()
    }

    /// The same by burn: everything an engine gives.
    fn truth(&self) -> Found {
        let device = Device::flex();
        let leaf = |((name, shape), values): (&(&'static str, Vec<usize>), Vec<f32>)| {
            let count = values.len();
            let tensor = Tensor::<1>::from_data(TensorData::new(values, [count]), &device).autodiff().require_grad();
            (*name, tensor, shape.clone())
        };
        let leaves: Vec<_> = self.shapes.iter().zip(self.weights()).map(leaf).collect();
        let tokens: Vec<i32> = self.tokens.iter().map(|&token| token as i32).collect();
        let tracked = leaves[0].1.device();
        let plain = Plain { tokens: Tensor::from_data(TensorData::new(tokens, [self.tokens.len()]), &tracked), leaves };
        let logits = (self.plain)(&plain);
        let [rows, vocabulary] = logits.dims();
        let mut targets = vec![0.0f32; rows * vocabulary];
        for (row, &label) in self.labels.iter().enumerate().filter(|(_, label)| **label != NOT_ASKED) {
            targets[row * vocabulary + label as usize] = 1.0 / self.asked() as f32;
        }
        let targets = Tensor::<2>::from_data(TensorData::new(targets, [rows, vocabulary]), &tracked);
        let loss = (log_softmax(logits.clone(), 1) * targets).sum().neg();
        let mut gradients = loss.backward();
        let gradient = |leaf: &(&str, Tensor<1>, Vec<usize>)| match leaf.1.grad_remove(&mut gradients) {
            Some(gradient) => numbers(gradient),
            None => vec![0.0; leaf.1.dims()[0]],
        };
        let gradient = plain.leaves.iter().flat_map(gradient).collect();
        let logits: Vec<f32> = numbers(logits.inner());
        let best = |row: &[f32]| row.iter().enumerate().fold((0, f32::MIN), |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0;
        let answers: Vec<f32> = logits.chunks(vocabulary).map(|row| best(row) as f32).collect();
        let hits = answers.iter().zip(&self.labels).filter(|(answer, label)| **answer == **label as f32).count();
        Found { loss: numbers(loss.inner())[0], hits: hits as f32, answers, logits, gradient }
    }
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

/// Largest difference over the largest true value.
fn error(found: &[f32], truth: &[f32]) -> f32 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(1e-12f32, |largest, value| largest.max(value.abs()));
    found.iter().zip(truth).fold(0.0f32, |error, (found, truth)| error.max((found - truth).abs())) / largest
}

/// Compares a case on every engine: loss and gradient, and the same added to what is there.
fn compare(case: &Case) {
    compare_on(case, engines());
}

fn compare_on(case: &Case, engines: Vec<(&'static str, f32, Carrier, Run)>) {
    let truth = case.truth();
    let (weights, words) = (case.weights().concat(), case.words());
    for (engine, tolerance, carrier, mut run) in engines {
        for (purpose, times) in [(Purpose::Gradient, 1.0), (Purpose::More, 2.0)] {
            // The second run starts from the first's gradient and total.
            let purposes = if times > 1.0 { vec![Purpose::Gradient, purpose] } else { vec![purpose] };
            let programs: Vec<Program> = purposes.into_iter().map(|purpose| case.program(purpose, carrier)).collect();
            let found = run(&programs, &weights, &words);
            let at = format!("{} on {engine}, {purpose:?}", case.name);
            assert!(error(&found.logits, &truth.logits) < tolerance, "{at}: logits off by {:e}", error(&found.logits, &truth.logits));
            assert!((found.loss / times - truth.loss).abs() < tolerance * truth.loss.abs(), "{at}: loss {} and {}", found.loss, truth.loss);
            assert_eq!(found.hits, times * truth.hits, "{at}: hits");
            assert_eq!(found.answers, truth.answers, "{at}: answers");
            let mut start = 0;
            for (name, shape) in &case.shapes {
                let range = start..start + shape.iter().product::<usize>();
                start = range.end;
                let part: Vec<f32> = found.gradient[range.clone()].iter().map(|value| value / times).collect();
                let error = error(&part, &truth.gradient[range]);
                assert!(error < 10.0 * tolerance, "{at}: gradient of {name} off by {error:e}");
            }
        }
    }
}

/// `x Wᵀ`.
fn plain_linear(x: Var, weight: Weight) -> Linear {
    Linear { x, weight, bias: None, activation: Activation::None }
}

/// Tokens that repeat, leave some out and come in no order.
fn tokens(rows: usize, vocabulary: usize) -> Vec<u32> {
    (0..rows).map(|row| ((row * row + 3 * row) % vocabulary) as u32).collect()
}

/// Labels of which every third does not count.
fn labels(rows: usize, vocabulary: usize) -> Vec<u32> {
    (0..rows).map(|row| if row % 3 == 1 { NOT_ASKED } else { ((5 * row + 1) % vocabulary) as u32 }).collect()
}

#[test]
fn embedding_and_loss() {
    for (rows, vocabulary, width) in [(1, 2, 2), (7, 5, 3), (33, 9, 17), (130, 128, 129)] {
        compare(&Case {
            name: format!("embedding of {rows} rows"),
            shapes: vec![("x", vec![vocabulary, width])],
            tokens: tokens(rows, vocabulary),
            labels: labels(rows, width),
            record: Box::new(move |recorder, tokens| recorder.embedding(recorder.weight("x"), tokens, rows)),
            plain: Box::new(|plain| plain.embedded()),
        });
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
            record: Box::new(move |recorder, tokens| {
                let x = recorder.embedding(recorder.weight("x"), tokens, rows);
                recorder.positions(x, length, from)
            }),
            plain: Box::new(move |plain| {
                let x = plain.embedded().reshape([sequences, length, width]);
                x.narrow(1, from, length - from).reshape([sequences * (length - from), width])
            }),
        });
    }
}

fn plain_norm(x: Tensor<2>, gamma: Tensor<1>, beta: Option<Tensor<1>>, centred: bool) -> Tensor<2> {
    let x = if centred { x.clone() - x.mean_dim(1) } else { x };
    let scaled = x.clone() / ((x.clone() * x).mean_dim(1) + EPSILON).sqrt() * gamma.unsqueeze();
    match beta {
        Some(beta) => scaled + beta.unsqueeze(),
        None => scaled,
    }
}

#[test]
fn norms_of_one_stream_with_its_residual() {
    for (rows, width, centred) in [(1, 2, true), (7, 5, true), (33, 48, true), (65, 129, true), (9, 16, false), (34, 33, false)] {
        let shapes = vec![
            ("x", vec![rows, width]),
            ("gamma1", vec![width]),
            ("beta1", vec![width]),
            ("gamma2", vec![width]),
            ("beta2", vec![width]),
            ("w", vec![width, width]),
            ("v", vec![width, width]),
        ];
        compare(&Case {
            name: format!("norms of {rows} × {width}, centred {centred}"),
            shapes,
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            record: Box::new(move |recorder, tokens| {
                let weight = |recorder: &Recorder, name: &str| recorder.weight(name);
                let x = recorder.embedding(weight(recorder, "x"), tokens, rows);
                let (w, v) = (weight(recorder, "w"), weight(recorder, "v"));
                if !centred {
                    let y = recorder.rms_norm(x, weight(recorder, "gamma1"), EPSILON);
                    return recorder.residual(x, [(y, w, None)]);
                }
                let pair = |recorder: &Recorder, gamma: &str, beta: &str| Affine {
                    gamma: weight(recorder, gamma),
                    beta: Some(weight(recorder, beta)),
                };
                let affines = [pair(recorder, "gamma1", "beta1"), pair(recorder, "gamma2", "beta2")];
                let [a, b] = recorder.layer_norms(x, affines, EPSILON);
                recorder.residual(x, [(a, w, None), (b, v, None)])
            }),
            plain: Box::new(move |plain| {
                let x = plain.embedded();
                if !centred {
                    let y = plain_norm(x.clone(), plain.vector("gamma1"), None, false);
                    return x + y.matmul(plain.matrix("w").transpose());
                }
                let a = plain_norm(x.clone(), plain.vector("gamma1"), Some(plain.vector("beta1")), true);
                let b = plain_norm(x.clone(), plain.vector("gamma2"), Some(plain.vector("beta2")), true);
                x + a.matmul(plain.matrix("w").transpose()) + b.matmul(plain.matrix("v").transpose())
            }),
        });
    }
}

/// Exact GELU, composed: burn's own has another derivative on some backends.
fn plain_gelu(x: Tensor<2>) -> Tensor<2> {
    let phi = (x.clone() * std::f32::consts::FRAC_1_SQRT_2).erf() * 0.5 + 0.5;
    x * phi
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
            record: Box::new(move |recorder, tokens| {
                let weight = |recorder: &Recorder, name: &str| recorder.weight(name);
                let x = recorder.embedding(weight(recorder, "x"), tokens, rows);
                let map = |recorder: &Recorder, x, name: &str, bias: &str, activation| Linear {
                    x,
                    weight: weight(recorder, name),
                    bias: Some(weight(recorder, bias)),
                    activation,
                };
                let up = map(recorder, x, "up", "up_bias", Activation::Gelu);
                let side = map(recorder, x, "side", "side_bias", Activation::None);
                let [hidden, side] = recorder.linears([up, side]);
                let branches = [
                    (hidden, weight(recorder, "down"), Some(weight(recorder, "down_bias"))),
                    (side, weight(recorder, "across"), Some(weight(recorder, "across_bias"))),
                ];
                // The same maps once more on top: a weight that is used twice gets both gradients.
                let once = recorder.residual(side, branches);
                let again = map(recorder, once, "across", "across_bias", Activation::None);
                recorder.linear(again)
            }),
            plain: Box::new(|plain| {
                let x = plain.embedded();
                let map = |x: Tensor<2>, name: &str, bias: &str| x.matmul(plain.matrix(name).transpose()) + plain.vector(bias).unsqueeze();
                let hidden = plain_gelu(map(x.clone(), "up", "up_bias"));
                let side = map(x, "side", "side_bias");
                let once = side.clone() + map(hidden, "down", "down_bias") + map(side, "across", "across_bias");
                map(once, "across", "across_bias")
            }),
        });
    }
}

/// Rotary table as in the definition: rotate by position, halves paired.
fn plain_turn(x: Tensor<4>, rotary: usize, base: f64) -> Tensor<4> {
    let ([_, _, length, head], device) = (x.dims(), x.device());
    let half = rotary / 2;
    let angle = |position: usize, i: usize| position as f64 * base.powf(-2.0 * (i % half) as f64 / rotary as f64);
    let table = |f: fn(f64) -> f64, still: f32| {
        let values: Vec<f32> =
            (0..length * head).map(|at| if at % head < rotary { f(angle(at / head, at % head)) as f32 } else { still }).collect();
        Tensor::<4>::from_data(TensorData::new(values, [1, 1, length, head]), &device)
    };
    let first = x.clone().narrow(3, 0, half);
    let second = x.clone().narrow(3, half, half);
    let mut parts = vec![second.neg(), first];
    if rotary < head {
        parts.push(x.clone().narrow(3, rotary, head - rotary));
    }
    x * table(f64::cos, 1.0) + Tensor::cat(parts, 3) * table(f64::sin, 0.0)
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
            record: Box::new(move |recorder, tokens| {
                let qkv = recorder.embedding(recorder.weight("x"), tokens, rows);
                recorder.causal_attention(qkv, Heads { length, heads, rotary, base })
            }),
            plain: Box::new(move |plain| {
                let qkv = plain.embedded().reshape([sequences, length, heads, 3 * head]).swap_dims(1, 2);
                let part = |index: usize| qkv.clone().narrow(3, index * head, head);
                let (q, k, v) = (plain_turn(part(0), rotary, base), plain_turn(part(1), rotary, base), part(2));
                let scores = q.matmul(k.swap_dims(2, 3)) * (head as f64).powf(-0.5);
                let hidden: Vec<f32> = (0..length * length).map(|at| if at % length > at / length { -1e9 } else { 0.0 }).collect();
                let hidden = Tensor::<4>::from_data(TensorData::new(hidden, [1, 1, length, length]), &scores.device());
                softmax(scores + hidden, 3).matmul(v).swap_dims(1, 2).reshape([rows, width])
            }),
        });
    }
}
