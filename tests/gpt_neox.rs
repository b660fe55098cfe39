//! GPT-NeoX and AdamW against transformers and torch: `tests/golden/gpt_neox.json` (float64 truth) says from which script.
//! Tolerances are at most ten times what float32 in PyTorch itself misses the truth by, as the golden file records.

use lookahead::config::{ModelConfig, ModelKind, Optimizer, RunConfig, TrainingConfig};
use lookahead::engine::cpu::{Kernel, Moments, Updater};
use lookahead::model::{Model, Parameter};
use lookahead::train::batch::Batch;
use lookahead::train::{Performer, Plan, optimizer};
use serde_json::Value;

const GOLDEN: &str = include_str!("golden/gpt_neox.json");

struct Case {
    json: Value,
    plan: Plan,
    weights: Vec<f32>,
    batch: Batch,
}

impl Case {
    fn performer(&self, kernel: Kernel) -> Performer {
        let mut performer = Performer::new(self.plan.clone(), kernel);
        performer.load(&self.weights);
        performer
    }
}

/// Both classes of arithmetic, where this machine has both.
fn kernels() -> Vec<Kernel> {
    [Some(Kernel::separate()), Kernel::fused()].into_iter().flatten().collect()
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

fn case(name: &str) -> Case {
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
        ..RunConfig::version_1().model
    };
    let model = Model { config, vocabulary: whole("vocab_size"), segment: 0 };
    let parameters: std::sync::Arc<[Parameter]> = model.parameters().into();
    let weights: Vec<f32> = parameters
        .iter()
        .enumerate()
        .flat_map(|(index, parameter)| (0..parameter.size()).map(move |element| formula(&parameter.name, index, element)))
        .collect();
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
        inputs: tokens.iter().flat_map(|row| row[..length].iter().copied()).collect(),
        labels: labels.map(|(row, column, token)| (mask[row * length + column] > 0.0).then_some(token)).collect(),
    };
    let plan = Plan { model, parameters, asked: batch.asked(), config: RunConfig::version_1() };
    Case { json, plan, weights, batch }
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
        let case = case(name);
        let found: Vec<Value> = case.plan.parameters.iter().map(|parameter| serde_json::json!([parameter.name, parameter.shape])).collect();
        assert_eq!(Value::Array(found), case.json["parameters"]);
    }
}

#[test]
fn logits_loss_and_every_gradient_equal_transformers() {
    for (name, kernel) in ["quarter", "full"].into_iter().flat_map(|name| kernels().into_iter().map(move |kernel| (name, kernel))) {
        let case = case(name);
        let mut performer = case.performer(kernel);
        let logits = error(performer.logits(&case.batch, 0), &numbers(&case.json["logits"]));
        assert!(logits < 5e-6, "{name} logits {logits}");
        let (loss, gradient) = performer.gradient(&case.batch, case.plan.asked);
        assert!(error(&[loss], &numbers(&case.json["loss"])) < 5e-7, "{name} loss");
        let mut rest = gradient;
        for parameter in case.plan.parameters.iter() {
            let (gradient, others) = rest.split_at(parameter.size());
            rest = others;
            let error = error(gradient, &numbers(&case.json["gradients"][&parameter.name]));
            assert!(error < 1e-5, "{name}: gradient of {} is off by {error:e}", parameter.name);
        }
    }
}

#[test]
fn logits_from_a_later_position_are_the_same_logits() {
    let case = case("full");
    let mut performer = case.performer(Kernel::best());
    let vocabulary = case.plan.model.vocabulary;
    let all = performer.logits(&case.batch, 0).to_vec();
    let late = performer.logits(&case.batch, 4);
    let expected: Vec<f32> = all.chunks(case.batch.length * vocabulary).flat_map(|sequence| &sequence[4 * vocabulary..]).copied().collect();
    assert_eq!(late, expected);
}

/// Ten steps of AdamW on one batch: the loss before each step and after the last.
fn curve(case: &Case, training: &TrainingConfig, kernel: Kernel) -> Vec<f32> {
    let mut updater = Updater::new(optimizer::update(training, &case.plan.parameters), kernel);
    let mut performer = case.performer(kernel);
    let (mut weights, mut moments) = (case.weights.clone(), Moments::zero(case.weights.len()));
    let mut losses = Vec::new();
    for step in 1..=11 {
        performer.load(&weights);
        let (loss, gradient) = performer.gradient(&case.batch, case.plan.asked);
        losses.push(loss);
        updater.apply(&optimizer::rates(training, step), &mut weights, &mut gradient.to_vec(), &mut moments);
    }
    losses
}

#[test]
fn ten_steps_of_adamw_equal_torch() {
    // (case, curve, tolerance): tight enough that weight decay switched off (2e-5 at least) is seen.
    for (name, clip, tolerance) in [("quarter", "value", 6e-6), ("quarter", "norm", 1e-5), ("full", "value", 2e-6), ("full", "norm", 2e-6)]
    {
        let case = case(name);
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
        for kernel in kernels() {
            let error = error(&curve(&case, &training, kernel), &numbers(&golden["losses"]));
            assert!(error < tolerance, "{name}, clipped by {clip}: the curve is off by {error:e}");
        }
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
        let mut weights = values(&|j| 0.3 * (0.37 * j + offset).cos());
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
        let mut updater = Updater::new(optimizer::update(&training, &parameters), Kernel::best());
        let mut moments = Moments::zero(weights.len());
        for (step, truth) in case["weights_after_step"].as_array().unwrap().iter().enumerate() {
            let s = step as f64 + 1.0;
            let mut gradient = values(&|j| (0.11 * if squared { j * j } else { j } * s + offset).cos());
            updater.apply(&optimizer::rates(&training, step as u64 + 1), &mut weights, &mut gradient, &mut moments);
            let error = error(&weights, &numbers(truth));
            assert!(error < 5e-6, "{rows}×{columns} at step {step}: {error:e}");
        }
    }
}
