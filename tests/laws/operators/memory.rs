//! Segments and the associative memory between them.

use super::{Case, Embedding, Network, compare, labels};
use lookahead::engine::operators::{Linear, Operators, Shaped};

/// Three segments of `segment` rows of each sequence (the last one row shorter) with the rows `extra` behind each but the last: the
/// second and third read what those before have written, and all are put together again.
struct Segments {
    sequences: usize,
    length: usize,
    segment: usize,
}

impl Segments {
    fn walk<O: Operators>(&self, ops: &mut O, x: O::Var) -> O::Var {
        let (mut held, mut parts) = (None, Vec::new());
        let [extra, q, k, v, b, b_bias] = ["extra", "q", "k", "v", "b", "b_bias"].map(|name| ops.weight(name));
        for start in (0..self.length).step_by(self.segment) {
            let span = start..(start + self.segment).min(self.length);
            let last = span.end == self.length;
            let mut part = ops.segment(x, self.length, span.clone(), (!last).then_some(extra));
            if let Some(held) = held {
                let queries = ops.linear(Linear::plain(part, q));
                let queries = ops.features(queries);
                part = ops.recall(part, queries, held);
            }
            parts.push((part, span.len()));
            if !last {
                let rows = ops.rows_from(part, part.rows() / self.sequences, span.len());
                let [keys, values] = [k, v].map(|weight| ops.linear(Linear::plain(rows, weight)));
                let keys = ops.features(keys);
                let strengths = ops.linear(Linear::with_bias(rows, b, b_bias));
                held = Some(ops.memorize(keys, values, strengths, held, self.sequences));
            }
        }
        ops.join(&parts, self.sequences, 0)
    }
}

impl Network for Segments {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.sequences * self.length }.logits(ops, tokens);
        ops.chain(self.sequences, |ops| self.walk(ops, x))
    }
}

#[test]
fn segments_with_an_associative_memory() {
    for (sequences, segment, extra, keys, width) in [(1, 4, 5, 3, 3), (3, 5, 4, 4, 7), (2, 7, 16, 5, 12), (1, 20, 6, 8, 33)] {
        let length = 3 * segment - 1;
        let rows = sequences * length;
        compare(&Case {
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
            network: Segments { sequences, length, segment },
        });
    }
}
