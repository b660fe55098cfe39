//! The recurrence of a long short-term memory.

use crate::engine::program::{Factor, Form, Instruction, Product, Rows, Term, Window};
use crate::engine::recorder::{Recorder, Var, Weight};

/// One layer's parameters as `torch.nn.LSTM` keeps them, gates in the order i, f, g, o.
#[derive(Clone, Copy)]
pub struct LstmWeights {
    /// `[4H, in]`.
    pub input: Weight,
    /// `[4H, H]`.
    pub hidden: Weight,
    /// `[4H]` each.
    pub biases: [Weight; 2],
}

impl Recorder {
    /// A layer of long short-term memory over sequences of `length` from a state of zeros: x `[B·S, in]`, result `[B·S, H]`.
    /// Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000; equal to `torch.nn.LSTM`.
    /// ```text
    /// z = x W_inputᵀ + h(t−1) W_hiddenᵀ + b + b'     i, f, g, o = σ z_i, σ z_f, tanh z_g, σ z_o
    /// c = f ⊙ c(t−1) + i ⊙ g                         h = o ⊙ tanh c
    /// ```
    /// What x gives is one product over all positions; one instruction then walks along them. Backwards it walks from the end:
    /// `dh = gradient + W_hiddenᵀ dz(t+1)`, `dc = dh ⊙ o ⊙ (1 − tanh² c) + dc(t+1) ⊙ f(t+1)`, `dz` from those by each gate's slope;
    /// then `dx = dz W_input`, `dW_input = dzᵀ x`, `dW_hidden = Σ dz(t)ᵀ h(t−1)`, both biases `Σ dz`.
    pub fn lstm(&mut self, x: Var, weights: LstmWeights, length: usize) -> Var {
        let (rows, width) = (x.rows, weights.hidden.columns);
        let sequences = rows / length;
        let gates = self.var(rows, 4 * width);
        let cells = self.buffer(rows * width);
        let hidden = self.var(rows, width);
        let input = Rows { at: weights.input.at(), stride: x.width };
        let terms = vec![Term { a: x.dense(), b: input, k: x.width }];
        let mut product = Product::plain(Form::Nt, rows, 4 * width, terms, gates.dense());
        product.biases = weights.biases.iter().map(|bias| bias.at()).collect();
        self.push(Instruction::Products(vec![product]));
        let window = Window { sequences, length, from: 0, count: length };
        let weight = weights.hidden.at();
        let turned = Some(self.buffer(4 * width * width));
        self.push(Instruction::Lstm { window, width, weight, turned, gates: gates.at, cells, hidden: hidden.at });
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(hidden) else { return };
            let (into, _) = recorder.add_gradient(gates);
            let gates = gates.at;
            recorder.push(Instruction::LstmBackward { sequences, length, width, weight, gates, cells, gradient, into });
            recorder.input_gradient(x, weights.input, into);
            let dz = Rows { at: into, stride: 4 * width };
            recorder.weight_gradient(weights.input, dz, x.dense(), rows);
            for sequence in (0..sequences).filter(|_| length > 1) {
                let row = sequence * length;
                let later = Rows { at: into.plus((row + 1) * 4 * width), stride: 4 * width };
                let earlier = Rows { at: hidden.at.plus(row * width), stride: width };
                recorder.weight_gradient(weights.hidden, later, earlier, length - 1);
            }
            for bias in weights.biases {
                recorder.vector_gradient(bias, into, Factor::One, rows);
            }
        });
        hidden
    }
}
