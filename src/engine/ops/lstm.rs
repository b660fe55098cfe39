//! The LSTM recurrence.

use crate::engine::operators::LstmWeights;
use crate::engine::program::{Factor, Form, Grouped, Instruction, Lstm, LstmBackward, Product, Recurrent, Rows, Term, Window};
use crate::engine::recorder::{Recorder, Var};

impl Recorder {
    /// One product over all positions computes the input's part of the gates; one instruction then runs the recurrence. The backward recurrence
    /// starts at the last position: `dh = gradient + W_hiddenᵀ dz(t+1)`, `dc = dh ⊙ o ⊙ (1 − tanh² c) + dc(t+1) ⊙ f(t+1)`, `dz` from these by
    /// each gate's derivative. Then `dx = dz W_input`, `dW_input = dzᵀ x`, `dW_hidden = Σ dz(t)ᵀ h(t−1)`, both biases `Σ dz`.
    pub(super) fn lstm(&mut self, x: Var, weights: LstmWeights, length: usize) -> Var {
        let (rows, width) = (x.rows, weights.hidden.columns);
        let sequences = rows / length;
        let gates = self.var(rows, 4 * width);
        let cells = self.buffer(rows * width);
        let hidden = self.var(rows, width);
        let input = Rows { at: weights.input.at(), stride: x.width };
        let terms = vec![Term { a: x.dense(), b: input, k: x.width }];
        let mut product = Product::plain(Form::Nt, rows, 4 * width, terms, gates.dense());
        product.biases = weights.biases.iter().map(|bias| bias.at()).collect();
        self.push(Instruction::Grouped(Grouped::Products(vec![product])));
        let window = Window { sequences, length, from: 0, count: length };
        let weight = weights.hidden.at();
        let transposed = Some(self.buffer(4 * width * width));
        self.push(Instruction::Recurrent(Recurrent::Lstm(Lstm {
            window,
            width,
            weight,
            transposed,
            gates: gates.at,
            cells,
            hidden: hidden.at,
        })));
        self.on_backward(move |recorder| {
            let Some(gradient) = recorder.gradient(hidden) else { return };
            let (into, _) = recorder.add_gradient(gates);
            let gates = gates.at;
            recorder.push(Instruction::Recurrent(Recurrent::LstmBackward(LstmBackward {
                sequences,
                length,
                width,
                weight,
                gates,
                cells,
                gradient,
                into,
            })));
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
