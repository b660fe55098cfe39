//! The ceiling and the floors: against brute force, against laws, and against the published table.

use std::collections::BTreeMap;

use lookahead::rng::{Purpose, Stream, stream};
use lookahead::task::{
    Estimate, Horizon, Layout, Radius, Rule, Sample, Split, Task, Vocabulary, estimate, estimate_samples, next_state, target_distribution,
};

fn task(radius: Radius, width: usize, shown: usize) -> Task {
    Task {
        radius,
        width,
        shown,
        depth: 1,
        horizon: Horizon::Multi,
        layout: Layout::OrbitState,
        vocabulary: Vocabulary::Compact,
        segmented: false,
    }
}

/// Samples of each estimate.
const SAMPLES: u64 = 4000;

/// Sample `index` over all rules, whatever their split, with the stream for its completions.
fn any_rule(task: &Task, index: u64) -> (Sample, Stream) {
    let mut draws = stream(11, Purpose::Estimate, index);
    let rule = Rule::from_number(task.radius, draws.bits64() as u32);
    let first = (0..task.width).map(|_| draws.bit()).collect();
    (Sample { states: task.orbit(&rule, first), rule }, draws)
}

fn over_all_rules(task: &Task, count: u64, depth: usize) -> Estimate {
    estimate_samples(task, (0..count).map(|index| any_rule(task, index)), depth)
}

fn one(task: &Task, index: u64, depth: usize) -> Estimate {
    estimate_samples(task, std::iter::once(any_rule(task, index)), depth)
}

/// Within four standard errors of the difference between a share of `samples` and one of `reference_samples`, and the
/// rounding of the reference; never more than .03.
fn assert_near(what: &str, measured: f64, reference: f64, reference_samples: f64) {
    let variance = reference * (1.0 - reference) * (1.0 / SAMPLES as f64 + 1.0 / reference_samples);
    let tolerance = (4.0 * variance.sqrt() + 0.0005).min(0.03);
    let error = (measured - reference).abs();
    println!("{what}: {measured:.4}, reference {reference:.3}, tolerance {tolerance:.4}");
    assert!(error <= tolerance, "{what}: {measured} is {error} from {reference}, more than {tolerance}");
}

/// All completions of the unseen entries, by the readable automaton, which the estimate does not use.
#[test]
fn the_distribution_is_that_of_all_completions() {
    let settings = [(Radius::One, 6, 2), (Radius::One, 9, 3), (Radius::ThreeHalves, 7, 3), (Radius::Two, 12, 10)];
    for (radius, width, shown) in settings {
        let task = task(radius, width, shown);
        for index in 0..60 {
            let (sample, mut draws) = any_rule(&task, index);
            let (left, _) = radius.neighbourhood();
            let mut unseen: Vec<usize> = (0..radius.entries()).collect();
            for state in &sample.states[..shown - 1] {
                for i in 0..width {
                    let cell = |offset: usize| usize::from(state[(i + width - left + offset) % width]);
                    let code = (0..radius.cells()).map(cell).fold(0, |code, cell| 2 * code + cell);
                    unseen.retain(|&entry| entry != code);
                }
            }
            // Some rules of radius 2 show few entries: too many completions for brute force.
            if unseen.len() > 10 {
                continue;
            }
            for depth in 1..=4 {
                let mut expected: BTreeMap<u64, f64> = BTreeMap::new();
                for completion in 0..1u32 << unseen.len() {
                    let mut rule = sample.rule.clone();
                    for (bit, &entry) in unseen.iter().enumerate() {
                        rule.table[entry] = (completion >> bit & 1) as u8;
                    }
                    let mut state = sample.states[shown - 1].clone();
                    for _ in 0..depth {
                        state = next_state(radius, &rule, &state);
                    }
                    let target = state.iter().fold(0, |target, &bit| target << 1 | u64::from(bit));
                    *expected.entry(target).or_default() += 1.0 / f64::from(1u32 << unseen.len());
                }
                let expected: Vec<(u64, f64)> = expected.into_iter().collect();
                assert_eq!(target_distribution(&task, &sample, depth, &mut draws), expected);
            }
        }
    }
}

/// 17 or more unseen entries can be needed when one transition is shown: then completions are drawn.
#[test]
fn probabilities_sum_to_one_enumerated_or_drawn() {
    let task = task(Radius::Two, 12, 2);
    let mut drawn = 0;
    for index in 0..30 {
        for depth in 1..=4 {
            // The same stream from its start, as often as it is asked for.
            let draws = || any_rule(&task, index).1;
            let sample = any_rule(&task, index).0;
            let targets = target_distribution(&task, &sample, depth, &mut draws());
            let total: f64 = targets.iter().map(|&(_, probability)| probability).sum();
            assert_eq!(total, 1.0);
            assert!(targets.windows(2).all(|pair| pair[0].0 < pair[1].0));
            let mut used = draws();
            assert_eq!(target_distribution(&task, &sample, depth, &mut used), targets);
            drawn += usize::from(used.bits64() != draws().bits64());
        }
    }
    assert!((10..110).contains(&drawn), "{drawn} of 120 were drawn: the test should meet both ways");
}

/// Answering the most probable target scores the ceiling: neither more, for then it would be no ceiling, nor less.
#[test]
fn the_ceiling_is_attained() {
    for task in [task(Radius::Two, 20, 10), task(Radius::One, 8, 2), task(Radius::ThreeHalves, 12, 2)] {
        for depth in 1..=4 {
            let (mut surplus, mut variance) = (0.0, 0.0);
            for index in 0..SAMPLES {
                let (sample, mut draws) = any_rule(&task, index);
                let targets = target_distribution(&task, &sample, depth, &mut draws);
                let (answer, chance) = targets.into_iter().fold((0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
                let truth = sample.states[task.shown - 1 + depth].iter().fold(0, |s, &bit| s << 1 | u64::from(bit));
                surplus += f64::from(u8::from(answer == truth)) - chance;
                variance += chance * (1.0 - chance);
            }
            let errors = surplus / variance.sqrt();
            println!("r {} depth {depth}: {errors:.2} standard errors", task.radius.name());
            assert!(errors.abs() < 4.0, "depth {depth}: the best answer scores {errors} standard errors off the ceiling");
        }
    }
}

#[test]
fn each_sample_obeys_the_order_of_the_lines() {
    for task in [task(Radius::Two, 20, 10), task(Radius::One, 8, 3), task(Radius::ThreeHalves, 64, 2)] {
        for index in 0..300 {
            for depth in [1, 2, 3, 4, 11] {
                let line = one(&task, index, depth);
                if line.seen == 1.0 {
                    assert_eq!((line.ceiling, line.bit_ceiling), (1.0, 1.0));
                }
                assert!(line.ceiling <= line.bit_ceiling && line.bit_ceiling <= 1.0);
                assert!(line.bit_ceiling >= 0.5 && line.ceiling > 0.0);
                assert!(line.copy <= line.copy_bits && line.cycle <= line.cycle_bits);
                // A cycle that is there is never continued wrongly.
                assert!(line.cycle == 1.0 || line.cycle_bits == line.copy_bits);
            }
        }
    }
}

/// Rule 204 keeps each state and rule 170 turns it: both are cycles of lag 1.
#[test]
fn the_shifted_cycle_is_continued() {
    let task = task(Radius::One, 12, 4);
    for number in [204, 170, 240, 15] {
        let rule = Rule::from_number(Radius::One, number);
        let (_, mut draws) = any_rule(&task, 0);
        let first = (0..task.width).map(|_| draws.bit()).collect();
        let sample = Sample { states: task.orbit(&rule, first), rule };
        let line = estimate_samples(&task, std::iter::once((sample, draws)), 4);
        assert_eq!((line.cycle, line.cycle_bits), (1.0, 1.0), "rule {number}");
    }
}

#[test]
fn slices_merge_to_the_whole() {
    let task = task(Radius::Two, 20, 10);
    let slice = |range| estimate(&task, 1, Split::Test, range, 2);
    let (whole, merged) = (slice(0..90), slice(0..31).merge(&slice(31..32)).merge(&slice(32..90)));
    assert_eq!((whole.samples, merged.samples, merged.depth), (90, 90, 2));
    assert!((whole.ceiling - merged.ceiling).abs() < 1e-14);
    assert!((whole.cycle_bits - merged.cycle_bits).abs() < 1e-14);
    assert_eq!(Estimate::empty(2).merge(&whole), whole);
    assert_eq!(slice(5..5), Estimate::empty(2));
}

#[test]
fn the_table_of_the_paper_benchmark_is_reproduced() {
    let task = task(Radius::Two, 20, 10);
    let table = [(0.958, 0.922, 0.051, 0.248), (0.932, 0.874, 0.074, 0.248), (0.914, 0.842, 0.055, 0.248), (0.902, 0.819, 0.079, 0.248)];
    for (depth, (ceiling, seen, copy, cycle)) in (1..).zip(table) {
        let line = estimate(&task, 1, Split::Test, 0..SAMPLES, depth);
        assert_near("ceiling", line.ceiling, ceiling, f64::INFINITY);
        assert_near("seen", line.seen, seen, f64::INFINITY);
        assert_near("copy", line.copy, copy, f64::INFINITY);
        assert_near("cycle", line.cycle, cycle, f64::INFINITY);
    }
}

/// Over all rules, from a simulation of 3,000 samples, since the few dozen test rules of r = 1 are no fair sample of them.
#[test]
fn the_small_settings_are_reproduced() {
    let settings = [
        (task(Radius::One, 8, 6), [0.998, 0.996, 0.996, 0.996], [0.335, 0.454, 0.348, 0.524]),
        (task(Radius::One, 12, 4), [0.992, 0.989, 0.989, 0.988], [0.224, 0.313, 0.233, 0.340]),
        (task(Radius::One, 20, 10), [1.0; 4], [0.257, 0.363, 0.264, 0.379]),
        (task(Radius::Two, 12, 10), [0.938, 0.903, 0.882, 0.866], [0.091, 0.149, 0.137, 0.165]),
        (task(Radius::Two, 16, 10), [0.942, 0.905, 0.878, 0.860], [0.065, 0.101, 0.073, 0.117]),
    ];
    for (task, ceilings, copies) in settings {
        println!("r {} W {} T {}", task.radius.name(), task.width, task.shown);
        for depth in 1..=4 {
            let line = over_all_rules(&task, SAMPLES, depth);
            assert_near("ceiling", line.ceiling, ceilings[depth - 1], 3000.0);
            assert_near("copy", line.copy, copies[depth - 1], 3000.0);
        }
    }
}
