//! Records of adaptive computation time.

use super::dispatch::{Dispatch, Pipeline, word};
use super::kernels::{NONE, THREADS, halting};
use super::record::write as write_record;
use crate::engine::program::{At, Halting, Hops, Program};

/// Writes the record of an instruction over `rows` rows; returns the number of tasks per row.
pub fn record(program: &Program, instruction: &Halting, rows: usize, table: &mut Vec<u32>) -> usize {
    let address = |at: &At| word(program.address(*at));
    let optional = |at: &Option<At>| at.as_ref().map_or(NONE, address);
    let first = |shape: &Hops, weights: &At| {
        use halting::word as place;
        [(place::ROWS, word(rows)), (place::HOPS, word(shape.hops)), (place::PITCH, word(shape.pitch)), (place::WEIGHTS, address(weights))]
    };
    match instruction {
        Halting::Weights { shape, scores, weights, cost, costs, hop_counts } => {
            use halting::halting as place;
            let more = [(place::COST, cost.to_bits()), (place::HOP_COUNTS, address(hop_counts)), (place::COSTS, address(costs))];
            write_record(table, place::WORDS, first(shape, weights).into_iter().chain(more));
            table.extend(scores.iter().map(address));
            1
        }
        Halting::WeightsBackward { shape, weights, hop_counts, cost, gradient, into } => {
            use halting::halting_backward as place;
            let more = [(place::COST, cost.to_bits()), (place::HOP_COUNTS, address(hop_counts)), (place::GRADIENT, optional(gradient))];
            write_record(table, place::WORDS, first(shape, weights).into_iter().chain(more));
            table.extend(into.iter().map(address));
            1
        }
        Halting::Mixture { shape, width, parts, weights, out } => {
            use halting::mixture as place;
            let more = [(place::WIDTH, word(*width)), (place::OUT, address(out))];
            write_record(table, place::WORDS, first(shape, weights).into_iter().chain(more));
            table.extend(parts.iter().map(address));
            *width
        }
        Halting::MixtureBackward { shape, width, parts, weights, gradient, carried, into, carried_weights, into_weights } => {
            use halting::mixture_backward as place;
            let more = [
                (place::WIDTH, word(*width)),
                (place::GRADIENT, address(gradient)),
                (place::INTO_WEIGHTS, address(into_weights)),
                (place::CARRIED_WEIGHTS, optional(carried_weights)),
            ];
            write_record(table, place::WORDS, first(shape, weights).into_iter().chain(more));
            for ((part, carried), into) in parts.iter().zip(carried).zip(into) {
                use halting::part as place;
                let words = [(place::PART, address(part)), (place::CARRIED, optional(carried)), (place::INTO, address(into))];
                write_record(table, place::WORDS, words);
            }
            width + shape.hops
        }
    }
}

/// The dispatch of an instruction.
pub fn write(program: &Program, instruction: &Halting, table: &mut Vec<u32>) -> Dispatch {
    let (kernel, rows) = match instruction {
        Halting::Weights { shape, .. } => (Pipeline::Halting, shape.rows),
        Halting::WeightsBackward { shape, .. } => (Pipeline::HaltingBackward, shape.rows),
        Halting::Mixture { shape, .. } => (Pipeline::Mixture, shape.rows),
        Halting::MixtureBackward { shape, .. } => (Pipeline::MixtureBackward, shape.rows),
    };
    let first = table.len();
    let tasks = record(program, instruction, rows, table);
    Dispatch { kernel, record: word(first), count: word((rows * tasks).div_ceil(THREADS)) }
}
