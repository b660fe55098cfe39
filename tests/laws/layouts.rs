//! What a model reads and what it is asked for, in every layout, against the table of the specification written as text.

use lookahead::config::{ModelConfig, ModelKind, RunConfig, Stage, link, presets};
use lookahead::engine::cpu::Kernel;
use lookahead::model::weights::initial;
use lookahead::task::{Example, Horizon, Layout, LossOn, Radius, Split, Task, Vocabulary, estimate};
use lookahead::train::evaluation::{self, Respondent};
use lookahead::train::loss::BatchTotals;
use lookahead::train::pool::ThreadPool;
use lookahead::train::{Backend, Performer, Plan, Run};
use pollster::block_on;

const LAYOUTS: [Layout; 5] =
    [Layout::OrbitState, Layout::OrbitOrbit, Layout::OrbitRuleState, Layout::RuleOrbitState, Layout::ChainOfThought];
const KINDS: [ModelKind; 4] = [ModelKind::GptNeox, ModelKind::Lstm, ModelKind::Mamba, ModelKind::Armt];

fn task(layout: Layout, segmented: bool) -> Task {
    let (radius, horizon, vocabulary) = (Radius::One, Horizon::Single, Vocabulary::Compact);
    Task { radius, width: 5, shown: 3, depth: 3, horizon, layout, vocabulary, segmented }
}

/// S, G, R and M stand for separator, gen, rule and mask.
fn text(tokens: &[u32]) -> String {
    let v = Vocabulary::Compact;
    let letters = [(v.sep(), 'S'), (v.generate(), 'G'), (v.rule(), 'R'), (v.mask(), 'M'), (0, '0'), (1, '1')];
    tokens.iter().map(|token| letters.iter().find(|(id, _)| id == token).unwrap().1).collect()
}

fn bits(bits: &[u8]) -> String {
    bits.iter().map(|bit| char::from(b'0' + bit)).collect()
}

/// Tokens, inputs and labels (`^`) as the specification's table has them, of an answer of depth 2 where K is 3.
fn specified(layout: Layout, segmented: bool, rule: &str, s: &[String]) -> (String, String, String) {
    let blank = |text: &str| ".".repeat(text.len());
    let (row, all) = ("^".repeat(5), "^".repeat(8));
    let shown = match segmented {
        false => format!("S{}S{}S{}G", s[0], s[1], s[2]),
        true => format!("S{}S{}S{}S{}G{}", s[0], s[1], s[1], s[2], s[2]),
    };
    match layout {
        Layout::OrbitState => {
            let before = if segmented { format!("{shown}S") } else { shown };
            (format!("{before}{}", s[4]), format!("{before}{}", s[4]), format!("{}{row}", blank(&before)))
        }
        Layout::RuleOrbitState => {
            let before = match segmented {
                false => format!("{rule}{shown}"),
                true => format!("S{}S{}S{}S{}G{rule}S{}S", s[0], s[1], s[1], s[2], s[2]),
            };
            (format!("{before}{}", s[4]), format!("{before}{}", s[4]), format!("{}{row}", blank(&before)))
        }
        Layout::OrbitRuleState => {
            (format!("{shown}{rule}S{}", s[4]), format!("{shown}RRRRRRRRS{}", s[4]), format!("{}{all}.{row}", blank(&shown)))
        }
        Layout::OrbitOrbit => (
            format!("{shown}S{}S{}S{}", s[3], s[4], s[5]),
            format!("{shown}SMMMMMSMMMMMSMMMMM"),
            format!("{}.{row}.{row}......", blank(&shown)),
        ),
        Layout::ChainOfThought => {
            let whole = format!("{shown}S{}S{}S{}", s[3], s[4], s[5]);
            (whole.clone(), whole, format!("{}^{row}^{row}......", blank(&shown)))
        }
    }
}

#[test]
fn every_layout_is_the_specifications() {
    for layout in LAYOUTS {
        for segmented in [false, true] {
            let task = task(layout, segmented);
            for index in 0..20 {
                let sample = task.sample(1, Split::Train, index);
                let states: Vec<String> = sample.states.iter().map(|state| bits(state)).collect();
                let (tokens, inputs, labels) = specified(layout, segmented, &bits(&sample.rule.table), &states);
                let found = task.encode(&sample, 2, LossOn::Target);
                let at = format!("{layout:?}, segmented: {segmented}, sample {index}");
                assert_eq!(text(&found.tokens), tokens, "{at}: tokens");
                assert_eq!(text(&found.inputs), inputs, "{at}: inputs");
                assert_eq!(found.loss_mask.iter().map(|&label| if label { '^' } else { '.' }).collect::<String>(), labels, "{at}: labels");
                assert_eq!(found.tokens.len(), task.sequence_length(), "{at}");
                for target in &found.targets {
                    assert_eq!(text(&found.tokens[target.start..target.start + 5]), states[2 + target.depth], "{at}: {target:?}");
                }
            }
        }
    }
}

/// Ordinary next-token training: all but what could only be guessed, and an end.
#[test]
fn every_token_may_be_asked_for() {
    let (row, row_all) = ("^".repeat(5), "^".repeat(6));
    for (segmented, labels) in
        [(false, format!(".....{}{row_all}{row_all}^{row}^", ".")), (true, format!("......^{row}^.....^{row}^.....^{row}^"))]
    {
        let task = task(Layout::OrbitState, segmented);
        let sample = task.sample(1, Split::Train, 0);
        let (all, rows) = (task.encode(&sample, 2, LossOn::All), task.encode(&sample, 2, LossOn::Rows));
        assert_eq!(all.tokens[..rows.tokens.len()], rows.tokens);
        assert_eq!(all.tokens[rows.tokens.len()..], [Vocabulary::Compact.eos()]);
        assert_eq!(all.loss_mask.iter().map(|&label| if label { '^' } else { '.' }).collect::<String>(), labels);
        assert_eq!(all.targets, rows.targets);
    }
}

#[test]
fn what_is_asked_can_be_read_nowhere_before_it() {
    for layout in LAYOUTS {
        for segmented in [false, true] {
            let task = task(layout, segmented);
            let sample = task.sample(1, Split::Train, 3);
            let example = task.encode(&sample, 3, LossOn::Target);
            for position in (0..example.tokens.len()).filter(|&position| example.loss_mask[position] && example.tokens[position] < 2) {
                // The world in which this cell and all that is asked after it were the other way round.
                let mut other = sample.clone();
                let flipped = |from: usize, bit: &mut u8, at: usize| *bit ^= u8::from(from + at >= position);
                for target in &example.targets {
                    let state = &mut other.states[2 + target.depth];
                    state.iter_mut().enumerate().for_each(|(at, bit)| flipped(target.start, bit, at));
                }
                if let Some(rule) = &example.rule {
                    other.rule.table.iter_mut().enumerate().for_each(|(at, bit)| flipped(rule.start, bit, at));
                }
                let different = task.encode(&other, 3, LossOn::Target);
                assert_ne!(different.tokens[position], example.tokens[position]);
                assert_eq!(different.inputs[..position], example.inputs[..position], "{layout:?}, segmented: {segmented}, {position}");
            }
        }
    }
}

#[test]
fn the_ceiling_of_a_shown_rule_is_one_and_no_other_layout_moves_it() {
    let ceiling = |layout| estimate(&Task { shown: 2, ..task(layout, false) }, 1, Split::Test, 0..200, 2);
    let plain = ceiling(Layout::OrbitState);
    assert!(plain.ceiling < 0.9 && plain.rule < 1.0 && plain.rule > 0.5, "{plain:?}");
    for layout in [Layout::OrbitOrbit, Layout::OrbitRuleState, Layout::ChainOfThought] {
        assert_eq!(ceiling(layout), plain);
    }
    let shown = ceiling(Layout::RuleOrbitState);
    assert_eq!((shown.ceiling, shown.bit_ceiling, shown.seen, shown.rule), (1.0, 1.0, 1.0, 1.0));
    assert_eq!((shown.copy, shown.cycle), (plain.copy, plain.cycle));
}

fn run(kind: ModelKind, layout: Layout) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown, run.task.depth, run.task.layout) = (5, 3, 2, layout);
    run.set_model(ModelConfig { kind, layers: 2, width: 16, heads: 2, ff: 24, memory_tokens: 3, memory_width: 5, ..run.model.clone() });
    (run.training.batch, run.training.eval_samples) = (6, 20);
    run
}

fn place(config: &RunConfig) -> Backend {
    let kernel = Kernel::best();
    Backend::Pool(Box::new(ThreadPool::new(&Plan::new(config), kernel, 2)), kernel)
}

#[test]
fn a_link_carries_layout_and_stages_and_old_links_stay_as_they_were() {
    for layout in LAYOUTS {
        let mut config = run(ModelKind::Mamba, layout);
        (config.training.stage, config.training.steps, config.training.decay) = (40, 90, 40);
        assert_eq!(link::read(&link::write(&config, None)).unwrap().config, config);
    }
    let plain = link::write(&presets::quick(), None);
    assert!(!plain.contains("layout") && !plain.contains("stage"), "{plain}");
    let mut chain = presets::quick();
    (chain.task.layout, chain.task.depth, chain.training.stage) = (Layout::ChainOfThought, 4, 100);
    let text = link::write(&chain, None);
    assert!(text.contains("&layout=cot&horizon=one&k=4&") && text.contains("&stage=100&"), "{text}");
    let refused = |link: &str| link::read(link).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert!(refused("v=1&layout=cot&horizon=multi").contains("one depth"));
    assert!(refused("v=1&horizon=multi&stage=10").contains("curriculum"));
    assert!(refused("v=1&k=4&stage=100&steps=300").contains("more than 300 steps"));
    assert!(refused("v=1&k=4&stage=100&stop=0.5").contains("early stop"));
    assert!(refused("v=1&layout=so").contains("os, oo, ors, ros, cot"));
}

#[test]
fn a_curriculum_asks_for_one_depth_more_a_stage_and_begins_its_schedule_anew() {
    let mut config = run(ModelKind::GptNeox, Layout::OrbitOrbit);
    (config.task.depth, config.training.stage, config.training.steps) = (3, 4, 20);
    let places = [1, 4, 5, 8, 9, 12, 13, 20].map(|step| config.stage(step));
    let stage = |index: u64, step: u64| Stage { index, step, depth: Some(index as usize + 1) };
    assert_eq!(places, [stage(0, 1), stage(0, 4), stage(1, 1), stage(1, 4), stage(2, 1), stage(2, 4), stage(2, 5), stage(2, 12)]);
    let plan = Plan::new(&config);
    for (step, depth) in [(1, 1), (4, 1), (5, 2), (9, 3), (20, 3)] {
        assert_eq!(plan.batch(step, 0..6).label_count(), plan.label_count(step));
        let rows = (config.task.shown - 1) * 5;
        assert_eq!(plan.label_count(step), 6 * (rows + depth * 5), "step {step}");
    }
}

/// AdamW's first step moves each weight by the learning rate, whatever its gradient: later ones do not.
#[test]
fn a_new_stage_begins_with_a_fresh_optimiser() {
    let mut config = run(ModelKind::GptNeox, Layout::OrbitState);
    config.training.optimizer = lookahead::config::Optimizer::AdamW;
    (config.training.weight_decay, config.training.learning_rate) = (0.0, 0.01);
    (config.training.warmup, config.training.decay, config.training.stage, config.training.steps) = (2, 0, 6, 20);
    let mut run = block_on(Run::new(&config, place(&config), None)).unwrap();
    let mut moved = |steps: u64| -> f64 {
        let before = block_on(run.values(false)).unwrap().1;
        (0..steps).for_each(|_| block_on(run.step()).unwrap());
        let after = block_on(run.values(false)).unwrap().1;
        let mut moves: Vec<f64> = before.iter().zip(&after).map(|(a, b)| f64::from((a - b).abs())).filter(|&step| step > 0.0).collect();
        moves.sort_by(f64::total_cmp);
        moves[moves.len() / 2]
    };
    let first = moved(1);
    moved(4);
    let sixth = moved(1);
    let seventh = moved(1);
    // Half the peak, as the warm-up of two steps begins again too.
    assert!((first / 0.005 - 1.0).abs() < 0.01 && (seventh / 0.005 - 1.0).abs() < 0.01, "{first}, {seventh}");
    assert!(sixth < 0.0095, "{sixth}");
}

#[test]
fn later_states_that_are_not_asked_change_nothing() {
    for kind in KINDS {
        for layout in [Layout::OrbitOrbit, Layout::ChainOfThought] {
            let gradient = |depth: usize| {
                let mut config = run(kind, layout);
                config.task.depth = depth;
                let plan = Plan::new(&config);
                let examples: Vec<Example> =
                    (0..4).map(|index| config.task.encode(&config.task.sample(1, Split::Train, index), 1, LossOn::Rows)).collect();
                let batch = lookahead::train::batch::Batch::new(&examples);
                let mut performer = Performer::new(plan.clone(), Kernel::best());
                performer.load(&initial(&plan.parameters, 1));
                let (loss, gradient) =
                    performer.gradient(&batch, BatchTotals { sequences: 4, labels: batch.label_count(), ponder: 0.0 }).unwrap();
                (loss, gradient.to_vec())
            };
            let ((loss, short), (longer, long)) = (gradient(1), gradient(3));
            assert!((loss - longer).abs() < 1e-5 * loss, "{kind:?}, {layout:?}: {loss}, {longer}");
            let largest = short.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let error = short.iter().zip(&long).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(error < 1e-4 * largest, "{kind:?}, {layout:?}: {error} of {largest}");
        }
    }
}

#[test]
fn a_chain_of_thought_is_scored_on_the_models_own_words() {
    for kind in KINDS {
        let config = run(kind, Layout::ChainOfThought);
        let plan = Plan::new(&config);
        // Larger weights, so that answers differ from question to question.
        let weights: Vec<f32> = initial(&plan.parameters, 3).iter().map(|weight| 2.5 * weight).collect();
        let mut performer = Performer::new(plan.clone(), Kernel::best());
        performer.load(&weights);
        let jobs = evaluation::jobs(&plan, Split::Test, 20, 3);
        let outcomes = jobs.iter().map(|job| block_on(performer.perform(job)).unwrap()).collect();
        let measured = evaluation::score(&plan, Split::Test, outcomes);
        assert_eq!(measured.depths.iter().map(|score| score.depth).collect::<Vec<_>>(), [1, 2]);
        assert!(
            measured.depths.iter().all(|score| (score.samples, score.free_samples) == (20, 20) && score.exact == score.exact_free_running)
        );
        // The trace token by token: a whole forward pass for each.
        for prediction in measured.predictions.iter().take(8) {
            let sample = config.task.sample(config.seed, Split::Test, prediction.index);
            let mut questions = evaluation::Questions::of(&config.task, &[sample], 2);
            let after = questions.free_after.unwrap();
            let mut written = Vec::new();
            for position in after..questions.batch.length {
                let token = block_on(performer.tokens(&questions.batch, position, false)).unwrap().forced[0];
                written.push(token.min(2) as u8);
                if position + 1 < questions.batch.length {
                    questions.batch.inputs[position + 1] = token;
                }
            }
            let start = (prediction.depth - 1) * 6 + 1;
            assert_eq!(prediction.cells, written[start..start + 5], "{kind:?}, question {}", prediction.index);
        }
    }
}

#[test]
fn the_rules_entries_are_scored_each_from_what_stands_before_it() {
    let config = run(ModelKind::GptNeox, Layout::OrbitRuleState);
    let plan = Plan::new(&config);
    // A head that knows 0 and 1 alone, and answers that differ from entry to entry.
    let mut weights: Vec<f32> = initial(&plan.parameters, 3).iter().map(|weight| 2.5 * weight).collect();
    let head = weights.len() - plan.parameters.last().unwrap().size();
    weights[head + 2 * config.model.width..].fill(0.0);
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(&weights);
    let outcomes = evaluation::jobs(&plan, Split::Test, 20, 3).iter().map(|job| block_on(performer.perform(job)).unwrap()).collect();
    let found = evaluation::score(&plan, Split::Test, outcomes).depths[0].rule_bits.unwrap();
    let mut right = 0;
    for index in 0..20 {
        let sample = config.task.sample(config.seed, Split::Test, index);
        let example = config.task.encode(&sample, 2, LossOn::Target);
        let batch = lookahead::train::batch::Batch::new(&[example]);
        // The rule follows 3 rows of 5 cells with their separators, and `[gen]`.
        for (entry, truth) in sample.rule.table.iter().enumerate() {
            right += usize::from(block_on(performer.tokens(&batch, 18 + entry, false)).unwrap().forced[0] == u32::from(*truth));
        }
    }
    assert!((3..157).contains(&right), "{right} of 160: nothing was tested");
    assert!((found - right as f64 / 160.0).abs() < 1e-12, "{found}, {right} of 160");
}

#[test]
fn every_layout_trains_with_every_network_and_replays() {
    for kind in KINDS {
        for layout in LAYOUTS {
            let mut config = run(kind, layout);
            (config.training.stage, config.training.steps) = (5, 12);
            let train = || {
                let mut run = block_on(Run::new(&config, place(&config), None)).unwrap();
                (0..12).for_each(|_| block_on(run.step()).unwrap());
                let losses = block_on(run.losses()).unwrap();
                (losses, block_on(run.measure(Split::Validation)).unwrap().0)
            };
            let (losses, measured) = train();
            let at = format!("{kind:?}, {layout:?}");
            assert_eq!((losses.clone(), measured.clone()), train(), "{at}");
            assert!(losses[4] < losses[0], "{at} learns within a stage: {losses:?}");
            assert_eq!(measured.depths[0].rule_bits.is_some(), layout == Layout::OrbitRuleState, "{at}");
        }
    }
}

#[test]
fn the_places_of_a_state_are_where_the_model_reads_its_cells_or_predicts_them() {
    for (layout, segmented) in LAYOUTS.into_iter().flat_map(|layout| [(layout, false), (layout, true)]) {
        // A rule with as many entries as a row has cells, so that no length tells them apart.
        let task = Task { width: 8, ..task(layout, segmented) };
        for index in 0..20 {
            let sample = task.sample(3, Split::Train, index);
            for depth in task.depths() {
                let (example, places) = (task.encode(&sample, depth, LossOn::Target), task.places(&sample, depth));
                let expected = (0..task.shown).chain(example.targets.iter().map(|target| task.shown - 1 + target.depth));
                assert_eq!(places.iter().map(|place| place.state).collect::<Vec<_>>(), expected.collect::<Vec<_>>());
                for place in &places {
                    let ahead = usize::from(place.state >= task.shown);
                    let tokens = &example.tokens[place.positions.start + ahead..place.positions.end + ahead];
                    assert_eq!(
                        bits(&sample.states[place.state]),
                        text(tokens),
                        "{layout:?}, segmented: {segmented}, state {}",
                        place.state
                    );
                    // The later of two.
                    let before_target = example.targets[0].start - ahead;
                    assert!(ahead == 1 || !segmented || place.state == 0 || place.positions.start > 2 * place.state * 9);
                    assert!(ahead == 1 || place.positions.end <= before_target);
                }
            }
        }
    }
}
