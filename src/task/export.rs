//! Samples as lines of JSON, for other programs.

use std::fmt::{Display, Write};

use super::automaton::next_state;
use super::layout::LossOn;
use super::sample::Task;
use super::split::Split;

/// Sample `index` with the fields of the published data set, as one line without a line break: `rule_ids`,
/// `[2^(2r+1)]`, and `input_ids_0` … , each `[W]`.
///
/// It has `max(2T, T + max_depth)` states: 20 in the paper's setting, as published.
pub fn published_record(task: &Task, seed: u64, split: Split, index: u64) -> String {
    let sample = task.sample(seed, split, index);
    let count = (2 * task.shown).max(task.shown + task.max_depth());
    let mut line = format!("{{\"rule_ids\":{}", list(&sample.rule.table));
    let first = sample.states[0].clone();
    let orbit = std::iter::successors(Some(first), |state| Some(next_state(task.radius, &sample.rule, state)));
    for (t, state) in orbit.take(count).enumerate() {
        // Writing to a string cannot fail.
        let _ = write!(line, ",\"input_ids_{t}\":{}", list(&state));
    }
    line.push('}');
    line
}

/// Sample `index` as a model reads it, as one line without a line break: `index`, `split`, `rule`, `[2^(2r+1)]`,
/// `states`, `[T + max(max_depth, 4)][W]`, `depth`, `tokens`, `[L]`, `loss_mask`, `[L]` of 0 and 1, `target`, the `[W]` of the
/// last state asked, and `inputs`, `[L]`, if the model reads other tokens than `tokens`.
pub fn sample_record(task: &Task, seed: u64, split: Split, index: u64, loss_on: LossOn) -> String {
    let sample = task.sample(seed, split, index);
    let example = task.encode(&sample, task.depth_of(seed, split, index), loss_on);
    let states: Vec<String> = sample.states.iter().map(|state| list(state)).collect();
    let mask: Vec<u8> = example.loss_mask.iter().map(|&label| u8::from(label)).collect();
    let inputs = if example.inputs == example.tokens { String::new() } else { format!(",\"inputs\":{}", list(&example.inputs)) };
    let last = example.targets.last().map_or(0, |target| target.start);
    let target = &example.tokens[last..last + task.width];
    format!(
        "{{\"index\":{index},\"split\":\"{}\",\"rule\":{},\"states\":{},\"depth\":{},\"tokens\":{},\"loss_mask\":{},\
         \"target\":{}{inputs}}}",
        split.name(),
        list(&sample.rule.table),
        list(&states),
        example.depth,
        list(&example.tokens),
        list(&mask),
        list(target),
    )
}

fn list<T: Display>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(T::to_string).collect();
    format!("[{}]", items.join(","))
}
