//! Checkpoints of all four networks cross to transformers and torch and back with equal logits. Runs where Python has torch and
//! transformers (`tests/reference/requirements.txt`), and says so where it does not.

use lookahead::config::{ModelConfig, ModelKind, RunConfig, presets};
use lookahead::engine::cpu::Kernel;
use lookahead::model::weights::initial;
use lookahead::model::{Model, config_json};
use lookahead::task::Split;
use lookahead::train::batch::Batch;
use lookahead::train::{Performer, Plan, checkpoint};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code of the script where torch or transformers is missing.
const MISSING: i32 = 77;
/// Of our logits of a checkpoint made in Python, over the largest; up to 1e-6 was seen.
const TOLERANCE: f64 = 5e-6;

/// Runs the check script; none where Python or its packages are missing.
fn script<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Option<bool> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or(home.join(".cache")).join("lookahead/python/bin/python");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let status = Command::new(python).arg("tests/reference/check_checkpoint.py").args(arguments).status();
    match status.ok().and_then(|status| status.code()) {
        Some(MISSING) | None => {
            // Written past the test runner, which hides what passing tests print.
            let _ = writeln!(
                std::io::stderr(),
                "NOT RUN: torch and transformers are not installed here, so no checkpoint was opened in them or made by them."
            );
            None
        }
        Some(code) => Some(code == 0),
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lookahead-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs of every network, of GPT-NeoX with whole and partial rotary positions; sizes are uneven where they may be.
/// With much smaller keys some of ARMT's queries miss all that is stored, and float32 in torch itself is off by 4e-5.
fn runs() -> Vec<(&'static str, RunConfig)> {
    let run = |kind: ModelKind, width: usize, heads: usize, rotary_fraction: f64, rotary_base: f64| {
        let mut run = presets::quick();
        let memory = ModelConfig { memory_tokens: 7, memory_width: 20, ..run.model.clone() };
        run.set_model(ModelConfig { kind, layers: 3, width, heads, ff: 50, rotary_fraction, rotary_base, ..memory });
        run
    };
    vec![
        ("full", run(ModelKind::GptNeox, 64, 4, 1.0, 100.0)),
        ("quarter", run(ModelKind::GptNeox, 64, 4, 0.25, 10_000.0)),
        ("lstm", run(ModelKind::Lstm, 23, 1, 1.0, 100.0)),
        ("mamba", run(ModelKind::Mamba, 40, 1, 1.0, 100.0)),
        ("armt", run(ModelKind::Armt, 30, 3, 0.4, 1_000.0)),
    ]
}

/// Initial weights, moved so that none of those that start at 0 or 1 does.
fn weights(plan: &Plan) -> Vec<f32> {
    let moved = |(index, value): (usize, f32)| value + 0.1 * (0.37 * (index * index) as f64).cos() as f32;
    initial(&plan.parameters, 4).into_iter().enumerate().map(moved).collect()
}

/// A checkpoint as this version saves it, and beside it what this version computes with it.
fn save(run: &RunConfig, folder: &Path) {
    let plan = Plan::new(run);
    let values = weights(&plan);
    let examples: Vec<_> = (0..3).map(|index| run.task.encode(&run.task.sample(1, Split::Test, index), 1, run.loss_on)).collect();
    let batch = Batch::new(&examples);
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(&values);
    let rows: Vec<&[f32]> = performer.logits(&batch, 0).unwrap().chunks(plan.model.vocabulary).collect();
    let expected =
        json!({ "tokens": batch.inputs.chunks(batch.length).collect::<Vec<_>>(), "logits": rows.chunks(batch.length).collect::<Vec<_>>() });
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(checkpoint::WEIGHTS_FILE), checkpoint::write(&plan.parameters, &values).unwrap()).unwrap();
    std::fs::write(folder.join(checkpoint::CONFIG_FILE), checkpoint::config_json(run)).unwrap();
    std::fs::write(folder.join("expected.json"), expected.to_string()).unwrap();
}

#[test]
fn our_checkpoints_open_in_transformers_and_torch_with_equal_logits() {
    let root = folder("ours");
    let folders: Vec<PathBuf> = runs().iter().map(|(name, _)| root.join(name)).collect();
    for ((_, run), folder) in runs().iter().zip(&folders) {
        save(run, folder);
    }
    assert_ne!(script(&folders), Some(false), "the lines above say which network is computed otherwise");
    std::fs::remove_dir_all(root).unwrap();
}

#[test]
fn checkpoints_of_transformers_and_torch_open_here_with_equal_logits() {
    let root = folder("theirs");
    if let Some(made) = script([OsStr::new("--make"), root.as_os_str()]) {
        assert!(made, "the checkpoints could not be made");
        for (kind, name) in
            [(ModelKind::GptNeox, "gpt_neox"), (ModelKind::Lstm, "lstm"), (ModelKind::Mamba, "mamba"), (ModelKind::Armt, "armt")]
        {
            let off = difference(kind, &root.join(name));
            assert!(off < TOLERANCE, "logits of {name} are off by {off:.1e} of the largest");
        }
    }
    std::fs::remove_dir_all(root).unwrap();
}

/// How far our logits of a checkpoint lie from those in its expected.json, over the largest of them.
fn difference(kind: ModelKind, folder: &Path) -> f64 {
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let described = config_json::read(&text(checkpoint::CONFIG_FILE)).unwrap();
    assert_eq!(described.config.kind, kind);
    let mut run = presets::quick();
    run.set_model(described.config.clone());
    let expected: Value = serde_json::from_str(&text("expected.json")).unwrap();
    let rows = expected["tokens"].as_array().unwrap();
    let inputs: Vec<u32> = rows.iter().flat_map(|row| row.as_array().unwrap()).map(|token| token.as_u64().unwrap() as u32).collect();
    let plan = Plan::of(&run, Model::described(described, inputs.len() / rows.len()));
    let values = checkpoint::read_weights(&plan.parameters, &std::fs::read(folder.join(checkpoint::WEIGHTS_FILE)).unwrap()).unwrap();
    let batch = Batch { sequences: rows.len(), length: inputs.len() / rows.len(), labels: vec![None; inputs.len()], inputs };
    let mut performer = Performer::new(plan, Kernel::best());
    performer.load(&values);
    let logits = performer.logits(&batch, 0).unwrap();
    let truth = flatten(&expected["logits"]);
    assert_eq!(truth.len(), logits.len());
    let largest = truth.iter().fold(0.0f64, |largest, truth| largest.max(truth.abs()));
    truth.iter().zip(logits).fold(0.0f64, |worst, (truth, found)| worst.max((truth - f64::from(*found)).abs())) / largest
}

fn flatten(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(items) => items.iter().flat_map(flatten).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}
