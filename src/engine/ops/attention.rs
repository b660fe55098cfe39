//! Causal self-attention with rotary positions.

use crate::engine::operators::Heads;
use crate::engine::program::{Attention, AttentionShape, Instruction};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// The forward pass keeps only each row's highest score m and 1/Σ exp(score − m). The backward pass recomputes the weights P from these
    /// two. (With the usual log Σ exp, the rows of P sum to 1 less exactly: gradients were five times further off.) With `δ = Σ dO O` for each
    /// row: `dS = P ⊙ (dO Vᵀ − δ)`, `dQ = dS K/√head`, `dK = dSᵀ Q/√head`, `dV = Pᵀ dO`; dQ and dK are then rotated back. Source: Dao et al.,
    /// arXiv 2205.14135.
    pub(super) fn causal_attention(&mut self, qkv: Var, shape: Heads) -> Var {
        let Heads { length, heads, rotary, base } = shape;
        let head = qkv.width / (3 * heads);
        let rotary_table = self.constant(rotary_table(length, rotary, base));
        let shape = AttentionShape { sequences: qkv.rows / length, length, heads, head, rotary };
        let out = self.var(qkv.rows, heads * head);
        let sums = self.buffer(2 * shape.sequences * heads * length);
        self.push(Instruction::Attention(Attention::Forward { shape, qkv: qkv.at, rotary_table, out: out.at, sums }));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into, carried) = recorder.add_gradient(qkv);
            assert!(carried.is_none(), "attention must be the last reader of its input");
            recorder.push(Instruction::Attention(Attention::Backward {
                shape,
                qkv: qkv.at,
                rotary_table,
                out: out.at,
                sums,
                gradient,
                into,
            }));
        });
        out
    }
}

/// The rotary table: cosines of each position's angles, then their sines, `[length, dims]`.
pub fn rotary_table(length: usize, dims: usize, base: f64) -> Vec<f32> {
    let half = dims / 2;
    let angle = |position: usize, i: usize| position as f64 * libm::pow(base, -2.0 * i as f64 / dims as f64);
    let row = |position: usize| {
        let cosines = (0..half).map(move |i| libm::cos(angle(position, i)) as f32);
        cosines.chain((0..half).map(move |i| libm::sin(angle(position, i)) as f32))
    };
    (0..length).flat_map(row).collect()
}
