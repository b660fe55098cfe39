//! Operators that walk along a sequence, against the same written step by step.

use super::{Case, Plain, compare, labels};
use burn_tensor::activation::{sigmoid, silu, softplus};
use burn_tensor::{Tensor, TensorData};
use lookahead::engine::ops::{LstmWeights, ScanWeights};
use lookahead::engine::program::{STATE, TAPS};

/// Row t of each sequence of x `[B·S, d]`: `[B, d]`.
fn step(x: &Tensor<2>, sequences: usize, t: usize) -> Tensor<2> {
    let [rows, width] = x.dims();
    x.clone().reshape([sequences, rows / sequences, width]).narrow(1, t, 1).reshape([sequences, width])
}

/// The reverse: rows by position, `[B, d]` each, to `[B·S, d]`.
fn together(steps: Vec<Tensor<2>>) -> Tensor<2> {
    let ([sequences, width], length) = (steps[0].dims(), steps.len());
    let steps = steps.into_iter().map(|step| step.reshape([sequences, 1, width])).collect();
    Tensor::<3>::cat(steps, 1).reshape([sequences * length, width])
}

fn zeros<const D: usize>(like: &Tensor<2>, shape: [usize; D]) -> Tensor<D> {
    let count = shape.iter().product();
    Tensor::<1>::from_data(TensorData::new(vec![0.0f32; count], [count]), &like.device()).reshape(shape)
}

fn plain_lstm(plain: &Plain, sequences: usize, length: usize, width: usize) -> Tensor<2> {
    let map = |x: Tensor<2>, weight: &str, bias: &str| x.matmul(plain.matrix(weight).transpose()) + plain.vector(bias).unsqueeze();
    let x = plain.embedded();
    let (mut h, mut c) = (zeros(&x, [sequences, width]), zeros(&x, [sequences, width]));
    let mut steps = Vec::new();
    for t in 0..length {
        let gates = map(step(&x, sequences, t), "ih", "b") + map(h, "hh", "b2");
        let gate = |index: usize| gates.clone().narrow(1, index * width, width);
        c = sigmoid(gate(1)) * c + sigmoid(gate(0)) * gate(2).tanh();
        h = sigmoid(gate(3)) * c.clone().tanh();
        steps.push(h.clone());
    }
    together(steps)
}

#[test]
fn a_layer_of_long_short_term_memory() {
    for (sequences, length, input, width) in [(1, 1, 2, 3), (3, 2, 5, 4), (2, 17, 7, 9), (5, 9, 24, 17), (1, 33, 8, 40)] {
        let rows = sequences * length;
        compare(&Case {
            name: format!("LSTM {input} → {width} over {sequences} × {length}"),
            shapes: vec![
                ("x", vec![rows, input]),
                ("ih", vec![4 * width, input]),
                ("hh", vec![4 * width, width]),
                ("b", vec![4 * width]),
                ("b2", vec![4 * width]),
            ],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            record: Box::new(move |recorder, tokens| {
                let x = recorder.embedding(recorder.weight("x"), tokens, rows);
                let [input, hidden] = ["ih", "hh"].map(|name| recorder.weight(name));
                let biases = ["b", "b2"].map(|name| recorder.weight(name));
                recorder.lstm(x, LstmWeights { input, hidden, biases }, length)
            }),
            plain: Box::new(move |plain| plain_lstm(plain, sequences, length, width)),
        });
    }
}

fn plain_convolution(x: &Tensor<2>, plain: &Plain, sequences: usize, length: usize, channels: usize) -> Tensor<2> {
    let taps = plain.matrix("taps");
    let tap = |index: usize| taps.clone().narrow(1, index, 1).reshape([1, channels]);
    let steps = (0..length).map(|t| {
        let seen = (0..TAPS).filter(|index| t + index + 1 >= TAPS);
        let sum = seen.map(|index| step(x, sequences, t + index + 1 - TAPS) * tap(index)).reduce(|a, b| a + b).unwrap();
        silu(sum + plain.vector("shift").unsqueeze())
    });
    together(steps.collect())
}

/// The scan, step by step: x is `[B·S, 2C]`, its second half the gate.
fn plain_scan(plain: &Plain, sequences: usize, length: usize, channels: usize, rank: usize) -> Tensor<2> {
    let x = plain.embedded();
    let u = plain_convolution(&x.clone().narrow(1, 0, channels), plain, sequences, length, channels);
    let gate = x.narrow(1, channels, channels);
    let projected = u.clone().matmul(plain.matrix("project").transpose());
    let delta = projected.clone().narrow(1, 0, rank).matmul(plain.matrix("step").transpose()) + plain.vector("step_bias").unsqueeze();
    let delta = softplus(delta, 1.0);
    let a = plain.matrix("a_log").exp().neg().reshape([1, channels, STATE]);
    let mut state = zeros(&u, [sequences, channels, STATE]);
    let mut steps = Vec::new();
    for t in 0..length {
        let of = |x: &Tensor<2>| step(x, sequences, t).reshape([sequences, channels, 1]);
        let part = |from: usize| step(&projected, sequences, t).narrow(1, from, STATE).reshape([sequences, 1, STATE]);
        let (d, u_t) = (of(&delta), of(&u));
        state = (d.clone() * a.clone()).exp() * state + d * part(rank) * u_t.clone();
        let y = (state.clone() * part(rank + STATE)).sum_dim(2) + u_t * plain.vector("skip").reshape([1, channels, 1]);
        steps.push(y.reshape([sequences, channels]));
    }
    together(steps) * silu(gate)
}

#[test]
fn causal_convolution_and_selective_scan() {
    for (sequences, length, channels, rank) in [(1, 1, 2, 1), (3, 3, 5, 2), (2, 17, 24, 2), (1, 40, 33, 3), (5, 16, 9, 1)] {
        let rows = sequences * length;
        compare(&Case {
            name: format!("scan of {channels} channels over {sequences} × {length}"),
            shapes: vec![
                ("x", vec![rows, 2 * channels]),
                ("taps", vec![channels, TAPS]),
                ("shift", vec![channels]),
                ("project", vec![rank + 2 * STATE, channels]),
                ("step", vec![channels, rank]),
                ("step_bias", vec![channels]),
                ("a_log", vec![channels, STATE]),
                ("skip", vec![channels]),
            ],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, channels),
            record: Box::new(move |recorder, tokens| {
                let x = recorder.embedding(recorder.weight("x"), tokens, rows);
                let [taps, shift, project] = ["taps", "shift", "project"].map(|name| recorder.weight(name));
                let u = recorder.causal_convolution(x, taps, shift, length);
                let projected = recorder.linear(super::plain_linear(u, project));
                let [step, step_bias, a_log, skip] = ["step", "step_bias", "a_log", "skip"].map(|name| recorder.weight(name));
                recorder.selective_scan(u, projected, x, ScanWeights { step, step_bias, a_log, skip }, length)
            }),
            plain: Box::new(move |plain| plain_scan(plain, sequences, length, channels, rank)),
        });
    }
}
