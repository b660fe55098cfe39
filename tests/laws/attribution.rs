//! What a network reads, taken apart: attention against transformers (`tests/golden/reads.json`), and for every network and loop that the parts
//! are exact, causal, within the segment, and after the network's own answers.

use lookahead::config::{Looped, ModelConfig, ModelKind, RunConfig, presets};
use lookahead::engine::cpu::Kernel;
use lookahead::engine::cpu::attribution::{Parts, Watcher};
use lookahead::engine::program::{Associative, At, Attention, Instruction, Lstm, Program, Recall, Recurrent, ScanForward};
use lookahead::model::weights::{count, initial};
use lookahead::model::{Init, Model, config_json};
use lookahead::results::{AttributionSource, FULL_SHARE, LayerAttribution};
use lookahead::task::{Horizon, Layout, Split};
use lookahead::train::batch::Batch;
use lookahead::train::evaluation::{Questions, Respondent};
use lookahead::train::{Performer, Plan, attribution};
use pollster::block_on;
use serde_json::Value;

const LOOPS: [Looped; 4] = [Looped::None, Looped::Layer, Looped::Stack, Looped::Fixed];

/// A small run of a network: heads for those that have them, three segments for the one that reads by segments.
fn run(kind: ModelKind, looped: Looped) -> RunConfig {
    let mut run = presets::quick();
    (run.task.width, run.task.shown, run.task.depth) = (5, 4, 2);
    let sizes = ModelConfig {
        kind,
        layers: 2,
        width: 16,
        heads: 2,
        ff: 24,
        memory_tokens: 4,
        memory_width: 12,
        looped,
        hops: 3,
        ..run.model.clone()
    };
    run.set_model(sizes);
    run
}

/// Weights that make answers, reads and halting differ from place to place, and of which none starts as a zero.
fn lively(plan: &Plan) -> Vec<f32> {
    // Mamba's initial weights are lively as they are.
    let scale = if plan.config.model.kind == ModelKind::Mamba { 1.0 } else { 3.0 };
    let mut parameters = plan.parameters.to_vec();
    parameters.iter_mut().filter(|parameter| parameter.init == Init::Zeros).for_each(|parameter| parameter.init = Init::Normal(0.1));
    initial(&parameters, 5).into_iter().map(|value| scale * value).collect()
}

fn performer(plan: &Plan) -> Performer {
    let mut performer = Performer::new(plan.clone(), Kernel::best());
    performer.load(&lively(plan));
    performer
}

/// Every instruction of a forward pass of one sequence that reads, with what it read at each of its rows.
fn watched(performer: &mut Performer, batch: &Batch, mut each: impl FnMut(&Program, &[f32], &Instruction, usize, Vec<Parts>)) {
    let mut watcher = Watcher::default();
    performer
        .watch(batch, 0, |program, index, memory| {
            let (instruction, span) = (&program.instructions[index], &program.spans[index]);
            let rows: Vec<usize> = (0..span.end.min(batch.length).saturating_sub(span.start)).collect();
            if let Some(parts) = watcher.see(program, memory, instruction, &rows) {
                each(program, memory, instruction, span.start, parts);
            }
        })
        .unwrap();
}

fn question(plan: &Plan, depth: usize) -> Questions {
    Questions::of(&plan.config.task, &[plan.config.task.sample(plan.config.seed, Split::Test, 3)], depth)
}

fn look(plan: &Plan, depth: usize) -> Vec<LayerAttribution> {
    block_on(attribution::of_question(plan, &lively(plan), Kernel::best(), (Split::Test, 3, depth))).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn attention_is_that_of_transformers() {
    let golden: Value = serde_json::from_str(include_str!("../golden/reads.json")).unwrap();
    let models: Value = serde_json::from_str(include_str!("../golden/gpt_neox.json")).unwrap();
    for (name, case) in golden["cases"].as_object().unwrap() {
        let described = &models["cases"][name];
        let mut config = described["config"].clone();
        config["model_type"] = "gpt_neox".into();
        let tokens: Vec<u32> = numbers(&described["tokens"][0]).into_iter().map(|token| token as u32).collect();
        let length = tokens.len() - 1;
        let batch = Batch { sequences: 1, length, inputs: tokens[..length].to_vec(), labels: vec![None; length] };
        let model = Model::described(config_json::read(&config.to_string()).unwrap(), length);
        let plan = Plan::of(&RunConfig::version_1(), model);
        let value = |name: &str, index: usize, element: usize| {
            let (scale, offset) = if name.ends_with("norm.weight") {
                (0.1, 1.0)
            } else if name.ends_with("bias") {
                (0.1, 0.0)
            } else {
                (0.3, 0.0)
            };
            (offset + scale * (0.37 * element as f64 + index as f64).cos()) as f32
        };
        let parameters = plan.parameters.clone();
        let parameters = parameters.iter().enumerate();
        let weights: Vec<f32> = parameters
            .flat_map(|(index, parameter)| (0..parameter.size()).map(move |element| value(&parameter.name, index, element)))
            .collect();
        let mut performer = Performer::new(plan, Kernel::best());
        performer.load(&weights);
        let mut found = Vec::new();
        watched(&mut performer, &batch, |_, _, _, _, rows| found.push(rows.iter().map(Parts::shares).collect::<Vec<_>>()));
        let [layers, heads] = [0, 1].map(|axis| case["shape"][axis].as_u64().unwrap() as usize);
        assert_eq!(found.len(), layers);
        let truth = numbers(&case["attentions"]);
        let mut worst = 0.0f64;
        for (layer, row, head, column) in
            (0..layers).flat_map(|l| (0..length).flat_map(move |r| (0..heads).flat_map(move |h| (0..length).map(move |c| (l, r, h, c)))))
        {
            let ours = found[layer][row][head].get(column).copied().unwrap_or(0.0);
            worst = worst.max((f64::from(ours) - truth[((layer * heads + head) * length + row) * length + column]).abs());
        }
        let allowed = 10.0 * case["float32_error"].as_f64().unwrap();
        println!("{name}: off by {worst:e}");
        assert!(worst < allowed, "{name}: off by {worst:e}, where float32 in PyTorch allows {allowed:e}");
    }
}

fn add(parts: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vec![0.0; parts[0].len()];
    parts.iter().for_each(|part| sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part));
    sum
}

/// What the parts of one row must sum to, by what the program itself has left in its memory.
fn put_out(program: &Program, memory: &[f32], instruction: &Instruction, row: usize, parts: &Parts) -> (Vec<f32>, Vec<f32>) {
    let at = |at: At, from: usize, count: usize| &memory[program.address(at) + from..][..count];
    let silu = |x: f32| x / (1.0 + (-x).exp());
    match (instruction, parts) {
        (Instruction::Attention(Attention::Forward { shape, qkv, out, .. }), Parts::Weights(heads)) => {
            let size = shape.head;
            let value = |seen: usize, head: usize| at(*qkv, ((seen * shape.heads + head) * 3 + 2) * size, size);
            let mixed = |(head, weights): (usize, &Vec<f32>)| {
                let parts: Vec<Vec<f32>> =
                    weights.iter().enumerate().map(|(seen, weight)| value(seen, head).iter().map(|v| weight * v).collect()).collect();
                add(&parts)
            };
            (heads.iter().enumerate().flat_map(mixed).collect(), at(*out, row * shape.heads * size, shape.heads * size).to_vec())
        }
        (Instruction::Recurrent(Recurrent::Lstm(Lstm { width, gates, cells, .. })), Parts::Rows(parts)) => {
            let (o, c) = (at(*gates, (4 * row + 3) * width, *width), at(*cells, row * width, *width));
            (add(parts), o.iter().zip(c).map(|(o, c)| o * c).collect())
        }
        (Instruction::Recurrent(Recurrent::Scan(ScanForward { scan, out, .. })), Parts::Rows(parts)) => {
            let channels = scan.channels;
            let (u, skip, gate) =
                (at(scan.u, row * channels, channels), at(scan.skip, 0, channels), at(scan.gate.at, row * scan.gate.stride, channels));
            let skipped = (0..channels).map(|c| skip[c] * u[c] * silu(gate[c])).collect();
            (add(&[add(parts), skipped]), at(*out, row * channels, channels).to_vec())
        }
        (Instruction::Associative(Associative::Recall(Recall { shape, x, out, .. })), Parts::Writings(parts)) => {
            let [x, out] = [x, out].map(|array| at(*array, row * shape.width, shape.width));
            (add(parts), out.iter().zip(x).map(|(out, x)| out - x).collect())
        }
        (other, parts) => panic!("{other:?} does not read {parts:?}"),
    }
}

#[test]
fn the_parts_sum_to_what_the_operator_put_out() {
    for kind in ModelKind::with_kernels() {
        let plan = Plan::new(&run(kind, Looped::None));
        let (mut worst, mut compared) = ([0.0f32; 2], [0; 2]);
        watched(&mut performer(&plan), &question(&plan, 2).batch, |program, memory, instruction, _, rows| {
            let memories = usize::from(matches!(instruction, Instruction::Associative(Associative::Recall(_))));
            for (row, parts) in rows.iter().enumerate() {
                let (sum, truth) = put_out(program, memory, instruction, row, parts);
                assert_eq!(sum.len(), truth.len());
                let largest = truth.iter().fold(1e-3f32, |largest, value| largest.max(value.abs()));
                let off = sum.iter().zip(&truth).fold(0.0f32, |off, (a, b)| off.max((a - b).abs())) / largest;
                worst[memories] = worst[memories].max(off);
                compared[memories] += 1;
                for share in parts.shares() {
                    let total: f32 = share.iter().sum();
                    assert!((total - 1.0).abs() < 1e-5 && share.iter().all(|share| *share >= 0.0), "{kind:?}: shares sum to {total}");
                }
            }
        });
        println!("{kind:?}: off by {worst:?}, {compared:?} rows");
        assert!(compared[0] > 20 && (compared[1] > 20) == (kind == ModelKind::Armt), "{kind:?}: {compared:?}");
        assert!(worst[0] < 2.5e-6 && worst[1] < 2.5e-6, "{kind:?}: off by {worst:?}");
    }
}

/// What a row reads depends on nothing after it, and reaches from its segment's start to itself.
#[test]
fn reads_are_causal_and_stay_in_their_segment() {
    for (kind, looped) in ModelKind::with_kernels().flat_map(|kind| LOOPS.map(|looped| (kind, looped))) {
        let plan = Plan::new(&run(kind, looped));
        let mut questions = question(&plan, 2);
        let all = |batch: &Batch| {
            let mut found = Vec::new();
            watched(&mut performer(&plan), batch, |_, _, _, first, rows| {
                found.push((first, rows.iter().map(Parts::shares).collect::<Vec<_>>()))
            });
            found
        };
        let before = all(&questions.batch);
        let changed = questions.batch.length - 4;
        questions.batch.inputs[changed] ^= 1;
        let after = all(&questions.batch);
        let at = format!("{kind:?}, {looped:?}");
        let mut differ = 0;
        for ((first, rows), (_, others)) in before.iter().zip(&after) {
            assert!(kind == ModelKind::Armt || *first == 0, "{at}");
            for (row, (shares, other)) in rows.iter().zip(others).enumerate() {
                if first + row < changed {
                    assert_eq!(shares, other, "{at}: row {row} saw what comes after it");
                } else {
                    differ += usize::from(shares != other);
                }
            }
        }
        assert!(differ > 0, "{at}: nothing depends on the token, so nothing was tested");
    }
}

#[test]
fn every_network_loop_and_layout_tells_a_share_of_every_place() {
    use Layout::{ChainOfThought, OrbitOrbit, OrbitRuleState, OrbitState, RuleOrbitState};
    let layouts = [OrbitState, OrbitOrbit, OrbitRuleState, RuleOrbitState, ChainOfThought];
    for (kind, looped) in ModelKind::with_kernels().flat_map(|kind| LOOPS.map(|looped| (kind, looped))) {
        for (layout, horizon) in layouts.map(|layout| (layout, Horizon::Single)).into_iter().chain([(OrbitState, Horizon::Multi)]) {
            let mut config = run(kind, looped);
            (config.task.layout, config.task.horizon) = (layout, horizon);
            let plan = Plan::new(&config);
            let task = &config.task;
            for depth in task.depths() {
                let at = format!("{kind:?}, {looped:?}, {layout:?}, {horizon:?}, depth {depth}");
                let layers = look(&plan, depth);
                let reading = match kind {
                    ModelKind::GptNeox => vec![AttributionSource::Attention],
                    ModelKind::Armt => vec![AttributionSource::Memory, AttributionSource::Attention],
                    ModelKind::Lstm | ModelKind::Mamba => vec![AttributionSource::State],
                    ModelKind::DeltaNet => vec![],
                };
                let expected: Vec<_> = (0..2).flat_map(|layer| reading.iter().map(move |reading| (layer, *reading))).collect();
                assert_eq!(layers.iter().map(|layer| (layer.layer, layer.source)).collect::<Vec<_>>(), expected, "{at}");
                let places = task.places(&task.sample(config.seed, Split::Test, 3), depth);
                let predicting = places.iter().find(|place| place.state + 1 == task.shown + depth).unwrap().positions.clone();
                for layer in &layers {
                    let segment = if kind == ModelKind::Armt { (task.shown - 1) * task.segment_length() } else { 0 };
                    assert_eq!(layer.first, segment, "{at}");
                    assert_eq!(layer.shares.len(), task.width, "{at}");
                    for (position, heads) in predicting.clone().zip(&layer.shares) {
                        assert_eq!(heads.len(), if layer.source == AttributionSource::Attention { 2 } else { 1 }, "{at}");
                        for shares in heads {
                            let read = if layer.source == AttributionSource::Memory { task.shown - 1 } else { position + 1 - segment };
                            assert_eq!(shares.len(), read, "{at}");
                            let sum: i64 = shares.iter().map(|&share| i64::from(share)).sum();
                            assert!((sum - i64::from(FULL_SHARE)).abs() <= 1 + shares.len() as i64 / 2, "{at}: {sum}");
                        }
                    }
                }
            }
            assert!(look(&plan, 9).is_empty(), "what is not asked for is not answered");
        }
    }
}

/// A chain is read as the network wrote it, not as it should have been.
#[test]
fn an_answer_is_read_after_the_networks_own_earlier_tokens() {
    for kind in ModelKind::with_kernels() {
        let mut config = run(kind, Looped::None);
        (config.task.layout, config.task.depth) = (Layout::ChainOfThought, 3);
        let plan = Plan::new(&config);
        let mut questions = question(&plan, 3);
        let start = questions.predicting(3).unwrap();
        let mut performer = performer(&plan);
        let mut last = |batch: &Batch| {
            let mut found = Vec::new();
            watched(&mut performer, batch, |_, _, _, first, rows| {
                found.extend((first <= start).then(|| rows.get(start - first).map(Parts::shares)).flatten());
            });
            found
        };
        let truth = last(&questions.batch);
        // Token by token, each the most probable one after those before it.
        let after = questions.free_after.unwrap();
        for position in after..questions.batch.length - 1 {
            let mut once = Performer::new(plan.clone(), Kernel::best());
            once.load(&lively(&plan));
            let token = block_on(once.tokens(&questions.batch, position, false)).unwrap().forced[0];
            questions.batch.inputs[position + 1] = token;
        }
        let own = last(&questions.batch);
        assert_ne!(own, truth, "{kind:?}: the network happens to write the truth, so nothing was tested");
        let told = look(&plan, 3).into_iter().map(|layer| layer.shares[0].clone()).collect::<Vec<_>>();
        let rounded: Vec<Vec<Vec<u16>>> = own
            .iter()
            .map(|heads| {
                heads.iter().map(|head| head.iter().map(|share| (share * f32::from(FULL_SHARE)).round() as u16).collect()).collect()
            })
            .collect();
        assert_eq!(told, rounded, "{kind:?}");
    }
}

/// Hops that no answer takes from count for nothing: a network that halts at once reads like the plain one. And those of a fixed loop count alike.
#[test]
fn hops_are_weighed_as_the_network_weighs_them() {
    for (kind, looped) in ModelKind::with_kernels().flat_map(|kind| [Looped::Layer, Looped::Stack].map(|looped| (kind, looped))) {
        let (plan, plain) = (Plan::new(&run(kind, looped)), Plan::new(&run(kind, Looped::None)));
        let of = |bias: f32| {
            let mut values = lively(&plan);
            let mut start = 0;
            for parameter in plan.parameters.iter() {
                if parameter.name.starts_with("halting.") && parameter.name.ends_with("bias") {
                    values[start] = bias;
                }
                start += parameter.size();
            }
            let plain_reads =
                block_on(attribution::of_question(&plain, &values[..count(&plain.parameters)], Kernel::best(), (Split::Test, 3, 2)))
                    .unwrap();
            (block_on(attribution::of_question(&plan, &values, Kernel::best(), (Split::Test, 3, 2))).unwrap(), plain_reads)
        };
        let (at_once, plain_reads) = of(40.0);
        assert_eq!(at_once, plain_reads, "{kind:?}, {looped:?}");
        let (never, plain_reads) = of(-40.0);
        assert_ne!(never, plain_reads, "{kind:?}, {looped:?}: the last hop reads something else");
    }
}
