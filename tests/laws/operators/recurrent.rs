//! Operators that walk along a sequence.

use super::{Case, Embedding, Network, compare, labels};
use lookahead::engine::operators::{Linear, LstmWeights, Operators, STATE, ScanWeights, TAPS};

struct Lstm {
    rows: usize,
    length: usize,
}

impl Network for Lstm {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.rows }.logits(ops, tokens);
        let [input, hidden] = ["ih", "hh"].map(|name| ops.weight(name));
        let biases = ["b", "b2"].map(|name| ops.weight(name));
        ops.lstm(x, LstmWeights { input, hidden, biases }, self.length)
    }
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
            network: Lstm { rows, length },
        });
    }
}

struct Scan {
    rows: usize,
    length: usize,
}

impl Network for Scan {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.rows }.logits(ops, tokens);
        let [taps, shift, project] = ["taps", "shift", "project"].map(|name| ops.weight(name));
        let u = ops.causal_convolution(x, taps, shift, self.length);
        let projected = ops.linear(Linear::plain(u, project));
        let [step, step_bias, a_log, skip] = ["step", "step_bias", "a_log", "skip"].map(|name| ops.weight(name));
        ops.selective_scan(u, projected, x, ScanWeights { step, step_bias, a_log, skip }, self.length)
    }
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
            network: Scan { rows, length },
        });
    }
}
