//! Adaptive computation time, on its own and within a chain, against the same written plainly.

use super::{Case, Plain, compare, labels, numbers, plain_linear};
use burn_tensor::activation::sigmoid;
use burn_tensor::{Tensor, TensorData};

/// `h ← h + h Wᵀ`, `hops` times; the mean of what it gives, by Graves's weights.
fn plain_act(plain: &Plain, hops: usize) -> Tensor<2> {
    let (w, bias) = (plain.matrix("halting"), plain.vector("bias"));
    let mut h = plain.embedded();
    let (mut chances, mut states) = (Vec::new(), Vec::new());
    for _ in 0..hops {
        chances.push(sigmoid(h.clone().matmul(w.clone().transpose()) + bias.clone().unsqueeze()));
        h = h.clone() + h.matmul(plain.matrix("f").transpose());
        states.push(h.clone());
    }
    let values: Vec<Vec<f32>> = chances.iter().map(|chance| numbers(chance.clone().inner())).collect();
    let rows = values[0].len();
    let halted: Vec<usize> = (0..rows)
        .map(|row| {
            let sums = values.iter().scan(0.0, |sum, chance| {
                *sum += chance[row];
                Some(*sum)
            });
            sums.take(hops - 1).position(|sum| sum >= 0.9).unwrap_or(hops - 1)
        })
        .collect();
    let distinct: std::collections::HashSet<_> = halted.iter().collect();
    assert!(distinct.len() > 1, "every row halts after as many hops, so nothing was tested: {halted:?}");
    let mask = |holds: &dyn Fn(usize) -> bool| {
        let values: Vec<f32> = halted.iter().map(|&last| if holds(last) { 1.0 } else { 0.0 }).collect();
        Tensor::<2>::from_data(TensorData::new(values, [rows, 1]), &h.device())
    };
    let spent = (0..hops).map(|hop| chances[hop].clone() * mask(&|last| hop < last)).reduce(|sum, part| sum + part).unwrap();
    let remainder = spent.neg().add_scalar(1.0);
    let weight = |hop: usize| chances[hop].clone() * mask(&|last| hop < last) + remainder.clone() * mask(&|last| hop == last);
    (0..hops).map(|hop| weight(hop) * states[hop].clone()).reduce(|sum, part| sum + part).unwrap()
}

#[test]
fn adaptive_computation_time() {
    for (sequences, length, width, hops, chained) in
        [(1, 9, 5, 2, false), (3, 7, 12, 4, false), (2, 33, 33, 3, false), (1, 9, 5, 4, true), (3, 7, 12, 3, true)]
    {
        let rows = sequences * length;
        compare(&Case {
            name: format!("{hops} hops of {sequences} × {length} × {width}, in a chain: {chained}"),
            shapes: vec![("x", vec![rows, width]), ("halting", vec![1, width]), ("bias", vec![1]), ("f", vec![width, width])],
            tokens: (0..rows as u32).collect(),
            labels: labels(rows, width),
            record: Box::new(move |recorder, tokens| {
                let x = recorder.embedding(recorder.weight("x"), tokens, rows);
                let record = |recorder: &mut lookahead::engine::Recorder| {
                    // So that a chain begins with something of its own.
                    let mut h = recorder.segment(x, length, 0..length, None);
                    let (mut scores, mut states) = (Vec::new(), Vec::new());
                    for hop in 0..hops {
                        if hop + 1 < hops {
                            let mut score = plain_linear(h, recorder.weight("halting"));
                            score.bias = Some(recorder.weight("bias"));
                            scores.push(recorder.linear(score));
                        }
                        let f = recorder.weight("f");
                        h = recorder.residual(h, [(h, f, None)]);
                        states.push(h);
                    }
                    let weights = recorder.halting(0, &scores);
                    recorder.mixture(&states, weights)
                };
                if chained { recorder.chain(sequences, record) } else { record(recorder) }
            }),
            plain: Box::new(move |plain| plain_act(plain, hops)),
        });
    }
}
