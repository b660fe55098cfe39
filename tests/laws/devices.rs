//! Every network on the graphics engine: it trains and answers as on the CPU, and the number of its dispatches does not depend on how
//! long a sequence is.
//!
//! Training needs a Vulkan, Metal or DirectX adapter (Debian: `apt-get install mesa-vulkan-drivers`) and says `NOT RUN` where there is none.

use crate::common::{ADAPTER, adapters};
use lookahead::config::{Looped, ModelConfig, ModelKind, Objective, Optimizer, RunConfig, Start, TrainingConfig, presets, shipped};
use lookahead::engine::cpu::Kernel;
use lookahead::engine::gpu::{AdapterTraits, dispatches};
use lookahead::engine::{Purpose, Target};
use lookahead::model::Shape;
use lookahead::model::weights::initial;
use lookahead::task::{Horizon, Layout, Split};
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Measurement, Plan, Run, checkpoint, loss};
use pollster::block_on;

const KINDS: [ModelKind; 4] = [ModelKind::GptNeox, ModelKind::Lstm, ModelKind::Mamba, ModelKind::Armt];

/// A small run; sizes are odd where they may be. With keys of 5 numbers and 3 memory tokens ARMT comes to a point, at step 10, where a key
/// all but misses what is stored and even the CPU's two arithmetics part by 2e-5: `q · z` is then as small as what is added to it.
fn run(kind: ModelKind, width: usize, shown: usize) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown) = (width, shown);
    run.task.horizon = Horizon::Multi;
    run.set_model(ModelConfig { kind, layers: 2, width: 24, heads: 3, ff: 20, memory_tokens: 4, memory_width: 8, ..run.model.clone() });
    run.training.optimizer = Optimizer::AdamW;
    run.training.learning_rate = 3e-3;
    run.training.batch = 5;
    run.training.eval_samples = 9;
    run
}

const STEPS: usize = 9;
/// Steps of a curriculum's stage, fewer than there are.
const STAGE: u64 = 7;

/// Losses of a few steps, and what is measured after them.
fn train(config: &RunConfig, place: Backend) -> (Vec<f32>, Measurement) {
    let mut run = block_on(Run::new(config, place, None)).unwrap();
    let mut losses = Vec::new();
    for _ in 0..STEPS {
        block_on(run.step()).unwrap();
        losses.extend(block_on(run.losses()).unwrap());
    }
    (losses, block_on(run.measure(Split::Test)).unwrap().0)
}

/// Each network as it is; thinking aloud with looped layers; and all depths at once through a curriculum with a looped stack.
fn runs(adapter: &str) -> Vec<RunConfig> {
    let single = |kind, layout, looped| {
        let mut run = run(kind, 7, 4);
        (run.task.horizon, run.task.layout, run.task.depth) = (Horizon::Single, layout, 2);
        (run.model.looped, run.model.hops) = (looped, 3);
        run
    };
    let aloud = |kind| single(kind, Layout::ChainOfThought, Looped::Layer);
    let staged = |kind| {
        let mut run = single(kind, Layout::OrbitOrbit, Looped::Stack);
        run.training.stage = STAGE;
        run
    };
    // A software adapter carries a card's kernels out slowly; `networks/card.rs` has every network as it is on them.
    let few = |run: RunConfig| RunConfig { training: TrainingConfig { batch: 2, eval_samples: 5, ..run.training }, ..run };
    let more = |kind| if adapter == ADAPTER { vec![run(kind, 7, 5), aloud(kind)] } else { vec![few(staged(kind))] };
    KINDS.into_iter().flat_map(more).collect()
}

#[test]
fn every_network_trains_and_answers_as_on_the_cpu() {
    for (name, gpu) in adapters() {
        for config in runs(name) {
            let kind = format!("{:?}, {:?}, {:?}", config.model.kind, config.task.layout, config.model.looped);
            let kernel = Kernel::best();
            let pool = Box::new(ThreadPool::new(&Plan::new(&config), kernel, 1));
            let (truth, answered) = train(&config, Backend::Pool(pool, kernel));
            let (losses, measured) = train(&config, Backend::Device(gpu.clone()));
            for (step, (loss, truth)) in losses.iter().zip(&truth).enumerate() {
                assert!((loss - truth).abs() < 2e-6 * truth.abs(), "{kind} on {name}, step {step}: {loss}, on the CPU {truth}");
            }
            assert_eq!(losses.len(), truth.len());
            let stage = if config.training.stage > 0 { config.training.stage as usize } else { losses.len() };
            assert!(losses[stage - 1] < losses[0], "{kind} on {name} learns");
            for (found, truth) in measured.depths.iter().zip(&answered.depths) {
                assert_eq!(found.samples, truth.samples);
                assert!((found.bits_teacher_forced - truth.bits_teacher_forced).abs() < 0.04, "{kind} on {name}: {found:?}, {truth:?}");
            }
            let cells = |measured: &Measurement| measured.predictions.iter().flat_map(|answer| answer.cells.clone()).collect::<Vec<u8>>();
            let (found, truth) = (cells(&measured), cells(&answered));
            let different = found.iter().zip(&truth).filter(|(found, truth)| found != truth).count();
            assert!(found.len() == truth.len() && different * 20 <= truth.len(), "{kind} on {name}: {different} of {} cells", truth.len());
        }
    }
}

/// Dispatches of a gradient.
fn counted(config: &RunConfig, adapter: AdapterTraits) -> usize {
    let plan = Plan::new(config);
    let batch = plan.batch(1, 0..1);
    let shape = Shape { sequences: config.training.batch, length: batch.length, from: batch.first_labelled() };
    dispatches(&loss::program(&plan.model, &plan.shapes, shape, plan.totals(1), Purpose::Gradient, Target::Gpu).unwrap(), adapter)
}

#[test]
fn no_network_takes_more_dispatches_for_a_longer_sequence() {
    for software in [false, true] {
        let adapter = AdapterTraits { software, iterations: None };
        for kind in KINDS {
            let few = counted(&run(kind, 8, 6), adapter);
            for (width, shown) in [(8, 12), (8, 30), (16, 6), (40, 20)] {
                let more = counted(&run(kind, width, shown), adapter);
                assert_eq!(more, few, "{kind:?}, {width} cells, {shown} rows, software: {software}");
            }
            let looped = |shown| {
                let mut run = run(kind, 8, shown);
                run.model.looped = Looped::Layer;
                counted(&run, adapter)
            };
            assert_eq!(looped(12), looped(6), "{kind:?} with looped layers, software: {software}");
        }
    }
}

/// What a policy draws hangs on the last bits of its logits now and then, so the engines agree in what nearly all rollouts came to.
#[test]
fn a_policy_learns_on_the_card_as_on_the_cpu() {
    for (name, gpu) in adapters() {
        for kind in KINDS {
            let plain = Plan::new(&run(kind, 7, 4));
            let scale = if kind == ModelKind::Mamba { 1.0 } else { 3.0 };
            let values: Vec<f32> = initial(&plain.parameters, 3).iter().map(|value| scale * value).collect();
            let file = checkpoint::write(&plain.parameters, &values).unwrap();
            let mut config = run(kind, 7, 4);
            (config.task.horizon, config.start) = (Horizon::Single, Start::File(shipped::hash(&file)));
            config.training.objective = Objective::Grpo;
            (config.training.grpo.group, config.training.grpo.new_tokens) = (4, 9);
            // As above, a card's kernels get little to do.
            let steps = if name == ADAPTER { 4 } else { 2 };
            if name != ADAPTER {
                (config.training.batch, config.training.eval_samples) = (2, 5);
            }
            let explore = |place: Backend| {
                let mut run = block_on(Run::new(&config, place, Some(&file))).unwrap();
                let (mut losses, mut rollouts) = (Vec::new(), Vec::new());
                for _ in 0..steps {
                    block_on(run.step()).unwrap();
                    losses.extend(block_on(run.losses()).unwrap());
                    rollouts.extend(run.rollouts());
                }
                (losses, rollouts, block_on(run.measure(Split::Test)).unwrap().0)
            };
            let kernel = Kernel::best();
            let (truth, drawn, answered) = explore(Backend::Pool(Box::new(ThreadPool::new(&Plan::new(&config), kernel, 1)), kernel));
            let (losses, found, measured) = explore(Backend::Device(gpu.clone()));
            assert_eq!((losses.len(), found.len()), (truth.len(), drawn.len()));
            let same = found[0].group.iter().zip(&drawn[0].group).filter(|(found, truth)| found.tokens == truth.tokens).count();
            assert!(same >= 3, "{kind:?} on {name}: {same} of 4 completions are the same at first");
            for (step, (found, truth)) in found.iter().zip(&drawn).enumerate() {
                assert_eq!(found.completions, truth.completions);
                let (found, truth) = (found.summary(), truth.summary());
                let at = format!("{kind:?} on {name}, step {step}: {found:?}, on the CPU {truth:?}");
                assert!((found.reward - truth.reward).abs() < 0.03 && (found.kl - truth.kl).abs() < 0.02 + 0.1 * truth.kl, "{at}");
            }
            let bits = |measured: &Measurement| measured.depths[0].bits_free_running;
            assert!((bits(&measured) - bits(&answered)).abs() < 0.15, "{kind:?} on {name}: {measured:?}, {answered:?}");
        }
    }
}
