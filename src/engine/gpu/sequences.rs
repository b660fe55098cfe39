//! Records of the instructions along sequences: recurrence, convolution, scan, recall.

use super::adapter::AdapterTraits;
use super::dispatch::{Dispatch, Pipeline, word};
use super::kernels::convolution::RUN;
use super::kernels::lstm::{self, KEPT};
use super::kernels::memory::{self, RECALLED};
use super::kernels::{NONE, ROWS, THREADS, convolution, scan, window as window_place};
use super::record::write as write_record;
use crate::engine::program::{
    At, CHUNK, Convolution, ConvolutionBackward, Features, Keep, Lstm, LstmBackward, Program, Recall, Recurrent, Rows, STATE, Scan,
    ScanBackward, ScanForward, Window, scan_scratch,
};

/// Rows of a window from which transposing an LSTM's weight saves more time than it costs.
const TRANSPOSE_FROM_ROWS: usize = 8;

/// LSTM workgroups that keep a GPU busy. With more, several sequences share a workgroup and its reads of the weight.
const MIN_WORKGROUPS: usize = 8;

/// The words of a window.
fn window_words(window: &Window) -> [(usize, u32); 4] {
    [
        (window_place::SEQUENCES, word(window.sequences)),
        (window_place::LENGTH, word(window.length)),
        (window_place::FROM, word(window.from)),
        (window_place::ROWS, word(window.count)),
    ]
}

/// The window of all rows.
fn whole(sequences: usize, length: usize) -> Window {
    Window { sequences, length, from: 0, count: length }
}

/// Writes the records of a recurrent instruction; returns its launches.
pub fn write(program: &Program, instruction: &Recurrent, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    match instruction {
        Recurrent::Lstm(forward) => lstm_forward(program, forward, adapter, table),
        Recurrent::LstmBackward(backward) => lstm_backward(program, backward, adapter, table),
        Recurrent::Convolution(forward) => vec![convolution_forward(program, forward, table)],
        Recurrent::ConvolutionBackward(backward) => vec![convolution_backward(program, backward, table)],
        Recurrent::Scan(forward) => vec![scan_forward(program, forward, table)],
        Recurrent::ScanBackward(backward) => scan_backward(program, backward, table),
    }
}

fn dispatch(kernel: Pipeline, record: usize, groups: usize) -> Dispatch {
    Dispatch { kernel, record: word(record), count: word(groups) }
}

/// An LSTM. Its weight is transposed first if there is scratch for it, the window is long enough and the adapter is hardware.
fn lstm_forward(program: &Program, forward: &Lstm, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let Lstm { window: rows, width, weight, transposed, gates, cells, hidden } = forward;
    let mut dispatches = Vec::new();
    let mut read = [address(*weight), word(*width), 1];
    if let Some(transposed) = transposed
        && !adapter.software
        && rows.count >= TRANSPOSE_FROM_ROWS
    {
        use lstm::transposed as place;
        let words = [
            (place::FROM, address(*weight)),
            (place::ROWS, word(4 * width)),
            (place::COLUMNS, word(*width)),
            (place::TO, address(*transposed)),
        ];
        let record = write_record(table, place::WORDS, words);
        dispatches.push(dispatch(Pipeline::Transpose, record, (4 * width * width).div_ceil(THREADS)));
        read = [address(*transposed), 1, word(4 * width)];
    }
    let kind = kind(rows.sequences, *width, *width, adapter.software);
    for part in parts(rows, width.div_ceil(kind.threads) * (width + 2), &kind, adapter) {
        let record = write_record(table, lstm::word::WORDS, lstm_words(&part, *width, read, [*gates, *cells, *hidden].map(address)));
        dispatches.push(dispatch(Pipeline::LstmForward(kind), record, rows.sequences.div_ceil(kind.sequences)));
    }
    dispatches
}

/// The gradient of an LSTM, starting at the last rows.
fn lstm_backward(program: &Program, backward: &LstmBackward, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    let LstmBackward { sequences, length, width, weight, gates, cells, gradient, into } = backward;
    let kind = kind(*sequences, *width, 4 * width, adapter.software);
    let whole = whole(*sequences, *length);
    let iterations = width.div_ceil(kind.threads * kind.units) * (kind.iterations(*width) + 2);
    let mut dispatches = Vec::new();
    let parts = parts(&whole, iterations, &kind, adapter);
    for part in parts.into_iter().rev() {
        let words = lstm_words(&part, *width, [address(*weight), word(*width), 1], [*gates, *cells, *gradient].map(address));
        let words = words.chain([(lstm::backward::INTO, address(*into))]);
        let record = write_record(table, lstm::backward::WORDS, words);
        dispatches.push(dispatch(Pipeline::LstmBackward(kind), record, sequences.div_ceil(kind.sequences)));
    }
    dispatches
}

/// The words that every LSTM's record begins with. `weight` is its address and the strides of its rows and columns.
fn lstm_words(
    window: &Window,
    width: usize,
    weight: [u32; 3],
    [gates, cells, hidden]: [u32; 3],
) -> impl Iterator<Item = (usize, u32)> + use<> {
    use lstm::word as place;
    window_words(window).into_iter().chain([
        (place::WIDTH, word(width)),
        (place::WEIGHT, weight[0]),
        (place::WEIGHT_ROW, weight[1]),
        (place::WEIGHT_COLUMN, weight[2]),
        (place::GATES, gates),
        (place::CELLS, cells),
        (place::HIDDEN, hidden),
    ])
}

/// The threads of an LSTM's workgroup and the sequences that share it. Workgroup memory holds `numbers` elements of each sequence twice. A
/// software adapter runs 4 or 8 threads together and switches between these groups at each barrier.
fn kind(sequences: usize, width: usize, numbers: usize, software: bool) -> lstm::LstmKind {
    let share = |busy: usize, fits: &dyn Fn(usize) -> bool| {
        [4, 2].into_iter().find(|&share| sequences.div_ceil(share) >= busy && fits(share)).unwrap_or(1)
    };
    if software {
        return lstm::LstmKind { threads: 8, sequences: share(2, &|_| true), units: 4, shared: false };
    }
    let shared = 2 * numbers <= KEPT;
    let sequences = share(MIN_WORKGROUPS, &|share| !shared || 2 * share * numbers <= KEPT);
    lstm::LstmKind { threads: width.next_power_of_two().clamp(32, 256), sequences, units: 1, shared }
}

/// Splits a window so that no thread exceeds the adapter's limit, with `iterations` iterations per row. A window whose state is in workgroup memory
/// is never split, because that memory is lost after a launch.
fn parts(window: &Window, iterations: usize, kind: &lstm::LstmKind, adapter: AdapterTraits) -> Vec<Window> {
    let whole = window.count.max(1);
    let most = adapter.iterations.filter(|_| !kind.shared).map_or(whole, |most| (most / iterations.max(1)).max(1));
    let end = window.from + window.count;
    (window.from..end).step_by(most).map(|from| Window { from, count: most.min(end - from), ..*window }).collect()
}

fn convolution_forward(program: &Program, forward: &Convolution, table: &mut Vec<u32>) -> Dispatch {
    let address = |at: At| word(program.address(at));
    let Convolution { window: rows, channels, x, weight, bias, out } = forward;
    let words = convolution_words(program, rows, *channels, *x, [*weight, *bias]);
    let record = write_record(table, convolution::forward::WORDS, words.chain([(convolution::forward::OUT, address(*out))]));
    dispatch(Pipeline::ConvolutionForward, record, (rows.sequences * rows.count * channels).div_ceil(THREADS))
}

fn convolution_backward(program: &Program, backward: &ConvolutionBackward, table: &mut Vec<u32>) -> Dispatch {
    let address = |at: At| word(program.address(at));
    let ConvolutionBackward { sequences, length, channels, x, weight, bias, gradient, inner, into } = backward;
    use convolution::backward as place;
    let words = convolution_words(program, &whole(*sequences, *length), *channels, *x, [*weight, *bias]).chain([
        (place::GRADIENT, address(*gradient)),
        (place::INNER, address(*inner)),
        (place::INTO, address(into.at)),
        (place::INTO_STRIDE, word(into.stride)),
    ]);
    let record = write_record(table, place::WORDS, words);
    dispatch(Pipeline::ConvolutionBackward, record, (sequences * length.div_ceil(RUN) * channels).div_ceil(THREADS))
}

/// The words that every convolution's record begins with.
fn convolution_words(
    program: &Program,
    window: &Window,
    channels: usize,
    x: Rows,
    [weight, bias]: [At; 2],
) -> impl Iterator<Item = (usize, u32)> + use<> {
    use convolution::word as place;
    let address = |at: At| word(program.address(at));
    window_words(window).into_iter().chain([
        (place::CHANNELS, word(channels)),
        (place::X, address(x.at)),
        (place::X_STRIDE, word(x.stride)),
        (place::WEIGHT, address(weight)),
        (place::BIAS, address(bias)),
    ])
}

/// The words that every scan's record begins with.
fn scan_words(program: &Program, window: &Window, inputs: &Scan) -> impl Iterator<Item = (usize, u32)> + use<> {
    use scan::word as place;
    let address = |at: At| word(program.address(at));
    window_words(window).into_iter().chain([
        (place::CHANNELS, word(inputs.channels)),
        (place::DELTA, address(inputs.delta)),
        (place::U, address(inputs.u)),
        (place::PROJECTED, address(inputs.projected.at)),
        (place::PROJECTED_STRIDE, word(inputs.projected.stride)),
        (place::GATE, address(inputs.gate.at)),
        (place::GATE_STRIDE, word(inputs.gate.stride)),
        (place::A_LOG, address(inputs.a_log)),
        (place::SKIP, address(inputs.skip)),
        (place::STATES, address(inputs.states)),
    ])
}

fn scan_forward(program: &Program, forward: &ScanForward, table: &mut Vec<u32>) -> Dispatch {
    let ScanForward { window: rows, scan: inputs, keep, out } = forward;
    let after = match keep {
        Keep::Chunks => NONE,
        Keep::After(row) => word(*row),
    };
    use scan::forward as place;
    let more = [(place::AFTER, after), (place::OUT, word(program.address(*out)))];
    let record = write_record(table, place::WORDS, scan_words(program, rows, inputs).chain(more));
    dispatch(Pipeline::ScanForward, record, (rows.sequences * inputs.channels).div_ceil(THREADS))
}

/// The gradient of a scan: two launches with the same record.
fn scan_backward(program: &Program, backward: &ScanBackward, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let address = |at: At| word(program.address(at));
    use scan::backward as place;
    let ScanBackward { sequences, length, scan: inputs, scratch, .. } = backward;
    let numbers = sequences * length * inputs.channels;
    let steps = scratch.plus(scan_scratch(*sequences, *length, inputs.channels) - 2 * numbers);
    let words = scan_words(program, &whole(*sequences, *length), inputs).chain([
        (place::GRADIENT, address(backward.gradient)),
        (place::INTO_DELTA, address(backward.into_delta)),
        (place::INTO_U, address(backward.into_u)),
        (place::INTO_PROJECTED, address(backward.into_projected.at)),
        (place::INTO_PROJECTED_STRIDE, word(backward.into_projected.stride)),
        (place::INTO_GATE, address(backward.into_gate.at)),
        (place::INTO_GATE_STRIDE, word(backward.into_gate.stride)),
        (place::INTO_A_LOG, address(backward.into_a_log)),
        (place::INTO_SKIP, address(backward.into_skip)),
        (place::CARRIED, address(*scratch)),
        (place::STEPS, address(steps)),
        (place::INNER, address(steps.plus(numbers))),
    ]);
    let record = write_record(table, place::WORDS, words);
    let chunks = sequences * length.div_ceil(CHUNK);
    vec![
        dispatch(Pipeline::ScanBackward, record, (sequences * inputs.channels).div_ceil(THREADS)),
        dispatch(Pipeline::ScanProjected, record, (chunks * STATE).div_ceil(THREADS)),
    ]
}

/// Features of an associative memory.
pub fn features(program: &Program, forward: &Features, table: &mut Vec<u32>) -> Dispatch {
    let address = |at: At| word(program.address(at));
    let Features { x, out, norms, rows, width, pitch } = forward;
    let words = features_words([*x, *out, *norms].map(address), *rows, *width);
    let more = [(memory::features_forward::PITCH, word(*pitch))];
    let record = write_record(table, memory::features_forward::WORDS, words.into_iter().chain(more));
    dispatch(Pipeline::Features, record, rows.div_ceil(ROWS))
}

/// The words that every record of features begins with.
pub fn features_words([x, out, norms]: [u32; 3], rows: usize, width: usize) -> [(usize, u32); 5] {
    use memory::features_word as place;
    [(place::X, x), (place::OUT, out), (place::NORMS, norms), (place::ROWS, word(rows)), (place::WIDTH, word(width))]
}

/// The values that queries read from a memory.
pub fn recall(program: &Program, forward: &Recall, table: &mut Vec<u32>) -> Dispatch {
    let address = |at: At| word(program.address(at));
    use memory::word as place;
    let Recall { window: rows, shape, x, queries, memory: read, out, divisors } = forward;
    debug_assert_eq!((rows.sequences, rows.length), (shape.sequences, shape.rows));
    let words = window_words(rows).into_iter().chain([
        (place::FEATURES, word(shape.features)),
        (place::WIDTH, word(shape.width)),
        (place::X, address(*x)),
        (place::QUERIES, address(*queries)),
        (place::A, address(read.a)),
        (place::Z, address(read.z)),
        (place::OUT, address(*out)),
        (place::DIVISORS, address(*divisors)),
    ]);
    let record = write_record(table, place::WORDS, words);
    dispatch(Pipeline::Recall, record, (rows.sequences * rows.count.div_ceil(RECALLED) * shape.width).div_ceil(THREADS))
}
