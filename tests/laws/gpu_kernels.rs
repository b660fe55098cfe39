//! Every WebGPU kernel against its equation in plain loops and double precision, at odd sizes.
//!
//! Needs a Vulkan, Metal or DirectX adapter (Debian: `apt-get install mesa-vulkan-drivers` gives one in software); says
//! `NOT RUN` where there is none.

mod attention;
mod bench;
mod convolution;
mod lstm;
mod memory;
mod products;
mod scan;
mod updates;

use bench::{Bench, adapter, close};
use lookahead::engine::program::{
    At, ColumnSum, Copy, Embed, Factor, Grouped, Instruction, Loss, NO_LABEL, Norm, Normed, Rows, Summand, Tokens,
};

#[test]
fn embeddings() {
    let Some(gpu) = adapter() else { return };
    for (rows, width, vocabulary) in [(7, 5, 3), (33, 16, 9), (130, 129, 101), (65, 48, 1)] {
        let mut bench = Bench::new(rows as u64);
        // Two words before the tokens.
        bench.words = vec![77; 2];
        for _ in 0..rows {
            let token = bench.probability.below(vocabulary) as u32;
            bench.words.push(token);
        }
        let tokens: Vec<usize> = bench.words[2..].iter().map(|&token| token as usize).collect();
        let table = bench.array(vocabulary * width);
        let out = bench.rows(rows, width, rows % 2 * 3);
        // The same tokens as numbers of the memory, and a second place to look them up to.
        let numbers = bench.rows(rows, 1, 2);
        for (row, &token) in tokens.iter().enumerate() {
            bench.memory[numbers.at.offset + row * numbers.stride] = token as f32;
        }
        let second = bench.rows(rows, width, 1);
        let gradient = bench.array(rows * width);
        let into = [bench.array(vocabulary * width), bench.array(vocabulary * width)];
        for (tokens, out) in [(Tokens::Words(2), out), (Tokens::Elements(numbers), second)] {
            bench.instructions.push(Instruction::Embed(Embed::Forward { tokens, table, out, rows, width }));
        }
        for (accumulate, out) in [false, true].into_iter().zip(into) {
            bench.instructions.push(Instruction::Embed(Embed::Backward { tokens: 2, gradient, out, rows, width, vocabulary, accumulate }));
        }
        let found = bench.run(&gpu);
        for (out, row) in [out, second].into_iter().flat_map(|out| (0..rows).map(move |row| (out, row))) {
            let expected = bench.numbers(table.plus(tokens[row] * width), width);
            close("embed", &found, out.at.plus(row * out.stride), &expected, 1e-9);
        }
        for (accumulate, out) in [false, true].into_iter().zip(into) {
            let mut expected: Vec<f64> = (0..vocabulary * width).map(|i| if accumulate { bench.f(out, i) } else { 0.0 }).collect();
            for index in 0..rows * width {
                expected[tokens[index / width] * width + index % width] += bench.f(gradient, index);
            }
            close("embed backward", &found, out, &expected, 1e-5);
        }
    }
}

#[test]
fn copies() {
    let Some(gpu) = adapter() else { return };
    let mut bench = Bench::new(9);
    let mut list = Vec::new();
    for (blocks, numbers, sources, gap, repeated) in
        [(1, 1, 1, 0, false), (3, 5, 2, 7, false), (5, 129, 0, 1, false), (40, 24, 1, 3, true), (2, 700, 2, 0, true), (0, 9, 1, 0, false)]
    {
        let mut from: Vec<Rows> = (0..sources).map(|source| bench.rows(blocks, numbers, gap + source)).collect();
        if repeated {
            from[0].stride = 0;
        }
        list.push(Copy { from, to: bench.rows(blocks, numbers, 2 * gap), blocks, numbers });
    }
    // Onto itself, which adds.
    let (to, more) = (bench.rows(3, 33, 0), bench.rows(3, 33, 4));
    list.push(Copy { from: vec![to, more], to, blocks: 3, numbers: 33 });
    bench.instructions.push(Instruction::Grouped(Grouped::Copies(list.clone())));
    let found = bench.run(&gpu);
    let mut expected: Vec<f64> = bench.memory.iter().map(|&number| f64::from(number)).collect();
    for Copy { from, to, blocks, numbers } in &list {
        for (block, number) in (0..*blocks).flat_map(|block| (0..*numbers).map(move |number| (block, number))) {
            expected[to.at.offset + block * to.stride + number] =
                from.iter().map(|from| bench.f(from.at, block * from.stride + number)).sum();
        }
    }
    // What lies between the blocks stays.
    close("copies", &found, At { buffer: 0, offset: 0 }, &expected, 1e-6);
}

#[test]
fn sums_of_columns() {
    let Some(gpu) = adapter() else { return };
    for (sequences, length, width) in [(1, 1, 5), (3, 2, 24), (5, 17, 129), (1, 40, 9)] {
        let mut bench = Bench::new(length as u64);
        let rows = sequences * length;
        let x = bench.rows(rows, width, 3);
        let of = [bench.array(rows * width), bench.array(3 * width), bench.array(rows * width)];
        let (normed, statistics) = (bench.array(3 * width), bench.array(3 * 2));
        let taps = bench.array(width * 4);
        let sum = bench.array(width);
        let delayed = |steps| Summand { of: of[0], factor: Factor::Delayed { x, steps, length }, rows };
        let mut list: Vec<ColumnSum> = (0..4)
            .map(|tap| ColumnSum { summands: vec![delayed(3 - tap)], width, out: taps.plus(tap), step: 4, accumulate: tap == 1 })
            .collect();
        let summands = vec![
            Summand { of: of[2], factor: Factor::One, rows },
            Summand { of: of[1], factor: Factor::Normed(normed, statistics), rows: 3 },
            delayed(1),
        ];
        list.push(ColumnSum { summands, width, out: sum, step: 1, accumulate: true });
        bench.instructions.push(Instruction::Grouped(Grouped::ColumnSums(list)));
        let found = bench.run(&gpu);
        let delayed = |steps: usize, column: usize| -> f64 {
            let late = (0..rows).filter(|row| row % length >= steps);
            late.map(|row| bench.f(of[0], row * width + column) * bench.f(x.at, (row - steps) * x.stride + column)).sum()
        };
        let expected: Vec<f64> = (0..width * 4)
            .map(|index| delayed(3 - index % 4, index / 4) + if index % 4 == 1 { bench.f(taps, index) } else { 0.0 })
            .collect();
        close("taps", &found, taps, &expected, 2e-5);
        let expected: Vec<f64> = (0..width)
            .map(|c| {
                let plain: f64 = (0..rows).map(|row| bench.f(of[2], row * width + c)).sum();
                let centred =
                    |row: usize| (bench.f(normed, row * width + c) - bench.f(statistics, row * 2)) * bench.f(statistics, row * 2 + 1);
                let scaled: f64 = (0..3).map(|row| bench.f(of[1], row * width + c) * centred(row)).sum();
                bench.f(sum, c) + plain + scaled + delayed(1, c)
            })
            .collect();
        close("several summands", &found, sum, &expected, 2e-5);
    }
}

#[test]
fn norms_of_rows_apart() {
    let Some(gpu) = adapter() else { return };
    for (rows, width, pitch) in [(1, 5, 7), (3, 24, 17), (33, 129, 2)] {
        let mut bench = Bench::new(rows as u64);
        let [x, y] = [0; 2].map(|_| bench.array(rows * pitch * width));
        let (statistics, gamma) = (bench.array(rows * pitch * 2), bench.array(width));
        let outs = vec![Normed { gamma, beta: None, y }];
        bench.instructions.push(Instruction::Norm(Norm::Forward { x, outs, statistics, rows, width, epsilon: 1e-5, centred: true, pitch }));
        let found = bench.run(&gpu);
        let (mut expected, mut kept) = (bench.numbers(y, rows * pitch * width), bench.numbers(statistics, rows * pitch * 2));
        for row in (0..rows).map(|row| row * pitch) {
            let x = bench.numbers(x.plus(row * width), width);
            let mean = x.iter().sum::<f64>() / width as f64;
            let rstd = 1.0 / (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64 + f64::from(1e-5f32)).sqrt();
            kept[row * 2..row * 2 + 2].copy_from_slice(&[mean, rstd]);
            for (c, x) in x.iter().enumerate() {
                expected[row * width + c] = (x - mean) * rstd * bench.f(gamma, c);
            }
        }
        close("norm", &found, y, &expected, 2e-5);
        close("statistics", &found, statistics, &kept, 1e-5);
    }
}

#[test]
fn answers() {
    let Some(gpu) = adapter() else { return };
    for (rows, vocabulary, gap) in [(1, 1, 0), (3, 5, 2), (33, 24, 40), (17, 129, 1)] {
        let mut bench = Bench::new(rows as u64);
        let (logits, out) = (bench.rows(rows, vocabulary, gap), bench.rows(rows, 1, gap));
        if vocabulary > 4 {
            bench.memory[logits.at.offset + 1] = 9.0;
            bench.memory[logits.at.offset + 4] = 9.0;
        }
        bench.instructions.push(Instruction::Loss(Loss::Answer { logits, rows, vocabulary, out }));
        let found = bench.run(&gpu);
        let mut expected = bench.numbers(out.at, rows * out.stride);
        for row in 0..rows {
            let x = bench.numbers(logits.at.plus(row * logits.stride), vocabulary);
            let most = x.iter().copied().fold(f64::MIN, f64::max);
            expected[row * out.stride] = x.iter().position(|&x| x == most).unwrap() as f64;
        }
        close("answer", &found, out.at, &expected, 1e-7);
    }
}

#[test]
fn norms() {
    let Some(gpu) = adapter() else { return };
    for (index, (rows, width)) in [(7, 5), (33, 16), (65, 48), (130, 129), (1, 1)].into_iter().enumerate() {
        let (outputs, centred) = (1 + index % 2, index != 1);
        let mut bench = Bench::new(index as u64);
        let x = bench.array(rows * width);
        let shift = index % 2 == 0;
        let outs: Vec<Normed> = (0..outputs)
            .map(|_| Normed { gamma: bench.array(width), beta: shift.then(|| bench.array(width)), y: bench.array(rows * width) })
            .collect();
        let statistics = bench.array(rows * 2);
        let epsilon = 1e-5;
        bench.instructions.push(Instruction::Norm(Norm::Forward {
            x,
            outs: outs.clone(),
            statistics,
            rows,
            width,
            epsilon,
            centred,
            pitch: 1,
        }));
        let upstream: Vec<Normed> = outs.iter().map(|out| Normed { y: bench.array(rows * width), ..*out }).collect();
        let carried = (index % 2 == 1).then(|| bench.array(rows * width));
        let out = bench.array(rows * width);
        bench.instructions.push(Instruction::Norm(Norm::Backward {
            x,
            statistics,
            outs: upstream.clone(),
            carried,
            out,
            rows,
            width,
            centred,
        }));
        let sums = [bench.array(width), bench.array(width)];
        let sum = |factor, accumulate, out| ColumnSum {
            summands: vec![Summand { of: upstream[0].y, factor, rows }],
            width,
            out,
            step: 1,
            accumulate,
        };
        let list = vec![sum(Factor::One, true, sums[0]), sum(Factor::Normed(x, statistics), false, sums[1])];
        bench.instructions.push(Instruction::Grouped(Grouped::ColumnSums(list)));
        let found = bench.run(&gpu);

        let (mut gamma_sums, mut beta_sums) = (vec![0.0; width], vec![0.0; width]);
        for row in 0..rows {
            let at = |array: At, column: usize| bench.f(array, row * width + column);
            let size = width as f64;
            let mean = if centred { (0..width).map(|c| at(x, c)).sum::<f64>() / size } else { 0.0 };
            let variance = (0..width).map(|c| (at(x, c) - mean).powi(2)).sum::<f64>() / size;
            let rstd = 1.0 / (variance + f64::from(epsilon)).sqrt();
            close("statistics", &found, statistics.plus(row * 2), &[mean, rstd], 1e-5);
            let normed: Vec<f64> = (0..width).map(|c| (at(x, c) - mean) * rstd).collect();
            for out in &outs {
                let y: Vec<f64> =
                    (0..width).map(|c| bench.f(out.gamma, c) * normed[c] + out.beta.map_or(0.0, |beta| bench.f(beta, c))).collect();
                close("norm", &found, out.y.plus(row * width), &y, 2e-5);
            }
            let g: Vec<f64> = (0..width).map(|c| upstream.iter().map(|out| at(out.y, c) * bench.f(out.gamma, c)).sum()).collect();
            let shift = if centred { g.iter().sum::<f64>() / size } else { 0.0 };
            let along = g.iter().zip(&normed).map(|(g, normed)| g * normed).sum::<f64>() / size;
            let expected: Vec<f64> =
                (0..width).map(|c| rstd * (g[c] - shift - normed[c] * along) + carried.map_or(0.0, |carried| at(carried, c))).collect();
            // One number of one row: its gradient is the difference of large numbers.
            let tolerance = if width == 1 { 1e-3 } else { 5e-5 };
            close("norm backward", &found, out.plus(row * width), &expected, tolerance);
            for c in 0..width {
                gamma_sums[c] += at(upstream[0].y, c) * normed[c];
                beta_sums[c] += at(upstream[0].y, c);
            }
        }
        let beta_sums: Vec<f64> = beta_sums.iter().enumerate().map(|(c, sum)| sum + bench.f(sums[0], c)).collect();
        close("column sum", &found, sums[0], &beta_sums, 2e-5);
        close("normed column sum", &found, sums[1], &gamma_sums, 5e-5);
    }
}

#[test]
fn losses() {
    let Some(gpu) = adapter() else { return };
    for (rows, vocabulary) in [(7, 5), (33, 16), (65, 1), (130, 101), (300, 128)] {
        let mut bench = Bench::new(rows as u64);
        bench.words = vec![5];
        for row in 0..rows {
            let label = bench.probability.below(vocabulary) as u32;
            bench.words.push(if row % 3 == 1 { NO_LABEL } else { label });
        }
        let logits = bench.array(rows * vocabulary);
        for index in 0..rows * vocabulary {
            bench.memory[logits.offset + index] *= 6.0;
        }
        // The first of equals.
        if vocabulary > 4 {
            bench.memory[logits.offset + 1] = 9.0;
            bench.memory[logits.offset + 4] = 9.0;
        }
        let (rows_out, answers, gradient, scale) = (bench.array(rows * 2), bench.array(rows), bench.array(rows * vocabulary), 0.3);
        let totals = [bench.array(2), bench.array(2)];
        bench.instructions.push(Instruction::Loss(Loss::CrossEntropy {
            logits,
            labels: 1,
            rows,
            vocabulary,
            scale,
            rows_out,
            answers,
            gradient: Some(gradient),
        }));
        for (accumulate, out) in [false, true].into_iter().zip(totals) {
            bench.instructions.push(Instruction::Loss(Loss::Total { rows_in: rows_out, rows, out, accumulate }));
        }
        let found = bench.run(&gpu);
        let mut total = [0.0; 2];
        for row in 0..rows {
            let x: Vec<f64> = (0..vocabulary).map(|v| bench.f(logits, row * vocabulary + v)).collect();
            let most = x.iter().copied().fold(f64::MIN, f64::max);
            let best = x.iter().position(|&x| x == most).unwrap();
            let logsum = most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln();
            let label = bench.words[1 + row];
            let asked = label != NO_LABEL;
            let scale = if asked { f64::from(scale) } else { 0.0 };
            let loss = if asked { scale * (logsum - x[label as usize]) } else { 0.0 };
            let hit = f64::from(u8::from(label as usize == best));
            total = [total[0] + loss, total[1] + hit];
            close("loss", &found, rows_out.plus(row * 2), &[loss, hit], 1e-5);
            close("answer", &found, answers.plus(row), &[best as f64], 1e-9);
            let expected: Vec<f64> =
                (0..vocabulary).map(|v| scale * ((x[v] - logsum).exp() - f64::from(u8::from(v == label as usize)))).collect();
            close("gradient", &found, gradient.plus(row * vocabulary), &expected, 1e-5);
        }
        close("total", &found, totals[0], &total, 2e-5);
        let total = [total[0] + bench.f(totals[1], 0), total[1] + bench.f(totals[1], 1)];
        close("total", &found, totals[1], &total, 2e-5);
    }
}
