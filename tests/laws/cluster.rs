//! Lists for many machines: `sweep` makes them, `--part auto` shares them out, `merge` joins what comes back.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs that end in no time.
const SMALL: &str = "quick&W=4&T=2&layers=1&d=8&heads=1&ff=8&batch=2&steps=3&evaln=8&every=2&engine=cpu";

/// A folder of its own for a test, empty.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lookahead-cluster-{}-{test}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn lookahead(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookahead"));
    command.args(arguments).current_dir(folder).envs(variables.iter().copied()).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn printed(output: &Output) -> Vec<String> {
    assert!(output.status.success(), "{}", told(output));
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(str::to_string).collect()
}

#[test]
fn a_sweep_is_every_combination_once_and_trains() {
    let place = folder("sweep");
    let sweep = |text: &str| lookahead(&["sweep", text], &place, &[]);
    let list = printed(&sweep(&format!("{SMALL}&seed=1..3&k=1,2&layout=os,cot")));
    assert_eq!(list.len(), 12);
    assert_eq!(list.iter().collect::<BTreeSet<_>>().len(), 12);
    assert_eq!(list[1], format!("{SMALL}&seed=1&k=1&layout=cot # seed=1 k=1 layout=cot"));
    assert_eq!(printed(&sweep("quick")), ["quick"]);
    assert_eq!(printed(&sweep("grpo&seed=1..2&from=(quick&seed=3)")).len(), 2, "a run in parentheses is one value");
    for (text, words) in [
        ("quick&seed=3..1", "no range"),
        ("quick&seed=1..x", "no range"),
        ("quick&seed=1,1", "already"),
        ("quick&W=10,3", "must be a whole number"),
        ("quick&seed=1..1000&steps=1..1000", "more than 100000"),
    ] {
        let output = sweep(text);
        assert!(!output.status.success() && output.stdout.is_empty() && told(&output).contains(words), "{text}: {}", told(&output));
    }
    std::fs::remove_dir_all(place).unwrap();
}

/// The parts of an array together are the list, whether it counts from 0 or 1.
#[test]
fn the_tasks_of_a_slurm_array_share_a_list_and_their_results_are_joined() {
    let place = folder("array");
    std::fs::write(place.join("runs.links"), printed(&lookahead(&["sweep", &format!("{SMALL}&seed=1..7")], &place, &[])).join("\n"))
        .unwrap();
    let task = |id: usize, min: usize, out: &str| {
        let (id, min, max) = (id.to_string(), min.to_string(), (min + 2).to_string());
        let variables = [
            ("SLURM_ARRAY_TASK_ID", &*id),
            ("SLURM_ARRAY_TASK_MIN", &*min),
            ("SLURM_ARRAY_TASK_MAX", &*max),
            ("SLURM_ARRAY_TASK_COUNT", "3"),
        ];
        lookahead(&["train", "runs.links", "--part", "auto", "--out", out, "--thin"], &place, &variables)
    };
    for min in [0, 1] {
        for id in min..min + 3 {
            assert!(task(id, min, &format!("{min}-{id}.jsonl")).status.success());
        }
    }
    let merge = |arguments: &[&str]| lookahead(&[&["merge"], arguments].concat(), &place, &[]);
    let lines = printed(&merge(&["0-0.jsonl", "0-1.jsonl", "0-2.jsonl", "--list", "runs.links"]));
    assert_eq!(lines.len(), 7);
    // Doubled lines are left out; the file is whole or not there.
    let output = merge(&["1-1.jsonl", "1-2.jsonl", "1-3.jsonl", "0-1.jsonl", "--list", "runs.links", "--out", "all.jsonl"]);
    assert!(output.status.success() && told(&output).contains("2 lines were doubled"), "{}", told(&output));
    let link = |line: &String| serde_json::from_str::<Value>(line).unwrap()["link"].clone();
    let file: Vec<String> = std::fs::read_to_string(place.join("all.jsonl")).unwrap().lines().map(str::to_string).collect();
    let links = |lines: &[String]| lines.iter().map(|line| link(line).to_string()).collect::<BTreeSet<_>>();
    assert_eq!(links(&file), links(&lines));

    // What is missing is named, and the rest is written.
    let output = merge(&["0-0.jsonl", "0-2.jsonl", "--list", "runs.links"]);
    assert!(!output.status.success() && told(&output).contains("2 runs are missing"), "{}", told(&output));
    assert_eq!(told(&output).matches("Missing: v=1").count(), 2);
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 5);

    // Another fingerprint of the same class: one of the two is false.
    let line = &lines[0];
    let mut other: Value = serde_json::from_str(line).unwrap();
    let fingerprint = other["fingerprint"].as_str().unwrap().to_string();
    other["fingerprint"] = fingerprint.replace(fingerprint.split('-').nth(2).unwrap(), "00000000").into();
    std::fs::write(place.join("false.jsonl"), format!("{other}\n")).unwrap();
    let output = merge(&["0-0.jsonl", "false.jsonl"]);
    assert!(!output.status.success() && told(&output).contains("0-0.jsonl, line 1 and false.jsonl, line 1"), "{}", told(&output));

    // A line that a task was writing when it was killed is left out, and said; what is no result is refused.
    std::fs::write(place.join("half.jsonl"), format!("{line}\n{}", &lines[1][..lines[1].len() / 2])).unwrap();
    let output = merge(&["half.jsonl"]);
    assert!(output.status.success() && told(&output).contains("not whole"), "{}", told(&output));
    std::fs::write(place.join("letter.txt"), "a letter\n").unwrap();
    assert!(told(&merge(&["letter.txt"])).contains("Line 1 of letter.txt"));

    // An array that was submitted again in part does not say its whole size.
    assert!(told(&task(5, 4, "again.jsonl")).contains("without gaps"));
    assert!(told(&lookahead(&["train", "runs.links", "--part", "auto"], &place, &[])).contains("not set"));
    std::fs::remove_dir_all(place).unwrap();
}

#[test]
fn of_two_settings_after_a_name_the_later_one_holds_on_the_command_line_alone() {
    let place = folder("later");
    let sequence = |link: &str| printed(&lookahead(&["sample", link, "--count", "1"], &place, &[]));
    assert_eq!(sequence("quick&seed=1&k=2&seed=5"), sequence("quick&k=2&seed=5"));
    let link = "v=1&seed=1&seed=5";
    assert!(told(&lookahead(&["sample", link], &place, &[])).contains("appears twice"));
    assert!(lookahead::config::short::read("quick&seed=1&seed=5").is_err(), "in the page's address it stays a fault");
    std::fs::remove_dir_all(place).unwrap();
}
