//! The LSTM's recurrence.

use super::bench::{Bench, adapter, close};
use lookahead::engine::gpu::Gpu;
use lookahead::engine::program::{At, Instruction, Lstm, LstmBackward, Recurrent, Window};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What a recurrence reads.
struct Arrays {
    weight: At,
    gates: At,
    gradient: At,
}

/// Gates, cells, hidden states and the gradient of the gates by their definition.
fn lstm(bench: &Bench, arrays: &Arrays, (sequences, length, width): (usize, usize, usize)) -> [Vec<f64>; 4] {
    let rows = sequences * length;
    let mut gates = bench.numbers(arrays.gates, rows * 4 * width);
    let (mut cells, mut hidden, mut into) = (vec![0.0; rows * width], vec![0.0; rows * width], vec![0.0; rows * 4 * width]);
    let weight = bench.numbers(arrays.weight, 4 * width * width);
    for row in 0..rows {
        let first = row % length == 0;
        let at = row * 4 * width;
        for gate in 0..4 * width {
            let before: f64 = if first { 0.0 } else { (0..width).map(|k| hidden[(row - 1) * width + k] * weight[gate * width + k]).sum() };
            let z = gates[at + gate] + before;
            gates[at + gate] = if gate / width == 2 { z.tanh() } else { sigmoid(z) };
        }
        for unit in 0..width {
            let before = if first { 0.0 } else { cells[(row - 1) * width + unit] };
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[at + gate * width + unit]);
            cells[row * width + unit] = f * before + i * g;
            hidden[row * width + unit] = o * cells[row * width + unit].tanh();
        }
    }
    let mut carried = vec![0.0; width];
    for row in (0..rows).rev() {
        let (first, last) = (row % length == 0, row % length == length - 1);
        let at = row * 4 * width;
        for unit in 0..width {
            let later: f64 =
                if last { 0.0 } else { (0..4 * width).map(|gate| into[at + 4 * width + gate] * weight[gate * width + unit]).sum() };
            let dh = bench.f(arrays.gradient, row * width + unit) + later;
            let [i, f, g, o] = [0, 1, 2, 3].map(|gate| gates[at + gate * width + unit]);
            let before = if first { 0.0 } else { cells[(row - 1) * width + unit] };
            let squashed = cells[row * width + unit].tanh();
            let dc = dh * o * (1.0 - squashed * squashed) + if last { 0.0 } else { carried[unit] };
            carried[unit] = dc * f;
            into[at + unit] = dc * g * i * (1.0 - i);
            into[at + width + unit] = dc * before * f * (1.0 - f);
            into[at + 2 * width + unit] = dc * i * (1.0 - g * g);
            into[at + 3 * width + unit] = dh * squashed * o * (1.0 - o);
        }
    }
    [gates, cells, hidden, into]
}

fn check(gpu: &Gpu, (sequences, length, width): (usize, usize, usize), cuts: &[usize], turning: bool) {
    let mut bench = Bench::new((length * width) as u64);
    let rows = sequences * length;
    let weight = bench.array(4 * width * width);
    // Weights as small as wide layers have them, some inputs at either end of the sigmoid.
    for index in 0..4 * width * width {
        bench.memory[weight.offset + index] /= (width as f32).sqrt();
    }
    let transposed = turning.then(|| bench.array(4 * width * width));
    let gates = bench.array(rows * 4 * width);
    for index in (0..rows * 4 * width).step_by(7) {
        bench.memory[gates.offset + index] *= 40.0;
    }
    let [cells, hidden, gradient] = [0; 3].map(|_| bench.array(rows * width));
    let into = bench.array(rows * 4 * width);
    let mut from = 0;
    for &end in cuts.iter().chain([&length]) {
        let window = Window { sequences, length, from, count: end - from };
        bench.instructions.push(Instruction::Recurrent(Recurrent::Lstm(Lstm { window, width, weight, transposed, gates, cells, hidden })));
        from = end;
    }
    bench.instructions.push(Instruction::Recurrent(Recurrent::LstmBackward(LstmBackward {
        sequences,
        length,
        width,
        weight,
        gates,
        cells,
        gradient,
        into,
    })));
    let found = bench.run(gpu);
    let arrays = Arrays { weight, gates, gradient };
    let [expected_gates, expected_cells, expected_hidden, expected_into] = lstm(&bench, &arrays, (sequences, length, width));
    let what = format!("{sequences} × {length} × {width}, cut at {cuts:?}");
    close(&format!("gates {what}"), &found, gates, &expected_gates, 2e-5);
    close(&format!("cells {what}"), &found, cells, &expected_cells, 2e-5);
    close(&format!("hidden {what}"), &found, hidden, &expected_hidden, 2e-5);
    close(&format!("into {what}"), &found, into, &expected_into, 5e-5);
}

#[test]
fn lstms() {
    let Some(gpu) = adapter() else { return };
    let hardware = gpu.clone().as_hardware();
    for (size, cuts) in [
        ((1, 1, 5), &[][..]),
        ((3, 2, 24), &[1][..]),
        ((5, 17, 129), &[5][..]),
        ((35, 17, 24), &[][..]),
        ((17, 3, 24), &[1][..]),
        ((3, 33, 5), &[1, 2, 30][..]),
        ((1, 40, 24), &[17][..]),
        // Long and wide enough to be several launches on a software adapter.
        ((2, 40, 257), &[22][..]),
        ((3, 2, 512), &[][..]),
        ((2, 2, 513), &[1][..]),
    ] {
        check(&gpu, size, cuts, false);
        check(&hardware, size, cuts, false);
        check(&hardware, size, cuts, true);
    }
}
