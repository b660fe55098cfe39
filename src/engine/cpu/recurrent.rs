//! Runs recurrent and associative-memory instructions by calling their kernels.

use super::micro::Kernel;
use super::{convolution, lstm, memory as associative, scan};
use crate::engine::program::{
    Associative, At, Convolution, ConvolutionBackward, Features, FeaturesBackward, Lstm, LstmBackward, Memorize, MemorizeBackward, Memory,
    Recall, RecallBackward, Recurrent, ScanBackward, ScanForward,
};

/// Scratch of all kernels here, kept between calls.
#[derive(Default)]
pub struct RecurrentScratch {
    lstm: lstm::LstmScratch,
    convolution: [Vec<f32>; 2],
    scan: scan::ScanScratch,
    memory: associative::MemoryScratch,
}

/// Runs a recurrent instruction.
pub fn run(kernel: Kernel, scratch: &mut RecurrentScratch, memory: &mut [f32], address: impl Fn(At) -> usize, instruction: &Recurrent) {
    match instruction {
        Recurrent::Lstm(Lstm { window, width, weight, gates, cells, hidden, transposed: _ }) => {
            let arrays = lstm::LstmArrays { weight: address(*weight), gates: address(*gates), cells: address(*cells) };
            lstm::forward(kernel, &mut scratch.lstm, memory, window, *width, &arrays, address(*hidden));
        }
        Recurrent::LstmBackward(LstmBackward { sequences, length, width, weight, gates, cells, gradient, into }) => {
            let arrays = lstm::LstmArrays { weight: address(*weight), gates: address(*gates), cells: address(*cells) };
            let size = (*sequences, *length);
            lstm::backward(kernel, &mut scratch.lstm, memory, size, *width, &arrays, address(*gradient), address(*into));
        }
        Recurrent::Convolution(Convolution { window, channels, x, weight, bias, out }) => {
            let (weight, bias) = (address(*weight), address(*bias));
            let arrays = convolution::ConvolutionArrays { channels: *channels, x: (address(x.at), x.stride), weight, bias };
            convolution::forward(&mut scratch.convolution, memory, window, &arrays, address(*out));
        }
        Recurrent::ConvolutionBackward(ConvolutionBackward { sequences, length, channels, x, weight, bias, gradient, inner, into }) => {
            let (weight, bias) = (address(*weight), address(*bias));
            let arrays = convolution::ConvolutionArrays { channels: *channels, x: (address(x.at), x.stride), weight, bias };
            let (size, into) = ((*sequences, *length), (address(into.at), into.stride));
            convolution::backward(&mut scratch.convolution, memory, size, &arrays, address(*gradient), address(*inner), into);
        }
        Recurrent::Scan(ScanForward { window, scan: reads, keep, out }) => {
            scan::forward(&mut scratch.scan, memory, window, &scan::ScanArrays::new(reads, &address), *keep, address(*out));
        }
        Recurrent::ScanBackward(ScanBackward {
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
        }) => {
            let into = scan::Into {
                delta: address(*into_delta),
                u: address(*into_u),
                projected: (address(into_projected.at), into_projected.stride),
                gate: (address(into_gate.at), into_gate.stride),
                a_log: address(*into_a_log),
                skip: address(*into_skip),
            };
            let arrays = scan::ScanArrays::new(reads, &address);
            scan::backward(&mut scratch.scan, memory, (*sequences, *length), &arrays, address(*gradient), &into);
        }
    }
}

/// Runs an instruction on an associative memory.
pub fn run_associative(
    kernel: Kernel,
    scratch: &mut RecurrentScratch,
    memory: &mut [f32],
    address: impl Fn(At) -> usize,
    instruction: &Associative,
) {
    let scratch = &mut scratch.memory;
    let held = |memory: Memory| associative::Held { a: address(memory.a), z: address(memory.z) };
    match *instruction {
        Associative::Features(Features { x, out, norms, rows, width, pitch }) => {
            associative::features(scratch, memory, address(x), address(out), address(norms), (rows, width, pitch));
        }
        Associative::FeaturesBackward(FeaturesBackward { x, out, norms, gradient, into, rows, width }) => {
            let [x, out, norms, gradient, into] = [x, out, norms, gradient, into].map(&address);
            associative::features_backward(scratch, memory, &associative::FeatureArrays { x, out, norms, gradient, into }, rows, width);
        }
        Associative::Recall(Recall { window, shape, x, queries, memory: reads, out, divisors }) => {
            let [x, queries, out, divisors] = [x, queries, out, divisors].map(&address);
            let arrays = associative::RecallArrays { x, queries, held: held(reads), out, divisors };
            associative::recall(kernel, scratch, memory, &window, &shape, &arrays);
        }
        Associative::RecallBackward(RecallBackward {
            shape,
            x,
            queries,
            memory: reads,
            out,
            divisors,
            gradient,
            into_queries,
            carried,
            into,
            ..
        }) => {
            let [x, queries, out, divisors] = [x, queries, out, divisors].map(&address);
            let arrays = associative::RecallArrays { x, queries, held: held(reads), out, divisors };
            let into = associative::RecallInto { queries: address(into_queries), carried: carried.map(held), held: held(into) };
            associative::recall_backward(kernel, scratch, memory, &shape, &arrays, address(gradient), &into);
        }
        Associative::Memorize(Memorize { shape, keys, values, strengths, old, novel, divisors, out }) => {
            let [keys, values, strengths, novel, divisors] = [keys, values, strengths, novel, divisors].map(&address);
            let arrays = associative::MemorizeArrays { keys, values, strengths, old: old.map(held), novel, divisors };
            associative::memorize(kernel, scratch, memory, &shape, &arrays, held(out));
        }
        Associative::MemorizeBackward(MemorizeBackward {
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
        }) => {
            let [keys, values, strengths, novel, divisors] = [keys, values, strengths, novel, divisors].map(&address);
            let arrays = associative::MemorizeArrays { keys, values, strengths, old: old.map(held), novel, divisors };
            let [keys, values, strengths] = [into_keys, into_values, into_strengths].map(&address);
            let into = associative::MemorizeInto { keys, values, strengths, old: into_old.map(held) };
            associative::memorize_backward(kernel, scratch, memory, &shape, &arrays, held(gradient), &into);
        }
    }
}
