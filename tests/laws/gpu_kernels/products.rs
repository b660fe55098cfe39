//! Matrix products and GELU.

use super::bench::{Bench, adapter, close};
use lookahead::engine::program::{Form, Grouped, Instruction, Product, Rows, Term};

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
    // Every other row of what stands beside the sum, unless that is the result itself.
    let pitch = if epilogue == 3 || epilogue == 5 { 2 } else { 1 };
    Product {
        form,
        m,
        n,
        terms,
        scale: 0.7,
        biases,
        add: if own { Some(out.at) } else { (epilogue >= 2).then(|| bench.array(pitch * m * n)) },
        add_scale: -1.3,
        pitch,
        gelu: (epilogue == 3 || epilogue == 5).then(|| bench.array(pitch * m * n)),
        slope: (epilogue == 2 || epilogue == 5).then(|| bench.array(pitch * m * n)),
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
            let index = row * product.pitch * product.n + column;
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
        for (index, size) in
            [(7, 5, 16), (33, 16, 48), (65, 129, 5), (130, 48, 129), (1, 1, 1), (520, 33, 520), (700, 70, 800)].into_iter().enumerate()
        {
            let mut bench = Bench::new(index as u64);
            let mut list: Vec<Product> = Vec::new();
            for epilogue in if index < 5 { 0..6 } else { 3..4 } {
                list.push(product(&mut bench, form, size, 1 + epilogue % 3, epilogue));
            }
            bench.instructions.push(Instruction::Grouped(Grouped::Products(list.clone())));
            check(&bench, &list, &bench.run(&gpu), &format!("{form:?} {size:?}"));
            check(&bench, &list, &bench.run(&gpu.clone().as_hardware()), &format!("small tiles, {form:?} {size:?}"));
        }
    }
}

/// Compares each product's results with what they should be.
fn check(bench: &Bench, list: &[Product], found: &[f32], what: &str) {
    for (epilogue, product) in list.iter().enumerate() {
        let (out, z) = expected_product(bench, product);
        for row in 0..product.m {
            let row_of = &out[row * product.n..(row + 1) * product.n];
            let what = format!("{what} epilogue {epilogue}");
            close(&what, found, product.out.at.plus(row * product.out.stride), row_of, 2e-5);
        }
        if let Some(at) = product.gelu {
            for row in 0..product.m {
                let at = at.plus(row * product.pitch * product.n);
                close("z", found, at, &z[row * product.n..(row + 1) * product.n], 2e-5);
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
        pitch: 1,
        gelu: Some(bench.array(n)),
        slope: None,
        out,
    };
    let ones = bench.array(n);
    bench.memory[ones.offset..ones.offset + n].fill(1.0);
    let two = Product { biases: vec![ones], gelu: None, slope: Some(bias), out: slopes, ..one.clone() };
    bench.instructions.push(Instruction::Grouped(Grouped::Products(vec![one, two])));
    let found = bench.run(&gpu);
    let z: Vec<f64> = (0..n).map(|index| bench.f(bias, index)).collect();
    close("gelu", &found, out.at, &z.iter().map(|&z| z * normal(z)).collect::<Vec<_>>(), 4e-7);
    close("slope", &found, slopes.at, &z.iter().map(|&z| slope(z)).collect::<Vec<_>>(), 4e-7);
}
