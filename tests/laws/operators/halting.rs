//! Adaptive computation time, on its own and within a chain.

use super::{Case, Embedding, Network, compare, labels};
use lookahead::engine::operators::{Linear, Operators};

struct Act {
    sequences: usize,
    length: usize,
    hops: usize,
    chained: bool,
}

impl Act {
    /// `h ← h + h Wᵀ`, several times; the mean of what it gives, by Graves's weights.
    fn think<O: Operators>(&self, ops: &mut O, x: O::Var) -> O::Var {
        // So that a chain begins with something of its own.
        let mut h = ops.segment(x, self.length, 0..self.length, None);
        let [halting, bias, f] = ["halting", "bias", "f"].map(|name| ops.weight(name));
        let (mut scores, mut states) = (Vec::new(), Vec::new());
        for hop in 0..self.hops {
            if hop + 1 < self.hops {
                scores.push(ops.linear(Linear::with_bias(h, halting, bias)));
            }
            h = ops.residual(h, [(h, f, None)]);
            states.push(h);
        }
        let weights = ops.halting(0, &scores);
        ops.mixture(&states, weights)
    }
}

impl Network for Act {
    fn logits<O: Operators>(&self, ops: &mut O, tokens: usize) -> O::Var {
        let x = Embedding { rows: self.sequences * self.length }.logits(ops, tokens);
        if self.chained { ops.chain(self.sequences, |ops| self.think(ops, x)) } else { self.think(ops, x) }
    }
}

#[test]
fn adaptive_computation_time() {
    for (sequences, length, width, hops, chained) in
        [(1, 9, 5, 2, false), (3, 7, 12, 4, false), (2, 33, 33, 3, false), (1, 9, 5, 4, true), (3, 7, 12, 3, true)]
    {
        let rows = sequences * length;
        compare(&Case {
            name: format!("{hops} hops of {sequences} × {length} × {width}, in a chain: {chained}"),
            shapes: vec![("x", vec![rows, width]), ("halting", vec![1, width]), ("bias", vec![1]), ("f", vec![width, width])],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            network: Act { sequences, length, hops, chained },
        });
    }
}
