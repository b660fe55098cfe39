//! Laws of training that hold for any run.

use lookahead::config::{EngineChoice, RunConfig, link, presets};
use lookahead::engine::cpu::{Kernel, Moments};
use lookahead::model::config_json;
use lookahead::model::weights::initial;
use lookahead::replay::{EngineClass, Fingerprint};
use lookahead::task::{Horizon, LossOn, Radius, Split};
use lookahead::train::evaluation::answers;
use lookahead::train::loss::BatchTotals;
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, CheckpointError, Performer, Plan, Run, TrainError, checkpoint};

/// A run that takes milliseconds.
fn tiny() -> RunConfig {
    let mut config = presets::quick();
    config.task.radius = Radius::One;
    config.task.horizon = Horizon::Multi;
    config.task.width = 5;
    config.task.shown = 3;
    config.model.layers = 2;
    config.model.width = 16;
    config.model.heads = 2;
    config.model.ff = 24;
    config.training.batch = 10;
    config.training.steps = 8;
    config.training.eval_every = 4;
    config.training.eval_samples = 40;
    config.engine = EngineChoice::Cpu;
    config
}

fn threads(config: &RunConfig, threads: usize) -> Backend {
    let kernel = Kernel::best();
    Backend::Pool(Box::new(ThreadPool::new(&Plan::new(config), kernel, threads)), kernel)
}

fn run(config: &RunConfig, place: Backend) -> Run {
    pollster::block_on(Run::new(config, place, None)).unwrap()
}

fn resume(config: &RunConfig, place: Backend, snapshot: &[u8]) -> Result<Run, TrainError> {
    pollster::block_on(Run::resume(config, place, snapshot))
}

fn performer(plan: &Plan, weights: &[f32]) -> Performer {
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(weights);
    performer
}

fn trace(mut run: Run, steps: u64) -> (Vec<f32>, Vec<f32>) {
    pollster::block_on(async {
        let mut losses = Vec::new();
        for _ in 0..steps {
            run.step().await.unwrap();
            losses.extend(run.losses().await.unwrap());
        }
        (losses, run.values(false).await.unwrap().1)
    })
}

#[test]
fn the_number_of_workers_never_changes_a_bit() {
    for horizon in [Horizon::Single, Horizon::Multi] {
        let mut config = tiny();
        config.task.horizon = horizon;
        let local = trace(run(&config, Backend::Pool(Box::new(Performer::new(Plan::new(&config), Kernel::best())), Kernel::best())), 6);
        for workers in [1, 2, 3, 4, 7] {
            assert_eq!(local, trace(run(&config, threads(&config, workers)), 6), "{workers} workers");
        }
    }
}

#[test]
fn measurements_do_not_change_a_run_and_do_not_depend_on_workers() {
    let config = tiny();
    let undisturbed = trace(run(&config, threads(&config, 1)), 6).0;
    let mut found = Vec::new();
    for workers in [1, 3] {
        let mut run = run(&config, threads(&config, workers));
        let mut losses = Vec::new();
        pollster::block_on(async {
            for _ in 0..6 {
                run.step().await.unwrap();
                losses.extend(run.losses().await.unwrap());
                found.push(run.measure(Split::Validation).await.unwrap().0);
            }
        });
        assert_eq!(losses, undisturbed);
    }
    let (one, three) = found.split_at(6);
    assert_eq!(one, three);
}

#[test]
fn a_run_goes_on_from_a_snapshot_as_if_nothing_had_been() {
    for optimizer in [lookahead::config::Optimizer::AdamW, lookahead::config::Optimizer::Muon] {
        let mut config = tiny();
        config.training.optimizer = optimizer;
        let whole = trace(run(&config, threads(&config, 2)), 8).0;
        let mut first = run(&config, threads(&config, 2));
        let snapshot = pollster::block_on(async {
            for _ in 0..5 {
                first.step().await.unwrap();
                if first.measurement_due() {
                    assert!(first.measure(Split::Validation).await.unwrap().1, "the first measurement is the best so far");
                }
            }
            first.snapshot().await.unwrap()
        });
        let rest = resume(&config, threads(&config, 1), &snapshot).unwrap();
        assert_eq!(rest.step_count(), 5);
        let best = pollster::block_on(rest.values(true)).unwrap();
        assert_eq!(best, pollster::block_on(first.values(true)).unwrap());
        assert_eq!(best.0, 4, "the best weights are kept too");
        assert_eq!(trace(rest, 3).0, whole[5..]);
        let cut = resume(&config, threads(&config, 1), &snapshot[..snapshot.len() / 2]).err().unwrap();
        assert!(matches!(cut, TrainError::Checkpoint(CheckpointError::CutOff(_))), "{cut}");
        config.model.layers = 3;
        let other = resume(&config, threads(&config, 1), &snapshot).err().unwrap();
        assert!(matches!(other, TrainError::Checkpoint(CheckpointError::NoTensor(_))), "{other}");
    }
}

#[test]
fn a_shards_losses_and_gradients_add_up_to_the_batchs() {
    let mut config = tiny();
    config.loss_on = LossOn::Rows;
    let plan = Plan::new(&config);
    let mut performer = performer(&plan, &initial(&plan.parameters, 3));
    let (whole, gradient) = performer.gradient(&plan.batch(1, 0..config.training.batch), plan.totals(1)).unwrap();
    let gradient = gradient.to_vec();
    let mut sum = 0.0;
    let mut total = vec![0.0; gradient.len()];
    assert!(plan.shards().len() > 4);
    for shard in plan.shards() {
        let (loss, part) = performer.gradient(&plan.batch(1, shard), plan.totals(1)).unwrap();
        sum += loss;
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
    }
    assert!((whole - sum).abs() < 1e-6 * whole, "{whole} {sum}");
    let mut start = 0;
    for parameter in plan.parameters.iter() {
        let range = start..start + parameter.size();
        start = range.end;
        let largest = gradient[range.clone()].iter().fold(1e-6f32, |largest, value| largest.max(value.abs()));
        assert!(gradient[range.clone()].iter().zip(&total[range]).all(|(a, b)| (a - b).abs() < 2e-5 * largest), "{}", parameter.name);
    }
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    let config = tiny();
    let plan = Plan::new(&config);
    let mut values = initial(&plan.parameters, 5);
    values.iter_mut().for_each(|value| *value *= 4.0);
    let batch = plan.batch(1, 0..4);
    let of = BatchTotals { sequences: 4, labels: batch.label_count(), ponder: config.training.ponder };
    let mut performer = performer(&plan, &values);
    let gradient = performer.gradient(&batch, of).unwrap().1.to_vec();
    let mut loss_at = |values: &[f32]| {
        performer.load(values);
        f64::from(performer.gradient(&batch, of).unwrap().0)
    };
    // Along the gradient itself rounding matters least: the slope is the squared norm.
    let square: f64 = gradient.iter().map(|value| f64::from(*value).powi(2)).sum();
    let h = 2e-3 / square.sqrt();
    let moved = |sign: f64| {
        values.iter().zip(&gradient).map(|(value, slope)| (f64::from(*value) + sign * h * f64::from(*slope)) as f32).collect::<Vec<_>>()
    };
    let slope = (loss_at(&moved(1.0)) - loss_at(&moved(-1.0))) / (2.0 * h);
    assert!((slope / square - 1.0).abs() < 5e-3, "{slope} {square}");
}

#[test]
fn no_answer_depends_on_what_comes_after_it() {
    let config = tiny();
    let plan = Plan::new(&config);
    let mut performer = performer(&plan, &initial(&plan.parameters, 1));
    let mut batch = plan.batch(1, 0..2);
    let vocabulary = plan.model.vocabulary;
    let mut logits = |batch: &lookahead::train::batch::Batch| {
        let all = performer.logits(batch, 0).unwrap();
        all.chunks(batch.length * vocabulary).flat_map(|sequence| sequence[..7 * vocabulary].to_vec()).collect::<Vec<_>>()
    };
    let before = logits(&batch);
    for row in 0..2 {
        for column in 7..batch.length {
            batch.inputs[row * batch.length + column] ^= 1;
        }
    }
    assert_eq!(before, logits(&batch));
    batch.inputs[6] ^= 1;
    assert_ne!(before, logits(&batch));
}

#[test]
fn an_answer_is_exact_running_free_just_when_it_is_exact_teacher_forced() {
    let mut config = tiny();
    config.training.learning_rate = 0.05;
    let plan = Plan::new(&config);
    let (_, values) = trace(run(&config, threads(&config, 2)), 30);
    let mut performer = performer(&plan, &values);
    let mut exact = 0;
    for depth in 1..=4 {
        for answer in pollster::block_on(answers(&plan, &mut performer, Split::Train, depth, 0..60, 60)).unwrap() {
            let free = answer.free_running.unwrap();
            assert_eq!(free == answer.truth, answer.teacher_forced == answer.truth);
            exact += usize::from(free == answer.truth);
            let wrong = answer.teacher_forced.iter().zip(&answer.truth).position(|(a, b)| a != b).unwrap_or(answer.truth.len() - 1);
            assert_eq!(free[..=wrong], answer.teacher_forced[..=wrong], "equal up to and with the first error");
        }
    }
    assert!(exact > 0, "the test wants some exact answers");
}

#[test]
fn weights_cross_a_file_unchanged_and_faults_are_told() {
    let config = tiny();
    let plan = Plan::new(&config);
    let values = initial(&plan.parameters, 9);
    let file = checkpoint::write(&plan.parameters, &values).unwrap();
    assert_eq!(values, checkpoint::read_weights(&plan.parameters, &file).unwrap());
    let json = checkpoint::config_json(&config);
    let described = config_json::read(&json).unwrap();
    assert_eq!((described.config, described.vocabulary), (config.model.clone(), 12));
    assert!(checkpoint::read_weights(&plan.parameters, b"not a file").unwrap_err().to_string().contains("safetensors"));
    assert!(config_json::read("{").unwrap_err().to_string().contains("config.json"));
    let mut wider = config.clone();
    wider.model.ff = 32;
    assert!(checkpoint::read_weights(&Plan::new(&wider).parameters, &file).unwrap_err().to_string().contains("sizes differ"));
}

#[test]
fn a_run_learns() {
    let mut config = tiny();
    config.training.steps = 60;
    let (losses, _) = trace(run(&config, threads(&config, 2)), 60);
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    assert!(mean(&losses[50..]) < 0.8 * mean(&losses[..5]), "{losses:?}");
}

#[test]
fn a_run_that_diverges_says_so() {
    let config = tiny();
    let plan = Plan::new(&config);
    let weights = vec![f32::NAN; initial(&plan.parameters, 1).len()];
    let broken = checkpoint::snapshot(&plan, 3, &weights, &Moments::zero(weights.len()), None).unwrap();
    let mut run = resume(&config, threads(&config, 1), &broken).unwrap();
    let error = pollster::block_on(async {
        run.step().await.unwrap();
        run.losses().await.unwrap_err()
    });
    assert_eq!(error, TrainError::Diverged(4));
}

const OLD_LINK: &str = "v=1&r=1&W=5&T=3&horizon=multi&loss=rows&vocab=compact&layers=2&d=16&heads=2&ff=24&rope=1&opt=muon&lr=0.02&warmup=2&decay=0&clipv=0.5&clipn=1&batch=10&steps=8&seed=7";

/// What this link computed once. Never change a line here: a change says that old links no longer replay.
#[test]
fn old_runs_replay_to_the_last_bit() {
    let pinned = [
        (Some(Kernel::separate()), "simd-8-f4e04835-401f62fc.40154aaa.3ffb6ccf.3f9e917c"),
        (Kernel::fused(), "fma-8-bfb04975-401f62fc.40154aaa.3ffb6cd0.3f9e917c"),
    ];
    for (kernel, expected) in pinned.into_iter().filter_map(|(kernel, expected)| Some((kernel?, expected))) {
        let config = link::read(OLD_LINK).unwrap().config;
        let place = Backend::Pool(Box::new(ThreadPool::new(&Plan::new(&config), kernel, 2)), kernel);
        let (losses, _) = trace(run(&config, place), 8);
        let found = Fingerprint::of(EngineClass::from(kernel.arithmetic), &losses).unwrap();
        assert_eq!(found.to_string(), expected);
    }
}
