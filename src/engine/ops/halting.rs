//! Adaptive computation time: a part of a network applied again and again, and a mean of what it gave.

use crate::engine::program::{At, Hops, Instruction, Journal, JournalPart};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// Backwards T counts as a constant: `dp_t = dweight_t − dweight_T` for t < T, where the price of the remainder, if any
    /// ([`Self::charge`]), is part of dweight_T; `dscore = dp p (1 − p)`. The last hop's score decides nothing, so there is none.
    pub(super) fn halting(&mut self, unit: usize, scores: &[Var]) -> Var {
        let rows = scores[0].rows;
        let shape = Hops { rows, hops: scores.len() + 1, pitch: 1 };
        let weights = self.var(rows, shape.hops);
        let (made, costs) = (self.note(unit, rows), self.price(rows));
        let at = scores.iter().map(|score| score.at).collect();
        self.push(Instruction::Halting { shape, scores: at, weights: weights.at, cost: 0.0, costs, made });
        let scores = scores.to_vec();
        self.on_backward(move |recorder| {
            let gradient = recorder.gradient(weights);
            let into = scores.into_iter().map(|score| recorder.add_gradient(score).0).collect();
            let cost = recorder.cost;
            recorder.push(Instruction::HaltingBackward { shape, weights: weights.at, made, cost, gradient, into });
        });
        weights
    }

    /// Backwards: `dparts[t] = weights[·, t] dy` plus what other readers have left, `dweights[·, t] = dy · parts[t]`.
    pub(super) fn mixture(&mut self, parts: &[Var], weights: Var) -> Var {
        let (rows, width) = (parts[0].rows, parts[0].width);
        let shape = Hops { rows, hops: parts.len(), pitch: 1 };
        let out = self.var(rows, width);
        let at: Vec<At> = parts.iter().map(|part| part.at).collect();
        self.push(Instruction::Mixture { shape, width, parts: at.clone(), weights: weights.at, out: out.at });
        let parts = parts.to_vec();
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = parts.into_iter().map(|part| recorder.add_gradient(part)).unzip();
            let (into_weights, carried_weights) = recorder.add_gradient(weights);
            let weights = weights.at;
            recorder.push(Instruction::MixtureBackward {
                shape,
                width,
                parts: at,
                weights,
                gradient,
                carried,
                into,
                carried_weights,
                into_weights,
            });
        });
        out
    }

    pub(super) fn charge(&mut self, price: f64, share: f64) {
        let rows = self.journal.as_ref().map_or(0, Journal::count);
        self.cost = if rows == 0 { 0.0 } else { (price * share / rows as f64) as f32 };
        for instruction in &mut self.instructions {
            if let Instruction::Halting { cost, .. } = instruction {
                *cost = self.cost;
            }
        }
    }

    /// Adds what the remainders cost to the loss, which is there already.
    pub(super) fn add_costs(&mut self) {
        if let Some(rows_in) = self.costs.filter(|_| self.cost > 0.0) {
            let (rows, out) = (self.journal.as_ref().map_or(0, Journal::count), self.total());
            self.push(Instruction::Total { rows_in, rows, out, accumulate: true });
        }
    }

    /// Space in the journal for one part's rows.
    fn note(&mut self, unit: usize, rows: usize) -> At {
        let at = match &self.journal {
            Some(journal) => journal.at,
            None => self.buffer(0),
        };
        let part = JournalPart { unit, rows, positions: self.span() };
        self.journal.get_or_insert(Journal { at, parts: Vec::new() }).parts.push(part);
        self.grow(at, rows)
    }

    /// Space for what the remainders of so many rows cost.
    fn price(&mut self, rows: usize) -> At {
        let at = match self.costs {
            Some(at) => at,
            None => self.buffer(0),
        };
        self.costs = Some(at);
        self.grow(at, 2 * rows)
    }
}
