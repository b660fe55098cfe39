//! The LSTM recurrence: for each position, one product over all sequences, then the gates.

use super::disjoint::ranges;
use super::math::{not_tiny, sigmoid, tanh};
use super::micro::Kernel;
use super::products::{LeftShape, Panels, multiply, pack};
use crate::engine::program::Window;

/// Packing scratch, and the gradients passed to the previous position; kept between calls.
#[derive(Default)]
pub struct LstmScratch {
    weight: Vec<f32>,
    spare: Vec<f32>,
    /// The gradients of h and of c, `[B, H]` each.
    hidden: Vec<f32>,
    cells: Vec<f32>,
}

/// Addresses of the arrays.
pub struct LstmArrays {
    pub weight: usize,
    pub gates: usize,
    pub cells: usize,
}

/// Gates, cells and hidden states of a window.
#[inline(never)]
pub fn forward(
    kernel: Kernel,
    scratch: &mut LstmScratch,
    memory: &mut [f32],
    window: &Window,
    width: usize,
    arrays: &LstmArrays,
    hidden: usize,
) {
    let Window { sequences, length, from, count } = *window;
    let LstmArrays { weight, gates, cells } = *arrays;
    pack(&mut scratch.weight, &memory[weight..weight + 4 * width * width], width, true, width, 4 * width);
    let panels = Panels { values: &scratch.weight, depth: width };
    let rows = (sequences - 1) * length;
    for position in from..from + count {
        if position > 0 {
            let before = hidden + (position - 1) * width;
            let now = gates + position * 4 * width;
            let [before, now] = ranges(memory, [before..before + (rows + 1) * width, now..now + (rows + 1) * 4 * width]);
            let left = LeftShape::strided(length * width, 1);
            let size = (sequences, 4 * width, width);
            multiply(kernel, &mut scratch.spare, size, before, left, &panels, now, length * 4 * width, true);
        }
        for row in (0..sequences).map(|sequence| sequence * length + position) {
            let (gates, cells, hidden) = (gates + row * 4 * width, cells + row * width, hidden + row * width);
            // Row 0 has no earlier cell: it takes its own cell as the range, and does not read it.
            let (start, kept) = if position > 0 { (cells - width, 1.0) } else { (cells, 0.0) };
            let [gates, cells, hidden] = ranges(memory, [gates..gates + 4 * width, start..cells + width, hidden..hidden + width]);
            activate(gates, cells, hidden, kept);
        }
    }
}

/// Activates one row. `cells` is c(t−1) and c, or c alone if `kept` is 0.
fn activate(gates: &mut [f32], cells: &mut [f32], hidden: &mut [f32], kept: f32) {
    let width = hidden.len();
    let (squashed, output) = gates.split_at_mut(3 * width);
    let (input, rest) = squashed.split_at_mut(width);
    let (forget, fresh) = rest.split_at_mut(width);
    for gate in [&mut *input, &mut *forget, &mut *output] {
        gate.iter_mut().for_each(|z| *z = sigmoid(*z));
    }
    fresh.iter_mut().for_each(|z| *z = tanh(*z));
    if kept > 0.0 {
        let (before, now) = cells.split_at_mut(width);
        for ((((c, before), f), i), g) in now.iter_mut().zip(before.iter()).zip(forget.iter()).zip(input.iter()).zip(fresh.iter()) {
            *c = f * before + i * g;
        }
    } else {
        cells.iter_mut().zip(input.iter()).zip(fresh.iter()).for_each(|((c, i), g)| *c = i * g);
    }
    let now = &cells[cells.len() - width..];
    hidden.iter_mut().zip(output.iter()).zip(now).for_each(|((h, o), c)| *h = o * tanh(*c));
}

/// Gradients of the gates before activation, over whole sequences.
#[expect(clippy::too_many_arguments, reason = "addresses and sizes of one kernel")]
#[inline(never)]
pub fn backward(
    kernel: Kernel,
    scratch: &mut LstmScratch,
    memory: &mut [f32],
    (sequences, length): (usize, usize),
    width: usize,
    arrays: &LstmArrays,
    gradient: usize,
    into: usize,
) {
    let LstmArrays { weight, gates, cells } = *arrays;
    pack(&mut scratch.weight, &memory[weight..weight + 4 * width * width], width, false, 4 * width, width);
    for carried in [&mut scratch.hidden, &mut scratch.cells] {
        carried.clear();
        carried.resize(sequences * width, 0.0);
    }
    for position in (0..length).rev() {
        for sequence in 0..sequences {
            let row = sequence * length + position;
            let (gates, cells) = (gates + row * 4 * width, cells + row * width);
            let start = if position > 0 { cells - width } else { cells };
            let (gradient, into) = (gradient + row * width, into + row * 4 * width);
            let [gates, cells, gradient, into] =
                ranges(memory, [gates..gates + 4 * width, start..cells + width, gradient..gradient + width, into..into + 4 * width]);
            let own = sequence * width..(sequence + 1) * width;
            deactivate(gates, cells, gradient, &scratch.hidden[own.clone()], &mut scratch.cells[own], into);
        }
        if position > 0 {
            let start = into + position * 4 * width;
            let now = &memory[start..start + ((sequences - 1) * length + 1) * 4 * width];
            let panels = Panels { values: &scratch.weight, depth: 4 * width };
            let left = LeftShape::strided(length * 4 * width, 1);
            let size = (sequences, width, 4 * width);
            multiply(kernel, &mut scratch.spare, size, now, left, &panels, &mut scratch.hidden, width, false);
        }
    }
}

/// One row of the backward recurrence. `cells` is c(t−1) and c, or c alone. `carried` is dc from the next row, and then dc for the previous
/// one.
fn deactivate(gates: &[f32], cells: &[f32], gradient: &[f32], hidden: &[f32], carried: &mut [f32], into: &mut [f32]) {
    let width = gradient.len();
    let [input, forget, fresh, output]: [&[f32]; 4] = std::array::from_fn(|gate| &gates[gate * width..(gate + 1) * width]);
    let (first, rest) = into.split_at_mut(width);
    let (second, rest) = rest.split_at_mut(width);
    let (third, fourth) = rest.split_at_mut(width);
    let now = &cells[cells.len() - width..];
    let first_row = cells.len() == width;
    for index in 0..width {
        let before = if first_row { 0.0 } else { cells[index] };
        let (i, f, g, o) = (input[index], forget[index], fresh[index], output[index]);
        let squashed = tanh(now[index]);
        let dh = gradient[index] + hidden[index];
        let dc = dh * o * (1.0 - squashed * squashed) + carried[index];
        first[index] = not_tiny(dc * g * i * (1.0 - i));
        second[index] = not_tiny(dc * before * f * (1.0 - f));
        third[index] = not_tiny(dc * i * (1.0 - g * g));
        fourth[index] = not_tiny(dh * squashed * o * (1.0 - o));
        carried[index] = not_tiny(dc * f);
    }
}
