//! The selective scan.

use super::bench::{Bench, adapter, close};
use lookahead::engine::program::{
    At, CHUNK, Instruction, Keep, Recurrent, Rows, STATE, Scan, ScanBackward, ScanForward, Window, scan_scratch,
};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn softplus(x: f64) -> f64 {
    if x > 20.0 { x } else { x.exp().ln_1p() }
}

/// What a scan should give.
struct Expected {
    out: Vec<f64>,
    /// After every row, `[N, C, STATE]`.
    states: Vec<f64>,
    delta: Vec<f64>,
    u: Vec<f64>,
    /// `[N, 2 · STATE]`.
    projected: Vec<f64>,
    gate: Vec<f64>,
    a_log: Vec<f64>,
    skip: Vec<f64>,
}

/// A scan by its definition, and its gradients, one number of one channel's state after the other.
fn scan(bench: &Bench, scan: &Scan, (sequences, length): (usize, usize), gradient: At) -> Expected {
    let channels = scan.channels;
    let rows = sequences * length;
    let zeros = |count: usize| vec![0.0; count];
    let mut found = Expected {
        out: zeros(rows * channels),
        states: zeros(rows * channels * STATE),
        delta: zeros(rows * channels),
        u: zeros(rows * channels),
        projected: zeros(rows * 2 * STATE),
        gate: zeros(rows * channels),
        a_log: zeros(sequences * channels * STATE),
        skip: zeros(sequences * channels),
    };
    let a = |channel: usize, n: usize| -bench.f(scan.a_log, channel * STATE + n).exp();
    let projected = |row: usize, n: usize| bench.f(scan.projected.at, row * scan.projected.stride + n);
    for (sequence, channel) in (0..sequences).flat_map(|sequence| (0..channels).map(move |channel| (sequence, channel))) {
        let all = sequence * length..(sequence + 1) * length;
        let skip = bench.f(scan.skip, channel);
        let gate = |row: usize| bench.f(scan.gate.at, row * scan.gate.stride + channel);
        let silu = |x: f64| x * sigmoid(x);
        let before = |states: &[f64], row: usize, n: usize| {
            if row.is_multiple_of(length) { 0.0 } else { states[((row - 1) * channels + channel) * STATE + n] }
        };
        for row in all.clone() {
            let at = row * channels + channel;
            let (step, u) = (softplus(bench.f(scan.delta, at)), bench.f(scan.u, at));
            let mut y = skip * u;
            for n in 0..STATE {
                let state = (step * a(channel, n)).exp() * before(&found.states, row, n) + step * projected(row, n) * u;
                found.states[at * STATE + n] = state;
                y += projected(row, STATE + n) * state;
            }
            found.out[at] = y * silu(gate(row));
            let (g, dout) = (gate(row), bench.f(gradient, at));
            found.gate[at] = dout * y * (sigmoid(g) * (1.0 + g * (1.0 - sigmoid(g))));
            found.skip[sequence * channels + channel] += dout * silu(g) * u;
            found.u[at] = dout * silu(g) * skip;
        }
        for n in 0..STATE {
            let mut carried = 0.0;
            for row in all.clone().rev() {
                let at = row * channels + channel;
                let (step, u) = (softplus(bench.f(scan.delta, at)), bench.f(scan.u, at));
                let dy = bench.f(gradient, at) * silu(gate(row));
                let lambda = projected(row, STATE + n) * dy + carried;
                let decay = (step * a(channel, n)).exp();
                carried = decay * lambda;
                let decayed = decay * before(&found.states, row, n);
                found.projected[row * 2 * STATE + n] += lambda * step * u;
                found.projected[row * 2 * STATE + STATE + n] += dy * found.states[at * STATE + n];
                found.u[at] += step * lambda * projected(row, n);
                let slope = sigmoid(bench.f(scan.delta, at));
                found.delta[at] += lambda * (a(channel, n) * decayed + projected(row, n) * u) * slope;
                found.a_log[(sequence * channels + channel) * STATE + n] += a(channel, n) * lambda * step * decayed;
            }
        }
    }
    found
}

/// The arrays that a scan reads, of so many rows.
fn arrays(bench: &mut Bench, (sequences, length, channels): (usize, usize, usize)) -> Scan {
    let rows = sequences * length;
    let scan = Scan {
        channels,
        delta: bench.array(rows * channels),
        u: bench.array(rows * channels),
        projected: bench.rows(rows, 2 * STATE, 3),
        gate: bench.rows(rows, channels, channels),
        a_log: bench.array(channels * STATE),
        skip: bench.array(channels),
        states: bench.array(sequences * length.div_ceil(CHUNK) * channels * STATE),
    };
    // Steps from 1e-4 to 22, where softplus is cut off, and gates at either end of the sigmoid.
    for index in 0..rows * channels {
        let delta = &mut bench.memory[scan.delta.offset + index];
        *delta = if index % 11 == 0 { *delta * 22.0 } else { *delta * 3.0 - 3.0 };
    }
    for index in (0..rows * scan.gate.stride).step_by(7) {
        bench.memory[scan.gate.at.offset + index] *= 20.0;
    }
    scan
}

#[test]
fn scans() {
    let Some(gpu) = adapter() else { return };
    for size in [(1, 1, 5), (3, 2, 24), (5, 17, 5), (3, 33, 129), (1, 40, 24), (2, 16, 9)] {
        let (sequences, length, channels) = size;
        let mut bench = Bench::new((length * channels) as u64);
        let read = arrays(&mut bench, size);
        let rows = sequences * length;
        let out = bench.array(rows * channels);
        let gradient = bench.array(rows * channels);
        let [into_delta, into_u] = [0; 2].map(|_| bench.array(rows * channels));
        let (into_projected, into_gate) = (bench.rows(rows, 2 * STATE, 5), bench.rows(rows, channels, 2));
        let (into_a_log, into_skip) = (bench.array(sequences * channels * STATE), bench.array(sequences * channels));
        let scratch = bench.array(scan_scratch(sequences, length, channels));
        let window = Window { sequences, length, from: 0, count: length };
        bench.instructions.push(Instruction::Recurrent(Recurrent::Scan(ScanForward { window, scan: read, keep: Keep::Chunks, out })));
        bench.instructions.push(Instruction::Recurrent(Recurrent::ScanBackward(ScanBackward {
            sequences,
            length,
            scan: read,
            gradient,
            into_delta,
            into_u,
            into_projected,
            into_gate,
            into_a_log,
            into_skip,
            scratch,
        })));
        let found = bench.run(&gpu);
        let expected = scan(&bench, &read, (sequences, length), gradient);
        let what = format!("of {size:?}");
        close(&format!("out {what}"), &found, out, &expected.out, 2e-5);
        let chunks = length.div_ceil(CHUNK);
        for (sequence, chunk) in (0..sequences).flat_map(|sequence| (0..chunks).map(move |chunk| (sequence, chunk))) {
            let row = (sequence * length + chunk * CHUNK) * channels * STATE;
            let zeros = vec![0.0; channels * STATE];
            let state = if chunk == 0 { &zeros[..] } else { &expected.states[row - channels * STATE..row] };
            close(&format!("states {what}"), &found, read.states.plus((sequence * chunks + chunk) * channels * STATE), state, 2e-5);
        }
        close(&format!("delta {what}"), &found, into_delta, &expected.delta, 5e-5);
        close(&format!("u {what}"), &found, into_u, &expected.u, 5e-5);
        close(&format!("a_log {what}"), &found, into_a_log, &expected.a_log, 5e-5);
        close(&format!("skip {what}"), &found, into_skip, &expected.skip, 5e-5);
        strided(&format!("projected {what}"), &bench, &found, into_projected, &expected.projected, 2 * STATE);
        strided(&format!("gate {what}"), &bench, &found, into_gate, &expected.gate, channels);
    }
}

/// Compares rows that lie apart, and that what is between them stays.
fn strided(what: &str, bench: &Bench, found: &[f32], rows: Rows, expected: &[f64], width: usize) {
    for (row, expected) in expected.chunks_exact(width).enumerate() {
        let mut expected = expected.to_vec();
        expected.extend(bench.numbers(rows.at.plus(row * rows.stride + width), rows.stride - width));
        close(what, found, rows.at.plus(row * rows.stride), &expected, 5e-5);
    }
}

#[test]
fn scans_that_go_on() {
    let Some(gpu) = adapter() else { return };
    for (size, cuts) in [((1, 2, 5), vec![1]), ((3, 17, 24), vec![16]), ((5, 33, 5), vec![1, 2, 3, 20]), ((3, 40, 129), vec![17, 39])] {
        let (sequences, length, channels) = size;
        let mut bench = Bench::new(length as u64);
        let read = arrays(&mut bench, size);
        let out = bench.array(sequences * length * channels);
        let mut from = 0;
        for end in cuts.iter().copied().chain([length]) {
            let window = Window { sequences, length, from, count: end - from };
            bench.instructions.push(Instruction::Recurrent(Recurrent::Scan(ScanForward {
                window,
                scan: read,
                keep: Keep::After(end - 1),
                out,
            })));
            from = end;
        }
        let found = bench.run(&gpu);
        let expected = scan(&bench, &read, (sequences, length), read.u);
        close(&format!("out of {size:?} cut at {cuts:?}"), &found, out, &expected.out, 2e-5);
        for sequence in 0..sequences {
            let last = ((sequence + 1) * length - 1) * channels * STATE;
            let state = &expected.states[last..last + channels * STATE];
            close("the last state", &found, read.states.plus(sequence * channels * STATE), state, 2e-5);
        }
    }
}
