//! GRPO's loss against fixed numbers (`tests/golden/grpo.json`, which were compared with TRL's own code), and what is drawn against its law.

use super::{burn_on_the_card, error};
use crate::common::{Found, engines};
use lookahead::engine::burn::Burn;
use lookahead::engine::cpu::{Kernel, Machine};
use lookahead::engine::eager::Eager;
use lookahead::engine::operators::{NO_LABEL, Operators, PolicyTerms, Sampling};
use lookahead::engine::program::{At, Instruction, Policy, Program, Rows};
use lookahead::engine::{ParameterShape, Pass, Purpose, record};
use lookahead::train::grpo::advantages;
use pollster::block_on;
use serde_json::Value;
use std::sync::Arc;

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Bool(flag) => vec![f64::from(u8::from(*flag))],
        other => vec![other.as_f64().unwrap()],
    }
}

fn singles(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|number| number as f32).collect()
}

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/grpo.json")).unwrap()
}

#[test]
fn advantages_equal_the_reference() {
    let golden = golden();
    let found: Vec<f32> = numbers(&golden["rewards"]).chunks(4).flat_map(advantages).map(|advantage| advantage as f32).collect();
    assert!(error(&found, &singles(&golden["advantages"])) < 1e-6, "{found:?}");
    // Equal rewards teach nothing, whatever they are.
    assert_eq!(advantages(&[7.0 / 21.0; 8]), [0.0; 8]);
}

/// The policy's loss over logits and reference log-probabilities that are parameters themselves; gives the logits.
fn policy_loss<O: Operators>(ops: &mut O, rows: usize, terms: PolicyTerms) -> O::Var {
    let reference = ops.frozen("reference.", |ops| {
        let table = ops.weight("log");
        ops.embedding(table, 0, rows)
    });
    let table = ops.weight("logits");
    let logits = ops.embedding(table, 0, rows);
    ops.policy_loss(logits, rows, reference, terms);
    logits
}

#[test]
fn the_policys_loss_and_gradient_equal_the_reference() {
    let golden = golden();
    let (mask, tokens) = (numbers(&golden["mask"]), numbers(&golden["tokens"]));
    let rows = mask.len();
    let count = mask.iter().sum::<f64>();
    let advantages = numbers(&golden["advantages"]);
    let parameter = |name: &str, width: usize, frozen: bool| ParameterShape { name: name.into(), shape: vec![rows, width], frozen };
    let parameters: Arc<[ParameterShape]> = [parameter("logits", 12, false), parameter("reference.log", 1, true)].into();
    for case in golden["cases"].as_object().unwrap().values() {
        let terms = PolicyTerms {
            temperature: case["temperature"].as_f64().unwrap() as f32,
            kl: golden["beta"].as_f64().unwrap() as f32,
            clip: golden["epsilon"].as_f64().unwrap() as f32,
            advantages: 2 * rows,
            old: 3 * rows,
            scale: 4 * rows,
        };
        let weights = [singles(&golden["logits"]), singles(&case["reference_log_probabilities"])].concat();
        let asked = |row: usize, word: u32| if mask[row] > 0.0 { word } else { NO_LABEL };
        let mut words: Vec<u32> = (0..rows as u32).collect();
        words.extend((0..rows).map(|row| asked(row, tokens[row] as u32)));
        words.extend((0..rows).map(|row| (advantages[row / 7] as f32).to_bits()));
        words.extend(singles(&case["old_log_probabilities"]).iter().map(|old| old.to_bits()));
        words.push((1.0 / count as f32).to_bits());
        let expect = |engine: &str, tolerance: f32, found: Found| {
            let at = format!("temperature {} on {engine}", case["temperature"]);
            let close = |found: f32, key: &str| (f64::from(found) / case[key].as_f64().unwrap() - 1.0).abs() < f64::from(tolerance);
            assert!(close(found.loss, "loss"), "{at}: {} and {}", found.loss, case["loss"]);
            assert!(close(found.hits, "mean_kl"), "{at}: {} and {}", found.hits, case["mean_kl"]);
            let off = error(&found.gradient[..rows * 12], &singles(&case["gradient"]));
            assert!(off < tolerance, "{at}: the gradient is off by {off:e}");
        };
        for (engine, tolerance, carrier, mut run) in engines() {
            let pass = Pass { purpose: Purpose::Gradient, sequences: 1, length: rows, from: 0, words: words.len(), drawing: None };
            let program = record(&parameters, &pass, carrier, |ops| Ok(policy_loss(ops, rows, terms))).unwrap();
            expect(engine, tolerance, run(&[program], &weights, &words));
        }
        for (engine, burn) in [("burn-flex", Some(Burn::flex())), ("burn-wgpu", burn_on_the_card())] {
            let Some(mut burn) = burn else { continue };
            burn.load(&parameters, &weights);
            let mut pass = burn.begin(words.clone(), true);
            policy_loss(&mut pass, rows, terms);
            let found = block_on(burn.gradient(pass)).unwrap();
            let found = Found { loss: found.loss, hits: found.distance, answers: vec![], logits: vec![], gradient: found.gradient };
            expect(engine, 3e-6, found);
        }
    }
}

/// A row of logits from which a token is drawn for each of many numbers, evenly spread over [0, 1).
fn drawn(logits: &[f32], sampling: Sampling, times: usize) -> Vec<f64> {
    let at = |offset: usize| At { buffer: 0, offset };
    let row = |offset: usize, stride: usize| Rows { at: at(offset), stride };
    let (vocabulary, start) = (logits.len(), logits.len());
    let instruction =
        Instruction::Policy(Policy::Draw { logits: row(0, 0), rows: times, vocabulary, sampling, uniforms: (0, 1), out: row(start, 1) });
    let program = Program {
        instructions: vec![instruction],
        spans: Vec::new(),
        base: vec![0],
        weights: vocabulary,
        constants: Vec::new(),
        size: start + times,
        words: times,
        chains: Vec::new(),
        total: None,
        answers: None,
        generated: None,
        halting_log: None,
        logits: None,
    };
    let words: Vec<u32> = (0..times).map(|time| ((time as f32 + 0.5) / times as f32).to_bits()).collect();
    let mut machine = Machine::new(Kernel::best());
    machine.load(logits);
    machine.run(&program, &words);
    let tokens = machine.numbers(start, times);
    (0..vocabulary).map(|token| tokens.iter().filter(|drawn| **drawn == token as f32).count() as f64 / times as f64).collect()
}

#[test]
fn tokens_are_drawn_by_the_softmax_of_the_most_probable() {
    let logits = [0.5, -1.0, 2.0, 0.5, 1.5, -3.0];
    for (temperature, top_k) in [(1.0, 0), (0.9, 4), (0.5, 3), (2.0, 2), (0.9, 1), (1.0, 50)] {
        let mut order: Vec<usize> = (0..logits.len()).collect();
        // The first of equals counts as the more probable one.
        order.sort_by(|&a, &b| f32::total_cmp(&logits[b], &logits[a]));
        let kept = if top_k == 0 { 6 } else { top_k.min(6) };
        let weight = |token: usize| if order[..kept].contains(&token) { f64::from(logits[token] / temperature).exp() } else { 0.0 };
        let total: f64 = (0..6).map(weight).sum();
        let found = drawn(&logits, Sampling { temperature, top_k }, 2_000);
        for (token, share) in found.iter().enumerate() {
            let truth = weight(token) / total;
            assert!((share - truth).abs() < 1e-3, "temperature {temperature}, top {top_k}: token {token} {share}, not {truth}");
            assert!(truth > 0.0 || *share == 0.0, "token {token} may not be drawn");
        }
    }
}
