//! The Muon optimiser against its reference, in both classes of arithmetic: `tests/golden/muon.json` says which.

use crate::common::{kernels, numbers};
use lookahead::config::{Optimizer, RunConfig, TrainingConfig};
use lookahead::engine::cpu::{Moments, Updater};
use lookahead::train::optimizer;
use serde_json::Value;

/// Largest difference over the largest true value.
fn error(found: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    found.iter().zip(truth).fold(0.0f64, |error, (found, truth)| error.max((f64::from(*found) - truth).abs())) / largest
}

#[test]
fn muon_equals_the_reference() {
    let golden: Value = serde_json::from_str(include_str!("../golden/muon.json")).unwrap();
    let cases = golden["cases"].as_array().unwrap().iter();
    for (case, kernel) in cases.flat_map(|case| kernels().into_iter().map(move |kernel| (case, kernel))) {
        let whole = |key: &str| case[key].as_u64().unwrap() as usize;
        let (rows, columns, offset) = (whole("rows"), whole("cols"), whole("i") as f64);
        let squared = case["gradient"].as_str().unwrap().contains('²') || case["gradient"].as_str().unwrap().contains("j^2");
        let parameters = [lookahead::model::Parameter {
            name: "matrix".into(),
            shape: vec![rows, columns],
            init: lookahead::model::Init::Zeros,
            role: lookahead::model::Role::Hidden,
        }];
        let values = |wave: &dyn Fn(f64) -> f64| -> Vec<f32> { (0..rows * columns).map(|j| wave(j as f64) as f32).collect() };
        let mut weights = values(&|j| 0.3 * (0.37 * j + offset).cos());
        let mut run = RunConfig::version_1();
        run.training = TrainingConfig {
            optimizer: Optimizer::Muon,
            learning_rate: 0.02,
            weight_decay: 0.01,
            warmup: 0,
            decay: 0,
            clip_value: 0.0,
            clip_norm: 0.0,
            ..run.training
        };
        let mut updater = Updater::new(optimizer::update(&run.training, &parameters), kernel);
        let mut moments = Moments::zero(weights.len());
        for (step, truth) in case["weights_after_step"].as_array().unwrap().iter().enumerate() {
            let s = step as f64 + 1.0;
            let mut gradient = values(&|j| (0.11 * if squared { j * j } else { j } * s + offset).cos());
            updater.apply(&optimizer::rates(&run, step as u64 + 1), &mut weights, &mut gradient, &mut moments);
            let error = error(&weights, &numbers(truth));
            assert!(error < 5e-6, "{rows}×{columns} at step {step}: {error:e}");
        }
    }
}
