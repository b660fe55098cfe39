//! Links of every kind replay bit for bit on the CPU, on any number of workers; where engines round differently, a policy is not compared.

use lookahead::config::link;
use lookahead::engine::cpu::Kernel;
use lookahead::replay::{EngineClass, Verdict, verdict};
use serde_json::Value;
use std::collections::HashSet;
use std::process::Command;

/// The links, and what they are about.
fn pinned() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("golden/links.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_once(" # ").unwrap()).collect()
}

#[test]
fn links_of_every_kind_replay_bit_for_bit() {
    for (link, label) in pinned() {
        if label.ends_with("fused") && Kernel::fused().is_none() {
            eprintln!("NOT RUN: {label}: this machine has no fused multiply-add");
            continue;
        }
        for workers in ["1", "3"] {
            let output = Command::new(env!("CARGO_BIN_EXE_lookahead")).args(["train", link, "--workers", workers]).output().unwrap();
            assert!(output.status.success(), "{label}: {}", String::from_utf8_lossy(&output.stderr));
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(found["replay"], "reproduced bit for bit", "{label}, {workers} workers: {found}");
            let losses: HashSet<String> = found["losses"].as_array().unwrap().iter().map(Value::to_string).collect();
            assert!(losses.len() > 1, "{label}: losses that do not move prove nothing");
        }
    }
}

#[test]
fn a_policy_is_compared_only_where_bits_are_promised() {
    let (text, _) = pinned().into_iter().find(|(_, label)| label.starts_with("GRPO after a run, neox, fused")).unwrap();
    let mut link = link::read(text).unwrap();
    let far = [1.0, 2.0, 3.0];
    assert!(matches!(verdict(&link, EngineClass::Fused, &far), Some(Verdict::Differs { step: 1, .. })));
    for other in [EngineClass::Separate, EngineClass::WebGpu] {
        assert_eq!(verdict(&link, other, &far), Some(Verdict::DrewOthers));
        assert_eq!(verdict(&link, other, &far[..0]), Some(Verdict::Agreeing { steps: 0 }));
    }
    link.config.training.objective = lookahead::config::Objective::Examples;
    assert!(matches!(verdict(&link, EngineClass::WebGpu, &far), Some(Verdict::Differs { .. })));
    link.fingerprint = None;
    assert_eq!(verdict(&link, EngineClass::Fused, &far), None);
}
