//! The loss of group relative policy optimisation.

use crate::engine::program::{Instruction, PolicyTerms};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// `log softmax(logits / temperature)[label]` by row: logits `[N, V]`, the labels are the words from `labels` on; `[N, 1]`.
    pub fn log_probability(&mut self, logits: Var, labels: usize, temperature: f32) -> Var {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let out = self.var(rows, 1);
        self.push(Instruction::LogProbability { logits: logits.at, labels, rows, vocabulary, temperature, out: out.at });
        out
    }

    /// Adds up, over the rows whose label counts, the clipped objective and its price, and their mean distance from the reference: see
    /// [`Instruction::Policy`]. logits `[N, V]`, reference `[N, 1]`. Sources: Shao et al., arXiv 2402.03300; Schulman et al., arXiv 1707.06347;
    /// the averages are those of TRL 0.16.
    ///
    /// Backwards, in the same pass: `dℓ = −A ratio` where the clip does not hold it, `+ β (1 − e^Δ)`, and `dlogits = dℓ (one-hot − softmax) / temperature`.
    pub fn policy_loss(&mut self, logits: Var, labels: usize, reference: Var, terms: PolicyTerms) {
        let (rows, vocabulary) = (logits.rows, logits.width);
        let rows_out = self.buffer(2 * rows);
        let (gradient, _) = self.add_gradient(logits);
        self.push(Instruction::Policy { logits: logits.at, labels, rows, vocabulary, terms, reference: reference.at, rows_out, gradient });
        let total = self.total();
        self.push(Instruction::Total { rows_in: rows_out, rows, out: total, accumulate: self.accumulate });
    }
}
