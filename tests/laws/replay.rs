//! Links of every kind replay bit for bit on the CPU, on any number of workers; where engines round differently, a policy is not compared.

use lookahead::config::link;
use lookahead::engine::cpu::Kernel;
use lookahead::replay::{Agreement, EngineClass, Verdict};
use serde_json::Value;
use std::collections::HashSet;
use std::process::Command;

/// The links, and what they are about.
fn pinned() -> Vec<(&'static str, &'static str)> {
    let lines = include_str!("../golden/links.txt").lines().filter(|line| !line.starts_with('#'));
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
    assert!(matches!(link.verdict(EngineClass::Fused, &far), Some(Verdict::Differs { step: 1, .. })));
    for other in [EngineClass::Separate, EngineClass::WebGpu] {
        assert_eq!(link.verdict(other, &far), Some(Verdict::DrewOthers));
        assert_eq!(link.verdict(other, &far[..0]), Some(Verdict::Agreeing { steps: 0 }));
    }
    link.config.training.objective = lookahead::config::Objective::Examples;
    assert!(matches!(link.verdict(EngineClass::WebGpu, &far), Some(Verdict::Differs { .. })));
    link.fingerprint = None;
    assert_eq!(link.verdict(EngineClass::Fused, &far), None);
}

#[test]
fn two_engines_agree_up_to_rounding_and_no_further() {
    let ours = [2.0, 1.5, 1.0, 0.5];
    let close = Agreement::of(&ours, &[2.0, 1.5, 1.000_001, 0.5]).unwrap();
    assert!(close.same() && close.at == 3 && close.steps == 4, "{close:?}");
    assert!(close.sentence().contains("the same 4 losses to 6 digits"), "{}", close.sentence());
    let far = Agreement::of(&ours, &[2.0, 1.6, 1.0, 0.5]).unwrap();
    assert!(!far.same() && far.sentence().contains("differ by 6.3 % at step 2"), "{}", far.sentence());
    assert!(Agreement::of(&ours, &ours).unwrap().sentence().contains("equal to the last digit"));
    // As far as both go; nothing is said where nothing can be compared.
    assert_eq!(Agreement::of(&ours, &ours[..2]).unwrap().steps, 2);
    assert_eq!(Agreement::of(&ours, &[]), None);
    assert_eq!(Agreement::of(&[f32::NAN], &[1.0]), None);
}

#[test]
fn verify_makes_the_same_steps_on_burn_and_refuses_a_run_that_is_burns_own() {
    let verify = |link: &str| {
        let words = ["verify", link, "--steps", "5", "--on", "flex", "--workers", "1"];
        Command::new(env!("CARGO_BIN_EXE_lookahead")).args(words).output().unwrap()
    };
    let output = verify("quick&W=5&T=3&layers=1&d=16&heads=2&batch=4");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((found["steps"].as_u64(), found["burn"].as_str()), (Some(5), Some("burnflex")));
    assert_eq!([&found["losses"], &found["losses_of_burn"]].map(|losses| losses.as_array().unwrap().len()), [5, 5]);
    assert!(found["greatest"].as_f64().unwrap() < 1e-5, "{found}");
    for own in ["deltanet", "quick&engine=burn"] {
        let output = verify(own);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains("computed by Burn itself"), "{own}");
    }
}
