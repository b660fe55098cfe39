//! Checkpoints cross to transformers and back with equal logits. Runs where Python has torch and transformers
//! (`tests/reference/requirements.txt`), and says so where it does not.

use lookahead::config::presets;
use lookahead::engine::cpu::Kernel;
use lookahead::model::config_json;
use lookahead::model::weights::initial;
use lookahead::task::Split;
use lookahead::train::batch::Batch;
use lookahead::train::{Performer, Plan, checkpoint};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code of the script where torch or transformers is missing.
const MISSING: i32 = 77;

/// Runs the check script; none where Python or its packages are missing.
fn script(arguments: &[&Path]) -> Option<bool> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let own = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).unwrap_or(home.join(".cache")).join("lookahead/python/bin/python");
    let python = if own.exists() { own } else { PathBuf::from("python3") };
    let status = Command::new(python).arg("tests/reference/check_checkpoint.py").args(arguments).status();
    match status.ok().and_then(|status| status.code()) {
        Some(MISSING) | None => {
            // Written past the test runner, which hides what passing tests print.
            let _ = writeln!(
                std::io::stderr(),
                "NOT RUN: torch and transformers are not installed here, so no checkpoint was opened in transformers."
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

#[test]
fn our_checkpoint_opens_in_transformers_with_equal_logits() {
    for (name, fraction, base) in [("full", 1.0, 100.0), ("quarter", 0.25, 10_000.0)] {
        let mut config = presets::quick();
        config.model.width = 64;
        config.model.rotary_fraction = fraction;
        config.model.rotary_base = base;
        let plan = Plan::new(&config);
        let values: Vec<f32> = initial(&plan.parameters, 4).iter().map(|value| value * 3.0).collect();
        let examples: Vec<_> =
            (0..3).map(|index| config.task.encode(&config.task.sample(1, Split::Test, index), 1, config.loss_on)).collect();
        let batch = Batch::new(&examples);
        let mut performer = Performer::new(plan.clone(), Kernel::best());
        performer.load(&values);
        let logits = performer.logits(&batch, 0);
        let rows: Vec<&[f32]> = logits.chunks(plan.model.vocabulary).collect();
        let expected = json!({ "tokens": batch.inputs.chunks(batch.length).collect::<Vec<_>>(), "logits": rows.chunks(batch.length).collect::<Vec<_>>() });
        let folder = folder(name);
        std::fs::write(folder.join(checkpoint::WEIGHTS_FILE), checkpoint::write(&plan.parameters, &values).unwrap()).unwrap();
        std::fs::write(folder.join(checkpoint::CONFIG_FILE), checkpoint::config_json(&config)).unwrap();
        let expectation = folder.join("expected.json");
        std::fs::write(&expectation, expected.to_string()).unwrap();
        assert_ne!(script(&[&folder, &expectation]), Some(false), "transformers disagrees on {name}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_checkpoint_of_transformers_opens_here_with_equal_logits() {
    let folder = folder("theirs");
    if script(&[Path::new("--make"), &folder]).is_some_and(|made| made) {
        let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let described = config_json::read(&text(checkpoint::CONFIG_FILE)).unwrap();
        let mut run = presets::quick();
        run.set_model(described.config);
        let mut plan = Plan::new(&run);
        plan.model.vocabulary = described.vocabulary;
        plan.model.segment = described.segment.unwrap_or(0);
        plan.parameters = plan.model.parameters().into();
        let values = checkpoint::read_weights(&plan.parameters, &std::fs::read(folder.join(checkpoint::WEIGHTS_FILE)).unwrap()).unwrap();
        let expected: Value = serde_json::from_str(&text("expected.json")).unwrap();
        let rows = expected["tokens"].as_array().unwrap();
        let inputs: Vec<u32> = rows.iter().flat_map(|row| row.as_array().unwrap()).map(|token| token.as_u64().unwrap() as u32).collect();
        let batch = Batch { sequences: rows.len(), length: inputs.len() / rows.len(), labels: vec![None; inputs.len()], inputs };
        let mut performer = Performer::new(plan, Kernel::best());
        performer.load(&values);
        let logits = performer.logits(&batch, 0);
        let truth = flatten(&expected["logits"]);
        assert_eq!(truth.len(), logits.len());
        let worst = truth.iter().zip(logits).fold(0.0f64, |worst, (truth, found)| worst.max((truth - f64::from(*found)).abs()));
        assert!(worst < 1e-5, "logits differ by {worst:e}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

fn flatten(value: &Value) -> Vec<f64> {
    match value.as_array() {
        Some(items) => items.iter().flat_map(flatten).collect(),
        None => vec![value.as_f64().unwrap()],
    }
}
