//! Lays a program's buffers out in one memory. Buffers whose lives (from the first to the last instruction that names them)
//! do not overlap share space.

use super::program::{At, Instruction, Program};
use super::recorder::Recorder;

/// Buffers that every program over the same weights has at the same place: weights, gradient and total.
const FIXED: usize = 3;
/// Buffers begin at multiples of this many numbers.
const ALIGNMENT: usize = 16;

/// Finishes a program.
pub(super) fn lay_out(recorder: Recorder) -> Program {
    let Recorder { buffers, instructions, constants, words, has_total, answers, logits, .. } = recorder;
    let end = instructions.len();
    let mut lives: Vec<Option<(usize, usize)>> = vec![None; buffers.len()];
    for (index, instruction) in instructions.iter().enumerate() {
        visit(instruction, &mut |at| {
            let life = lives[at.buffer].get_or_insert((index, index));
            life.1 = index;
        });
    }
    // What is read after the program's end.
    for at in [answers.map(|(at, _)| at), logits.map(|var| var.at)].into_iter().flatten() {
        let life = lives[at.buffer].get_or_insert((0, end));
        life.1 = end;
    }
    let start: usize = buffers[..FIXED].iter().sum();
    let mut base = vec![0; buffers.len()];
    base[1] = buffers[0];
    base[2] = 2 * buffers[0];
    let mut placed: Vec<(usize, usize, (usize, usize))> = Vec::new();
    let mut size = start.next_multiple_of(ALIGNMENT);
    // The largest first: they leave the fewest holes.
    let mut order: Vec<usize> = (FIXED..buffers.len()).filter(|&buffer| lives[buffer].is_some()).collect();
    order.sort_by_key(|&buffer| (std::cmp::Reverse(buffers[buffer]), buffer));
    for buffer in order {
        let Some(life) = lives[buffer] else { continue };
        let length = buffers[buffer].next_multiple_of(ALIGNMENT);
        let mut taken: Vec<(usize, usize)> =
            placed.iter().filter(|(_, _, other)| other.0 <= life.1 && life.0 <= other.1).map(|&(from, to, _)| (from, to)).collect();
        taken.sort_unstable();
        let mut from = start.next_multiple_of(ALIGNMENT);
        for (begin, end) in taken {
            if from + length <= begin {
                break;
            }
            from = from.max(end);
        }
        placed.push((from, from + length, life));
        base[buffer] = from;
        size = size.max(from + length);
    }
    let total = has_total.then_some(At { buffer: FIXED - 1, offset: 0 });
    let logits = logits.map(|var| (var.at, var.rows * var.width));
    Program { instructions, base, weights: buffers[0], constants, size, words, total, answers, logits }
}

/// Shows every array that an instruction reads or writes.
fn visit(instruction: &Instruction, see: &mut dyn FnMut(At)) {
    match instruction {
        Instruction::Embed { table, out, .. } => [*table, *out].into_iter().for_each(see),
        Instruction::EmbedBackward { gradient, out, .. } => [*gradient, *out].into_iter().for_each(see),
        Instruction::Select { x, out, .. } => [*x, *out].into_iter().for_each(see),
        Instruction::SelectBackward { gradient, out, .. } => [*gradient, *out].into_iter().for_each(see),
        Instruction::Norm { x, outs, statistics, .. } => {
            [*x, *statistics].into_iter().for_each(&mut *see);
            outs.iter().flat_map(|out| [Some(out.gamma), out.beta, Some(out.y)]).flatten().for_each(see);
        }
        Instruction::NormBackward { x, statistics, outs, carried, out, .. } => {
            [Some(*x), Some(*statistics), *carried, Some(*out)].into_iter().flatten().for_each(&mut *see);
            outs.iter().flat_map(|out| [out.gamma, out.y]).for_each(see);
        }
        Instruction::ColumnSums(jobs) => {
            for job in jobs {
                [job.of, job.out].into_iter().for_each(&mut *see);
                job.normed.into_iter().flat_map(|(x, statistics)| [x, statistics]).for_each(&mut *see);
            }
        }
        Instruction::Products(products) => {
            for product in products {
                product.terms.iter().flat_map(|term| [term.a.at, term.b.at]).for_each(&mut *see);
                product.biases.iter().copied().for_each(&mut *see);
                [product.add, product.gelu, product.slope, Some(product.out.at)].into_iter().flatten().for_each(&mut *see);
            }
        }
        Instruction::Attention { qkv, out, sums, .. } => [*qkv, *out, *sums].into_iter().for_each(see),
        Instruction::AttentionBackward { qkv, out, sums, gradient, into, .. } => {
            [*qkv, *out, *sums, *gradient, *into].into_iter().for_each(see);
        }
        Instruction::CrossEntropy { logits, rows_out, answers, gradient, .. } => {
            [Some(*logits), Some(*rows_out), Some(*answers), *gradient].into_iter().flatten().for_each(see);
        }
        Instruction::Total { rows_in, out, .. } => [*rows_in, *out].into_iter().for_each(see),
    }
}
