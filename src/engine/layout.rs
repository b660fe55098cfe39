//! Lays out a program's buffers in one memory. A buffer lives from the first to the last instruction that names it. Buffers whose lives do not
//! overlap share space.

use super::program::{
    Associative, At, Attention, Chain, ColumnSum, Convolution, ConvolutionBackward, Embed, Factor, Features, FeaturesBackward, Grouped,
    Halting, Instruction, Loss, Lstm, LstmBackward, Memorize, MemorizeBackward, Norm, Policy, Program, Recall, RecallBackward, Recurrent,
    Scan, ScanBackward, ScanForward, Tokens,
};
use super::recorder::Recorder;

/// Buffers at the same place in every program over the same weights: weights, gradient and total.
const FIXED: usize = 3;
/// Buffers begin at multiples of this many elements.
const ALIGNMENT: usize = 16;

/// Finishes a program: computes the lives of its buffers and places them.
pub(super) fn lay_out(recorder: Recorder) -> Program {
    let training = recorder.training();
    let Recorder { buffers, instructions, spans, mut chains, constants, words, has_total, answers, generated, logits, halting_log, .. } =
        recorder;
    let halting_log = halting_log.filter(|_| !training);
    let end = instructions.len();
    chains.retain(|chain| !chain.instructions.is_empty());
    let mut lives = lives(&instructions, &chains, buffers.len());
    // These are read after the program's end.
    let kept = [
        answers.map(|(at, _)| at),
        generated.map(|(at, _)| at),
        logits.map(|var| var.at),
        halting_log.as_ref().map(|halting_log| halting_log.at),
    ];
    for at in kept.into_iter().flatten() {
        let life = lives[at.buffer].get_or_insert((0, end));
        life.1 = end;
    }
    let (base, size) = place(&buffers, &lives);
    let total = has_total.then_some(At { buffer: FIXED - 1, offset: 0 });
    let logits = logits.map(|var| (var.at, var.rows * var.width));
    Program {
        instructions,
        spans,
        chains,
        base,
        weights: buffers[0],
        constants,
        size,
        words,
        total,
        answers,
        generated,
        halting_log,
        logits,
    }
}

/// The first and the last instruction that names each buffer; `None` for a buffer that no instruction names.
type Lives = Vec<Option<(usize, usize)>>;

fn lives(instructions: &[Instruction], chains: &[Chain], buffers: usize) -> Lives {
    let mut lives: Lives = vec![None; buffers];
    for (index, instruction) in instructions.iter().enumerate() {
        visit(instruction, &mut |at| {
            let life = lives[at.buffer].get_or_insert((index, index));
            life.1 = index;
        });
    }
    // The sequences of a chain run independently: one may still read what another no longer needs.
    for chain in chains {
        let (first, last) = (chain.instructions.start, chain.instructions.end - 1);
        for life in lives.iter_mut().flatten().filter(|life| life.0 <= last && first <= life.1) {
            *life = (life.0.min(first), life.1.max(last));
        }
    }
    lives
}

/// The address of each buffer, and the size of the memory.
fn place(buffers: &[usize], lives: &Lives) -> (Vec<usize>, usize) {
    let start: usize = buffers[..FIXED].iter().sum();
    let mut base = vec![0; buffers.len()];
    base[1] = buffers[0];
    base[2] = 2 * buffers[0];
    let mut placed: Vec<(usize, usize, (usize, usize))> = Vec::new();
    let mut size = start.next_multiple_of(ALIGNMENT);
    // Placing the largest first leaves the fewest gaps.
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
    (base, size)
}

/// Calls `see` with every array that an instruction reads or writes.
fn visit(instruction: &Instruction, see: &mut dyn FnMut(At)) {
    match instruction {
        Instruction::Embed(Embed::Forward { tokens, table, out, .. }) => {
            [*table, out.at].into_iter().for_each(&mut *see);
            match tokens {
                Tokens::Words(_) => {}
                Tokens::Elements(rows) => see(rows.at),
            }
        }
        Instruction::Embed(Embed::Backward { gradient, out, .. }) => [*gradient, *out].into_iter().for_each(see),
        Instruction::Grouped(Grouped::Copies(copies)) => {
            copies.iter().flat_map(|copy| copy.from.iter().chain([&copy.to])).for_each(|rows| see(rows.at));
        }
        Instruction::Norm(Norm::Forward { x, outs, statistics, .. }) => {
            [*x, *statistics].into_iter().for_each(&mut *see);
            outs.iter().flat_map(|out| [Some(out.gamma), out.beta, Some(out.y)]).flatten().for_each(see);
        }
        Instruction::Norm(Norm::Backward { x, statistics, outs, carried, out, .. }) => {
            [Some(*x), Some(*statistics), *carried, Some(*out)].into_iter().flatten().for_each(&mut *see);
            outs.iter().flat_map(|out| [out.gamma, out.y]).for_each(see);
        }
        Instruction::Grouped(Grouped::ColumnSums(sums)) => sums.iter().for_each(|sum| visit_sum(sum, see)),
        Instruction::Grouped(Grouped::Products(products)) => {
            for product in products {
                product.terms.iter().flat_map(|term| [term.a.at, term.b.at]).for_each(&mut *see);
                product.biases.iter().copied().for_each(&mut *see);
                [product.add, product.gelu, product.slope, Some(product.out.at)].into_iter().flatten().for_each(&mut *see);
            }
        }
        Instruction::Attention(Attention::Forward { qkv, out, sums, .. }) => [*qkv, *out, *sums].into_iter().for_each(see),
        Instruction::Attention(Attention::AtPosition { qkv, out, .. }) => [*qkv, *out].into_iter().for_each(see),
        Instruction::Attention(Attention::Backward { qkv, out, sums, gradient, into, .. }) => {
            [*qkv, *out, *sums, *gradient, *into].into_iter().for_each(see);
        }
        Instruction::Recurrent(instruction) => visit_recurrent(instruction, see),
        Instruction::Associative(instruction) => visit_memory(instruction, see),
        Instruction::Halting(instruction) => visit_hops(instruction, see),
        Instruction::Loss(Loss::CrossEntropy { logits, rows_out, answers, gradient, .. }) => {
            [Some(*logits), Some(*rows_out), Some(*answers), *gradient].into_iter().flatten().for_each(see);
        }
        Instruction::Policy(Policy::Draw { logits, out, .. }) => [logits.at, out.at].into_iter().for_each(see),
        Instruction::Policy(Policy::LogProbability { logits, out, .. }) => [*logits, *out].into_iter().for_each(see),
        Instruction::Policy(Policy::Loss { logits, reference, rows_out, gradient, .. }) => {
            [*logits, *reference, *rows_out, *gradient].into_iter().for_each(see);
        }
        Instruction::Loss(Loss::Answer { logits, out, .. }) => [logits.at, out.at].into_iter().for_each(see),
        Instruction::Loss(Loss::Total { rows_in, out, .. }) => [*rows_in, *out].into_iter().for_each(see),
    }
}

fn visit_sum(sum: &ColumnSum, see: &mut dyn FnMut(At)) {
    see(sum.out);
    for summand in &sum.summands {
        see(summand.of);
        match summand.factor {
            Factor::One => {}
            Factor::Normed(x, statistics) => [x, statistics].into_iter().for_each(&mut *see),
            Factor::Delayed { x, .. } => see(x.at),
        }
    }
}

fn visit_recurrent(instruction: &Recurrent, see: &mut dyn FnMut(At)) {
    match instruction {
        Recurrent::Lstm(Lstm { weight, transposed, gates, cells, hidden, .. }) => {
            [Some(*weight), *transposed, Some(*gates), Some(*cells), Some(*hidden)].into_iter().flatten().for_each(see);
        }
        Recurrent::LstmBackward(LstmBackward { weight, gates, cells, gradient, into, .. }) => {
            [*weight, *gates, *cells, *gradient, *into].into_iter().for_each(see);
        }
        Recurrent::Convolution(Convolution { x, weight, bias, out, .. }) => [x.at, *weight, *bias, *out].into_iter().for_each(see),
        Recurrent::ConvolutionBackward(ConvolutionBackward { x, weight, bias, gradient, inner, into, .. }) => {
            [x.at, *weight, *bias, *gradient, *inner, into.at].into_iter().for_each(see);
        }
        Recurrent::Scan(ScanForward { scan, out, .. }) => {
            visit_scan(scan, see);
            see(*out);
        }
        Recurrent::ScanBackward(ScanBackward {
            scratch,
            scan,
            gradient,
            into_delta,
            into_u,
            into_projected,
            into_gate,
            into_a_log,
            into_skip,
            ..
        }) => {
            visit_scan(scan, see);
            [*scratch, *gradient, *into_delta, *into_u, into_projected.at, into_gate.at, *into_a_log, *into_skip].into_iter().for_each(see);
        }
    }
}

fn visit_hops(instruction: &Halting, see: &mut dyn FnMut(At)) {
    match instruction {
        Halting::Weights { scores, weights, costs, hop_counts, .. } => {
            scores.iter().chain([weights, costs, hop_counts]).copied().for_each(see);
        }
        Halting::WeightsBackward { weights, hop_counts, gradient, into, .. } => {
            into.iter().chain([weights, hop_counts]).chain(gradient).copied().for_each(see);
        }
        Halting::Mixture { parts, weights, out, .. } => parts.iter().chain([weights, out]).copied().for_each(see),
        Halting::MixtureBackward { parts, weights, gradient, carried, into, carried_weights, into_weights, .. } => {
            let read = parts.iter().chain(carried.iter().flatten()).chain(carried_weights);
            read.chain(into).chain([weights, gradient, into_weights]).copied().for_each(see);
        }
    }
}

fn visit_scan(scan: &Scan, see: &mut dyn FnMut(At)) {
    [scan.delta, scan.u, scan.projected.at, scan.gate.at, scan.a_log, scan.skip, scan.states].into_iter().for_each(see);
}

fn visit_memory(instruction: &Associative, see: &mut dyn FnMut(At)) {
    let mut memories = Vec::new();
    match instruction {
        Associative::Features(Features { x, out, norms, .. }) => [*x, *out, *norms].into_iter().for_each(&mut *see),
        Associative::FeaturesBackward(FeaturesBackward { x, out, norms, gradient, into, .. }) => {
            [*x, *out, *norms, *gradient, *into].into_iter().for_each(&mut *see);
        }
        Associative::Recall(Recall { x, queries, memory, out, divisors, .. }) => {
            [*x, *queries, *out, *divisors].into_iter().for_each(&mut *see);
            memories.push(*memory);
        }
        Associative::RecallBackward(RecallBackward {
            divisor_gradients,
            x,
            queries,
            memory,
            out,
            divisors,
            gradient,
            into_queries,
            carried,
            into,
            ..
        }) => {
            [*divisor_gradients, *x, *queries, *out, *divisors, *gradient, *into_queries].into_iter().for_each(&mut *see);
            memories.extend([Some(*memory), *carried, Some(*into)].into_iter().flatten());
        }
        Associative::Memorize(Memorize { keys, values, strengths, old, novel, divisors, out, .. }) => {
            [*keys, *values, *strengths, *novel, *divisors].into_iter().for_each(&mut *see);
            memories.extend([*old, Some(*out)].into_iter().flatten());
        }
        Associative::MemorizeBackward(MemorizeBackward {
            divisor_gradients,
            keys,
            values,
            strengths,
            old,
            novel,
            divisors,
            gradient,
            into_keys,
            into_values,
            into_strengths,
            into_old,
            ..
        }) => {
            [*divisor_gradients, *keys, *values, *strengths, *novel, *divisors, *into_keys, *into_values, *into_strengths]
                .into_iter()
                .for_each(&mut *see);
            memories.extend([*old, Some(*gradient), *into_old].into_iter().flatten());
        }
    }
    memories.into_iter().flat_map(|memory| [memory.a, memory.z]).for_each(see);
}
