//! Every network against torch, transformers and our own reference script, on both engines: `tests/golden/*.json` (float64 truth) say from
//! which. The golden files record by how much float32 in PyTorch itself misses the truth; our tolerances stand beside each file's name below.

mod burn;
mod card;

use crate::common::{kernels, numbers};
use lookahead::config::{Optimizer, RunConfig, TrainingConfig};
use lookahead::engine::cpu::{Kernel, Moments, Updater};
use lookahead::model::{Model, Parameter, config_json};
use lookahead::train::batch::Batch;
use lookahead::train::evaluation::Respondent;
use lookahead::train::loss::BatchTotals;
use lookahead::train::{Performer, Plan, optimizer};
use pollster::block_on;
use serde_json::Value;
use std::sync::Arc;

/// The file of a model, and the largest errors of logits, loss, any gradient, and the ten-step curve.
struct Golden {
    name: &'static str,
    text: &'static str,
    tolerances: [f64; 4],
}

const GOLDENS: [Golden; 5] = [
    Golden { name: "gpt_neox", text: include_str!("../golden/gpt_neox.json"), tolerances: [5e-6, 2e-6, 1e-5, 5e-6] },
    Golden { name: "lstm", text: include_str!("../golden/lstm.json"), tolerances: [5e-6, 2e-6, 1e-5, 5e-6] },
    Golden { name: "armt", text: include_str!("../golden/armt.json"), tolerances: [5e-6, 1e-6, 1e-5, 2e-6] },
    Golden { name: "act", text: include_str!("../golden/act.json"), tolerances: [4e-6, 1.5e-6, 9e-6, 3e-6] },
    Golden { name: "mamba", text: include_str!("../golden/mamba.json"), tolerances: [5e-6, 2e-6, 1e-5, 5e-6] },
];

struct Case {
    at: String,
    json: Value,
    plan: Plan,
    of: BatchTotals,
    weights: Vec<f32>,
    batch: Batch,
    tolerances: [f64; 4],
}

fn cases() -> Vec<Case> {
    GOLDENS.iter().flat_map(Golden::cases).collect()
}

impl Golden {
    fn cases(&self) -> Vec<Case> {
        let golden: Value = serde_json::from_str(self.text).unwrap();
        // GPT-NeoX's file is older and has its formula in its script.
        let older = serde_json::json!([
            { "suffix": "norm.weight", "scale": 0.1, "offset": 1.0 }, { "suffix": "bias", "scale": 0.1, "offset": 0.0 }, { "suffix": "", "scale": 0.3, "offset": 0.0 },
        ]);
        let formula = |json: &'_ Value| json.get("formula").or(golden.get("formula")).unwrap_or(&older).clone();
        let ponder = golden["tau"].as_f64().unwrap_or(0.0);
        // Its case without parallel residual is there to show that the two differ.
        let computed = |json: &Value| json["config"].get("use_parallel_residual") != Some(&Value::Bool(false));
        let cases = golden["cases"].as_object().unwrap().iter().filter(|(_, json)| computed(json));
        cases.map(|(name, json)| self.case(name, json, &formula(json), ponder)).collect()
    }

    fn case(&self, name: &str, json: &Value, formula: &Value, ponder: f64) -> Case {
        let mut config = json["config"].clone();
        config["model_type"] = json.get("model_type").cloned().unwrap_or(self.name.into());
        for (key, ours) in [("mode", "loop"), ("hops", "hops")] {
            if let Some(value) = json.get(key) {
                config[ours] = value.clone();
            }
        }
        let described = config_json::read(&config.to_string()).unwrap();
        let length = json["tokens"][0].as_array().unwrap().len() - 1;
        let model = Model::described(described, length);
        let parameters: Arc<[Parameter]> = model.parameters().into();
        let values = |(index, parameter): (usize, &Parameter)| -> Vec<f32> {
            let rule = formula.as_array().unwrap().iter().find(|rule| parameter.name.ends_with(rule["suffix"].as_str().unwrap())).unwrap();
            let [scale, offset] = ["scale", "offset"].map(|key| rule[key].as_f64().unwrap());
            (0..parameter.size()).map(|element| (offset + scale * (0.37 * element as f64 + index as f64).cos()) as f32).collect()
        };
        let weights = parameters.iter().enumerate().flat_map(values).collect();
        let tokens: Vec<Vec<u32>> =
            json["tokens"].as_array().unwrap().iter().map(|row| numbers(row).into_iter().map(|token| token as u32).collect()).collect();
        let mask = numbers(&json["mask"]);
        let labels = tokens.iter().flat_map(|row| row[1..].iter().copied());
        let batch = Batch {
            sequences: tokens.len(),
            length,
            inputs: tokens.iter().flat_map(|row| row[..length].iter().copied()).collect(),
            labels: labels.zip(&mask).map(|(token, &counts)| (counts > 0.0).then_some(token)).collect(),
        };
        let plan = Plan::of(&RunConfig::version_1(), model);
        let of = BatchTotals { sequences: batch.sequences, labels: batch.label_count(), ponder };
        Case { at: format!("{} {name}", self.name), json: json.clone(), plan, of, weights, batch, tolerances: self.tolerances }
    }
}

impl Case {
    fn performer(&self, kernel: Kernel) -> Performer {
        let mut performer = Performer::new(self.plan.clone(), kernel);
        performer.load(&self.weights);
        performer
    }

    fn compare(&self, logits: &[f32], loss: f32, gradient: &[f32], at: &str) {
        let off = error(logits, &numbers(&self.json["logits"]));
        assert!(off < self.tolerances[0], "{at}: logits off by {off:e}");
        let off = error(&[loss], &numbers(&self.json["loss"]));
        assert!(off < self.tolerances[1], "{at}: loss off by {off:e}");
        self.compare_gradients(gradient, at);
    }

    fn compare_gradients(&self, mut rest: &[f32], at: &str) {
        for parameter in self.plan.parameters.iter() {
            let (gradient, others) = rest.split_at(parameter.size());
            rest = others;
            let error = error(gradient, &numbers(&self.json["gradients"][&parameter.name]));
            assert!(error < self.tolerances[2], "{at}: gradient of {} is off by {error:e}", parameter.name);
        }
    }
}

/// Largest difference over the largest true value.
fn error(found: &[f32], truth: &[f64]) -> f64 {
    assert_eq!(found.len(), truth.len());
    let largest = truth.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    found.iter().zip(truth).fold(0.0f64, |error, (found, truth)| error.max((f64::from(*found) - truth).abs())) / largest
}

#[test]
fn names_and_shapes_are_those_of_the_state_dict() {
    for case in cases() {
        let found: Vec<Value> = case.plan.parameters.iter().map(|parameter| serde_json::json!([parameter.name, parameter.shape])).collect();
        assert_eq!(Value::Array(found), case.json["parameters"], "{}", case.at);
    }
}

#[test]
fn logits_loss_and_every_gradient_equal_the_reference() {
    for (case, kernel) in cases().iter().flat_map(|case| kernels().into_iter().map(move |kernel| (case, kernel))) {
        let mut performer = case.performer(kernel);
        let logits = performer.logits(&case.batch, 0).unwrap().to_vec();
        let (loss, gradient) = performer.gradient(&case.batch, case.of).unwrap();
        case.compare(&logits, loss, gradient, &case.at);
    }
}

/// How often each token was thought about, where the reference says so: `[unit][segment][sequence][row]`, memory rows behind the tokens.
#[test]
fn hops_equal_the_reference() {
    let mut compared = 0;
    for case in cases().iter().filter(|case| !case.json["row_hops"].is_null()) {
        let mut performer = case.performer(Kernel::best());
        let found = block_on(performer.tokens(&case.batch, 0, false)).unwrap().hops.unwrap();
        let (segment, segments) = (case.plan.model.segment, case.plan.model.segments);
        for sequence in 0..case.batch.sequences {
            for (unit, hops) in found.of(sequence).iter().enumerate() {
                let truth = case.json["row_hops"][unit].as_array().unwrap().iter().enumerate().flat_map(|(index, part)| {
                    let tokens = if index + 1 < segments && segment > 0 { segment } else { case.batch.length - index * segment };
                    numbers(&part[sequence])[..tokens].to_vec()
                });
                let hops: Vec<f64> = hops.iter().map(|&hops| f64::from(hops)).collect();
                assert_eq!(hops, truth.collect::<Vec<_>>(), "{}: unit {unit} of sequence {sequence}", case.at);
                compared += hops.len();
            }
        }
    }
    assert!(compared > 200, "only {compared} were compared");
}

#[test]
fn logits_from_a_later_position_are_the_same_logits() {
    for case in cases() {
        let mut performer = case.performer(Kernel::best());
        let vocabulary = case.plan.model.vocabulary;
        let all = performer.logits(&case.batch, 0).unwrap().to_vec();
        for from in [1, 4, case.batch.length - 1] {
            let expected: Vec<f32> =
                all.chunks(case.batch.length * vocabulary).flat_map(|sequence| &sequence[from * vocabulary..]).copied().collect();
            assert_eq!(performer.logits(&case.batch, from).unwrap(), expected, "{} from {from}", case.at);
        }
    }
}

/// Ten steps of AdamW on one batch, from each weights' loss and gradient: the loss before each step and after the last.
fn curve(case: &Case, run: &RunConfig, kernel: Kernel, mut learn: impl FnMut(&[f32]) -> (f32, Vec<f32>)) -> Vec<f32> {
    let mut updater = Updater::new(optimizer::update(&run.training, &case.plan.parameters), kernel);
    let (mut weights, mut moments) = (case.weights.clone(), Moments::zero(case.weights.len()));
    let mut losses = Vec::new();
    for step in 1..=11 {
        let (loss, mut gradient) = learn(&weights);
        losses.push(loss);
        updater.apply(&optimizer::rates(run, step), &mut weights, &mut gradient, &mut moments);
    }
    losses
}

/// How the golden script trains a case, its gradient clipped by value or by norm.
fn adamw(case: &Case, clip: &str) -> RunConfig {
    let limit = case.json[format!("adamw_clip_{clip}")][format!("clip_{clip}")].as_f64().unwrap();
    let mut run = RunConfig::version_1();
    run.training = TrainingConfig {
        optimizer: Optimizer::AdamW,
        learning_rate: 3e-3,
        weight_decay: 0.01,
        warmup: 0,
        decay: 0,
        clip_value: if clip == "value" { limit } else { 0.0 },
        clip_norm: if clip == "norm" { limit } else { 0.0 },
        ..run.training
    };
    run
}

#[test]
fn ten_steps_of_adamw_equal_torch() {
    for (case, clip) in cases().iter().flat_map(|case| ["value", "norm"].map(|clip| (case, clip))) {
        let losses = numbers(&case.json[format!("adamw_clip_{clip}")]["losses"]);
        for kernel in kernels() {
            let mut performer = case.performer(kernel);
            let found = curve(case, &adamw(case, clip), kernel, |weights| {
                performer.load(weights);
                let (loss, gradient) = performer.gradient(&case.batch, case.of).unwrap();
                (loss, gradient.to_vec())
            });
            let error = error(&found, &losses);
            assert!(error < case.tolerances[3], "{}, clipped by {clip}: the curve is off by {error:e}", case.at);
        }
    }
}
