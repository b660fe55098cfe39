//! The engine Burn against ours: the same losses, step by step, for every network, loop, layout and objective, on both of Burn's devices;
//! the same tokens where a network goes on by itself; and a network that only Burn computes.
//!
//! On a software adapter burn-wgpu takes minutes for what burn-flex does in seconds, so it gets a part of the cases and of their steps, and
//! all of both where LOOKAHEAD_FULL is set.

use lookahead::config::{EngineChoice, Looped, ModelConfig, ModelKind, Objective, Optimizer, RunConfig, Start, presets, shipped};
use lookahead::engine::burn::Burn;
use lookahead::engine::cpu::Kernel;
use lookahead::model::weights::initial;
use lookahead::replay::Agreement;
use lookahead::task::{Horizon, Layout, LossOn, Split};
use lookahead::train::evaluation::{Questions, Respondent};
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Direct, Performer, Plan, Pool, Run, checkpoint};
use pollster::block_on;

/// Steps that are compared; ARMT divides by what a query meets in the memory, which magnifies the last digits from step to step.
const STEPS: u64 = 20;
const STEPS_OF_ARMT: u64 = 8;
/// Steps on burn-wgpu unless all are asked for.
const FEW: u64 = 5;
const TOLERANCE: f32 = 1e-5;
/// A state that reflects magnifies what the adapter's `exp` and division are off by (llvmpipe's by more than half a unit in the last place).
const TOLERANCE_OF_DELTANET: f32 = 1e-4;
/// A policy's loss is a small difference of large numbers.
const TOLERANCE_OF_A_POLICY: f32 = 1e-4;

/// Burn on the adapter that answers here.
fn card() -> Option<Burn> {
    block_on(lookahead::engine::gpu::open(|sentence| panic!("{sentence}")))
        .inspect_err(|why| eprintln!("NOT RUN on burn-wgpu: {why}"))
        .ok()
        .map(|gpu| Burn::wgpu(&gpu))
}

/// Burn's devices for a case of so many steps: name, device, and steps there. `on_card` where a software adapter gets the case too.
fn devices(on_card: bool, steps: u64) -> Vec<(&'static str, Burn, u64)> {
    let full = std::env::var_os("LOOKAHEAD_FULL").is_some();
    let card = if on_card || full { card() } else { None };
    let card = card.map(|burn| ("burn-wgpu", burn, if full { steps } else { steps.min(FEW) }));
    [Some(("burn-flex", Burn::flex(), steps)), card].into_iter().flatten().collect()
}

fn run(kind: ModelKind) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown, run.task.depth) = (5, 3, 2);
    let network = ModelConfig { kind, layers: 2, width: 16, heads: 2, ff: 24, memory_tokens: 3, memory_width: 5, ..run.model.clone() };
    run.set_model(network);
    (run.training.batch, run.training.eval_samples, run.training.eval_every) = (6, 12, 1_000);
    (run.training.optimizer, run.training.learning_rate) = (Optimizer::AdamW, 1e-3);
    (run.training.warmup, run.training.decay) = (2, 0);
    run
}

fn losses(config: &RunConfig, pool: Box<dyn Pool>, start: Option<&[u8]>, steps: u64) -> Vec<f32> {
    // One update for both, so that what differs comes from the gradient.
    let mut run = block_on(Run::new(config, Backend::Pool(pool, Kernel::separate()), start)).unwrap();
    for _ in 0..steps {
        block_on(run.step()).unwrap();
    }
    block_on(run.losses()).unwrap()
}

/// Trains on our engine and on each of Burn's devices.
fn compare(at: &str, config: &RunConfig, start: Option<&[u8]>, tolerance: f32, on_card: bool) {
    assert_eq!(config.problems(), [], "{at}");
    let steps = if config.model.kind == ModelKind::Armt { STEPS_OF_ARMT } else { STEPS };
    let plan = Plan::new(config);
    let ours = losses(config, Box::new(ThreadPool::new(&plan, Kernel::separate(), 2)), start, steps);
    assert!(ours[0] != ours[ours.len() - 1], "{at}: losses that do not move prove nothing");
    for (device, burn, steps) in devices(on_card, steps) {
        let theirs = losses(config, Box::new(Direct::new(plan.clone(), burn)), start, steps);
        let agreement = Agreement::of(&theirs, &ours[..steps as usize]).unwrap();
        println!("{at} on {device}: {agreement:?}");
        assert!(agreement.greatest < tolerance, "{at} on {device}: {agreement:?}");
    }
}

#[test]
fn every_network_and_loop_learns_as_on_our_engine() {
    for kind in ModelKind::with_kernels() {
        for looped in [Looped::None, Looped::Layer, Looped::Stack, Looped::Fixed] {
            let mut config = run(kind);
            (config.model.looped, config.model.hops, config.training.ponder) = (looped, 3, 0.05);
            compare(&format!("{kind:?}, {looped:?}"), &config, None, TOLERANCE, looped == Looped::None);
        }
    }
}

#[test]
fn every_layout_learns_as_on_our_engine() {
    let others = [Layout::OrbitOrbit, Layout::OrbitRuleState, Layout::RuleOrbitState, Layout::ChainOfThought];
    for (kind, layout) in ModelKind::with_kernels().flat_map(|kind| others.map(|layout| (kind, layout))) {
        let mut config = run(kind);
        config.task.layout = layout;
        compare(&format!("{kind:?}, {layout:?}"), &config, None, TOLERANCE, false);
    }
    let mut config = run(ModelKind::GptNeox);
    (config.task.horizon, config.loss_on) = (Horizon::Multi, LossOn::All);
    compare("all depths, every token", &config, None, TOLERANCE, true);
    let mut config = run(ModelKind::Mamba);
    config.training.stage = 8;
    compare("a curriculum", &config, None, TOLERANCE, false);
}

/// Weights whose answers differ from token to token.
fn lively(plan: &Plan) -> Vec<f32> {
    let scale = match plan.config.model.kind {
        ModelKind::Mamba | ModelKind::DeltaNet => 1.0,
        // With larger ones a query all but misses what its memory holds, and its divisor comes near 0.
        ModelKind::Armt => 1.5,
        ModelKind::GptNeox | ModelKind::Lstm => 3.0,
    };
    initial(&plan.parameters, 3).iter().map(|value| scale * value).collect()
}

#[test]
fn a_policy_learns_as_on_our_engine() {
    for kind in ModelKind::with_kernels() {
        let mut config = run(kind);
        let plan = Plan::new(&config);
        let file = checkpoint::write(&plan.parameters, &lively(&plan)).unwrap();
        config.start = Start::File(shipped::hash(&file));
        config.training.objective = Objective::Grpo;
        (config.training.grpo.group, config.training.grpo.new_tokens) = (4, 8);
        // A large step away from the reference, so that its price counts.
        (config.training.learning_rate, config.training.grpo.kl) = (3e-3, 0.1);
        compare(&format!("GRPO, {kind:?}"), &config, Some(&file), TOLERANCE_OF_A_POLICY, kind == ModelKind::GptNeox);
    }
}

#[test]
fn a_network_goes_on_by_itself_as_on_our_engine() {
    for (kind, looped) in ModelKind::with_kernels().flat_map(|kind| [(kind, Looped::None), (kind, Looped::Layer)]) {
        let mut config = run(kind);
        (config.task.layout, config.model.looped, config.model.hops) = (Layout::ChainOfThought, looped, 3);
        let plan = Plan::new(&config);
        let weights = lively(&plan);
        let samples: Vec<_> = (0..5).map(|index| config.task.sample(1, Split::Validation, index)).collect();
        let questions = Questions::of(&config.task, &samples, 2);
        let mut ours = Performer::new(plan.clone(), Kernel::separate());
        ours.load(&weights);
        for (device, burn, _) in devices(kind == ModelKind::GptNeox, 0) {
            let mut theirs = Direct::new(plan.clone(), burn);
            theirs.load(&weights);
            for (from, generate) in [(0, false), (questions.free_after.unwrap(), true)] {
                let expected = block_on(ours.tokens(&questions.batch, from, generate)).unwrap();
                let found = block_on(theirs.tokens(&questions.batch, from, generate)).unwrap();
                assert_eq!(found, expected, "{kind:?}, {looped:?}, from {from} on {device}");
                assert_eq!(expected.hops.is_some(), looped == Looped::Layer);
            }
        }
    }
}

#[test]
fn a_network_without_kernels_trains_on_burn_and_says_why_not_elsewhere() {
    let mut config = run(ModelKind::DeltaNet);
    for (decay, reflects, looped) in [(false, true, Looped::None), (true, false, Looped::Layer), (true, true, Looped::Fixed)] {
        (config.model.decay, config.model.reflects, config.model.looped, config.model.hops) = (decay, reflects, looped, 2);
        let traces: Vec<Vec<f32>> = devices(decay && reflects, STEPS)
            .into_iter()
            .map(|(_, burn, steps)| losses(&config, Box::new(Direct::new(Plan::new(&config), burn)), None, steps))
            .collect();
        assert!(traces[0].iter().all(|loss| loss.is_finite()) && traces[0][19] < traces[0][0], "{:?}", traces[0]);
        for other in &traces[1..] {
            let agreement = Agreement::of(other, &traces[0][..other.len()]).unwrap();
            println!("DeltaNet, decay {decay}, reflects {reflects}, burn-wgpu against burn-flex: {agreement:?}");
            assert!(agreement.greatest < TOLERANCE_OF_DELTANET, "decay {decay}, reflects {reflects}: {agreement:?}");
        }
    }
    // Automatic takes Burn; an engine without the operator is refused before anything is computed.
    assert!(config.on_burn() && config.problems().is_empty());
    config.engine = EngineChoice::Cpu;
    assert!(config.problems()[0].sentence.contains("runs on Burn alone"), "{:?}", config.problems());
    let pool = Box::new(ThreadPool::new(&Plan::new(&config), Kernel::separate(), 1));
    let mut refused = block_on(Run::new(&config, Backend::Pool(pool, Kernel::separate()), None)).unwrap();
    let sentence = block_on(refused.step()).unwrap_err().to_string();
    assert!(sentence.contains("no kernel for the delta rule"), "{sentence}");
}
