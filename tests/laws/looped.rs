//! Adaptive computation time and its fixed control, on every network: laws beyond the golden values (`networks`).

use lookahead::config::{Looped, ModelConfig, ModelKind, RunConfig, link, presets};
use lookahead::engine::cpu::Kernel;
use lookahead::model::weights::{self, initial};
use lookahead::model::{Model, config_json};
use lookahead::task::Split;
use lookahead::train::evaluation::{self, Questions, Respondent};
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Performer, Plan, Run};
use pollster::block_on;

const LOOPS: [Looped; 3] = [Looped::Layer, Looped::Stack, Looped::Fixed];

fn run(kind: ModelKind, looped: Looped, hops: usize) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown) = (5, 3);
    let sizes =
        ModelConfig { kind, layers: 2, width: 16, heads: 2, ff: 24, memory_tokens: 3, memory_width: 5, looped, hops, ..run.model.clone() };
    run.set_model(sizes);
    (run.training.batch, run.training.eval_samples, run.training.ponder) = (6, 12, 0.05);
    run
}

fn all() -> impl Iterator<Item = (ModelKind, Looped)> {
    ModelKind::with_kernels().flat_map(|kind| LOOPS.map(|looped| (kind, looped)))
}

/// Where the parameters of this prefix lie.
fn range(plan: &Plan, prefix: &str) -> std::ops::Range<usize> {
    let mut range = None::<std::ops::Range<usize>>;
    let mut start = 0;
    for parameter in plan.parameters.iter() {
        let end = start + parameter.size();
        if parameter.name.starts_with(prefix) {
            range = Some(range.map_or(start, |range| range.start)..end);
        }
        start = end;
    }
    range.unwrap()
}

/// Weights that make answers, and halting, differ from token to token: the halting units' are drawn large, their bias at `bias`.
fn lively(plan: &Plan, bias: f32) -> Vec<f32> {
    // Mamba's initial weights are lively as they are.
    let scale = if plan.config.model.kind == ModelKind::Mamba { 1.0 } else { 3.0 };
    let mut values: Vec<f32> = initial(&plan.parameters, 5).iter().map(|value| scale * value).collect();
    for unit in 0..plan.config.model.halting_units() {
        let at = range(plan, &format!("halting.{unit}."));
        values[at.end - 1] = bias;
        values[at.start..at.end - 1].iter_mut().for_each(|value| *value *= 6.0 / scale);
    }
    values
}

/// The slope of the loss along its gradient by some weights over what it should be, the squared norm; none where a step lets a row halt
/// elsewhere, which is a jump of which no gradient knows.
fn slope(plan: &Plan, bias: f32, weights: std::ops::Range<usize>) -> Option<f64> {
    let values = lively(plan, bias);
    let batch = plan.batch(1, 0..2);
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(&values);
    let gradient = performer.gradient(&batch, plan.totals(1)).unwrap().1.iter().enumerate();
    let gradient: Vec<f32> = gradient.map(|(index, slope)| if weights.contains(&index) { *slope } else { 0.0 }).collect();
    let square: f64 = gradient.iter().map(|value| f64::from(*value).powi(2)).sum();
    assert!(square > 1e-12, "no gradient");
    let mut at = |by: f64| {
        let step = |(value, slope): (&f32, &f32)| (f64::from(*value) + by * f64::from(*slope)) as f32;
        performer.load(&values.iter().zip(&gradient).map(step).collect::<Vec<_>>());
        let loss = f64::from(performer.gradient(&batch, plan.totals(1)).unwrap().0);
        (loss, block_on(performer.tokens(&batch, 0, false)).unwrap().hops)
    };
    let h = 5e-4 / square.sqrt();
    let ((after, later), (before, earlier)) = (at(h), at(-h));
    (later == earlier).then(|| (after - before) / (2.0 * h) / square)
}

#[test]
fn the_gradient_is_the_slope_of_the_loss_through_the_halting() {
    for (kind, looped) in all() {
        let mut config = run(kind, looped, 3);
        // From the third segment on ARMT's γ counts as a constant.
        config.task.shown = 2;
        let plan = Plan::new(&config);
        let mut parts = vec![(0..weights::count(&plan.parameters), "all weights")];
        if looped != Looped::Fixed {
            parts.push((range(&plan, "halting."), "the halting units"));
        }
        for (weights, name) in parts {
            let at = format!("{kind:?}, {looped:?}, {name}");
            let found = (0..40).find_map(|index| slope(&plan, -0.5 + 0.02 * index as f32, weights.clone()));
            let found = found.unwrap_or_else(|| panic!("{at}: with any bias a row stands at the threshold"));
            assert!((found - 1.0).abs() < 2e-2, "{at}: {found}");
        }
    }
}

#[test]
fn every_network_trains_replays_and_counts_its_hops() {
    for (kind, looped) in all() {
        let config = run(kind, looped, 4);
        let train = |workers: usize| {
            let kernel = Kernel::best();
            let place = Backend::Pool(Box::new(ThreadPool::new(&Plan::new(&config), kernel, workers)), kernel);
            let mut run = block_on(Run::new(&config, place, None)).unwrap();
            (0..10).for_each(|_| block_on(run.step()).unwrap());
            (block_on(run.losses()).unwrap(), block_on(run.measure(Split::Validation)).unwrap().0)
        };
        let (losses, measured) = train(1);
        let at = format!("{kind:?}, {looped:?}");
        assert_eq!((losses.clone(), measured.clone()), train(3), "{at}");
        assert!(losses[9] < losses[0], "{at} learns: {losses:?}");
        let hops = measured.depths[0].hops;
        assert_eq!(hops.is_some(), looped != Looped::Fixed, "{at}");
        assert!(hops.is_none_or(|hops| (1.0..=4.0).contains(&hops)), "{at}: {hops:?}");
        let maps = measured.predictions.iter().filter_map(|prediction| prediction.hops.as_ref());
        let length = config.task.sequence_length() - 1;
        for map in maps {
            assert_eq!(map.len(), config.model.halting_units(), "{at}");
            assert!(map.iter().all(|row| row.len() == length && row.iter().all(|hops| (1..=4).contains(hops))), "{at}: {map:?}");
        }
    }
}

#[test]
fn hops_are_one_where_nothing_is_left_to_spend_and_all_where_nothing_is_spent() {
    for (kind, looped) in all().filter(|(_, looped)| *looped != Looped::Fixed) {
        for (bias, hops) in [(30.0, 1.0), (-30.0, 4.0)] {
            let plan = Plan::new(&run(kind, looped, 4));
            let mut performer = Performer::new(plan.clone(), Kernel::best());
            performer.load(&lively(&plan, bias));
            let outcomes =
                evaluation::jobs(&plan, Split::Test, 12, 12).iter().map(|job| block_on(performer.perform(job)).unwrap()).collect();
            let measured = evaluation::score(&plan, Split::Test, outcomes);
            assert_eq!(measured.depths[0].hops, Some(hops), "{kind:?}, {looped:?}");
        }
    }
}

/// One hop at all is the plain network: a halting unit that always stops at once changes no answer.
#[test]
fn a_network_that_halts_at_once_is_the_plain_one() {
    for (kind, looped) in all().filter(|(_, looped)| *looped != Looped::Fixed) {
        let (config, plain) = (run(kind, looped, 4), run(kind, Looped::None, 4));
        let (plan, plain) = (Plan::new(&config), Plan::new(&plain));
        let values = lively(&plan, 30.0);
        let batch = plan.batch(1, 0..6);
        let mut ours = Performer::new(plan.clone(), Kernel::best());
        ours.load(&values);
        let mut theirs = Performer::new(plain.clone(), Kernel::best());
        theirs.load(&values[..weights::count(&plain.parameters)]);
        assert!(ours.logits(&batch, 0).unwrap() == theirs.logits(&batch, 0).unwrap(), "{kind:?}, {looped:?}");
    }
}

/// What a token is thought about depends on nothing after it.
#[test]
fn halting_is_causal() {
    for (kind, looped) in all().filter(|(_, looped)| *looped != Looped::Fixed) {
        let config = run(kind, looped, 4);
        let plan = Plan::new(&config);
        let mut performer = Performer::new(plan.clone(), Kernel::best());
        performer.load(&lively(&plan, -0.4));
        let sample = config.task.sample(1, Split::Test, 0);
        let mut questions = Questions::of(&config.task, &[sample], 1);
        let length = questions.batch.length;
        let mut hops = |questions: &Questions| block_on(performer.tokens(&questions.batch, 0, false)).unwrap().hops.unwrap().of(0);
        let before = hops(&questions);
        let distinct: std::collections::HashSet<u8> = before.iter().flatten().copied().collect();
        assert!(distinct.len() > 1, "{kind:?}, {looped:?}: every token halts alike, so nothing was tested");
        let last = length - 3;
        questions.batch.inputs[last] ^= 1;
        let after = hops(&questions);
        // Memory rows do not see the last segment, so ARMT too is causal to the token.
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before[..last], after[..last], "{kind:?}, {looped:?}");
        }
    }
}

#[test]
fn a_link_a_config_json_and_the_sizes_know_of_loops() {
    for (kind, looped) in all() {
        let mut config = run(kind, looped, 3);
        config.training.ponder = 0.001;
        if looped == Looped::Fixed {
            // Means nothing there, and stands as the version froze it.
            config.training.ponder = 3e-4;
        }
        let text = link::write(&config, None);
        assert_eq!(link::read(&text).unwrap().config, config, "{text}");
        let model = Model::of(&config);
        assert_eq!(config.parameter_count(), weights::count(&model.parameters()), "{kind:?}, {looped:?}");
        let described = config_json::read(&config_json::write(&config.model, 12, 100, 12)).unwrap();
        assert_eq!((described.config.looped, described.config.hops), (looped, 3));
        let plain = run(kind, Looped::None, 3);
        assert!(config.least_bytes() > plain.least_bytes(), "{kind:?}: three hops keep more than one");
    }
    let plain = link::write(&presets::quick(), None);
    assert!(!plain.contains("loop") && !plain.contains("hops") && !plain.contains("tau"), "{plain}");
    assert!(link::read("v=1&loop=twice").unwrap_err()[0].to_string().contains("none, layer, stack, fixed"));
    assert!(link::read("v=1&loop=layer&hops=1").unwrap_err()[0].to_string().contains("2 to 8"));
}
