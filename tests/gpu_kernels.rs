//! Every WebGPU kernel against its equation in plain loops and double precision, at odd sizes.
//!
//! Needs a Vulkan, Metal or DirectX adapter (Debian: `apt-get install mesa-vulkan-drivers` gives one in software); says
//! `NOT RUN` where there is none.
#![cfg(feature = "webgpu")]

#[path = "gpu_kernels/attention.rs"]
mod attention;
#[path = "gpu_kernels/bench.rs"]
mod bench;
#[path = "gpu_kernels/products.rs"]
mod products;
#[path = "gpu_kernels/updates.rs"]
mod updates;

use bench::{Bench, adapter, close};
use lookahead::engine::program::{At, ColumnSum, Instruction, NOT_ASKED, Normed};

#[test]
fn embeddings() {
    let Some(gpu) = adapter() else { return };
    for (rows, width, vocabulary) in [(7, 5, 3), (33, 16, 9), (130, 129, 101), (65, 48, 1)] {
        let mut bench = Bench::new(rows as u64);
        // Two words before the tokens.
        bench.words = vec![77; 2];
        for _ in 0..rows {
            let token = bench.chance.below(vocabulary) as u32;
            bench.words.push(token);
        }
        let tokens: Vec<usize> = bench.words[2..].iter().map(|&token| token as usize).collect();
        let table = bench.array(vocabulary * width);
        let out = bench.array(rows * width);
        let gradient = bench.array(rows * width);
        let into = [bench.array(vocabulary * width), bench.array(vocabulary * width)];
        bench.instructions.push(Instruction::Embed { tokens: 2, table, out, rows, width });
        for (accumulate, out) in [false, true].into_iter().zip(into) {
            bench.instructions.push(Instruction::EmbedBackward { tokens: 2, gradient, out, rows, width, vocabulary, accumulate });
        }
        let found = bench.run(&gpu);
        let expected: Vec<f64> = (0..rows * width).map(|i| bench.f(table, tokens[i / width] * width + i % width)).collect();
        close("embed", &found, out, &expected, 1e-9);
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
fn selections() {
    let Some(gpu) = adapter() else { return };
    for (sequences, length, from, width) in [(1, 1, 0, 5), (3, 5, 4, 16), (2, 37, 3, 129), (7, 70, 0, 1)] {
        let mut bench = Bench::new(width as u64);
        let x = bench.array(sequences * length * width);
        let kept = length - from;
        let out = bench.array(sequences * kept * width);
        let back = bench.array(sequences * length * width);
        bench.instructions.push(Instruction::Select { x, out, sequences, length, from, width });
        bench.instructions.push(Instruction::SelectBackward { gradient: out, out: back, sequences, length, from, width });
        let found = bench.run(&gpu);
        let (mut chosen, mut put_back) = (Vec::new(), Vec::new());
        for sequence in 0..sequences {
            for index in 0..length * width {
                let number = bench.f(x, sequence * length * width + index);
                put_back.push(if index < from * width { 0.0 } else { number });
                if index >= from * width {
                    chosen.push(number);
                }
            }
        }
        close("select", &found, out, &chosen, 1e-9);
        close("select backward", &found, back, &put_back, 1e-9);
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
        bench.instructions.push(Instruction::Norm { x, outs: outs.clone(), statistics, rows, width, epsilon, centred });
        let upstream: Vec<Normed> = outs.iter().map(|out| Normed { y: bench.array(rows * width), ..*out }).collect();
        let carried = (index % 2 == 1).then(|| bench.array(rows * width));
        let out = bench.array(rows * width);
        bench.instructions.push(Instruction::NormBackward { x, statistics, outs: upstream.clone(), carried, out, rows, width, centred });
        let sums = [bench.array(width), bench.array(width)];
        let sum = |normed, accumulate, out| ColumnSum { of: upstream[0].y, normed, rows, width, out, accumulate };
        let list = vec![sum(None, true, sums[0]), sum(Some((x, statistics)), false, sums[1])];
        bench.instructions.push(Instruction::ColumnSums(list));
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
            let label = bench.chance.below(vocabulary) as u32;
            bench.words.push(if row % 3 == 1 { NOT_ASKED } else { label });
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
        bench.instructions.push(Instruction::CrossEntropy {
            logits,
            labels: 1,
            rows,
            vocabulary,
            scale,
            rows_out,
            answers,
            gradient: Some(gradient),
        });
        for (accumulate, out) in [false, true].into_iter().zip(totals) {
            bench.instructions.push(Instruction::Total { rows_in: rows_out, rows, out, accumulate });
        }
        let found = bench.run(&gpu);
        let mut total = [0.0; 2];
        for row in 0..rows {
            let x: Vec<f64> = (0..vocabulary).map(|v| bench.f(logits, row * vocabulary + v)).collect();
            let most = x.iter().copied().fold(f64::MIN, f64::max);
            let best = x.iter().position(|&x| x == most).unwrap();
            let logsum = most + x.iter().map(|x| (x - most).exp()).sum::<f64>().ln();
            let label = bench.words[1 + row];
            let asked = label != NOT_ASKED;
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
