//! The loss of group relative policy optimisation (GRPO).

use crate::engine::operators::PolicyTerms;
use crate::engine::program::{Instruction, Loss, Policy};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    pub(super) fn log_probability(&mut self, logits: Var, labels: usize, temperature: f32) -> Var {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let out = self.var(rows, 1);
        self.push(Instruction::Policy(Policy::LogProbability { logits: logits.at, labels, rows, vocabulary, temperature, out: out.at }));
        out
    }

    /// The gradient, computed by the same instruction: `dℓ = −A ratio` (0 where the clip applies) `+ β (1 − e^Δ)`, and
    /// `dlogits = dℓ (one-hot − softmax) / temperature`.
    pub(super) fn policy_loss(&mut self, logits: Var, labels: usize, reference: Var, terms: PolicyTerms) {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let rows_out = self.buffer(2 * rows);
        let (gradient, _) = self.add_gradient(logits);
        self.push(Instruction::Policy(Policy::Loss {
            logits: logits.at,
            labels,
            rows,
            vocabulary,
            terms,
            reference: reference.at,
            rows_out,
            gradient,
        }));
        let total = self.total();
        self.push(Instruction::Loss(Loss::Total { rows_in: rows_out, rows, out: total, accumulate: self.accumulate }));
    }
}
