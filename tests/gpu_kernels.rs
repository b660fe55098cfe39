//! Every WebGPU kernel against its equation in plain loops and double precision, at odd sizes.
//!
//! Needs a Vulkan, Metal or DirectX adapter (Debian: `apt-get install mesa-vulkan-drivers` gives one in software); says
//! `NOT RUN` where there is none.
#![cfg(feature = "webgpu")]

use lookahead::engine::gpu::{self, Gpu, Resident};
use lookahead::engine::program::{
    At, AttentionShape, ColumnSum, Form, Instruction, NOT_ASKED, Normed, Product, Program, Rows, Term,
};
use lookahead::engine::update::{EPSILON, Matrix, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS, Rates, Update};

/// The adapter, or None with a word of why.
fn adapter() -> Option<Gpu> {
    match pollster::block_on(gpu::open(|fault| eprintln!("{fault}"))) {
        Ok(gpu) => Some(gpu),
        Err(error) => {
            eprintln!("NOT RUN: {error}");
            None
        }
    }
}

/// Numbers in ±1 that look like chance.
struct Chance(u64);

impl Chance {
    fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.number() + 1.0) * 0.5 * end as f32) as usize % end
    }
}

/// A memory that is laid out array after array, and the instructions on it.
struct Bench {
    memory: Vec<f32>,
    chance: Chance,
    instructions: Vec<Instruction>,
    constants: Vec<f32>,
    words: Vec<u32>,
}

impl Bench {
    fn new(seed: u64) -> Self {
        Self { memory: Vec::new(), chance: Chance(seed), instructions: Vec::new(), constants: Vec::new(), words: Vec::new() }
    }

    /// An array of chance numbers.
    fn array(&mut self, count: usize) -> At {
        let offset = self.memory.len();
        for _ in 0..count {
            let number = self.chance.number();
            self.memory.push(number);
        }
        At { buffer: 0, offset }
    }

    /// Runs the instructions on the device, as a program whose weights are the whole memory.
    fn run(&self, gpu: &Gpu) -> Vec<f32> {
        let update = Update { adamw: Vec::new(), muon: Vec::new(), weight_decay: 0.0, clip_value: 0.0, clip_norm: 0.0 };
        let mut resident = Resident::new(gpu, update, &self.memory).unwrap();
        let program = resident.add(self.program());
        resident.run(program, &self.words);
        pollster::block_on(resident.read(0, self.memory.len())).unwrap()
    }

    fn program(&self) -> Program {
        Program {
            instructions: self.instructions.clone(),
            base: vec![0],
            weights: self.memory.len(),
            constants: self.constants.clone(),
            size: 2 * self.memory.len() + 2,
            words: self.words.len(),
            total: None,
            answers: None,
            logits: None,
        }
    }

    fn f(&self, at: At, index: usize) -> f64 {
        f64::from(self.memory[at.offset + index])
    }
}

/// Each number within `tolerance` of what it should be, relative to what is larger than 1.
fn close(what: &str, found: &[f32], at: At, expected: &[f64], tolerance: f64) {
    for (index, &expected) in expected.iter().enumerate() {
        let found = f64::from(found[at.offset + index]);
        let error = (found - expected).abs() / expected.abs().max(1.0);
        assert!(error < tolerance, "{what}: number {index} is {found}, not {expected}");
    }
}

fn erf(x: f64) -> f64 {
    // Taylor near zero, the continued fraction of the complement beyond.
    if x.abs() < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    let t = x.abs();
    let fraction = (1..120).rev().fold(t, |below, n| t + f64::from(n) * 0.5 / below);
    (1.0 - (-t * t).exp() / (fraction * std::f64::consts::PI.sqrt())) * x.signum()
}

fn normal(z: f64) -> f64 {
    0.5 * (1.0 + erf(z * std::f64::consts::FRAC_1_SQRT_2))
}

fn slope(z: f64) -> f64 {
    normal(z) + z * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

fn product(bench: &mut Bench, form: Form, (m, k, n): (usize, usize, usize), terms: usize, epilogue: usize) -> Product {
    let terms = (0..terms)
        .map(|term| {
            // Unequal inner dimensions and rows further apart than they are long.
            let (k, gap) = (k + term, term * 3);
            let (a, b) = match form {
                Form::Nt => ((m, k), (n, k)),
                Form::Nn => ((m, k), (k, n)),
                Form::Tn => ((k, m), (k, n)),
            };
            let mut operand = |(rows, width): (usize, usize)| Rows { at: bench.array(rows * (width + gap)), stride: width + gap };
            Term { a: operand(a), b: operand(b), k }
        })
        .collect();
    let gap = epilogue % 2 * 5;
    let out = Rows { at: bench.array(m * (n + gap)), stride: n + gap };
    let biases = (0..epilogue % 3).map(|_| bench.array(n)).collect();
    let own = epilogue == 4;
    Product {
        form,
        m,
        n,
        terms,
        scale: 0.7,
        biases,
        add: if own { Some(out.at) } else { (epilogue >= 2).then(|| bench.array(m * n)) },
        add_scale: -1.3,
        gelu: (epilogue == 3 || epilogue == 5).then(|| bench.array(m * n)),
        slope: (epilogue == 2 || epilogue == 5).then(|| bench.array(m * n)),
        out,
    }
}

/// What a product's `out` and `z` should be.
fn expected_product(bench: &Bench, product: &Product) -> (Vec<f64>, Vec<f64>) {
    let (mut out, mut z) = (Vec::new(), Vec::new());
    for row in 0..product.m {
        for column in 0..product.n {
            let mut sum = 0.0;
            for Term { a, b, k } in &product.terms {
                for k in 0..*k {
                    let (left, right) = match product.form {
                        Form::Nt => (row * a.stride + k, column * b.stride + k),
                        Form::Nn => (row * a.stride + k, k * b.stride + column),
                        Form::Tn => (k * a.stride + row, k * b.stride + column),
                    };
                    sum += bench.f(a.at, left) * bench.f(b.at, right);
                }
            }
            let index = row * product.n + column;
            let mut value = sum * f64::from(product.scale);
            value += product.biases.iter().map(|&bias| bench.f(bias, column)).sum::<f64>();
            value += product.add.map_or(0.0, |add| f64::from(product.add_scale) * bench.f(add, index));
            z.push(value);
            if product.gelu.is_some() {
                value *= normal(value);
            }
            out.push(value * product.slope.map_or(1.0, |z| slope(bench.f(z, index))));
        }
    }
    (out, z)
}

#[test]
fn products() {
    let Some(gpu) = adapter() else { return };
    for form in [Form::Nt, Form::Nn, Form::Tn] {
        for (index, size) in [(7, 5, 16), (33, 16, 48), (65, 129, 5), (130, 48, 129), (1, 1, 1), (520, 33, 520), (700, 70, 800)].into_iter().enumerate() {
            let mut bench = Bench::new(index as u64);
            let mut list: Vec<Product> = Vec::new();
            for epilogue in if index < 5 { 0..6 } else { 3..4 } {
                list.push(product(&mut bench, form, size, 1 + epilogue % 3, epilogue));
            }
            bench.instructions.push(Instruction::Products(list.clone()));
            let found = bench.run(&gpu);
            for (epilogue, product) in list.iter().enumerate() {
                let (out, z) = expected_product(&bench, product);
                for row in 0..product.m {
                    let row_of = &out[row * product.n..(row + 1) * product.n];
                    let what = format!("{form:?} {size:?} epilogue {epilogue}");
                    close(&what, &found, product.out.at.plus(row * product.out.stride), row_of, 2e-5);
                }
                if let Some(at) = product.gelu {
                    close("z", &found, at, &z, 2e-5);
                }
            }
        }
    }
}

#[test]
fn gelu_of_large_and_small_numbers() {
    let Some(gpu) = adapter() else { return };
    let mut bench = Bench::new(1);
    let n = 4001;
    let zero = Rows { at: bench.array(1), stride: 1 };
    bench.memory[0] = 0.0;
    let row = Rows { at: bench.array(n), stride: n };
    let bias = bench.array(n);
    for index in 0..n {
        bench.memory[bias.offset + index] = (index as f32 - 2000.0) * 0.01;
    }
    let out = Rows { at: bench.array(n), stride: n };
    let slopes = Rows { at: bench.array(n), stride: n };
    let one = Product {
        form: Form::Nn,
        m: 1,
        n,
        terms: vec![Term { a: zero, b: row, k: 1 }],
        scale: 1.0,
        biases: vec![bias],
        add: None,
        add_scale: 0.0,
        gelu: Some(bench.array(n)),
        slope: None,
        out,
    };
    let ones = bench.array(n);
    bench.memory[ones.offset..ones.offset + n].fill(1.0);
    let two = Product { biases: vec![ones], gelu: None, slope: Some(bias), out: slopes, ..one.clone() };
    bench.instructions.push(Instruction::Products(vec![one, two]));
    let found = bench.run(&gpu);
    let z: Vec<f64> = (0..n).map(|index| bench.f(bias, index)).collect();
    close("gelu", &found, out.at, &z.iter().map(|&z| z * normal(z)).collect::<Vec<_>>(), 4e-7);
    close("slope", &found, slopes.at, &z.iter().map(|&z| slope(z)).collect::<Vec<_>>(), 4e-7);
}

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
            let expected: Vec<f64> = (0..width)
                .map(|c| rstd * (g[c] - shift - normed[c] * along) + carried.map_or(0.0, |carried| at(carried, c)))
                .collect();
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

/// Attention by its definition: output, highest scores and inverse sums, and the gradient of `qkv`.
fn attention(bench: &Bench, shape: &AttentionShape, qkv: At, upstream: At) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let AttentionShape { sequences, length, heads, head, rotary } = *shape;
    let half = rotary / 2;
    let scale = 1.0 / (head as f64).sqrt();
    let mut out = vec![0.0; sequences * length * heads * head];
    let mut kept = Vec::new();
    let mut gradient = vec![0.0; out.len() * 3];
    let angle = |position: usize, i: usize| -> (f64, f64) {
        (f64::from(bench.constants[3 + position * rotary + i]), f64::from(bench.constants[3 + position * rotary + half + i]))
    };
    for sequence in 0..sequences {
        for h in 0..heads {
            let base = |position: usize, part: usize| (((sequence * length + position) * heads + h) * 3 + part) * head;
            let row = |position: usize| ((sequence * length + position) * heads + h) * head;
            let load = |position: usize, part: usize| -> Vec<f64> {
                let x: Vec<f64> = (0..head).map(|d| bench.f(qkv, base(position, part) + d)).collect();
                let mut turned = x.clone();
                for i in 0..half {
                    let (cosine, sine) = angle(position, i);
                    turned[i] = x[i] * cosine - x[i + half] * sine;
                    turned[i + half] = x[i + half] * cosine + x[i] * sine;
                }
                if part < 2 { turned } else { x }
            };
            let [q, k, v] = [0, 1, 2].map(|part| (0..length).map(|position| load(position, part)).collect::<Vec<_>>());
            let mut changes = [q.clone(), k.clone(), v.clone()].map(|rows| vec![vec![0.0; head]; rows.len()]);
            for i in 0..length {
                let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
                let scores: Vec<f64> = (0..=i).map(|j| dot(&q[i], &k[j]) * scale).collect();
                let most = scores.iter().copied().fold(f64::MIN, f64::max);
                let logsum = most + scores.iter().map(|score| (score - most).exp()).sum::<f64>().ln();
                kept.extend([most, (most - logsum).exp()]);
                let above: Vec<f64> = (0..head).map(|d| bench.f(upstream, row(i) + d)).collect();
                for (j, score) in scores.iter().enumerate() {
                    for d in 0..head {
                        out[row(i) + d] += (score - logsum).exp() * v[j][d];
                    }
                }
                let delta = dot(&above, &out[row(i)..row(i) + head]);
                for (j, score) in scores.iter().enumerate() {
                    let weight = (score - logsum).exp();
                    let change = weight * (dot(&above, &v[j]) - delta) * scale;
                    for d in 0..head {
                        changes[0][i][d] += change * k[j][d];
                        changes[1][j][d] += change * q[i][d];
                        changes[2][j][d] += weight * above[d];
                    }
                }
            }
            for (part, changes) in changes.iter().enumerate() {
                for (position, change) in changes.iter().enumerate() {
                    let mut back = change.clone();
                    for i in 0..if part < 2 { half } else { 0 } {
                        let (cosine, sine) = angle(position, i);
                        back[i] = change[i] * cosine + change[i + half] * sine;
                        back[i + half] = change[i + half] * cosine - change[i] * sine;
                    }
                    gradient[base(position, part)..base(position, part) + head].copy_from_slice(&back);
                }
            }
        }
    }
    (out, kept, gradient)
}

#[test]
fn attentions() {
    let Some(gpu) = adapter() else { return };
    let shapes = [(2, 1, 1, 2, 2), (3, 5, 2, 6, 2), (2, 37, 3, 32, 16), (1, 70, 2, 32, 0), (2, 130, 1, 6, 6), (1, 33, 2, 48, 24), (1, 65, 1, 64, 16)];
    for (sequences, length, heads, head, rotary) in shapes {
        let shape = AttentionShape { sequences, length, heads, head, rotary };
        let mut bench = Bench::new(length as u64);
        // Three numbers before the turns.
        bench.constants = vec![0.5; 3];
        for position in 0..length {
            let angles: Vec<f32> = (0..rotary / 2).map(|i| position as f32 * 0.3f32.powi(i as i32)).collect();
            bench.constants.extend(angles.iter().map(|angle| angle.cos()));
            bench.constants.extend(angles.iter().map(|angle| angle.sin()));
        }
        let numbers = sequences * length * heads * head;
        let qkv = bench.array(3 * numbers);
        for index in 0..3 * numbers {
            bench.memory[qkv.offset + index] *= 2.0;
        }
        let out = bench.array(numbers);
        let sums = bench.array(sequences * heads * length * 2);
        let gradient = bench.array(numbers);
        let into = bench.array(3 * numbers);
        bench.instructions.push(Instruction::Attention { shape, qkv, turns: 3, out, sums });
        bench.instructions.push(Instruction::AttentionBackward { shape, qkv, turns: 3, out, sums, gradient, into });
        let found = bench.run(&gpu);
        let (outs, kept, gradients) = attention(&bench, &shape, qkv, gradient);
        let what = format!("{shape:?}");
        close(&what, &found, out, &outs, 2e-5);
        close(&what, &found, sums, &kept, 2e-5);
        close(&what, &found, into, &gradients, 5e-5);
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
        let gradient = Some(gradient);
        bench.instructions.push(Instruction::CrossEntropy { logits, labels: 1, rows, vocabulary, scale, rows_out, answers, gradient });
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
            close("gradient", &found, gradient.unwrap().plus(row * vocabulary), &expected, 1e-5);
        }
        close("total", &found, totals[0], &total, 2e-5);
        let total = [total[0] + bench.f(totals[1], 0), total[1] + bench.f(totals[1], 1)];
        close("total", &found, totals[1], &total, 2e-5);
    }
}

/// [`Update`] in double precision.
fn apply(update: &Update, rates: &Rates, weights: &mut [f64], gradient: &[f64], first: &mut [f64], second: &mut [f64]) {
    let bound = if update.clip_value > 0.0 { f64::from(update.clip_value) } else { f64::MAX };
    let mut g: Vec<f64> = gradient.iter().map(|g| g.clamp(-bound, bound)).collect();
    if update.clip_norm > 0.0 {
        let norm = g.iter().map(|g| g * g).sum::<f64>().sqrt();
        let factor = (f64::from(update.clip_norm) / (norm + 1e-6)).min(1.0);
        g.iter_mut().for_each(|g| *g *= factor);
    }
    let decay = f64::from(update.weight_decay);
    for index in update.adamw.iter().flat_map(Clone::clone) {
        first[index] = 0.9 * first[index] + 0.1 * g[index];
        second[index] = 0.999 * second[index] + 0.001 * g[index] * g[index];
        let root = (second[index] / f64::from(rates.corrections.1)).sqrt();
        let step = first[index] / f64::from(rates.corrections.0) / (root + f64::from(EPSILON));
        weights[index] = weights[index] * (1.0 - f64::from(rates.adamw) * decay) - f64::from(rates.adamw) * step;
    }
    for Matrix { offset, rows, columns } in &update.muon {
        let (rows, columns) = (*rows, *columns);
        let at = |r: usize, c: usize| offset + r * columns + c;
        let (small, large) = (rows.min(columns), rows.max(columns));
        let place = |s: usize, l: usize| if rows > columns { at(l, s) } else { at(s, l) };
        let mut x = vec![vec![0.0; large]; small];
        for (s, row) in x.iter_mut().enumerate() {
            for (l, x) in row.iter_mut().enumerate() {
                let index = place(s, l);
                first[index] = 0.95 * first[index] + 0.05 * g[index];
                *x = 0.95 * first[index] + 0.05 * g[index];
            }
        }
        let norm = x.iter().flatten().map(|x| x * x).sum::<f64>().sqrt() + 1e-7;
        x.iter_mut().flatten().for_each(|x| *x /= norm);
        let (a, b, c) = NEWTON_SCHULZ;
        let (a, b, c) = (f64::from(a), f64::from(b), f64::from(c));
        for _ in 0..NEWTON_SCHULZ_STEPS {
            let gram: Vec<Vec<f64>> =
                x.iter().map(|left| x.iter().map(|right| left.iter().zip(right).map(|(l, r)| l * r).sum()).collect()).collect();
            let multiply = |left: &[Vec<f64>], right: &[Vec<f64>]| -> Vec<Vec<f64>> {
                left.iter()
                    .map(|row| (0..right[0].len()).map(|j| row.iter().zip(right).map(|(x, row)| x * row[j]).sum()).collect())
                    .collect()
            };
            let mut polynomial = multiply(&gram, &gram);
            for (row, gram) in polynomial.iter_mut().zip(&gram) {
                row.iter_mut().zip(gram).for_each(|(p, gram)| *p = c * *p + b * gram);
            }
            let product = multiply(&polynomial, &x);
            for (row, product) in x.iter_mut().zip(&product) {
                row.iter_mut().zip(product).for_each(|(x, product)| *x = a * *x + product);
            }
        }
        let factor = f64::from(rates.muon) * (rows as f64 / columns as f64).max(1.0).sqrt();
        for (s, row) in x.iter().enumerate() {
            for (l, x) in row.iter().enumerate() {
                let weight = &mut weights[place(s, l)];
                *weight = *weight * (1.0 - f64::from(rates.muon) * decay) - factor * x;
            }
        }
    }
}

#[test]
fn updates() {
    let Some(gpu) = adapter() else { return };
    let count = 9000;
    let matrices = vec![
        Matrix { offset: 100, rows: 16, columns: 48 },
        Matrix { offset: 900, rows: 65, columns: 33 },
        Matrix { offset: 3100, rows: 5, columns: 5 },
    ];
    let settings = [(true, 0.0, 0.0), (true, 0.5, 0.0), (false, 0.0, 3.0), (false, 0.5, 3.0), (false, 0.0, 0.0)];
    for (all_adamw, clip_value, clip_norm) in settings {
        let update = Update {
            adamw: if all_adamw { std::iter::once(0..count).collect() } else { vec![0..100, 868..900, 3125..count] },
            muon: if all_adamw { Vec::new() } else { matrices.clone() },
            weight_decay: 0.1,
            clip_value,
            clip_norm,
        };
        let mut bench = Bench::new(3);
        bench.array(count);
        let one = bench.array(count);
        let two = bench.array(count);
        let start: Vec<f32> = bench.memory[..count].to_vec();
        let mut resident = Resident::new(&gpu, update.clone(), &start).unwrap();
        // The gradient of a step is looked up: row `token` of a table that follows the total.
        let base = vec![0, count, 2 * count + 2];
        let table = At { buffer: 2, offset: 0 };
        let gradient = At { buffer: 1, offset: 0 };
        let program = Program {
            instructions: vec![Instruction::Embed { tokens: 0, table, out: gradient, rows: 1, width: count }],
            base,
            weights: count,
            constants: Vec::new(),
            size: 4 * count + 2,
            words: 1,
            total: Some(At { buffer: 1, offset: count }),
            answers: None,
            logits: None,
        };
        let gradients = [one, two].map(|at| bench.memory[at.offset..at.offset + count].to_vec());
        let program = resident.add(program);
        pollster::block_on(resident.warm_up()).unwrap();
        resident.set_memory(2 * count + 2, &gradients.concat());
        let mut weights: Vec<f64> = start.iter().map(|&weight| f64::from(weight)).collect();
        let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
        for step in 0..6 {
            let t = step + 1;
            let rates = Rates { adamw: 0.01, muon: 0.02, corrections: (1.0 - 0.9f32.powi(t), 1.0 - 0.999f32.powi(t)) };
            resident.run(program, &[step as u32 % 2]);
            resident.update(&rates, step as usize);
            let gradient: Vec<f64> = gradients[step as usize % 2].iter().map(|&g| f64::from(g)).collect();
            apply(&update, &rates, &mut weights, &gradient, &mut first, &mut second);
        }
        let origin = At { buffer: 0, offset: 0 };
        let what = format!("muon {} value {clip_value} norm {clip_norm}", !all_adamw);
        let found = pollster::block_on(resident.read(0, count)).unwrap();
        close(&what, &found, origin, &weights, 1e-4);
        let moments = pollster::block_on(resident.moments()).unwrap();
        close(&what, &moments.0, origin, &first, 1e-5);
        close(&what, &moments.1, origin, &second, 1e-5);
    }
}
