//! A program's table and the list of its dispatches. Kernels read sizes and addresses from the table.
//!
//! The table begins with the program's constants. The records follow in the order of the instructions.

use super::adapter::AdapterTraits;
use super::dispatch::{Dispatch, Pipeline, optional, word};
use super::jobs::{Jobs, tiling};
use super::kernels::attention::AttentionKind;
use super::kernels::{NONE, ROWS, THREADS, attention, attention_at, cross_entropy, embed, norm, policy, sums};
use super::record::write as write_record;
use super::{hops, sequences};
use crate::engine::program::{
    Associative, At, Attention, AttentionShape, Embed, Grouped, Instruction, Loss, Norm, Normed, Policy, Program, Tokens,
};

/// The table and the dispatches of a program for this adapter.
pub fn write(program: &Program, adapter: AdapterTraits) -> (Vec<u32>, Vec<Dispatch>) {
    let mut table: Vec<u32> = program.constants.iter().map(|constant| constant.to_bits()).collect();
    let mut dispatches = Vec::new();
    let mut index = 0;
    while let Some(instruction) = program.instructions.get(index) {
        if let Some(chain) = program.chains.iter().find(|chain| chain.instructions.start == index) {
            dispatches.extend(super::chain::write(program, chain, adapter, &mut table));
            index = chain.instructions.end;
            continue;
        }
        dispatches.extend(record(program, instruction, adapter, &mut table));
        index += 1;
    }
    (table, dispatches)
}

/// Appends the records of one instruction to the table; returns its dispatches.
fn record(program: &Program, instruction: &Instruction, adapter: AdapterTraits, table: &mut Vec<u32>) -> Vec<Dispatch> {
    let first = word(table.len());
    let (kernel, groups) = match instruction {
        Instruction::Recurrent(instruction) => return sequences::write(program, instruction, adapter, table),
        Instruction::Halting(instruction) => return vec![hops::write(program, instruction, table)],
        Instruction::Grouped(instruction) => return vec![grouped(program, instruction, adapter.software, table)],
        Instruction::Associative(Associative::Features(forward)) => return vec![sequences::features(program, forward, table)],
        Instruction::Associative(Associative::Recall(forward)) => return vec![sequences::recall(program, forward, table)],
        Instruction::Associative(
            Associative::Memorize(_) | Associative::MemorizeBackward(_) | Associative::FeaturesBackward(_) | Associative::RecallBackward(_),
        ) => unreachable!("these instructions must be part of a chain"),
        Instruction::Embed(instruction) => write_embed(program, instruction, table),
        Instruction::Norm(instruction) => write_norm(program, instruction, table),
        Instruction::Attention(instruction) => write_attention(program, instruction, adapter.software, table),
        Instruction::Loss(instruction) => write_loss(program, instruction, table),
        Instruction::Policy(instruction) => write_policy(program, instruction, table),
    };
    vec![Dispatch { kernel, record: first, count: word(groups) }]
}

/// Writes the record of an embedding; returns its pipeline and its number of workgroups.
fn write_embed(program: &Program, instruction: &Embed, table: &mut Vec<u32>) -> (Pipeline, usize) {
    let address = |at: At| word(program.address(at));
    match instruction {
        Embed::Forward { tokens, table: rows_of, out, rows, width } => {
            use embed::forward as place;
            let (tokens, stride) = match tokens {
                Tokens::Words(first) => (word(*first), NONE),
                Tokens::Elements(numbers) => (address(numbers.at), word(numbers.stride)),
            };
            let words = [
                (place::TOKENS, tokens),
                (place::TOKENS_STRIDE, stride),
                (place::TABLE, address(*rows_of)),
                (place::OUT, address(out.at)),
                (place::OUT_STRIDE, word(out.stride)),
                (place::ROWS, word(*rows)),
                (place::WIDTH, word(*width)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::Embed, (rows * width).div_ceil(THREADS))
        }
        Embed::Backward { tokens, gradient, out, rows, width, vocabulary, accumulate } => {
            use embed::backward as place;
            let words = [
                (place::TOKENS, word(*tokens)),
                (place::GRADIENT, address(*gradient)),
                (place::OUT, address(*out)),
                (place::ROWS, word(*rows)),
                (place::WIDTH, word(*width)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::ACCUMULATE, u32::from(*accumulate)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::EmbedBackward, (vocabulary * width).div_ceil(THREADS))
        }
    }
}

/// Writes the record of attention; returns its pipeline and its number of workgroups.
fn write_attention(program: &Program, instruction: &Attention, software: bool, table: &mut Vec<u32>) -> (Pipeline, usize) {
    match instruction {
        Attention::Forward { shape, qkv, rotary_table, out, sums } => {
            attention_forward(program, shape, [*qkv, *out, *sums], *rotary_table, table);
            let kind = kind(shape);
            (Pipeline::AttentionForward(kind), blocks(shape, kind))
        }
        Attention::AtPosition { shape, qkv, rotary_table, out, position } => {
            let words = attended(program, shape, *qkv, *out, *rotary_table);
            write_record(table, attention_at::at::WORDS, words.into_iter().chain([(attention_at::at::POSITION, word(*position))]));
            // Each thread uses one row of workgroup memory.
            let most = if software { attention_at::FEW_SHARERS } else { attention_at::SHARERS };
            let block = (3072 / shape.head.max(1)).clamp(1, most);
            (Pipeline::AttentionAt(AttentionKind { head: shape.head, rotary: shape.rotary, block, tile: 1 }), shape.sequences * shape.heads)
        }
        Attention::Backward { shape, qkv, rotary_table, out, sums, gradient, into } => {
            attention_backward(program, shape, [*qkv, *out, *sums, *gradient, *into], *rotary_table, table);
            let kind = kind(shape);
            (Pipeline::AttentionBackward(kind), 2 * blocks(shape, kind))
        }
    }
}

/// Writes the record of a loss or of answers; returns its pipeline and its number of workgroups.
fn write_loss(program: &Program, instruction: &Loss, table: &mut Vec<u32>) -> (Pipeline, usize) {
    let address = |at: At| word(program.address(at));
    match instruction {
        Loss::CrossEntropy { logits, labels, rows, vocabulary, scale, rows_out, answers, gradient } => {
            use cross_entropy::row as place;
            let words = [
                (place::LOGITS, address(*logits)),
                (place::LABELS, word(*labels)),
                (place::ROWS, word(*rows)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::SCALE, scale.to_bits()),
                (place::ROWS_OUT, address(*rows_out)),
                (place::ANSWERS, address(*answers)),
                (place::GRADIENT, optional(program, *gradient)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::CrossEntropy, rows.div_ceil(ROWS))
        }
        Loss::Answer { logits, rows, vocabulary, out } => {
            use cross_entropy::answers as place;
            let words = [
                (place::LOGITS, address(logits.at)),
                (place::STRIDE, word(logits.stride)),
                (place::ROWS, word(*rows)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::OUT, address(out.at)),
                (place::OUT_STRIDE, word(out.stride)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::Answer, rows.div_ceil(ROWS))
        }
        Loss::Total { rows_in, rows, out, accumulate } => {
            use sums::totals as place;
            let words = [
                (place::ROWS_IN, address(*rows_in)),
                (place::ROWS, word(*rows)),
                (place::OUT, address(*out)),
                (place::ACCUMULATE, u32::from(*accumulate)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::Total, 1)
        }
    }
}

/// Writes the record of a norm; returns its pipeline and its number of workgroups.
pub fn write_norm(program: &Program, instruction: &Norm, table: &mut Vec<u32>) -> (Pipeline, usize) {
    let address = |at: At| word(program.address(at));
    match instruction {
        Norm::Forward { x, outs, statistics, rows, width, epsilon, centred, pitch } => {
            let words = normalized(program, [*x, *statistics], [*rows, *width, outs.len()], *centred);
            let more = [(norm::forward::EPSILON, epsilon.to_bits()), (norm::forward::PITCH, word(*pitch))];
            write_record(table, norm::forward::WORDS, words.into_iter().chain(more));
            normed(program, outs, table);
            (Pipeline::NormForward, rows.div_ceil(ROWS))
        }
        Norm::Backward { x, statistics, outs, carried, out, rows, width, centred } => {
            let words = normalized(program, [*x, *statistics], [*rows, *width, outs.len()], *centred);
            let more = [(norm::backward::CARRIED, optional(program, *carried)), (norm::backward::OUT, address(*out))];
            write_record(table, norm::backward::WORDS, words.into_iter().chain(more));
            normed(program, outs, table);
            (Pipeline::NormBackward, rows.div_ceil(ROWS))
        }
    }
}

/// Writes the record of drawing tokens or of a policy's loss; returns its pipeline and its number of workgroups.
fn write_policy(program: &Program, instruction: &Policy, table: &mut Vec<u32>) -> (Pipeline, usize) {
    let address = |at: At| word(program.address(at));
    let inverse_temperature = |temperature: f32| (1.0 / temperature).to_bits();
    let (kernel, rows) = match instruction {
        Policy::Draw { logits, rows, vocabulary, sampling, uniforms: (first, stride), out } => {
            use policy::drawing as place;
            let words = [
                (place::LOGITS, address(logits.at)),
                (place::STRIDE, word(logits.stride)),
                (place::ROWS, word(*rows)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::INVERSE_TEMPERATURE, inverse_temperature(sampling.temperature)),
                (place::TOP_K, word(sampling.top_k)),
                (place::UNIFORMS, word(*first)),
                (place::UNIFORMS_STRIDE, word(*stride)),
                (place::OUT, address(out.at)),
                (place::OUT_STRIDE, word(out.stride)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::Draw, rows)
        }
        Policy::LogProbability { logits, labels, rows, vocabulary, temperature, out } => {
            use policy::log_probability_word as place;
            let words = [
                (place::LOGITS, address(*logits)),
                (place::LABELS, word(*labels)),
                (place::ROWS, word(*rows)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::INVERSE_TEMPERATURE, inverse_temperature(*temperature)),
                (place::OUT, address(*out)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::LogProbability, rows)
        }
        Policy::Loss { logits, labels, rows, vocabulary, terms, reference, rows_out, gradient } => {
            use policy::loss as place;
            let words = [
                (place::LOGITS, address(*logits)),
                (place::LABELS, word(*labels)),
                (place::ROWS, word(*rows)),
                (place::VOCABULARY, word(*vocabulary)),
                (place::INVERSE_TEMPERATURE, inverse_temperature(terms.temperature)),
                (place::REFERENCE, address(*reference)),
                (place::KL, terms.kl.to_bits()),
                (place::CLIP, terms.clip.to_bits()),
                (place::ADVANTAGES, word(terms.advantages)),
                (place::OLD, word(terms.old)),
                (place::SCALE, word(terms.scale)),
                (place::ROWS_OUT, address(*rows_out)),
                (place::GRADIENT, address(*gradient)),
            ];
            write_record(table, place::WORDS, words);
            (Pipeline::Policy, rows)
        }
    };
    (kernel, rows.div_ceil(THREADS))
}

/// Writes the record of a grouped launch.
fn grouped(program: &Program, instruction: &Grouped, software: bool, table: &mut Vec<u32>) -> Dispatch {
    let mut jobs = Jobs::new(table);
    match instruction {
        Grouped::ColumnSums(sums) => {
            for sum in sums {
                jobs.column_sum(program, sum);
            }
            jobs.finish(Pipeline::Columns)
        }
        Grouped::Copies(copies) => {
            for copy in copies {
                jobs.copy(program, copy);
            }
            jobs.finish(Pipeline::Copies)
        }
        Grouped::Products(products) => {
            let (kernel, edge) = tiling(products, software);
            for product in products {
                jobs.product(product, edge, |at| program.address(at));
            }
            jobs.finish(kernel)
        }
    }
}

/// The words that every norm's record begins with.
fn normalized(program: &Program, [x, statistics]: [At; 2], [rows, width, outs]: [usize; 3], centred: bool) -> [(usize, u32); 6] {
    use norm::word as place;
    [
        (place::X, word(program.address(x))),
        (place::STATISTICS, word(program.address(statistics))),
        (place::ROWS, word(rows)),
        (place::WIDTH, word(width)),
        (place::CENTRED, u32::from(centred)),
        (place::OUTS, word(outs)),
    ]
}

fn normed(program: &Program, outs: &[Normed], table: &mut Vec<u32>) {
    use norm::normed as place;
    for out in outs {
        let words = [
            (place::GAMMA, word(program.address(out.gamma))),
            (place::BETA, optional(program, out.beta)),
            (place::Y, word(program.address(out.y))),
        ];
        write_record(table, place::WORDS, words);
    }
}

/// The words that every record of attention begins with.
fn attended(program: &Program, shape: &AttentionShape, qkv: At, out: At, rotary_table: usize) -> [(usize, u32); 6] {
    use attention::word as place;
    [
        (place::SEQUENCES, word(shape.sequences)),
        (place::LENGTH, word(shape.length)),
        (place::HEADS, word(shape.heads)),
        (place::QKV, word(program.address(qkv))),
        (place::ROTARY_TABLE, word(rotary_table)),
        (place::OUT, word(program.address(out))),
    ]
}

/// Writes a record of attention, forward; returns its index.
pub fn attention_forward(
    program: &Program,
    shape: &AttentionShape,
    [qkv, out, sums]: [At; 3],
    rotary_table: usize,
    table: &mut Vec<u32>,
) -> usize {
    let words = attended(program, shape, qkv, out, rotary_table);
    write_record(table, attention::forward::WORDS, words.into_iter().chain([(attention::forward::SUMS, word(program.address(sums)))]))
}

/// Writes a record of attention, backward; returns its index.
pub fn attention_backward(
    program: &Program,
    shape: &AttentionShape,
    [qkv, out, sums, gradient, into]: [At; 5],
    rotary_table: usize,
    table: &mut Vec<u32>,
) -> usize {
    use attention::backward as place;
    let more =
        [(place::SUMS, sums), (place::GRADIENT, gradient), (place::INTO, into)].map(|(place, at)| (place, word(program.address(at))));
    let words = attended(program, shape, qkv, out, rotary_table);
    write_record(table, place::WORDS, words.into_iter().chain(more))
}

/// Blocks of 32 positions if sequences have at most 32, else of 64. Tiles take at most 12 KiB of the 16 KiB of workgroup memory that every
/// adapter has.
fn kind(shape: &AttentionShape) -> AttentionKind {
    let block = if shape.length <= 32 { 32 } else { 64 };
    let tile = if shape.head <= 32 { 32 } else { (1536 / shape.head).next_power_of_two() / 2 }.max(1);
    AttentionKind { head: shape.head, rotary: shape.rotary, block, tile }
}

fn blocks(shape: &AttentionShape, kind: AttentionKind) -> usize {
    shape.sequences * shape.heads * shape.length.div_ceil(kind.block)
}
