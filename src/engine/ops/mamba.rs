//! Mamba's two operators along a sequence: a short causal convolution and the selective scan.

use crate::engine::operators::{STATE, ScanWeights, TAPS, Weight};
use crate::engine::program::{
    CHUNK, Convolution, ConvolutionBackward, Factor, Form, Grouped, Instruction, Keep, Product, Recurrent, Rows, Scan, ScanBackward,
    ScanForward, Summand, Term, Window, scan_scratch,
};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// Backward, with dz = dy silu'(z): `dx(t) = Σ_j weight[·, j] ⊙ dz(t + 3 − j)`, `dweight[·, j] = Σ dz(t) ⊙ x(t − 3 + j)`, `dbias = Σ dz`.
    pub(super) fn causal_convolution(&mut self, x: Var, weight: Weight, bias: Weight, length: usize) -> Var {
        assert_eq!(weight.columns, TAPS, "the convolution must have {TAPS} taps");
        let (rows, channels) = (x.rows, weight.rows);
        let sequences = rows / length;
        let out = self.var(rows, channels);
        let window = Window { sequences, length, from: 0, count: length };
        let (taps, shift) = (weight.at(), bias.at());
        self.push(Instruction::Recurrent(Recurrent::Convolution(Convolution {
            window,
            channels,
            x: x.dense(),
            weight: taps,
            bias: shift,
            out: out.at,
        })));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let into = Rows { at: recorder.gradient_in_parts(x), stride: x.width };
            let inner = recorder.buffer(rows * channels);
            let x = x.dense();
            let (weight_at, bias_at) = (taps, shift);
            recorder.push(Instruction::Recurrent(Recurrent::ConvolutionBackward(ConvolutionBackward {
                sequences,
                length,
                channels,
                x,
                weight: weight_at,
                bias: bias_at,
                gradient,
                inner,
                into,
            })));
            for tap in 0..TAPS {
                let factor = Factor::Delayed { x, steps: TAPS - 1 - tap, length };
                recorder.sum_gradient(weight.gradient().plus(tap), channels, TAPS, Summand { of: inner, factor, rows });
            }
            recorder.vector_gradient(bias, inner, Factor::One, rows);
        });
        out
    }

    /// The forward pass keeps the state before each chunk of positions. The backward pass starts at the last chunk and recomputes each chunk's
    /// states. With λ the gradient of the state: `λ(t) = exp(Δ(t+1) A) ⊙ λ(t+1) + C dy'`, `dB = Σ λ Δ u`, `dC = Σ dy' S`, `du = D dy' + Δ λ·B`,
    /// `dΔ = λ · (A exp(ΔA) S(t−1) + B u)`, `da_log = A Σ λ Δ exp(ΔA) S(t−1)`, where dy' = dy silu(g).
    pub(super) fn selective_scan(&mut self, u: Var, projected: Var, gate: Var, weights: ScanWeights, length: usize) -> Var {
        let (rows, channels) = (u.rows, u.width);
        let (sequences, rank) = (rows / length, weights.step.columns);
        assert_eq!(projected.width, rank + 2 * STATE, "the projection must hold Δ's elements, B and C");
        let delta = self.var(rows, channels);
        let step = Rows { at: weights.step.at(), stride: rank };
        let mut product = Product::plain(Form::Nt, rows, channels, vec![Term { a: projected.dense(), b: step, k: rank }], delta.dense());
        product.biases.push(weights.step_bias.at());
        self.push(Instruction::Grouped(Grouped::Products(vec![product])));
        let chunks = if self.training() { length.div_ceil(CHUNK) } else { 1 };
        let columns = |at: crate::engine::program::At, from: usize, stride: usize| Rows { at: at.plus(from), stride };
        let before = gate.width - channels;
        let scan = Scan {
            channels,
            delta: delta.at,
            u: u.at,
            projected: columns(projected.at, rank, projected.width),
            gate: columns(gate.at, before, gate.width),
            a_log: weights.a_log.at(),
            skip: weights.skip.at(),
            states: self.buffer(sequences * chunks * channels * STATE),
        };
        let keep = if self.training() { Keep::Chunks } else { Keep::After(self.last_before_generation(length)) };
        let out = self.var(rows, channels);
        let window = Window { sequences, length, from: 0, count: length };
        self.push(Instruction::Recurrent(Recurrent::Scan(ScanForward { window, scan, keep, out: out.at })));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(out) else { return };
            let (into_delta, _) = recorder.add_gradient(delta);
            let (into_u, carried) = recorder.add_gradient(u);
            assert!(carried.is_none(), "the scan must be the last reader of its input");
            let into_projected = recorder.gradient_in_parts(projected);
            let into_gate = columns(recorder.gradient_in_parts(gate), before, gate.width);
            let into_a_log = recorder.buffer(sequences * channels * STATE);
            let into_skip = recorder.buffer(sequences * channels);
            let scratch = recorder.buffer(scan_scratch(sequences, length, channels));
            recorder.push(Instruction::Recurrent(Recurrent::ScanBackward(ScanBackward {
                scratch,
                sequences,
                length,
                scan,
                gradient,
                into_delta,
                into_u,
                into_projected: columns(into_projected, rank, projected.width),
                into_gate,
                into_a_log,
                into_skip,
            })));
            let each = |of| Summand { of, factor: Factor::One, rows: sequences };
            recorder.sum_gradient(weights.a_log.gradient(), channels * STATE, 1, each(into_a_log));
            recorder.sum_gradient(weights.skip.gradient(), channels, 1, each(into_skip));
            recorder.vector_gradient(weights.step_bias, into_delta, Factor::One, rows);
            let dz = Rows { at: into_delta, stride: channels };
            recorder.weight_gradient(weights.step, dz, projected.dense(), rows);
            let terms = vec![Term { a: dz, b: step, k: channels }];
            let out = columns(into_projected, 0, projected.width);
            recorder.push(Instruction::Grouped(Grouped::Products(vec![Product::plain(Form::Nn, rows, rank, terms, out)])));
        });
        out
    }
}
