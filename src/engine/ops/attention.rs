//! Causal self-attention with rotary positions.

use crate::engine::operators::Heads;
use crate::engine::program::{AttentionShape, Instruction};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// Forwards only each row's highest score m and 1/Σ exp(score − m) are kept. Backwards the weights P are made again from
    /// them (from log Σ exp, as is usual, they would sum to one less exactly: gradients were five times further off), and with
    /// `δ = Σ dO O` by row: `dS = P ⊙ (dO Vᵀ − δ)`, `dQ = dS K/√head`, `dK = dSᵀ Q/√head`, `dV = Pᵀ dO`, dQ and dK then turned back.
    /// Source: Dao et al., arXiv 2205.14135.
    pub(super) fn causal_attention(&mut self, qkv: Var, shape: Heads) -> Var {
        let Heads { length, heads, rotary, base } = shape;
        let head = qkv.width / (3 * heads);
        let turns = self.constant(rotary_table(length, rotary, base));
        let shape = AttentionShape { sequences: qkv.rows / length, length, heads, head, rotary };
        let out = self.var(qkv.rows, heads * head);
        let sums = self.buffer(2 * shape.sequences * heads * length);
        self.push(Instruction::Attention { shape, qkv: qkv.at, turns, out: out.at, sums });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(qkv);
            assert!(carried.is_none(), "attention is the only reader of its input");
            recorder.push(Instruction::AttentionBackward { shape, qkv: qkv.at, turns, out: out.at, sums, gradient, into });
        });
        out
    }
}

/// Cosines of each position's angles, then their sines: `[length, dims]`.
pub fn rotary_table(length: usize, dims: usize, base: f64) -> Vec<f32> {
    let half = dims / 2;
    let angle = |position: usize, i: usize| position as f64 * libm::pow(base, -2.0 * i as f64 / dims as f64);
    let row = |position: usize| {
        let cosines = (0..half).map(move |i| libm::cos(angle(position, i)) as f32);
        cosines.chain((0..half).map(move |i| libm::sin(angle(position, i)) as f32))
    };
    (0..length).flat_map(row).collect()
}
