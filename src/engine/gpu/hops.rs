//! Records of adaptive computation time.

use super::kernels::halting::word as place;
use super::kernels::{NONE, THREADS};
use super::table::{Dispatch, Kernel, word};
use crate::engine::program::{At, Hops, Instruction, Program};

/// Writes the record of such an instruction over `rows` rows and gives the tasks of one row; none where it is another.
pub fn record(program: &Program, instruction: &Instruction, rows: usize, table: &mut Vec<u32>) -> Option<usize> {
    let address = |at: &At| word(program.address(*at));
    let optional = |at: &Option<At>| at.as_ref().map_or(NONE, address);
    let first = table.len();
    let sizes = |shape: &Hops, third: u32| [word(rows), word(shape.hops), word(shape.pitch), third];
    let tasks = match instruction {
        Instruction::Halting { shape, scores, weights, cost, costs, made } => {
            table.extend(sizes(shape, cost.to_bits()));
            table.extend([address(weights), address(costs), address(made), NONE]);
            table.extend(scores.iter().map(address));
            1
        }
        Instruction::HaltingBackward { shape, weights, made, cost, gradient, into } => {
            table.extend(sizes(shape, cost.to_bits()));
            table.extend([address(weights), optional(gradient), address(made), NONE]);
            table.extend(into.iter().map(address));
            1
        }
        Instruction::Mixture { shape, width, parts, weights, out } => {
            table.extend(sizes(shape, word(*width)));
            table.extend([address(weights), address(out), NONE, NONE]);
            table.extend(parts.iter().map(address));
            *width
        }
        Instruction::MixtureBackward { shape, width, parts, weights, gradient, carried, into, carried_weights, into_weights } => {
            table.extend(sizes(shape, word(*width)));
            table.extend([address(weights), address(gradient), address(into_weights), optional(carried_weights)]);
            for ((part, carried), into) in parts.iter().zip(carried).zip(into) {
                table.extend([address(part), optional(carried), address(into)]);
            }
            width + shape.hops
        }
        _ => return None,
    };
    debug_assert!(table.len() > first + place::WORDS);
    Some(tasks)
}

/// The dispatch of such an instruction; none where it is another.
pub fn write(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> Option<Dispatch> {
    let (kernel, rows) = match instruction {
        Instruction::Halting { shape, .. } => (Kernel::Halting, shape.rows),
        Instruction::HaltingBackward { shape, .. } => (Kernel::HaltingBackward, shape.rows),
        Instruction::Mixture { shape, .. } => (Kernel::Mixture, shape.rows),
        Instruction::MixtureBackward { shape, .. } => (Kernel::MixtureBackward, shape.rows),
        _ => return None,
    };
    let first = table.len();
    let tasks = record(program, instruction, rows, table)?;
    Some(Dispatch { kernel, record: word(first), count: word((rows * tasks).div_ceil(THREADS)) })
}
