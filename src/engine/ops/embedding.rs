//! Embedding, and the selection of the asked positions.

use crate::engine::operators::Weight;
use crate::engine::program::{Copy, Embed, Grouped, Instruction, Rows, Tokens};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// Backward, the rows of one token are added in their order, so that the result does not depend on the timing of threads.
    pub(super) fn embedding(&mut self, table: Weight, tokens: usize, rows: usize) -> Var {
        let out = self.var(rows, table.columns);
        let width = table.columns;
        self.push(Instruction::Embed(Embed::Forward { tokens: Tokens::Words(tokens), table: table.at(), out: out.dense(), rows, width }));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            recorder.begin_gradient(table);
            recorder.push(Instruction::Embed(Embed::Backward {
                tokens,
                gradient,
                out: table.gradient(),
                rows,
                width: table.columns,
                vocabulary: table.rows,
                accumulate: recorder.accumulate,
            }));
        });
        out
    }

    pub(super) fn positions(&mut self, x: Var, length: usize, from: usize) -> Var {
        let span = self.span();
        let out = self.rows_from(x, length, from);
        self.at_positions(span.start + from..span.end);
        out
    }

    /// Backward, the gradient's rows are added to the gradient from other readers; the other rows get only the latter, or zero.
    pub(super) fn rows_from(&mut self, x: Var, n: usize, from: usize) -> Var {
        if from == 0 {
            return x;
        }
        let (blocks, width) = (x.rows / n, x.width);
        let (before, kept) = (from * width, (n - from) * width);
        let out = self.var(blocks * (n - from), width);
        let whole = move |at| Rows { at, stride: n * width };
        let part = move |at| Rows { at, stride: kept };
        let source = whole(x.at.plus(before));
        self.push(Instruction::Grouped(Grouped::Copies(vec![Copy { from: vec![source], to: part(out.at), blocks, numbers: kept }])));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(x);
            let head = carried.map(whole).into_iter().collect();
            let tail = carried.map(|at| whole(at.plus(before))).into_iter().chain([part(gradient)]).collect();
            recorder.push(Instruction::Grouped(Grouped::Copies(vec![
                Copy { from: head, to: whole(into), blocks, numbers: before },
                Copy { from: tail, to: whole(into.plus(before)), blocks, numbers: kept },
            ])));
        });
        out
    }
}
