//! Adaptive computation time: applies a part of a network repeatedly, and takes a weighted mean of its results.

use crate::engine::program::{At, Halting, HaltingLog, HaltingLogPart, Hops, Instruction, Loss};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// Backward, T is a constant: `dp_t = dweight_t − dweight_T` for t < T, and `dscore = dp p (1 − p)`. The price of the remainder, if any
    /// ([`Self::charge`]), is part of dweight_T. The last hop has no score, because every row halts there.
    pub(super) fn halting(&mut self, unit: usize, scores: &[Var]) -> Var {
        let rows = scores[0].rows;
        let shape = Hops { rows, hops: scores.len() + 1, pitch: 1 };
        let weights = self.var(rows, shape.hops);
        let (hop_counts, costs) = (self.note(unit, rows), self.price(rows));
        let at = scores.iter().map(|score| score.at).collect();
        self.push(Instruction::Halting(Halting::Weights { shape, scores: at, weights: weights.at, cost: 0.0, costs, hop_counts }));
        let scores = scores.to_vec();
        self.on_backward(move |recorder| {
            let gradient = recorder.gradient(weights);
            let into = scores.into_iter().map(|score| recorder.add_gradient(score).0).collect();
            let cost = recorder.cost;
            recorder.push(Instruction::Halting(Halting::WeightsBackward { shape, weights: weights.at, hop_counts, cost, gradient, into }));
        });
        weights
    }

    /// Backward: `dparts[t] = weights[·, t] dy` plus the gradient from other readers, `dweights[·, t] = dy · parts[t]`.
    pub(super) fn mixture(&mut self, parts: &[Var], weights: Var) -> Var {
        let (rows, width) = (parts[0].rows, parts[0].width);
        let shape = Hops { rows, hops: parts.len(), pitch: 1 };
        let out = self.var(rows, width);
        let at: Vec<At> = parts.iter().map(|part| part.at).collect();
        self.push(Instruction::Halting(Halting::Mixture { shape, width, parts: at.clone(), weights: weights.at, out: out.at }));
        let parts = parts.to_vec();
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = parts.into_iter().map(|part| recorder.add_gradient(part)).unzip();
            let (into_weights, carried_weights) = recorder.add_gradient(weights);
            let weights = weights.at;
            recorder.push(Instruction::Halting(Halting::MixtureBackward {
                shape,
                width,
                parts: at,
                weights,
                gradient,
                carried,
                into,
                carried_weights,
                into_weights,
            }));
        });
        out
    }

    pub(super) fn charge(&mut self, price: f64, share: f64) {
        let rows = self.halting_log.as_ref().map_or(0, HaltingLog::count);
        self.cost = if rows == 0 { 0.0 } else { (price * share / rows as f64) as f32 };
        for instruction in &mut self.instructions {
            if let Instruction::Halting(Halting::Weights { cost, .. }) = instruction {
                *cost = self.cost;
            }
        }
    }

    /// Adds the cost of the remainders to the loss. Call it after the loss's [`Loss::Total`].
    pub(super) fn add_costs(&mut self) {
        if let Some(rows_in) = self.costs.filter(|_| self.cost > 0.0) {
            let (rows, out) = (self.halting_log.as_ref().map_or(0, HaltingLog::count), self.total());
            self.push(Instruction::Loss(Loss::Total { rows_in, rows, out, accumulate: true }));
        }
    }

    /// Reserves space in the halting log for one part's rows.
    fn note(&mut self, unit: usize, rows: usize) -> At {
        let at = match &self.halting_log {
            Some(halting_log) => halting_log.at,
            None => self.buffer(0),
        };
        let part = HaltingLogPart { unit, rows, positions: self.span() };
        self.halting_log.get_or_insert(HaltingLog { at, parts: Vec::new() }).parts.push(part);
        self.grow(at, rows)
    }

    /// Reserves space for the cost of the remainders of `rows` rows.
    fn price(&mut self, rows: usize) -> At {
        let at = match self.costs {
            Some(at) => at,
            None => self.buffer(0),
        };
        self.costs = Some(at);
        self.grow(at, 2 * rows)
    }
}
