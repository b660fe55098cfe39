//! What a network reads when it answers a question: [`crate::engine::cpu::reads`] of every layer, at the positions that predict the cells of
//! one answered state, after the network's own earlier answers where it reads those.
//!
//! Where a layer is applied several times, each application reads anew, and what is told is their mean: by adaptive computation time as the
//! halting unit weighs them, so that hops which no answer takes from count for nothing; of a fixed loop all alike.

use super::evaluation::{Questions, Respondent};
use super::job::Plan;
use super::performer::Performer;
use crate::config::{Looped, ModelConfig};
use crate::engine::Missing;
use crate::engine::cpu::Kernel;
use crate::engine::cpu::reads::{Parts, Watcher};
use crate::engine::program::Instruction;
use crate::protocol::{LayerReads, Reading, WHOLE};
use crate::task::Split;
use std::ops::Range;

/// One application of a layer: the position of its first row, and for each cell `[heads][places]`.
struct Application {
    first: usize,
    shares: Vec<Vec<Vec<f32>>>,
}

/// What was seen of one pass.
#[derive(Default)]
struct Seen {
    /// By [`Reading`], in the order of the program.
    applications: [Vec<Application>; 3],
    /// For each looped part and each cell the weights of the hops.
    halting: Vec<Vec<Vec<f32>>>,
}

const READINGS: [Reading; 3] = [Reading::Memory, Reading::Attention, Reading::State];

/// What each layer reads at question `index` of a split when it predicts the state at `depth`; nothing where that is not asked for.
///
/// # Errors
/// None on the CPU engine, which computes this whatever engine trained the weights; the type is that of engines that can fail.
pub async fn look(
    plan: &Plan,
    weights: &[f32],
    kernel: Kernel,
    (split, index, depth): (Split, u64, usize),
) -> Result<Vec<LayerReads>, String> {
    let task = &plan.config.task;
    // Only what the CPU engine computes can be watched.
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
        // The last token is read by nobody.
        questions.batch.inputs[after + 1..].iter_mut().zip(written).for_each(|(input, token)| *input = token);
    }
    let seen = watch(&mut performer, &questions, start..start + task.width)?;
    Ok(tell(&plan.config.model, &seen))
}

/// Notes what is read at these positions of the one sequence.
fn watch(performer: &mut Performer, questions: &Questions, positions: Range<usize>) -> Result<Seen, Missing> {
    let mut seen = Seen::default();
    let mut watcher = Watcher::default();
    performer.watch(&questions.batch, questions.from, |program, index, memory| {
        let (instruction, span) = (&program.instructions[index], &program.spans[index]);
        let rows: Vec<usize> = positions.clone().filter(|position| span.contains(position)).map(|position| position - span.start).collect();
        // What other segments write is seen too, and what they read is not asked.
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
        if let Instruction::Halting { shape, weights, .. } = instruction
            && !rows.is_empty()
        {
            let of = |row: &usize| memory[program.address(*weights) + row * shape.hops..][..shape.hops].to_vec();
            seen.halting.push(rows.iter().map(of).collect());
        }
    })?;
    Ok(seen)
}

/// Layer and hop of a layer's n-th application.
fn place(model: &ModelConfig, n: usize) -> (usize, usize) {
    match model.looped {
        Looped::None => (n, 0),
        Looped::Layer | Looped::Fixed => (n / model.hops, n % model.hops),
        Looped::Stack => (n % model.layers, n / model.layers),
    }
}

/// What a hop counts at a cell.
fn weight(model: &ModelConfig, seen: &Seen, (layer, hop): (usize, usize), cell: usize) -> f32 {
    match model.looped {
        Looped::None => 1.0,
        Looped::Layer => seen.halting[layer][cell][hop],
        Looped::Stack => seen.halting[0][cell][hop],
        Looped::Fixed => 1.0 / model.hops as f32,
    }
}

/// Layer by layer, the memory before what comes after it.
fn tell(model: &ModelConfig, seen: &Seen) -> Vec<LayerReads> {
    let mut told = Vec::new();
    for layer in 0..model.layers {
        for (reading, applications) in READINGS.into_iter().zip(&seen.applications) {
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
            told.push(LayerReads { layer, reading, first: of.first, shares: cells.map(mean).collect() });
        }
    }
    told
}

fn quantised(share: f32) -> u16 {
    (share * f32::from(WHOLE)).round() as u16
}
