//! Laws of the automaton, the splits, the samples and the layouts.

use std::collections::BTreeSet;

use lookahead::rng::{Purpose, stream};
use lookahead::task::{
    Horizon, Layout, LossOn, Radius, Rule, Split, Task, Vocabulary, next_state, published_record, sample_record, split_of,
};

const SPLITS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];
const RADII: [Radius; 3] = [Radius::One, Radius::ThreeHalves, Radius::Two];

fn paper() -> Task {
    Task {
        radius: Radius::Two,
        width: 20,
        shown: 10,
        depth: 1,
        horizon: Horizon::Single,
        layout: Layout::OrbitState,
        vocabulary: Vocabulary::Paper,
        segmented: false,
    }
}

fn bits(text: &str) -> Vec<u8> {
    text.bytes().map(|byte| byte - b'0').collect()
}

/// Values of a ChaCha8 written from its specification in another language; the normals to the last bit as libm rounds.
#[test]
fn random_values_never_change() {
    let mut a = stream(7, Purpose::TrainExample, 0);
    assert_eq!([a.bits64(), a.bits64()], [16_046_041_343_225_761_205, 995_032_270_771_533_213]);
    let mut b = stream(u64::MAX, Purpose::Weights, u64::MAX);
    assert_eq!(b.bits64(), 1_125_459_223_935_618_690);
    assert_eq!([b.below(1000), b.below(3), u64::from(b.bit())], [517, 0, 1]);
    let floats = [b.uniform(), b.normal(), b.normal()].map(f64::to_bits);
    assert_eq!(floats, [0x3fda_d778_2bd6_6292, 0xbfe3_72ea_c290_3aad, 0x3ff1_76b9_3c49_3bed]);
}

#[test]
fn below_covers_its_range_evenly() {
    let mut stream = stream(1, Purpose::Depth, 0);
    let mut counts = [0.0f64; 7];
    for _ in 0..70_000 {
        counts[stream.below(7) as usize] += 1.0;
    }
    let chi: f64 = counts.iter().map(|count| (count - 1e4).powi(2) / 1e4).sum();
    assert!(chi < 22.5, "chi² {chi} of 6 degrees of freedom is past its 0.999 quantile");
    assert_eq!(stream.below(1), 0);
}

#[test]
fn normals_have_the_moments_of_the_normal() {
    let mut stream = stream(1, Purpose::Weights, 0);
    let draws: Vec<f64> = (0..100_000).map(|_| stream.normal()).collect();
    let moment = |power| draws.iter().map(|x: &f64| x.powi(power)).sum::<f64>() / draws.len() as f64;
    // Four standard errors each: sqrt(1/n), sqrt(2/n), sqrt(96/n).
    assert!(moment(1).abs() < 0.0127);
    assert!((moment(2) - 1.0).abs() < 0.0179);
    assert!((moment(4) - 3.0).abs() < 0.124);
}

#[test]
fn the_test_vector_holds() {
    let rule = Rule { table: bits("01011111100100000101111011111100") };
    let orbit =
        ["10110111001000110100", "11101001101111101100", "10111011010000111011", "11001110111011101100", "10111011001100111011"].map(bits);
    for pair in orbit.windows(2) {
        assert_eq!(next_state(Radius::Two, &rule, &pair[0]), pair[1]);
    }
}

#[test]
fn a_rule_of_radius_one_is_wolframs() {
    let single = bits("00000100000");
    assert_eq!(next_state(Radius::One, &Rule::from_number(Radius::One, 30), &single), bits("00001110000"));
    // Rule 2 grows to the left only: its one live entry, 001, has the live cell on the right.
    assert_eq!(next_state(Radius::One, &Rule::from_number(Radius::One, 2), &single), bits("00001000000"));
    assert_eq!(Rule::from_number(Radius::One, 110).number(), 110);
}

/// The entry `1 << position` alone copies the cell at one place of the neighbourhood of an isolated cell.
#[test]
fn radius_three_halves_reads_one_left_and_two_right() {
    let single = bits("0000010000");
    for (entry, arrives) in [(8, 6), (4, 5), (2, 4), (1, 3)] {
        let rule = Rule::from_number(Radius::ThreeHalves, 1 << entry);
        let expected: Vec<u8> = (0..10).map(|i| u8::from(i == arrives)).collect();
        assert_eq!(next_state(Radius::ThreeHalves, &rule, &single), expected, "entry {entry}");
    }
}

#[test]
fn a_step_commutes_with_every_rotation() {
    for radius in RADII {
        for index in 0..50 {
            let mut stream = stream(3, Purpose::Estimate, index);
            let rule = Rule::from_number(radius, stream.bits64() as u32);
            let width = 5 + stream.below(20) as usize;
            let state: Vec<u8> = (0..width).map(|_| stream.bit()).collect();
            let mut after = next_state(radius, &rule, &state);
            let mut turned = state.clone();
            for _ in 0..width {
                turned.rotate_left(1);
                after.rotate_left(1);
                assert_eq!(next_state(radius, &rule, &turned), after);
            }
        }
    }
}

#[test]
fn splits_hold_their_share_of_the_rules() {
    let count = |radius, split, rules: u32| (0..rules).filter(|&n| split_of(&Rule::from_number(radius, n), radius) == split).count();
    assert_eq!(SPLITS.map(|split| count(Radius::One, split, 256)), [171, 30, 55]);
    // Four standard errors of a binomial count.
    assert!(count(Radius::ThreeHalves, Split::Test, 65_536).abs_diff(13_107) < 410);
    assert!(count(Radius::ThreeHalves, Split::Validation, 65_536).abs_diff(6_554) < 307);
    assert!(count(Radius::Two, Split::Test, 100_000).abs_diff(10_000) < 379);
    assert!(count(Radius::Two, Split::Validation, 100_000).abs_diff(5_000) < 276);
}

/// The split is part of what a link means.
#[test]
fn the_split_of_a_rule_never_changes() {
    let test: Vec<u32> = (0..48).filter(|&n| split_of(&Rule::from_number(Radius::One, n), Radius::One) == Split::Test).collect();
    assert_eq!(test, [6, 10, 14, 19, 23, 37, 41, 43, 45]);
}

#[test]
fn no_rule_is_in_two_splits() {
    for radius in RADII {
        let task = Task { radius, ..paper() };
        let rules = SPLITS.map(|split| {
            // Different seeds, for runs of different people must not meet either.
            (0..1000).map(|i| task.sample(i % 3, split, i).rule.number()).collect::<BTreeSet<u32>>()
        });
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            assert!(rules[a].is_disjoint(&rules[b]), "radius {}", radius.name());
        }
        for (split, rules) in SPLITS.iter().zip(&rules) {
            assert!(rules.iter().all(|&n| split_of(&Rule::from_number(radius, n), radius) == *split));
        }
    }
}

#[test]
fn a_sample_is_a_function_of_its_index() {
    let task = paper();
    let forwards: Vec<_> = (0..20).map(|i| task.sample(5, Split::Train, i)).collect();
    let backwards: Vec<_> = (0..20).rev().map(|i| task.sample(5, Split::Train, i)).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    assert_eq!(task.sample(5, Split::Train, 13), forwards[13]);
    assert_ne!(forwards[0], forwards[1]);
    assert_ne!(task.sample(6, Split::Train, 0), forwards[0]);
    assert_ne!(task.sample(5, Split::Test, 0).states[0], forwards[0].states[0]);
    let deeper = Task { depth: 9, horizon: Horizon::Single, ..task };
    let longer = deeper.sample(5, Split::Train, 3);
    assert_eq!(longer.rule, forwards[3].rule);
    assert_eq!(longer.states[..14], forwards[3].states);
    assert_eq!(longer.states.len(), 19);
}

#[test]
fn depths_of_the_multi_horizon_task_are_even() {
    let task = Task { horizon: Horizon::Multi, ..paper() };
    let mut counts = [0.0f64; 4];
    for index in 0..4000 {
        counts[task.depth_of(1, Split::Train, index) - 1] += 1.0;
    }
    let chi: f64 = counts.iter().map(|count| (count - 1e3).powi(2) / 1e3).sum();
    assert!(chi < 16.3, "chi² {chi} of 3 degrees of freedom is past its 0.999 quantile");
    assert_eq!(task.depths(), [1, 2, 3, 4]);
    assert_eq!(Task { depth: 3, ..paper() }.depths(), [3]);
    assert_eq!(Task { depth: 3, ..paper() }.depth_of(1, Split::Train, 0), 3);
}

#[test]
fn the_layout_is_the_papers() {
    let task = Task { depth: 3, ..paper() };
    let sample = task.sample(1, Split::Test, 0);
    let example = task.encode(&sample, 3, LossOn::Target);
    assert_eq!((example.tokens.len(), task.sequence_length(), example.targets[0].start), (231, 231, 211));
    assert_eq!((example.tokens[0], example.tokens[189], example.tokens[210]), (100, 100, 101));
    let row = |t: usize| sample.states[t].iter().map(|&bit| u32::from(bit)).collect::<Vec<_>>();
    for t in 0..10 {
        assert_eq!(example.tokens[21 * t], 100);
        assert_eq!(example.tokens[21 * t + 1..21 * (t + 1)], row(t));
    }
    assert_eq!(example.tokens[211..], row(12));
    assert!(example.loss_mask.iter().enumerate().all(|(p, &label)| label == (p >= 211)));

    let rows = task.encode(&sample, 3, LossOn::Rows);
    assert_eq!(rows.tokens, example.tokens);
    assert_eq!(rows.loss_mask.iter().filter(|&&label| label).count(), 10 * 20);
    for p in 0..211 {
        assert_eq!(rows.loss_mask[p], (21..210).contains(&p) && p % 21 != 0, "token {p}");
    }
}

#[test]
fn the_multi_horizon_layout_tells_the_depth() {
    for (vocabulary, first, generate) in [(Vocabulary::Paper, 106, 101), (Vocabulary::Compact, 7, 3)] {
        let task = Task { horizon: Horizon::Multi, vocabulary, ..paper() };
        let sample = task.sample(1, Split::Train, 0);
        for depth in task.depths() {
            let example = task.encode(&sample, depth, LossOn::Target);
            assert_eq!((example.tokens.len(), example.targets[0].start), (task.sequence_length(), 212));
            assert_eq!(example.tokens[210..212], [first + depth as u32 - 1, generate]);
            assert!(example.tokens.iter().all(|&id| (id as usize) < vocabulary.size()));
            let target: Vec<u8> = example.tokens[212..].iter().map(|&id| id as u8).collect();
            assert_eq!(target, sample.states[9 + depth]);
        }
    }
    let compact = Vocabulary::Compact;
    assert_eq!([compact.sep(), compact.generate(), compact.eos(), compact.rule(), compact.mask()], [2, 3, 4, 5, 6]);
    let authors = Vocabulary::Paper;
    let ids = [authors.sep(), authors.generate(), authors.eos(), authors.rule(), authors.mask()];
    assert_eq!(ids, [100, 101, 102, 103, 104]);
}

#[test]
fn settings_out_of_range_are_told() {
    assert_eq!(paper().fault(), None);
    for (task, word) in [
        (Task { width: 4, ..paper() }, "width"),
        (Task { width: 65, ..paper() }, "width"),
        (Task { shown: 1, ..paper() }, "shown"),
        (Task { depth: 0, ..paper() }, "depth"),
        (Task { depth: 17, ..paper() }, "depth"),
    ] {
        assert!(task.fault().is_some_and(|(_, message)| message.contains(word)));
    }
    assert_eq!(Task { radius: Radius::ThreeHalves, width: 4, ..paper() }.fault(), None);
}

#[test]
fn exported_lines_hold_the_sample() {
    let task = paper();
    let sample = task.sample(2, Split::Test, 4);
    let list = |state: &[u8]| format!("{state:?}").replace(' ', "");
    let published = published_record(&task, 2, Split::Test, 4);
    assert!(published.starts_with(&format!("{{\"rule_ids\":{},\"input_ids_0\":", list(&sample.rule.table))));
    for (t, state) in sample.states.iter().enumerate() {
        assert!(published.contains(&format!(",\"input_ids_{t}\":{}", list(state))));
    }
    assert!(published.contains("\"input_ids_19\"") && !published.contains("\"input_ids_20\""));

    let record = sample_record(&task, 2, Split::Test, 4, LossOn::Target);
    assert!(record.starts_with("{\"index\":4,\"split\":\"test\",\"rule\":["));
    assert!(record.ends_with(&format!("\"target\":{}}}", list(&sample.states[10]))));
    assert!(!record.contains('\n') && !record.contains(' '));
}
