//! Attention.

use super::bench::{Bench, adapter, close};
use lookahead::engine::program::{At, Attention, AttentionShape, Instruction};

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
    let shapes = [
        (2, 1, 1, 2, 2),
        (3, 5, 2, 6, 2),
        (2, 37, 3, 32, 16),
        (1, 70, 2, 32, 0),
        (2, 130, 1, 6, 6),
        (1, 33, 2, 48, 24),
        (1, 65, 1, 64, 16),
    ];
    for (sequences, length, heads, head, rotary) in shapes {
        let shape = AttentionShape { sequences, length, heads, head, rotary };
        let mut bench = Bench::new(length as u64);
        // Three numbers before the rotary_table.
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
        bench.instructions.push(Instruction::Attention(Attention::Forward { shape, qkv, rotary_table: 3, out, sums }));
        bench.instructions.push(Instruction::Attention(Attention::Backward { shape, qkv, rotary_table: 3, out, sums, gradient, into }));
        let found = bench.run(&gpu);
        let (outs, kept, gradients) = attention(&bench, &shape, qkv, gradient);
        let what = format!("{shape:?}");
        close(&what, &found, out, &outs, 2e-5);
        close(&what, &found, sums, &kept, 2e-5);
        close(&what, &found, into, &gradients, 5e-5);

        // One position by itself: its row, and no other.
        for position in [0, length / 2, length - 1] {
            bench.instructions = vec![Instruction::Attention(Attention::AtPosition { shape, qkv, rotary_table: 3, out, position })];
            let mut expected = bench.numbers(out, numbers);
            for sequence in 0..sequences {
                let row = (sequence * length + position) * heads * head;
                expected[row..row + heads * head].copy_from_slice(&outs[row..row + heads * head]);
            }
            for gpu in [gpu.clone(), gpu.clone().as_hardware()] {
                close(&format!("{what} at {position}"), &bench.run(&gpu), out, &expected, 2e-5);
            }
        }
    }
}
