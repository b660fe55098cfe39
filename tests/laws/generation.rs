//! Generation by state and cache gives what a whole forward pass a token gives, for every network.

use lookahead::config::{Looped, ModelConfig, ModelKind, RunConfig, presets};
use lookahead::engine::cpu::Kernel;
use lookahead::model::weights::initial;
use lookahead::task::{Horizon, Layout, Split};
use lookahead::train::batch::Batch;
use lookahead::train::evaluation::Respondent;
use lookahead::train::{Performer, Plan};

fn runs() -> Vec<RunConfig> {
    let kinds = [ModelKind::GptNeox, ModelKind::Lstm, ModelKind::Mamba, ModelKind::Armt];
    let horizons = [Horizon::Single, Horizon::Multi];
    let run = |kind: ModelKind, horizon: Horizon| {
        let mut run = presets::quick();
        run.task.horizon = horizon;
        run.set_model(ModelConfig { kind, layers: 2, width: 24, ff: 20, memory_tokens: 3, memory_width: 5, ..run.model.clone() });
        run
    };
    let thinking = |kind: ModelKind| {
        let mut run = run(kind, Horizon::Single);
        (run.task.layout, run.task.depth) = (Layout::ChainOfThought, 2);
        run
    };
    let looped = |kind: ModelKind, looped: Looped| {
        let mut run = thinking(kind);
        (run.model.looped, run.model.hops) = (looped, 3);
        run
    };
    let more = |kind: ModelKind| [thinking(kind), looped(kind, Looped::Layer), looped(kind, Looped::Stack), looped(kind, Looped::Fixed)];
    kinds.into_iter().flat_map(|kind| horizons.map(|horizon| run(kind, horizon)).into_iter().chain(more(kind))).collect()
}

/// Weights large enough that answers differ from question to question.
fn performer(run: &RunConfig) -> Performer {
    let plan = Plan::new(run);
    let weights: Vec<f32> = initial(&plan.parameters, 3).iter().map(|weight| 2.5 * weight).collect();
    let mut performer = Performer::new(plan, Kernel::best());
    performer.load(&weights);
    performer
}

#[test]
fn generation_equals_a_whole_pass_a_token() {
    for run in runs() {
        let at = format!("{:?}, {:?}, {:?}, {:?}", run.model.kind, run.task.horizon, run.task.layout, run.model.looped);
        let depth = run.task.depths()[0];
        let examples: Vec<_> = (0..5).map(|index| run.task.encode(&run.task.sample(1, Split::Test, index), depth, run.loss_on)).collect();
        let mut batch = Batch::new(&examples);
        let from = examples[0].free_from.unwrap() - 1;
        let mut performer = performer(&run);
        let mut tokens = |batch: &Batch, generate: bool| pollster::block_on(performer.tokens(batch, from, generate)).unwrap();
        let once = tokens(&batch, true);
        assert_eq!(once.forced, tokens(&batch, false).forced, "{at}: the answers to the true tokens");
        let generated = once.generated.unwrap();
        let count = batch.length - from;
        for position in from..batch.length {
            let answers = tokens(&batch, false).forced;
            for row in 0..batch.sequences {
                let answer = answers[row * count + position - from];
                assert_eq!(generated[row * count + position - from], answer, "{at}: question {row}, position {position}");
                if position + 1 < batch.length {
                    batch.inputs[row * batch.length + position + 1] = answer;
                }
            }
        }
        let distinct: std::collections::HashSet<_> = generated.chunks(count).collect();
        assert!(distinct.len() > 1 || run.model.looped == Looped::Fixed, "{at}: every question has the same answer, so nothing was tested");
    }
}

#[test]
fn parameters_are_as_many_as_the_page_says() {
    let mut runs = runs();
    runs.push(RunConfig::version_1());
    for (kind, count) in [(ModelKind::GptNeox, 431_360), (ModelKind::Lstm, 561_280)] {
        let mut paper = RunConfig::version_1();
        paper.set_model(ModelConfig { kind, ..paper.model.clone() });
        assert_eq!(paper.parameter_count(), count, "the paper's {kind:?}");
        runs.push(paper);
    }
    for run in runs {
        let counted = lookahead::model::weights::count(&Plan::new(&run).parameters);
        assert_eq!(run.parameter_count(), counted, "{:?}", run.model.kind);
    }
}
