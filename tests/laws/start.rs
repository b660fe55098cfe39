//! Runs that start from other runs: their link alone makes the same numbers as their steps by hand.

use lookahead::config::presets::PRESETS;
use lookahead::config::{EngineChoice, RunConfig, Start, link, shipped, short};
use lookahead::engine::cpu::Kernel;
use lookahead::results::{DepthScore, Record};
use lookahead::task::Split;
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Plan, Run};
use pollster::block_on;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs that end in no time.
const SMALL: &str = "quick&W=4&T=2&layers=1&d=8&heads=1&ff=8&mem=2&dmem=4&batch=2&steps=5&evaln=8&every=2&engine=cpu";

fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lookahead-start-{}-{test}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn lookahead(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lookahead")).args(arguments).output().unwrap()
}

/// What `train` finds, and which weights it saves.
fn train(run: &str, from: Option<&Path>, save: &Path) -> Value {
    let mut arguments = vec!["train", run, "--save", save.to_str().unwrap()];
    arguments.extend(from.map(|path| ["--from", path.to_str().unwrap()]).into_iter().flatten());
    let output = lookahead(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn weights(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("model.safetensors")).unwrap()
}

/// A run of this network at this depth, for a link of its own and for one inside another.
fn run(model: &str, seed: u64) -> (String, String) {
    let whole = format!("{SMALL}&model={model}&seed={seed}");
    let inner = whole.replace("&engine=cpu", "");
    (whole, inner)
}

#[test]
fn a_link_in_a_link_is_the_runs_one_after_the_other() {
    let folder = folder("chain");
    let at = |name: &str| folder.join(name);
    for model in ["neox", "lstm", "mamba", "armt"] {
        let ((first, inner), (second, middle), (third, _)) = (run(model, 1), run(model, 2), run(model, 3));
        train(&first, None, &at("first"));
        train(&second, Some(&at("first")), &at("second"));
        let by_hand = train(&third, Some(&at("second")), &at("third"));
        let linked = train(&format!("{third}&from=({middle}&from=({inner}))"), None, &at("linked"));
        assert_eq!(linked["losses"], by_hand["losses"], "{model}");
        assert_eq!(weights(&at("linked")), weights(&at("third")), "{model}");
        assert_ne!(weights(&at("second")), weights(&at("first")), "{model}");
        let scratch = train(&third, None, &at("scratch"));
        assert_ne!(linked["losses"], scratch["losses"], "{model}: the weights it starts from count");
        // What is written is whole: no preset's name, and it replays.
        let again = train(linked["link"].as_str().unwrap(), None, &at("again"));
        assert_eq!(again["replay"], "reproduced bit for bit", "{model}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_runs_of_a_list_share_what_they_start_from() {
    let folder = folder("list");
    let (list, out) = (folder.join("runs.links"), folder.join("out.jsonl"));
    let ((first, inner), (second, _)) = (run("neox", 1), run("neox", 2));
    let lines = [format!("{first}&from=({inner}) # on"), format!("{second}&from=({inner}) # over")];
    std::fs::write(&list, lines.join("\n")).unwrap();
    let output = lookahead(&["train", list.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = std::fs::read_to_string(&out).unwrap();
    for (line, run) in found.lines().zip(&lines) {
        let (line, run): (Value, _) = (serde_json::from_str(line).unwrap(), run.split(" #").next().unwrap());
        assert_eq!(line["losses"], train(run, None, &folder.join("alone"))["losses"]);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_run_crosses_a_link_inside_another() {
    for preset in PRESETS {
        let first = (preset.config)();
        let mut config = RunConfig { start: Start::from_run(&first), seed: 9, engine: EngineChoice::Cpu, ..first.clone() };
        assert_eq!(config.first().unwrap(), RunConfig { engine: EngineChoice::Cpu, ..first }, "{}", preset.key);
        config = RunConfig { start: Start::from_run(&config), engine: EngineChoice::Auto, ..config };
        assert_eq!(config.problems(), [], "{}", preset.key);
        let text = link::write(&config, None);
        assert_eq!(link::read(&text).unwrap().config, config, "{text}");
        assert_eq!(link::read(&text.replace('(', "%28").replace(')', "%29")).unwrap().config, config, "as messengers write it");
        let open = text.find('(').unwrap();
        for cut in open + 1..text.len() {
            let faults = link::read(&text[..cut]).unwrap_err();
            assert!(faults.len() == 1 && faults[0].to_string().contains("cut off"), "{faults:?}");
        }
    }
}

/// A link as it was once copied. Never change it.
#[test]
fn an_old_link_in_a_link_means_what_it_meant() {
    let text = "v=1&W=8&T=6&loss=all&steps=40&seed=2&engine=cpu&from=(v=1&W=8&T=6&loss=rows&steps=700&seed=1&from=(v=1&W=8&T=6))&fp=simd-2-0a0b0c0d-3f800000.3f000000";
    let config = link::read(text).unwrap().config;
    let first = config.first().unwrap();
    assert_eq!((config.training.steps, config.seed, config.engine), (40, 2, EngineChoice::Cpu));
    assert_eq!((first.training.steps, first.seed, first.engine), (700, 1, EngineChoice::Cpu));
    let last = first.first().unwrap();
    assert_eq!((last.training.steps, last.task.width, last.first()), (40_000, 8, None));
    assert!(config.start.travels());
    let file = link::read("v=1&from=(v=1&from=file-0123456789abcdef)").unwrap().config;
    assert!(!file.start.travels(), "a file does not travel in a link");
}

#[test]
fn a_mangled_link_in_a_link_is_told() {
    let cases = [
        ("v=1&from=(v=1", "was probably cut off"),
        ("v=1&from=v=1)&seed=2", "without its ("),
        ("v=1&from=()", "In the run that it starts from: The link has no version"),
        ("v=1&from=(v=1&W=99)", "In the run that it starts from: “Cells in a row”"),
        ("v=1&from=(v=1&d=64)", "set the network to the same sizes"),
        ("v=1&from=(v=1&engine=cpu)", "take “engine” out of the parentheses"),
        ("v=1&from=(v=1&learn=grpo)", "must start from a trained one"),
    ];
    for (text, words) in cases {
        let faults = link::read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert!(faults.contains(words), "{text}: {faults}");
    }
    let deep = format!("v=1{}", "&from=(v=1".repeat(100_000));
    assert!(link::read(&deep).unwrap_err()[0].to_string().contains("More than 8 runs"), "a hostile link costs no stack");
    let mut last = RunConfig::version_1();
    for behind in 0..=9 {
        let text = link::write(&last, None);
        match link::read(&text) {
            Ok(link) => assert!(behind <= 8 && link.config == last && last.can_be_started_from() == (behind < 8)),
            Err(faults) => assert!(behind > 8 && faults[0].to_string().contains("More than 8 runs") && !last.can_be_started_from()),
        }
        last = RunConfig { start: Start::from_run(&last), ..last };
    }
    let folder = folder("both");
    let given = lookahead(&["train", &format!("{SMALL}&from=({})", run("neox", 1).1), "--from", folder.to_str().unwrap()]);
    assert!(!given.status.success());
    std::fs::remove_dir_all(folder).unwrap();
}

/// The first checkpoint of the site is what its link makes, bit for bit. The others take minutes: the next test asks what they answer.
#[test]
fn the_first_checkpoint_of_the_site_is_made_by_its_link() {
    if Kernel::fused().is_none() {
        eprintln!("NOT RUN: this machine has no fused multiply-add, with which they were made");
        return;
    }
    let folder = folder("shipped");
    let shipped = shipped::find("k1").unwrap();
    assert!(shipped.config().unwrap().start.travels());
    train(shipped.link, None, &folder);
    assert!(weights(&folder) == shipped.bytes, "{}", shipped.name);
    std::fs::remove_dir_all(folder).unwrap();
}

/// GRPO from the second one scores, at its first measurement, what it scored when the whole chain of runs was made.
#[test]
fn the_checkpoint_of_the_reward_is_the_one_of_the_results() {
    if Kernel::fused().is_none() {
        eprintln!("NOT RUN: this machine has no fused multiply-add, with which it was made");
        return;
    }
    let whole = RunConfig { engine: EngineChoice::Cpu, ..shipped::find("small-grpo").unwrap().config().unwrap() };
    let records = include_str!("../../docs/small-paper.jsonl").lines().map(|line| serde_json::from_str::<Record>(line).unwrap());
    let record = records.into_iter().find(|record| link::read(&record.link).is_ok_and(|link| link.config == whole)).unwrap();
    let config = RunConfig { engine: EngineChoice::Cpu, ..short::named("grpo").unwrap() };
    assert_eq!(config, RunConfig { start: Start::Shipped("small-k1".into()), ..whole });
    let (kernel, plan) = (Kernel::best(), Plan::new(&config));
    let place = Backend::Pool(Box::new(ThreadPool::new(&plan, kernel, 2)), kernel);
    let mut run = block_on(Run::new(&config, place, Some(shipped::find("small-k1").unwrap().bytes))).unwrap();
    for _ in 0..record.measured[0].step {
        block_on(run.step()).unwrap();
    }
    let measured = block_on(run.measure(Split::Validation)).unwrap().0;
    assert_eq!(measured.depths[0].exact, record.measured[0].depths[0].exact);
}

/// The other checkpoints answer as many validation questions as the best measurement of their run in the site's results, exactly.
#[test]
fn the_checkpoints_of_the_site_answer_as_their_runs_did() {
    if Kernel::fused().is_none() {
        eprintln!("NOT RUN: this machine has no fused multiply-add, with which they were made");
        return;
    }
    let results = include_str!("../../docs/small-paper.jsonl");
    let records: Vec<Record> = results.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for shipped in shipped::SHIPPED.iter().filter(|shipped| !["k1", "small-k1"].contains(&shipped.name)) {
        let made = RunConfig { engine: EngineChoice::Cpu, ..shipped.config().unwrap() };
        let same = |record: &&Record| link::read(&record.link).is_ok_and(|link| link.config == made);
        let record = records.iter().find(same).unwrap_or_else(|| panic!("{} has no results", shipped.name));
        let best = record.measured.iter().rev().find(|measured| measured.best && measured.split == Split::Validation).unwrap();
        // From these weights, whatever the run itself began from.
        let mut config = RunConfig { start: Start::Shipped(shipped.name.into()), ..made };
        config.training.learning_rate = 0.0;
        let (kernel, plan) = (Kernel::best(), Plan::new(&config));
        let place = Backend::Pool(Box::new(ThreadPool::new(&plan, kernel, 2)), kernel);
        let mut run = block_on(Run::new(&config, place, Some(shipped.bytes))).unwrap();
        let measured = block_on(run.measure(Split::Validation)).unwrap().0;
        let exact = |scores: &[DepthScore]| scores.iter().map(|score| (score.depth, score.exact, score.samples)).collect::<Vec<_>>();
        assert_eq!(exact(&measured.depths), exact(&best.depths), "{}", shipped.name);
    }
}
