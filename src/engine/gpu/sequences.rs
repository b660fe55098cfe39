//! Records of the instructions that walk along sequences: recurrence, convolution, scan, recall.

use super::Adapter;
use super::kernels::convolution::RUN;
use super::kernels::lstm::{self, KEPT};
use super::kernels::memory::RECALLED;
use super::kernels::{NONE, ROWS, THREADS};
use super::table::{Dispatch, Kernel, word};
use crate::engine::program::{At, CHUNK, Instruction, Keep, Program, Rows, STATE, Scan, Window, scan_scratch};

/// Rows of a window from which on turning an LSTM's weight costs less than it saves.
const WORTH_TURNING: usize = 8;

/// Workgroups of an LSTM that keep a graphics card busy enough: beyond that, sequences share one and its reads of the weight.
const BUSY: usize = 8;

/// The words of a window.
fn window(window: &Window) -> [u32; 4] {
    [window.sequences, window.length, window.from, window.count].map(word)
}

/// Writes the records of an instruction that walks along sequences, and gives its launches; None if it is not one.
pub fn write(program: &Program, instruction: &Instruction, adapter: Adapter, table: &mut Vec<u32>) -> Option<Vec<Dispatch>> {
    Some(match instruction {
        Instruction::Lstm { .. } => lstm(program, instruction, adapter, table),
        Instruction::LstmBackward { .. } => lstm_backward(program, instruction, adapter, table),
        Instruction::Convolution { .. } | Instruction::ConvolutionBackward { .. } => convolution(program, instruction, table),
        Instruction::Scan { .. } => scan(program, instruction, table),
        Instruction::ScanBackward { .. } => scan_backward(program, instruction, table),
        Instruction::Features { .. } | Instruction::Recall { .. } => memory(program, instruction, table),
        _ => return None,
    })
}

fn dispatch(kernel: Kernel, record: usize, groups: usize) -> Dispatch {
    Dispatch { kernel, record: word(record), count: word(groups) }
}

/// An LSTM: its weight is turned first where there is room for that and a graphics card that gains by it.
fn lstm(program: &Program, instruction: &Instruction, adapter: Adapter, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let Instruction::Lstm { window: rows, width, weight, turned, gates, cells, hidden } = instruction else {
        unreachable!("`write` sends nothing but LSTMs")
    };
    let mut dispatches = Vec::new();
    let mut read = [address(*weight), word(*width), 1];
    if let Some(turned) = turned
        && !adapter.software
        && rows.count >= WORTH_TURNING
    {
        dispatches.push(dispatch(Kernel::Turn, table.len(), (4 * width * width).div_ceil(THREADS)));
        table.extend([address(*weight), word(4 * width), word(*width), address(*turned)]);
        read = [address(*turned), 1, word(4 * width)];
    }
    let kind = kind(rows.sequences, *width, *width, adapter.software);
    for part in parts(rows, width.div_ceil(kind.threads) * (width + 2), &kind, adapter) {
        dispatches.push(dispatch(Kernel::LstmForward(kind), table.len(), rows.sequences.div_ceil(kind.sequences)));
        table.extend(window(&part));
        table.push(word(*width));
        table.extend(read);
        table.extend([*gates, *cells, *hidden].map(address));
        table.push(0);
    }
    dispatches
}

/// The gradient of an LSTM, from the last rows back.
fn lstm_backward(program: &Program, instruction: &Instruction, adapter: Adapter, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let Instruction::LstmBackward { sequences, length, width, weight, gates, cells, gradient, into } = instruction else {
        unreachable!("`write` sends nothing but gradients of LSTMs")
    };
    let kind = kind(*sequences, *width, 4 * width, adapter.software);
    let whole = Window { sequences: *sequences, length: *length, from: 0, count: *length };
    let rounds = width.div_ceil(kind.threads * kind.units) * (kind.rounds(*width) + 2);
    let mut dispatches = Vec::new();
    let parts = parts(&whole, rounds, &kind, adapter);
    for part in parts.into_iter().rev() {
        dispatches.push(dispatch(Kernel::LstmBackward(kind), table.len(), sequences.div_ceil(kind.sequences)));
        table.extend(window(&part));
        table.extend([word(*width), address(*weight), word(*width), 1]);
        table.extend([*gates, *cells, *gradient, *into].map(address));
    }
    dispatches
}

/// The threads of an LSTM's workgroup and the sequences that share it, with `numbers` of each sequence twice in workgroup memory.
/// A software adapter runs 4 or 8 threads together and switches between those groups at each barrier.
fn kind(sequences: usize, width: usize, numbers: usize, software: bool) -> lstm::Kind {
    let share = |busy: usize, fits: &dyn Fn(usize) -> bool| {
        [4, 2].into_iter().find(|&share| sequences.div_ceil(share) >= busy && fits(share)).unwrap_or(1)
    };
    if software {
        return lstm::Kind { threads: 8, sequences: share(2, &|_| true), units: 4, shared: false };
    }
    let shared = 2 * numbers <= KEPT;
    let sequences = share(BUSY, &|share| !shared || 2 * share * numbers <= KEPT);
    lstm::Kind { threads: width.next_power_of_two().clamp(32, 256), sequences, units: 1, shared }
}

/// A window cut so that no thread makes more rounds than the adapter allows, with so many a row. What lies in workgroup memory would not outlive a launch.
fn parts(window: &Window, rounds: usize, kind: &lstm::Kind, adapter: Adapter) -> Vec<Window> {
    let whole = window.count.max(1);
    let most = adapter.rounds.filter(|_| !kind.shared).map_or(whole, |most| (most / rounds.max(1)).max(1));
    let end = window.from + window.count;
    (window.from..end).step_by(most).map(|from| Window { from, count: most.min(end - from), ..*window }).collect()
}

fn convolution(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let first = table.len();
    let (kernel, groups) = match instruction {
        Instruction::Convolution { window: rows, channels, x, weight, bias, out } => {
            table.extend(window(rows));
            table.extend([word(*channels), address(x.at), word(x.stride), address(*weight), address(*bias), address(*out)]);
            (Kernel::ConvolutionForward, (rows.sequences * rows.count * channels).div_ceil(THREADS))
        }
        Instruction::ConvolutionBackward { sequences, length, channels, x, weight, bias, gradient, inner, into } => {
            table.extend([word(*sequences), word(*length), 0, word(*length)]);
            table.extend([word(*channels), address(x.at), word(x.stride), address(*weight), address(*bias), address(*gradient)]);
            table.extend([address(*inner), address(into.at), word(into.stride)]);
            (Kernel::ConvolutionBackward, (sequences * length.div_ceil(RUN) * channels).div_ceil(THREADS))
        }
        _ => unreachable!("`write` sends nothing but convolutions"),
    };
    vec![dispatch(kernel, first, groups)]
}

/// The words of what a scan reads.
fn scanned(program: &Program, scan: &Scan, table: &mut Vec<u32>) {
    let address = |at: At| word(program.address(at));
    table.extend([word(scan.channels), address(scan.delta), address(scan.u)]);
    table.extend(strided(program, scan.projected));
    table.extend(strided(program, scan.gate));
    table.extend([address(scan.a_log), address(scan.skip), address(scan.states)]);
}

fn strided(program: &Program, rows: Rows) -> [u32; 2] {
    [word(program.address(rows.at)), word(rows.stride)]
}

fn scan(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let Instruction::Scan { window: rows, scan, keep, out } = instruction else { unreachable!("`write` sends nothing but scans") };
    let first = table.len();
    table.extend(window(rows));
    scanned(program, scan, table);
    let after = match keep {
        Keep::Chunks => NONE,
        Keep::After(row) => word(*row),
    };
    table.extend([after, word(program.address(*out))]);
    vec![dispatch(Kernel::ScanForward, first, (rows.sequences * scan.channels).div_ceil(THREADS))]
}

/// The gradient of a scan: two launches with the same record.
fn scan_backward(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let first = table.len();
    let Instruction::ScanBackward {
        sequences,
        length,
        scan,
        gradient,
        into_delta,
        into_u,
        into_projected,
        into_gate,
        into_a_log,
        into_skip,
        scratch,
    } = instruction
    else {
        unreachable!("`write` sends nothing but gradients of scans")
    };
    table.extend([word(*sequences), word(*length), 0, word(*length)]);
    scanned(program, scan, table);
    table.extend([address(*gradient), address(*into_delta), address(*into_u)]);
    table.extend(strided(program, *into_projected));
    table.extend(strided(program, *into_gate));
    let numbers = sequences * length * scan.channels;
    let steps = scratch.plus(scan_scratch(*sequences, *length, scan.channels) - 2 * numbers);
    table.extend([*into_a_log, *into_skip, *scratch, steps, steps.plus(numbers)].map(address));
    let chunks = sequences * length.div_ceil(CHUNK);
    vec![
        dispatch(Kernel::ScanBackward, first, (sequences * scan.channels).div_ceil(THREADS)),
        dispatch(Kernel::ScanProjected, first, (chunks * STATE).div_ceil(THREADS)),
    ]
}

/// What is asked of an associative memory.
pub fn memory(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let first = table.len();
    let (kernel, groups) = match instruction {
        Instruction::Features { x, out, norms, rows, width, pitch } => {
            table.extend([address(*x), address(*out), address(*norms), word(*rows), word(*width), word(*pitch)]);
            (Kernel::Features, rows.div_ceil(ROWS))
        }
        Instruction::Recall { window: rows, shape, x, queries, memory, out, divisors } => {
            debug_assert_eq!((rows.sequences, rows.length), (shape.sequences, shape.rows));
            table.extend(window(rows));
            table.extend([word(shape.features), word(shape.width)]);
            table.extend([*x, *queries, memory.a, memory.z, *out, *divisors].map(address));
            (Kernel::Recall, (rows.sequences * rows.count.div_ceil(RECALLED) * shape.width).div_ceil(THREADS))
        }
        _ => unreachable!("`write` sends nothing but features and recall"),
    };
    vec![dispatch(kernel, first, groups)]
}
