//! GPT-NeoX and AdamW against transformers and torch: `tests/golden/gpt_neox.json` (float64 truth) says from which script.
//! Tolerances are at most ten times what float32 in PyTorch itself misses the truth by, as the golden file records.

use lookahead::config::{ModelConfig, ModelKind, Optimizer, RunConfig, TrainingConfig};
use lookahead::engine::{Device, Tensor, cpu, read};
use lookahead::model::{Model, Weights};
use lookahead::train::batch::Batch;
use lookahead::train::{loss, optimizer};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/gpt_neox.json");

struct Case {
    json: Value,
    model: Model,
    weights: Weights,
    batch: Batch,
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        other => vec![other.as_f64().unwrap()],
    }
}

/// The formula weights of the golden script: parameter i, element j.
fn formula(name: &str, index: usize, element: usize) -> f32 {
    let wave = (0.37 * element as f64 + index as f64).cos();
    let value = if name.contains("norm.weight") {
        1.0 + 0.1 * wave
    } else if name.ends_with("bias") {
        0.1 * wave
    } else {
        0.3 * wave
    };
    value as f32
}

fn case(name: &str, device: &Device) -> Case {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let json = golden["cases"][name].clone();
    let whole = |key: &str| json["config"][key].as_u64().unwrap() as usize;
    let config = ModelConfig {
        kind: ModelKind::GptNeox,
        layers: whole("num_hidden_layers"),
        width: whole("hidden_size"),
        heads: whole("num_attention_heads"),
        ff: whole("intermediate_size"),
        rotary_fraction: json["config"]["rotary_pct"].as_f64().unwrap(),
        rotary_base: json["config"]["rotary_emb_base"].as_f64().unwrap(),
    };
    let model = Model { config, vocabulary: whole("vocab_size") };
    let parameters: std::sync::Arc<[_]> = model.parameters().into();
    let values: Vec<f32> = parameters
        .iter()
        .enumerate()
        .flat_map(|(index, parameter)| (0..parameter.size()).map(move |element| formula(&parameter.name, index, element)))
        .collect();
    let weights = Weights::upload(&parameters, &values, device);
    let tokens: Vec<Vec<u32>> =
        json["tokens"].as_array().unwrap().iter().map(|row| numbers(row).into_iter().map(|token| token as u32).collect()).collect();
    let length = tokens[0].len() - 1;
    let mask = numbers(&json["mask"]);
    let labels = tokens
        .iter()
        .enumerate()
        .flat_map(|(row, tokens)| tokens[1..].iter().enumerate().map(move |(column, token)| (row, column, *token)));
    let batch = Batch {
        sequences: tokens.len(),
        length,
        inputs: tokens.iter().flat_map(|row| row[..length].iter().map(|token| *token as i32)).collect(),
        labels: labels.map(|(row, column, token)| (mask[row * length + column] > 0.0).then_some(token)).collect(),
    };
    Case { json, model, weights, batch }
}

/// Largest difference over the largest true value.
fn error(found: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    found.iter().zip(truth).fold(0.0f64, |error, (found, truth)| error.max((f64::from(*found) - truth).abs())) / largest
}

#[test]
fn names_and_shapes_are_those_of_the_state_dict() {
    for name in ["quarter", "full"] {
        let case = case(name, &cpu());
        let found: Vec<Value> =
            case.model.parameters().iter().map(|parameter| serde_json::json!([parameter.name, parameter.shape])).collect();
        assert_eq!(Value::Array(found), case.json["parameters"]);
    }
}

#[test]
fn logits_loss_and_every_gradient_equal_transformers() {
    for name in ["quarter", "full"] {
        let case = case(name, &cpu());
        let logits = case.model.logits(&case.weights, case.batch.tokens(&cpu()), 0);
        let logits = pollster::block_on(read(logits)).unwrap();
        assert!(error(&logits, &numbers(&case.json["logits"])) < 5e-6, "{name} logits {}", error(&logits, &numbers(&case.json["logits"])));
        let (loss, gradients) = loss::gradient(&case.model, &case.weights, &case.batch, case.batch.asked());
        let loss = pollster::block_on(read(loss)).unwrap();
        assert!(error(&loss, &numbers(&case.json["loss"])) < 5e-7, "{name} loss");
        for (parameter, gradient) in case.weights.parameters.iter().zip(gradients) {
            let gradient = pollster::block_on(read(gradient)).unwrap();
            let error = error(&gradient, &numbers(&case.json["gradients"][&parameter.name]));
            assert!(error < 1e-5, "{name}: gradient of {} is off by {error:e}", parameter.name);
        }
    }
}

#[test]
fn logits_from_a_later_position_are_the_same_logits() {
    let case = case("full", &cpu());
    let all = case.model.logits(&case.weights, case.batch.tokens(&cpu()), 0);
    let late = case.model.logits(&case.weights, case.batch.tokens(&cpu()), 4);
    let all = pollster::block_on(read(all.narrow(1, 4, case.batch.length - 4))).unwrap();
    let late = pollster::block_on(read(late)).unwrap();
    assert!(error(&late, &all.iter().map(|value| f64::from(*value)).collect::<Vec<_>>()) < 1e-6);
}

/// Ten steps of AdamW on one batch: the loss before each step and after the last.
fn curve(case: &Case, training: &TrainingConfig) -> Vec<f32> {
    let parameters = case.weights.parameters.clone();
    let mut weights = case.weights.clone();
    let mut moments = optimizer::moments(training.optimizer, &parameters, &weights.tensors);
    let mut losses = Vec::new();
    for step in 1..=11 {
        let (loss, gradients) = loss::gradient(&case.model, &weights, &case.batch, case.batch.asked());
        losses.extend(pollster::block_on(read(loss)).unwrap());
        optimizer::update(training, &parameters, &mut weights.tensors, &mut moments, gradients, step);
    }
    losses
}

#[test]
fn ten_steps_of_adamw_equal_torch() {
    // (case, curve, tolerance): tight enough that weight decay switched off (2e-5 at least) is seen.
    for (name, clip, tolerance) in [("quarter", "value", 6e-6), ("quarter", "norm", 1e-5), ("full", "value", 2e-6), ("full", "norm", 2e-6)]
    {
        let case = case(name, &cpu());
        let golden = &case.json[format!("adamw_clip_{clip}")];
        let limit = golden[format!("clip_{clip}")].as_f64().unwrap();
        let training = TrainingConfig {
            optimizer: Optimizer::AdamW,
            learning_rate: 3e-3,
            weight_decay: 0.01,
            warmup: 0,
            decay: 0,
            clip_value: if clip == "value" { limit } else { 0.0 },
            clip_norm: if clip == "norm" { limit } else { 0.0 },
            ..RunConfig::version_1().training
        };
        let error = error(&curve(&case, &training), &numbers(&golden["losses"]));
        assert!(error < tolerance, "{name}, clipped by {clip}: the curve is off by {error:e}");
    }
}

#[test]
fn muon_equals_the_reference() {
    let golden: Value = serde_json::from_str(include_str!("golden/muon.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
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
        let tensor = |values: Vec<f32>| lookahead::engine::upload(&values, &cpu());
        let mut weights = vec![tensor(values(&|j| 0.3 * (0.37 * j + offset).cos()))];
        let training = TrainingConfig {
            optimizer: Optimizer::Muon,
            learning_rate: 0.02,
            weight_decay: 0.01,
            warmup: 0,
            decay: 0,
            clip_value: 0.0,
            clip_norm: 0.0,
            ..RunConfig::version_1().training
        };
        let mut moments = optimizer::moments(Optimizer::Muon, &parameters, &weights);
        for (step, truth) in case["weights_after_step"].as_array().unwrap().iter().enumerate() {
            let s = step as f64 + 1.0;
            let gradient: Vec<Tensor<1>> = vec![tensor(values(&|j| (0.11 * if squared { j * j } else { j } * s + offset).cos()))];
            optimizer::update(&training, &parameters, &mut weights, &mut moments, gradient, step as u64 + 1);
            let found = pollster::block_on(read(weights[0].clone())).unwrap();
            assert!(error(&found, &numbers(truth)) < 5e-6, "{rows}×{columns} at step {step}: {:e}", error(&found, &numbers(truth)));
        }
    }
}
