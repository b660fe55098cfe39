//! Attribution of an answer: [`crate::engine::cpu::attribution`] of every layer at the positions that predict the cells of one state.
//! If the network reads its own earlier answers, they precede these positions.
//!
//! A looped layer is applied several times. Its attribution is then the mean over the applications. Adaptive computation time weighs them
//! with the halting weights, so that hops with weight 0 do not count. A fixed loop weighs all equally.

use super::error::TrainError;
use super::evaluation::{Questions, Respondent};
use super::performer::Performer;
use super::plan::Plan;
use crate::config::{Looped, ModelConfig};
use crate::engine::Missing;
use crate::engine::cpu::Kernel;
use crate::engine::cpu::attribution::{Parts, Watcher};
use crate::engine::program::{Halting, Instruction};
use crate::results::{AttributionSource, FULL_SHARE, LayerAttribution};
use crate::task::Split;
use std::ops::Range;

/// One application of a layer: the position of its first row, and its shares `[cells][heads][places]`.
struct Application {
    first: usize,
    shares: Vec<Vec<Vec<f32>>>,
}

/// The records of one pass.
#[derive(Default)]
struct Seen {
    /// For each [`AttributionSource`], in the order of [`SOURCES`] and of the program.
    applications: [Vec<Application>; 3],
    /// The weights of the hops, `[units][cells][hops]`.
    halting: Vec<Vec<Vec<f32>>>,
}

const SOURCES: [AttributionSource; 3] = [AttributionSource::Memory, AttributionSource::Attention, AttributionSource::State];

/// The attribution of each layer at question `index` of a split, for the state at `depth`. Empty if that depth is not asked for, or if the
/// CPU engine has no kernels for the network.
///
/// # Errors
/// When the CPU engine lacks an operator. It computes the attribution whatever engine trained the weights.
pub async fn of_question(
    plan: &Plan,
    weights: &[f32],
    kernel: Kernel,
    (split, index, depth): (Split, u64, usize),
) -> Result<Vec<LayerAttribution>, TrainError> {
    let task = &plan.config.task;
    // Only the CPU engine can be watched.
    if !task.depths().contains(&depth) || !plan.config.model.kind.has_kernels() {
        return Ok(Vec::new());
    }
    let asked = if task.layout.answers_all() { task.depth } else { depth };
    let mut questions = Questions::of(task, &[task.sample(plan.config.seed, split, index)], asked);
    let Some(start) = questions.predicting(depth) else { return Ok(Vec::new()) };
    let mut performer = Performer::new(plan.clone(), kernel);
    performer.load(weights);
    if let Some(after) = questions.free_after {
        let written = performer.tokens(&questions.batch, after, true).await?.generated.unwrap_or_default();
        // `zip` drops the last written token, which no position reads.
        questions.batch.inputs[after + 1..].iter_mut().zip(written).for_each(|(input, token)| *input = token);
    }
    let seen = watch(&mut performer, &questions, start..start + task.width)?;
    Ok(tell(&plan.config.model, &seen))
}

/// Runs the pass and records the attribution at these positions of its one sequence.
fn watch(performer: &mut Performer, questions: &Questions, positions: Range<usize>) -> Result<Seen, Missing> {
    let mut seen = Seen::default();
    let mut watcher = Watcher::default();
    performer.watch(&questions.batch, questions.from, |program, index, memory| {
        let (instruction, span) = (&program.instructions[index], &program.spans[index]);
        let rows: Vec<usize> = positions.clone().filter(|position| span.contains(position)).map(|position| position - span.start).collect();
        // The watcher must see the memory writes of every segment. Segments without an asked position have no rows and give no parts.
        let parts = watcher.see(program, memory, instruction, &rows).filter(|parts| !parts.is_empty());
        if let Some(parts) = parts {
            let which = match parts[0] {
                Parts::Writings(_) => 0,
                Parts::Weights(_) => 1,
                Parts::Rows(_) => 2,
            };
            let shares = parts.iter().map(Parts::shares).collect();
            seen.applications[which].push(Application { first: span.start, shares });
        }
        if let Instruction::Halting(Halting::Weights { shape, weights, .. }) = instruction
            && !rows.is_empty()
        {
            let of = |row: &usize| memory[program.address(*weights) + row * shape.hops..][..shape.hops].to_vec();
            seen.halting.push(rows.iter().map(of).collect());
        }
    })?;
    Ok(seen)
}

/// Layer and hop of the n-th application of a layer in the program.
fn place(model: &ModelConfig, n: usize) -> (usize, usize) {
    match model.looped {
        Looped::None => (n, 0),
        Looped::Layer | Looped::Fixed => (n / model.hops, n % model.hops),
        Looped::Stack => (n % model.layers, n / model.layers),
    }
}

/// The weight of a hop at a cell.
fn weight(model: &ModelConfig, seen: &Seen, (layer, hop): (usize, usize), cell: usize) -> f32 {
    match model.looped {
        Looped::None => 1.0,
        Looped::Layer => seen.halting[layer][cell][hop],
        Looped::Stack => seen.halting[0][cell][hop],
        Looped::Fixed => 1.0 / model.hops as f32,
    }
}

/// The mean attribution of each layer, in the order of the layers and then of [`SOURCES`].
fn tell(model: &ModelConfig, seen: &Seen) -> Vec<LayerAttribution> {
    let mut told = Vec::new();
    for layer in 0..model.layers {
        for (source, applications) in SOURCES.into_iter().zip(&seen.applications) {
            let own: Vec<_> =
                (0..applications.len()).map(|n| (place(model, n), &applications[n])).filter(|((at, _), _)| *at == layer).collect();
            let Some(((_, of), rest)) = own.split_first() else { continue };
            let cells = 0..of.shares.len();
            let mean = |cell: usize| {
                let scaled = |(at, of): &((usize, usize), &Application)| -> Vec<Vec<f32>> {
                    let weight = weight(model, seen, *at, cell);
                    of.shares[cell].iter().map(|head| head.iter().map(|share| weight * share).collect()).collect()
                };
                let mut sum = scaled(&own[0]);
                for more in rest.iter().map(scaled) {
                    sum.iter_mut().flatten().zip(more.into_iter().flatten()).for_each(|(sum, share)| *sum += share);
                }
                sum.into_iter().map(|head| head.into_iter().map(quantised).collect()).collect()
            };
            told.push(LayerAttribution { layer, source, first: of.first, shares: cells.map(mean).collect() });
        }
    }
    told
}

fn quantised(share: f32) -> u16 {
    (share * f32::from(FULL_SHARE)).round() as u16
}
