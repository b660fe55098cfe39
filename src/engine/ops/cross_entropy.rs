//! The cross-entropy loss.

use crate::engine::program::{Instruction, Loss};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// The gradient, computed by the same instruction: `(softmax(logits) − one-hot) / of` where the label counts, else zero.
    pub(super) fn cross_entropy(&mut self, logits: Var, labels: usize, of: usize) {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let rows_out = self.buffer(2 * rows);
        let answers = self.buffer(rows);
        let gradient = self.training().then(|| self.add_gradient(logits).0);
        let scale = 1.0 / of as f32;
        self.push(Instruction::Loss(Loss::CrossEntropy {
            logits: logits.at,
            labels,
            rows,
            vocabulary,
            scale,
            rows_out,
            answers,
            gradient,
        }));
        let total = self.total();
        self.push(Instruction::Loss(Loss::Total { rows_in: rows_out, rows, out: total, accumulate: self.accumulate }));
        self.add_costs();
        self.answers = Some((answers, rows));
    }

    /// Keeps the logits so that they can be read after the program has run.
    pub fn keep_logits(&mut self, logits: Var) {
        self.logits = Some(logits);
    }
}
