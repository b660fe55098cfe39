//! Layer norm and RMS norm.

use crate::engine::operators::{Affine, Weight};
use crate::engine::program::{Factor, Instruction, Norm, Normed};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    pub(super) fn layer_norms<const N: usize>(&mut self, x: Var, affines: [Affine; N], epsilon: f64) -> [Var; N] {
        self.norms(x, affines, epsilon, true)
    }

    pub(super) fn rms_norm(&mut self, x: Var, gamma: Weight, epsilon: f64) -> Var {
        let [out] = self.norms(x, [Affine { gamma, beta: None }], epsilon, false);
        out
    }

    /// Backward, with g = Σ γ dy over the results: `dx = rstd (g − mean g − x̂ mean(g x̂))` (without mean g for RMS) plus the gradient from x's
    /// other readers, such as the residual; `dγ = Σ dy x̂`, `dβ = Σ dy`.
    fn norms<const N: usize>(&mut self, x: Var, affines: [Affine; N], epsilon: f64, centred: bool) -> [Var; N] {
        let (rows, width) = (x.rows, x.width);
        let ys: [Var; N] = std::array::from_fn(|_| self.var(rows, width));
        let statistics = self.buffer(2 * rows);
        let normed = |affine: Affine, y| Normed { gamma: affine.gamma.at(), beta: affine.beta.map(Weight::at), y };
        let outs = affines.iter().zip(&ys).map(|(affine, y)| normed(*affine, y.at)).collect();
        self.push(Instruction::Norm(Norm::Forward { x: x.at, outs, statistics, rows, width, epsilon: epsilon as f32, centred, pitch: 1 }));
        self.on_backward(move |recorder| {
            let asked: Vec<_> = affines.into_iter().zip(ys).filter_map(|(affine, y)| Some((affine, recorder.gradient(y)?))).collect();
            if asked.is_empty() {
                return;
            }
            let (out, carried) = recorder.add_gradient(x);
            let outs = asked.iter().map(|(affine, gradient)| normed(*affine, *gradient)).collect();
            recorder.push(Instruction::Norm(Norm::Backward { x: x.at, statistics, outs, carried, out, rows, width, centred }));
            for (affine, gradient) in asked {
                recorder.vector_gradient(affine.gamma, gradient, Factor::Normed(x.at, statistics), rows);
                if let Some(beta) = affine.beta {
                    recorder.vector_gradient(beta, gradient, Factor::One, rows);
                }
            }
        });
        ys
    }
}
