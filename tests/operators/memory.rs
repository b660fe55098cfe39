//! Segments and the associative memory between them, against the same written plainly.

use super::{Case, Plain, compare, labels};
use burn_tensor::Tensor;
use burn_tensor::activation::{relu, sigmoid};

/// DPFP-3 of rows, `[N, 6m]`, of unit length.
fn plain_features(x: Tensor<2>) -> Tensor<2> {
    let signs = Tensor::cat(vec![relu(x.clone()), relu(x.neg())], 1);
    let width = signs.dims()[1];
    let rolled = |j: usize| Tensor::cat(vec![signs.clone().narrow(1, width - j, j), signs.clone().narrow(1, 0, width - j)], 1);
    let phi = Tensor::cat((1..=3).map(|j| signs.clone() * rolled(j)).collect(), 1);
    let norm = (phi.clone() * phi.clone()).sum_dim(1).sqrt().clamp_min(1e-12);
    phi / norm
}

/// One sequence's memory: A `[F, d]`, z `[F, 1]`.
type Held = (Tensor<2>, Tensor<2>);

fn plain_recall(x: Tensor<2>, queries: Tensor<2>, (a, z): &Held) -> Tensor<2> {
    x + queries.clone().matmul(a.clone()) / (queries.matmul(z.clone()) + 1e-5)
}

fn plain_memorize(keys: Tensor<2>, values: Tensor<2>, strengths: Tensor<2>, old: Option<Held>) -> Held {
    let b = sigmoid(strengths);
    match old {
        None => (keys.clone().transpose().matmul(values * b), keys.sum_dim(0).transpose()),
        Some((a, z)) => {
            let d = keys.clone().matmul(z.clone()) + 1e-5;
            let novel = values - keys.clone().matmul(a.clone()) / d.clone();
            let squares = (keys.clone() * keys.clone()).sum_dim(1);
            let share = (d.detach() / squares.detach()).neg().add_scalar(1.0).clamp(0.0, 1.0);
            (a + keys.clone().transpose().matmul(novel * b), z + (keys * share).sum_dim(0).transpose())
        }
    }
}

/// Three segments of `segment` rows of each sequence (the last one row shorter) with `extra` rows behind each but the last: the
/// second and third read what those before have written, and all are put together again.
fn plain_segments(plain: &Plain, sequences: usize, segment: usize) -> Tensor<2> {
    let x = plain.embedded();
    let ([rows, width], map) = (x.dims(), |x: Tensor<2>, name: &str| x.matmul(plain.matrix(name).transpose()));
    let length = rows / sequences;
    let mut out = Vec::new();
    for sequence in 0..sequences {
        let mut held: Option<Held> = None;
        for start in (0..length).step_by(segment) {
            let count = segment.min(length - start);
            let part = x.clone().narrow(0, sequence * length + start, count);
            let last = start + count == length;
            let part = if last { part } else { Tensor::cat(vec![part, plain.matrix("extra")], 0) };
            let part = match &held {
                Some(held) => plain_recall(part.clone(), plain_features(map(part, "q")), held),
                None => part,
            };
            out.push(part.clone().narrow(0, 0, count));
            if !last {
                let rows = part.clone().narrow(0, count, part.dims()[0] - count);
                let strengths = map(rows.clone(), "b") + plain.vector("b_bias").unsqueeze();
                held = Some(plain_memorize(plain_features(map(rows.clone(), "k")), map(rows, "v"), strengths, held));
            }
        }
    }
    Tensor::cat(out, 0).reshape([rows, width])
}

#[test]
fn segments_with_an_associative_memory() {
    for (sequences, segment, extra, keys, width) in [(1, 4, 5, 3, 3), (3, 5, 4, 4, 7), (2, 7, 16, 5, 12), (1, 20, 6, 8, 33)] {
        let length = 3 * segment - 1;
        let rows = sequences * length;
        let case = Case {
            name: format!("memory of {keys} × {width} over {sequences} × 3 × {segment}"),
            shapes: vec![
                ("x", vec![rows, width]),
                ("extra", vec![extra, width]),
                ("q", vec![keys, width]),
                ("k", vec![keys, width]),
                ("v", vec![width, width]),
                ("b", vec![1, width]),
                ("b_bias", vec![1]),
            ],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            record: Box::new(move |recorder, tokens| {
                let x = recorder.embedding(recorder.weight("x"), tokens, rows);
                recorder.chain(sequences, |recorder| {
                    let (mut held, mut parts) = (None, Vec::new());
                    for start in (0..length).step_by(segment) {
                        let span = start..(start + segment).min(length);
                        let last = span.end == length;
                        let rows_more = (!last).then(|| recorder.weight("extra"));
                        let mut part = recorder.segment(x, length, span.clone(), rows_more);
                        let map = |recorder: &mut lookahead::engine::Recorder, x, name: &str| {
                            let weight = recorder.weight(name);
                            recorder.linear(super::plain_linear(x, weight))
                        };
                        if let Some(held) = held {
                            let queries = map(recorder, part, "q");
                            let queries = recorder.features(queries);
                            part = recorder.recall(part, queries, held);
                        }
                        parts.push((part, span.len()));
                        if !last {
                            let rows = recorder.rows_from(part, part.rows / sequences, span.len());
                            let (keys, values) = (map(recorder, rows, "k"), map(recorder, rows, "v"));
                            let keys = recorder.features(keys);
                            let mut strengths = super::plain_linear(rows, recorder.weight("b"));
                            strengths.bias = Some(recorder.weight("b_bias"));
                            let strengths = recorder.linear(strengths);
                            held = Some(recorder.memorize(keys, values, strengths, held, sequences));
                        }
                    }
                    recorder.join(&parts, sequences, 0)
                })
            }),
            plain: Box::new(move |plain| plain_segments(plain, sequences, segment)),
        };
        compare(&case);
    }
}
