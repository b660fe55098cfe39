//! Group relative policy optimisation: what is drawn, how it is rewarded, and that the policy follows. The loss itself is held against
//! fixed numbers in `operators/policy.rs`.

use lookahead::config::{ModelConfig, ModelKind, Objective, Optimizer, RunConfig, Start, link, presets, shipped};
use lookahead::engine::cpu::{Kernel, Machine};
use lookahead::engine::{Purpose, Target};
use lookahead::model::Role;
use lookahead::model::weights::{self, initial};
use lookahead::task::{Split, Vocabulary};
use lookahead::train::grpo::{self, Prompts};
use lookahead::train::pool::ThreadPool;
use lookahead::train::rollouts::Rollouts;
use lookahead::train::{Backend, Performer, Plan, Run, TrainError, checkpoint};
use pollster::block_on;

fn supervised(kind: ModelKind) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown) = (5, 3);
    run.set_model(ModelConfig { kind, layers: 2, width: 16, heads: 2, ff: 24, memory_tokens: 3, memory_width: 5, ..run.model.clone() });
    run
}

/// A run that starts from these weights.
fn policy(kind: ModelKind, file: &[u8]) -> RunConfig {
    let mut run = supervised(kind);
    run.start = Start::File(shipped::hash(file));
    run.training.objective = Objective::Grpo;
    (run.training.grpo.group, run.training.grpo.new_tokens) = (4, 8);
    (run.training.batch, run.training.eval_samples) = (5, 24);
    (run.training.optimizer, run.training.learning_rate) = (Optimizer::AdamW, 3e-3);
    (run.training.warmup, run.training.decay) = (0, 0);
    run
}

/// Weights whose answers differ from prompt to prompt, as a file.
fn file(kind: ModelKind) -> Vec<u8> {
    let plan = Plan::new(&supervised(kind));
    let scale = if kind == ModelKind::Mamba { 1.0 } else { 3.0 };
    let values: Vec<f32> = initial(&plan.parameters, 3).iter().map(|value| scale * value).collect();
    checkpoint::write(&plan.parameters, &values).unwrap()
}

fn place(config: &RunConfig, workers: usize) -> Backend {
    let kernel = Kernel::best();
    Backend::Pool(Box::new(ThreadPool::new(&Plan::new(config), kernel, workers)), kernel)
}

/// Losses, rollouts and weights after some steps.
fn train(config: &RunConfig, file: &[u8], workers: usize, steps: u64) -> (Vec<f32>, Vec<Rollouts>, Vec<f32>) {
    let mut run = block_on(Run::new(config, place(config, workers), Some(file))).unwrap();
    let (mut losses, mut rollouts) = (Vec::new(), Vec::new());
    for _ in 0..steps {
        block_on(run.step()).unwrap();
        losses.extend(block_on(run.losses()).unwrap());
        rollouts.extend(run.rollouts());
    }
    (losses, rollouts, block_on(run.values(false)).unwrap().1)
}

#[test]
fn an_answer_is_what_follows_the_last_gen_and_is_rewarded_token_by_token() {
    let mut config = policy(ModelKind::GptNeox, b"");
    (config.training.grpo.group, config.training.grpo.new_tokens) = (5, 12);
    let v = Vocabulary::Compact;
    let sample = config.task.sample(1, Split::Train, 0);
    let truth: Vec<u32> = sample.states[3].iter().map(|&bit| u32::from(bit)).collect();
    let wrong: Vec<u32> = truth.iter().map(|bit| 1 - bit).collect();
    let plan = Plan::new(&config);
    let prompts = Prompts::training(&plan, 1, 0..1);
    let filled = |tokens: &[&[u32]]| -> Vec<u32> {
        let mut all = tokens.concat();
        all.resize(12, 0);
        all
    };
    let half: Vec<u32> = truth[..2].iter().chain(&wrong[2..]).copied().collect();
    let completions = [
        filled(&[&truth, &[v.eos()]]),
        // Thought first: only what follows the last [gen] counts.
        filled(&[&wrong, &[v.generate()], &truth, &[v.eos()]]),
        // No end: as many right but one.
        filled(&[&truth, &[v.sep()]]),
        filled(&[&half, &[v.eos()]]),
        // What stands behind the end is no answer.
        filled(&[&[v.eos()], &truth]),
    ];
    let judged = prompts.judge(&config.task, completions.concat());
    let found: Vec<f64> = judged.rollouts.group.iter().map(|sampled| sampled.reward).collect();
    let expected = [1.0, 1.0, 5.0 / 6.0, 3.0 / 6.0, 0.0];
    assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    assert_eq!((judged.rollouts.exact, judged.rollouts.completions, judged.rollouts.tokens), (3, 5, 6 + 12 + 12 + 6 + 1));
    let sum: f64 = judged.rollouts.group.iter().map(|sampled| sampled.advantage).sum();
    assert!(sum.abs() < 1e-9 && judged.rollouts.group[0].advantage > 0.0);
    assert_eq!(prompts.cells(&config.task, &completions[1]), [sample.states[3].clone()]);
    // An answer cut short has no cells where it ends.
    assert_eq!(prompts.cells(&config.task, &completions[4]), [vec![2; 5]]);
    // What stands before the last sign that begins an answer is what the model wrote by itself.
    let between: Vec<u8> = wrong.iter().map(|&bit| bit as u8).collect();
    assert_eq!(prompts.written(&config.task, &completions[1]), [vec![between]]);
    for bare in [0, 2, 3, 4] {
        assert_eq!(prompts.written(&config.task, &completions[bare]), [Vec::<Vec<u8>>::new()]);
    }
}

#[test]
fn every_network_explores_and_replays_on_any_number_of_workers() {
    for kind in ModelKind::with_kernels() {
        let file = file(kind);
        let config = policy(kind, &file);
        let found = train(&config, &file, 1, 4);
        assert!(found == train(&config, &file, 3, 4), "{kind:?} on one worker and on three");
        let (losses, rollouts, _) = found;
        assert_eq!((losses.len(), rollouts.len()), (4, 4));
        assert!(losses.iter().all(|loss| loss.is_finite()));
        for (step, all) in rollouts.iter().enumerate() {
            assert_eq!(all.completions, 20, "{kind:?}");
            assert!((20..=160).contains(&all.tokens), "{kind:?}: {all:?}");
            assert_eq!(all.group.len(), 4);
            assert_eq!(
                step == 0,
                all.distance.abs() < 1e-6,
                "{kind:?}: the policy leaves its reference with the first update: {}",
                all.distance
            );
        }
        let distinct: std::collections::HashSet<_> = rollouts.iter().flat_map(|all| &all.group).map(|sampled| &sampled.tokens).collect();
        assert!(distinct.len() > 4, "{kind:?} draws always the same");
    }
}

/// With older probabilities given, the loss is a function of the weights whose slope at the policy that drew is the gradient of GRPO.
#[test]
fn the_gradient_is_the_slope_of_the_clipped_objective() {
    for kind in ModelKind::with_kernels() {
        let file = file(kind);
        let mut config = policy(kind, &file);
        // From the third segment on ARMT's γ counts as a constant. A long leash lets the distance weigh in.
        (config.task.shown, config.training.grpo.kl) = (2, 0.5);
        let plan = Plan::new(&config);
        let own = weights::count(plan.trained_parameters());
        let mut values = plan.initial(Some(&file)).unwrap();
        // A policy that has left its reference.
        values[..own].iter_mut().enumerate().for_each(|(index, value)| *value += 0.01 * ((index * 7 % 11) as f32 - 5.0) / 5.0);
        let prompts = Prompts::training(&plan, 1, 0..3);
        let shape = prompts.shape();
        let learning = grpo::learning(&plan, shape, Purpose::Gradient, Target::Thread).unwrap();
        let mut machine = Machine::new(Kernel::best());
        let mut run = |values: &[f32], words: &[u32]| {
            machine.load(values);
            machine.run(&learning, words);
            let found = machine.numbers(learning.weights, learning.weights + 1);
            (f64::from(found[learning.weights]), found[..own].to_vec())
        };
        let drawing = grpo::drawing(&plan, shape, Target::Thread).unwrap();
        let mut drawer = Machine::new(Kernel::best());
        drawer.load(&values);
        drawer.run(&drawing, &prompts.drawing_words(1));
        let (at, count) = drawing.generated.unwrap();
        let drawn: Vec<u32> = drawer.numbers(drawing.address(at), count).iter().map(|&token| token as u32).collect();
        let judged = prompts.judge(&config.task, drawn);
        let words = judged.words(&prompts, 1.0);
        let gradient = run(&values, &words).1;
        let old = older(&plan, &values, &words, shape);
        let square: f64 = gradient.iter().map(|slope| f64::from(*slope).powi(2)).sum();
        let h = 1e-3 / square.sqrt();
        let moved = |by: f64| -> Vec<f32> {
            let step = |(index, value): (usize, &f32)| {
                (f64::from(*value) + by * gradient.get(index).map_or(0.0, |slope| f64::from(*slope))) as f32
            };
            values.iter().enumerate().map(step).collect()
        };
        let slope = (run(&moved(h), &old).0 - run(&moved(-h), &old).0) / (2.0 * h);
        assert!((slope / square - 1.0).abs() < 2e-2, "{kind:?}: {slope} and {square}");
    }
}

/// The same words with the log-probabilities of the policy as it is.
fn older(plan: &Plan, values: &[f32], words: &[u32], shape: lookahead::model::Shape) -> Vec<u32> {
    let inputs = shape.sequences * shape.length;
    let asked = shape.sequences * (shape.length - shape.from);
    let batch = lookahead::train::batch::Batch {
        sequences: shape.sequences,
        length: shape.length,
        inputs: words[..inputs].to_vec(),
        labels: vec![None; inputs],
    };
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(values);
    let temperature = plan.config.training.grpo.temperature;
    let logits: Vec<Vec<f64>> = performer
        .logits(&batch, shape.from)
        .unwrap()
        .chunks(12)
        .map(|row| row.iter().map(|&x| f64::from(x) / temperature).collect())
        .collect();
    let mut words = words.to_vec();
    for (row, logits) in logits.iter().enumerate() {
        let label = words[inputs + row];
        if label != lookahead::engine::program::NO_LABEL {
            let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
            words[inputs + 2 * asked + row] = ((logits[label as usize] - total.ln()) as f32).to_bits();
        }
    }
    words
}

#[test]
fn the_reference_stands_still_and_is_saved_with_the_run_but_not_with_the_model() {
    let file = file(ModelKind::GptNeox);
    let config = policy(ModelKind::GptNeox, &file);
    let plan = Plan::new(&config);
    let own = weights::count(plan.trained_parameters());
    assert_eq!(plan.parameters.iter().filter(|parameter| parameter.role == Role::Frozen).count(), plan.trained_parameters().len());
    let whole = train(&config, &file, 2, 6);
    let mut run = block_on(Run::new(&config, place(&config, 2), Some(&file))).unwrap();
    (0..3).for_each(|_| block_on(run.step()).unwrap());
    let snapshot = block_on(run.snapshot()).unwrap();
    let mut again = block_on(Run::resume(&config, place(&config, 1), &snapshot)).unwrap();
    (0..3).for_each(|_| block_on(again.step()).unwrap());
    assert!(block_on(again.losses()).unwrap() == whole.0[3..], "goes on from a snapshot as if nothing had been");
    let saved = block_on(again.values(false)).unwrap().1;
    assert!(saved == whole.2 && saved.len() == own);
    assert_ne!(saved, plan.initial(Some(&file)).unwrap()[..own], "the policy moves");
    let kept = checkpoint::Snapshot::read(&plan, &block_on(again.snapshot()).unwrap()).unwrap().values;
    assert!(kept[own..] == plan.initial(Some(&file)).unwrap()[own..], "the reference does not");
}

/// From a network that is half right, reward alone makes it better.
#[test]
fn reward_rises() {
    let mut config = supervised(ModelKind::GptNeox);
    config.training.steps = 60;
    let mut run = block_on(Run::new(&config, place(&config, 2), None)).unwrap();
    (0..60).for_each(|_| block_on(run.step()).unwrap());
    let (_, values) = block_on(run.values(false)).unwrap();
    let file = checkpoint::write(run.plan.trained_parameters(), &values).unwrap();
    let mut config = policy(ModelKind::GptNeox, &file);
    (config.training.batch, config.training.grpo.group, config.training.grpo.new_tokens) = (16, 8, 6);
    let rollouts = train(&config, &file, 2, 100).1;
    let mean = |part: &[Rollouts]| part.iter().map(|all| all.summary().reward).sum::<f64>() / part.len() as f64;
    let (first, last) = (mean(&rollouts[..10]), mean(&rollouts[90..]));
    assert!(last > first + 0.05, "mean reward of the first ten steps {first}, of the last ten {last}");
}

#[test]
fn a_link_says_where_it_starts_and_what_cannot_start_is_told() {
    let file = file(ModelKind::GptNeox);
    let config = policy(ModelKind::GptNeox, &file);
    let text = link::write(&config, None);
    assert!(text.contains("&learn=grpo&") && text.contains("&from=file-"), "{text}");
    assert_eq!(link::read(&text).unwrap().config, config);
    let plain = link::write(&presets::quick(), None);
    assert!(!plain.contains("learn") && !plain.contains("from") && !plain.contains("group"), "{plain}");
    let refused = |text: &str| link::read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert!(refused("v=1&learn=grpo").contains("must start from a trained one"));
    assert!(refused("v=1&from=file-12").contains("16 digits"));
    assert!(refused("v=1&from=nothing").contains("is not a checkpoint of this site"));
    assert!(refused("v=1&learn=grpo&from=file-0123456789abcdef&layout=cot").contains("asks for one row"));
    assert!(refused("v=1&learn=grpo&from=file-0123456789abcdef&new=9").contains("21 tokens"));
    let start = |bytes: Option<&[u8]>| Plan::new(&config).initial(bytes).unwrap_err();
    assert_eq!(start(None), TrainError::NoStart);
    assert_eq!(start(Some(b"other")), TrainError::OtherStart);
    let mut wider = config.clone();
    wider.model.width = 24;
    assert!(Plan::new(&wider).initial(Some(&file)).unwrap_err().to_string().contains("sizes differ"));
}

/// Fine-tuning, and looped layers over a plain network's weights.
#[test]
fn a_supervised_run_starts_from_a_file_and_a_loop_draws_its_own_units() {
    let file = file(ModelKind::Lstm);
    let mut config = supervised(ModelKind::Lstm);
    config.start = Start::File(shipped::hash(&file));
    let plan = Plan::new(&config);
    let values = plan.initial(Some(&file)).unwrap();
    assert_ne!(values, initial(&plan.parameters, config.seed));
    config.model.looped = lookahead::config::Looped::Layer;
    let looped = Plan::new(&config).initial(Some(&file)).unwrap();
    assert!(looped[..values.len()] == values[..]);
    assert_eq!(looped[looped.len() - 1], 1.0, "the last unit's bias");
}

/// What the site carries is what its table says, and knows what it promises.
#[test]
fn the_checkpoint_of_the_preset_fits_its_link_and_looks_one_step_ahead() {
    for shipped in shipped::SHIPPED.iter().filter(|shipped| shipped.name == "k1") {
        let made = shipped.config().unwrap();
        let mut config = presets::quick();
        config.set_model(made.model.clone());
        config.start = Start::Shipped(shipped.name.into());
        config.training.eval_samples = 200;
        assert_eq!(config.problems(), []);
        let mut run = block_on(Run::new(&config, place(&config, 2), Some(shipped.bytes))).unwrap();
        let score = block_on(run.measure(Split::Test)).unwrap().0.depths[0].clone();
        assert!(score.exact >= 190, "{}: {score:?}", shipped.name);
        let text = link::write(&config, None);
        assert!(text.ends_with(&format!("&from={}", shipped.name)) && link::read(&text).unwrap().config == config, "{text}");
        config.model.width = 40;
        assert!(config.problems()[0].sentence.contains("set the network to the same sizes"));
    }
    let named: Vec<&str> = presets::PRESETS.iter().map(|preset| preset.key).collect();
    assert!(named.contains(&"grpo"));
}
