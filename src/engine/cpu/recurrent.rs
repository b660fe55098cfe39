//! From instructions that walk along sequences, or meet a memory, to their kernels.

use super::micro::Kernel;
use super::{convolution, lstm, memory as associative, scan};
use crate::engine::program::{At, Instruction, Memory};

/// Space of all of them, kept between calls.
#[derive(Default)]
pub struct Space {
    lstm: lstm::Space,
    convolution: [Vec<f32>; 2],
    scan: scan::Space,
    memory: associative::Space,
}

/// Carries one out.
///
/// # Panics
/// When the instruction is none of these: a fault of the machine.
pub fn carry_out(kernel: Kernel, space: &mut Space, memory: &mut [f32], address: impl Fn(At) -> usize, instruction: &Instruction) {
    match instruction {
        Instruction::Lstm { window, width, weight, gates, cells, hidden, turned: _ } => {
            let arrays = lstm::Arrays { weight: address(*weight), gates: address(*gates), cells: address(*cells) };
            lstm::forward(kernel, &mut space.lstm, memory, window, *width, &arrays, address(*hidden));
        }
        Instruction::LstmBackward { sequences, length, width, weight, gates, cells, gradient, into } => {
            let arrays = lstm::Arrays { weight: address(*weight), gates: address(*gates), cells: address(*cells) };
            let size = (*sequences, *length);
            lstm::backward(kernel, &mut space.lstm, memory, size, *width, &arrays, address(*gradient), address(*into));
        }
        Instruction::Convolution { window, channels, x, weight, bias, out } => {
            let (weight, bias) = (address(*weight), address(*bias));
            let arrays = convolution::Arrays { channels: *channels, x: (address(x.at), x.stride), weight, bias };
            convolution::forward(&mut space.convolution, memory, window, &arrays, address(*out));
        }
        Instruction::ConvolutionBackward { sequences, length, channels, x, weight, bias, gradient, inner, into } => {
            let (weight, bias) = (address(*weight), address(*bias));
            let arrays = convolution::Arrays { channels: *channels, x: (address(x.at), x.stride), weight, bias };
            let (size, into) = ((*sequences, *length), (address(into.at), into.stride));
            convolution::backward(&mut space.convolution, memory, size, &arrays, address(*gradient), address(*inner), into);
        }
        Instruction::Scan { window, scan: reads, keep, out } => {
            scan::forward(&mut space.scan, memory, window, &scan::Arrays::new(reads, &address), *keep, address(*out));
        }
        Instruction::ScanBackward {
            sequences,
            length,
            scan: reads,
            scratch: _,
            gradient,
            into_delta,
            into_u,
            into_projected,
            into_gate,
            into_a_log,
            into_skip,
        } => {
            let into = scan::Into {
                delta: address(*into_delta),
                u: address(*into_u),
                projected: (address(into_projected.at), into_projected.stride),
                gate: (address(into_gate.at), into_gate.stride),
                a_log: address(*into_a_log),
                skip: address(*into_skip),
            };
            let arrays = scan::Arrays::new(reads, &address);
            scan::backward(&mut space.scan, memory, (*sequences, *length), &arrays, address(*gradient), &into);
        }
        _ => carry_out_memory(kernel, &mut space.memory, memory, address, instruction),
    }
}

fn carry_out_memory(
    kernel: Kernel,
    space: &mut associative::Space,
    memory: &mut [f32],
    address: impl Fn(At) -> usize,
    instruction: &Instruction,
) {
    let held = |memory: Memory| associative::Held { a: address(memory.a), z: address(memory.z) };
    match *instruction {
        Instruction::Features { x, out, norms, rows, width, pitch } => {
            associative::features(space, memory, address(x), address(out), address(norms), (rows, width, pitch));
        }
        Instruction::FeaturesBackward { x, out, norms, gradient, into, rows, width } => {
            let [x, out, norms, gradient, into] = [x, out, norms, gradient, into].map(&address);
            associative::features_backward(space, memory, &associative::FeatureArrays { x, out, norms, gradient, into }, rows, width);
        }
        Instruction::Recall { window, shape, x, queries, memory: reads, out, divisors } => {
            let [x, queries, out, divisors] = [x, queries, out, divisors].map(&address);
            let arrays = associative::RecallArrays { x, queries, held: held(reads), out, divisors };
            associative::recall(kernel, space, memory, &window, &shape, &arrays);
        }
        Instruction::RecallBackward { shape, x, queries, memory: reads, out, divisors, gradient, into_queries, carried, into, .. } => {
            let [x, queries, out, divisors] = [x, queries, out, divisors].map(&address);
            let arrays = associative::RecallArrays { x, queries, held: held(reads), out, divisors };
            let into = associative::RecallInto { queries: address(into_queries), carried: carried.map(held), held: held(into) };
            associative::recall_backward(kernel, space, memory, &shape, &arrays, address(gradient), &into);
        }
        Instruction::Memorize { shape, keys, values, strengths, old, novel, divisors, out } => {
            let [keys, values, strengths, novel, divisors] = [keys, values, strengths, novel, divisors].map(&address);
            let arrays = associative::MemorizeArrays { keys, values, strengths, old: old.map(held), novel, divisors };
            associative::memorize(kernel, space, memory, &shape, &arrays, held(out));
        }
        Instruction::MemorizeBackward {
            shape,
            keys,
            values,
            strengths,
            old,
            novel,
            divisors,
            gradient,
            into_keys,
            into_values,
            into_strengths,
            into_old,
            ..
        } => {
            let [keys, values, strengths, novel, divisors] = [keys, values, strengths, novel, divisors].map(&address);
            let arrays = associative::MemorizeArrays { keys, values, strengths, old: old.map(held), novel, divisors };
            let [keys, values, strengths] = [into_keys, into_values, into_strengths].map(&address);
            let into = associative::MemorizeInto { keys, values, strengths, old: into_old.map(held) };
            associative::memorize_backward(kernel, space, memory, &shape, &arrays, held(gradient), &into);
        }
        _ => unreachable!("the machine sends nothing but recurrences and memories"),
    }
}
