//! Clipping, AdamW and Muon.

use super::bench::{Bench, adapter, close};
use lookahead::engine::gpu::Resident;
use lookahead::engine::program::{At, Embed, Instruction, Program, Rows, Tokens};
use lookahead::engine::update::{EPSILON, Matrix, NEWTON_SCHULZ, NEWTON_SCHULZ_STEPS, Rates, Update};

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
            instructions: vec![Instruction::Embed(Embed::Forward {
                tokens: Tokens::Words(0),
                table,
                out: Rows { at: gradient, stride: count },
                rows: 1,
                width: count,
            })],
            spans: Vec::new(),
            base,
            weights: count,
            constants: Vec::new(),
            size: 4 * count + 2,
            words: 1,
            chains: Vec::new(),
            total: Some(At { buffer: 1, offset: count }),
            answers: None,
            generated: None,
            halting_log: None,
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
