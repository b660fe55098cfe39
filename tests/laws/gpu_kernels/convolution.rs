//! The causal convolution.

use super::bench::{Bench, adapter, close};
use lookahead::engine::program::{Convolution, ConvolutionBackward, Instruction, Recurrent, TAPS, Window};

#[test]
fn convolutions() {
    let Some(gpu) = adapter() else { return };
    for (sequences, length, channels) in [(1, 1, 5), (3, 2, 24), (5, 17, 5), (3, 33, 129), (1, 40, 24)] {
        let mut bench = Bench::new(length as u64);
        let rows = sequences * length;
        let x = bench.rows(rows, channels, length % 2 * 3);
        let into = bench.rows(rows, channels, 5);
        let (weight, bias) = (bench.array(channels * TAPS), bench.array(channels));
        let [out, parts, gradient, inner] = [0; 4].map(|_| bench.array(rows * channels));
        // Arguments large enough for either end of the sigmoid.
        for channel in 0..channels {
            bench.memory[bias.offset + channel] *= 40.0;
        }
        let windows = [(0, length / 2), (length / 2, length - length / 2)];
        let whole = Window { sequences, length, from: 0, count: length };
        bench.instructions.push(Instruction::Recurrent(Recurrent::Convolution(Convolution {
            window: whole,
            channels,
            x,
            weight,
            bias,
            out,
        })));
        for (from, count) in windows.into_iter().filter(|&(_, count)| count > 0) {
            let window = Window { from, count, ..whole };
            bench.instructions.push(Instruction::Recurrent(Recurrent::Convolution(Convolution {
                window,
                channels,
                x,
                weight,
                bias,
                out: parts,
            })));
        }
        bench.instructions.push(Instruction::Recurrent(Recurrent::ConvolutionBackward(ConvolutionBackward {
            sequences,
            length,
            channels,
            x,
            weight,
            bias,
            gradient,
            inner,
            into,
        })));
        let found = bench.run(&gpu);
        let (mut outs, mut inners) = (vec![0.0; rows * channels], vec![0.0; rows * channels]);
        let mut intos = bench.numbers(into.at, rows * into.stride);
        for index in 0..rows * channels {
            let (row, channel) = (index / channels, index % channels);
            let reach = (row % length).min(TAPS - 1);
            let weight = |back: usize| bench.f(weight, channel * TAPS + TAPS - 1 - back);
            let sum: f64 = (0..=reach).map(|back| weight(back) * bench.f(x.at, (row - back) * x.stride + channel)).sum();
            let z = bench.f(bias, channel) + sum;
            let open = 1.0 / (1.0 + (-z).exp());
            outs[index] = z * open;
            inners[index] = bench.f(gradient, index) * open * (1.0 + z * (1.0 - open));
            intos[row * into.stride + channel] = 0.0;
            for back in 0..=reach {
                intos[(row - back) * into.stride + channel] += weight(back) * inners[index];
            }
        }
        let what = format!("{sequences} × {length} × {channels}");
        close(&what, &found, out, &outs, 1e-5);
        close(&format!("{what} in windows"), &found, parts, &outs, 1e-5);
        close(&format!("{what} inner"), &found, inner, &inners, 1e-5);
        close(&format!("{what} into"), &found, into.at, &intos, 2e-5);
    }
}
