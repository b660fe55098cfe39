//! Features and recall.

use super::bench::{Bench, adapter, close};
use lookahead::engine::program::{Associative, FEATURES, Features, Instruction, Memory, MemoryShape, Recall, Window};

#[test]
fn features() {
    let Some(gpu) = adapter() else { return };
    for (rows, width, pitch) in [(1, 1, 1), (3, 5, 7), (33, 24, 1), (17, 129, 2)] {
        let mut bench = Bench::new(rows as u64);
        let x = bench.array(rows * pitch * width);
        // A row without features.
        bench.memory[x.offset..x.offset + width].fill(0.0);
        let (out, norms) = (bench.array(rows * pitch * FEATURES * width), bench.array(rows * pitch));
        bench.instructions.push(Instruction::Associative(Associative::Features(Features { x, out, norms, rows, width, pitch })));
        let found = bench.run(&gpu);
        let mut expected = bench.numbers(out, rows * pitch * FEATURES * width);
        let mut divisors = bench.numbers(norms, rows * pitch);
        for row in (0..rows).map(|row| row * pitch) {
            let x = bench.numbers(x.plus(row * width), width);
            let both: Vec<f64> = x.iter().map(|x| x.max(0.0)).chain(x.iter().map(|x| (-x).max(0.0))).collect();
            let products: Vec<f64> = (1..=FEATURES / 2)
                .flat_map(|roll| {
                    let mut rolled = both.clone();
                    rolled.rotate_right(roll % both.len());
                    both.iter().zip(rolled).map(|(one, other)| one * other).collect::<Vec<_>>()
                })
                .collect();
            let norm = products.iter().map(|product| product * product).sum::<f64>().sqrt().max(1e-12);
            divisors[row] = norm;
            for (index, product) in products.iter().enumerate() {
                expected[row * FEATURES * width + index] = product / norm;
            }
        }
        close("norms", &found, norms, &divisors, 1e-5);
        close("features", &found, out, &expected, 1e-5);
    }
}

#[test]
fn recall() {
    let Some(gpu) = adapter() else { return };
    for (sequences, rows, features, width, from, count) in
        [(1, 1, 6, 1, 0, 1), (3, 17, 30, 5, 0, 17), (5, 33, 144, 24, 32, 1), (3, 40, 30, 129, 17, 9)]
    {
        let mut bench = Bench::new(rows as u64);
        let numbers = sequences * rows;
        let [x, out] = [0; 2].map(|_| bench.array(numbers * width));
        let (queries, divisors) = (bench.array(numbers * features), bench.array(numbers));
        let memory = Memory { a: bench.array(sequences * features * width), z: bench.array(sequences * features) };
        // Features are not negative.
        for at in (queries.offset..queries.offset + numbers * features).chain(memory.z.offset..memory.z.offset + sequences * features) {
            bench.memory[at] = bench.memory[at].abs();
        }
        let window = Window { sequences, length: rows, from, count };
        let shape = MemoryShape { sequences, rows, features, width };
        bench.instructions.push(Instruction::Associative(Associative::Recall(Recall { window, shape, x, queries, memory, out, divisors })));
        let found = bench.run(&gpu);
        let (mut expected, mut kept) = (bench.numbers(out, numbers * width), bench.numbers(divisors, numbers));
        for row in (0..numbers).filter(|row| (from..from + count).contains(&(row % rows))) {
            let sequence = row / rows;
            let query = bench.numbers(queries.plus(row * features), features);
            let z = bench.numbers(memory.z.plus(sequence * features), features);
            kept[row] = query.iter().zip(z).map(|(q, z)| q * z).sum::<f64>() + 1e-5;
            for column in 0..width {
                let read = |(f, q): (usize, &f64)| q * bench.f(memory.a, (sequence * features + f) * width + column);
                let sum: f64 = query.iter().enumerate().map(read).sum();
                expected[row * width + column] = bench.f(x, row * width + column) + sum / kept[row];
            }
        }
        close("divisors", &found, divisors, &kept, 1e-5);
        close("recall", &found, out, &expected, 2e-5);
    }
}
