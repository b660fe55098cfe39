//! The loss of group relative policy optimisation.

use crate::engine::operators::PolicyTerms;
use crate::engine::program::Instruction;
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    pub(super) fn log_probability(&mut self, logits: Var, labels: usize, temperature: f32) -> Var {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let out = self.var(rows, 1);
        self.push(Instruction::LogProbability { logits: logits.at, labels, rows, vocabulary, temperature, out: out.at });
        out
    }

    /// Backwards, in the same pass: `dℓ = −A ratio` where the clip does not hold it, `+ β (1 − e^Δ)`, and `dlogits = dℓ (one-hot − softmax) / temperature`.
    pub(super) fn policy_loss(&mut self, logits: Var, labels: usize, reference: Var, terms: PolicyTerms) {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let rows_out = self.buffer(2 * rows);
        let (gradient, _) = self.add_gradient(logits);
        self.push(Instruction::Policy { logits: logits.at, labels, rows, vocabulary, terms, reference: reference.at, rows_out, gradient });
        let total = self.total();
        self.push(Instruction::Total { rows_in: rows_out, rows, out: total, accumulate: self.accumulate });
    }
}
