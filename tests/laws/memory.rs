//! The memory that a run is said to need: on Burn against what burn-flex took, and too much of it is refused before the run starts.

use lookahead::config::{EngineChoice, ModelKind, RunConfig, presets};
use lookahead::task::Horizon;

/// Peak resident megabytes of one step natively, by `python3 tests/reference/memory.py`: of (W 16, T 12, d 64, 2 layers, ff 256, batch 32) and of
/// (W 16, T 24, d 128, 4 layers, ff 512, batch 16), both with 4 heads.
const MEASURED: [(ModelKind, [f64; 2]); 5] = [
    (ModelKind::GptNeox, [300.0, 1012.0]),
    (ModelKind::Lstm, [112.0, 684.0]),
    (ModelKind::Mamba, [600.0, 2220.0]),
    (ModelKind::Armt, [310.0, 1078.0]),
    (ModelKind::DeltaNet, [309.0, 907.0]),
];
/// What the program takes for itself.
const PROGRAM: f64 = 60.0;

fn on_burn(kind: ModelKind, (shown, width, layers, batch): (usize, usize, usize, usize)) -> RunConfig {
    let mut config = presets::quick();
    config.engine = EngineChoice::BurnFlex;
    (config.task.width, config.task.shown, config.task.horizon) = (16, shown, Horizon::Single);
    let mut model = config.model.clone();
    (model.kind, model.width, model.layers, model.heads, model.ff) = (kind, width, layers, 4, 4 * width);
    (model.memory_tokens, model.memory_width) = (8, 32);
    config.set_model(model);
    config.training.batch = batch;
    config
}

#[test]
fn burn_takes_about_what_is_said() {
    for (kind, measured) in MEASURED {
        for (shape, measured) in [(12, 64, 2, 32), (24, 128, 4, 16)].into_iter().zip(measured) {
            let said = on_burn(kind, shape).bytes(1) as f64 / 1e6;
            let ratio = said / (measured - PROGRAM);
            assert!((0.8..2.0).contains(&ratio), "{kind:?} {shape:?}: {said:.0} MB said, {measured} measured");
        }
    }
}

#[test]
fn a_run_that_does_not_fit_is_refused_for_every_network_and_engine() {
    for kind in ModelKind::ALL {
        for engine in [EngineChoice::Auto, EngineChoice::Cpu, EngineChoice::BurnFlex] {
            let mut config = on_burn(kind, (32, 512, 16, 64));
            config.engine = engine;
            (config.task.width, config.model.ff) = (64, 2048);
            let told = config.problems().into_iter().any(|problem| problem.sentence.contains("too long for"));
            // The CPU engine goes through an LSTM and Mamba one sequence at a time, which fits.
            let fits = !config.on_burn() && config.least_bytes() < 3_000_000_000;
            assert!(told != fits, "{kind:?} on {engine:?}: {} MB", config.least_bytes() / 1_000_000);
            assert!(on_burn(kind, (12, 64, 2, 32)).problems().is_empty(), "{kind:?}");
        }
    }
}
