//! Embedding, and the choice of the positions that are asked.

use crate::engine::program::Instruction;
use crate::engine::recorder::{Recorder, Var, Weight};

impl Recorder {
    /// `out[r] = table[token r]` for `rows` tokens, the words from `tokens` on; table `[V, d]`, result `[rows, d]`.
    ///
    /// Backwards the rows of one token are added in their order, so that the result does not depend on who is quicker.
    pub fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Var {
        let out = self.var(rows, table.columns);
        self.push(Instruction::Embed { tokens, table: table.at(), out: out.at, rows, width: table.columns });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            recorder.push(Instruction::EmbedBackward {
                tokens,
                gradient,
                out: table.gradient(),
                rows,
                width: table.columns,
                vocabulary: table.rows,
                accumulate: recorder.accumulate,
            });
        });
        out
    }

    /// Of x `[B·S, d]` the positions `from` … of each of B sequences of `length`: `[B·(S − from), d]`.
    pub fn positions(&mut self, x: Var, length: usize, from: usize) -> Var {
        if from == 0 {
            return x;
        }
        let (sequences, width) = (x.rows / length, x.width);
        let out = self.var(sequences * (length - from), width);
        self.push(Instruction::Select { x: x.at, out: out.at, sequences, length, from, width });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(x);
            assert!(carried.is_none(), "the choice of positions must be the last reader of its input");
            recorder.push(Instruction::SelectBackward { gradient, out: into, sequences, length, from, width });
        });
        out
    }
}
