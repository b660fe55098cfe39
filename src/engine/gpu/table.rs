//! A program's table: what its kernels read of sizes and addresses, and the list of its dispatches.
//!
//! The table begins with the program's constants; the records follow, in the order of the instructions.

use super::Adapter;
use super::jobs::{Jobs, tiling};
use super::kernels::attention::Kind;
use super::kernels::{NONE, ROWS, THREADS, attention_at, chain, lstm};
use super::{hops, sequences};
use crate::engine::program::{At, AttentionShape, Instruction, Normed, Program, Tokens};

/// Which pipeline a dispatch runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    Products {
        edge: usize,
        depth: usize,
    },
    /// Products without workgroup memory.
    Direct {
        edge: usize,
    },
    NormForward,
    NormBackward,
    Embed,
    EmbedBackward,
    Copies,
    Columns,
    Total,
    CrossEntropy,
    Answer,
    AttentionForward(Kind),
    AttentionAt(Kind),
    AttentionBackward(Kind),
    /// The transpose of an LSTM's weight.
    Turn,
    LstmForward(lstm::Kind),
    LstmBackward(lstm::Kind),
    ConvolutionForward,
    ConvolutionBackward,
    ScanForward,
    /// The first launch of a scan's gradient.
    ScanBackward,
    /// The second: what sums over channels.
    ScanProjected,
    Features,
    Recall,
    Halting,
    HaltingBackward,
    Mixture,
    MixtureBackward,
    Draw,
    LogProbability,
    Policy,
    /// A chain.
    Chain(chain::Kind),
}

/// A dispatch: the pipeline, where its record begins in the table, how many workgroups have work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dispatch {
    pub kernel: Kernel,
    pub record: u32,
    pub count: u32,
}

/// An address or size as a word of the table. No binding holds 2³² numbers.
pub fn word(number: usize) -> u32 {
    number as u32
}

/// The address of an operand, or [`NONE`].
fn optional(program: &Program, at: Option<At>) -> u32 {
    at.map_or(NONE, |at| word(program.address(at)))
}

/// The table and the dispatches of a program, for this adapter.
pub fn write(program: &Program, adapter: Adapter) -> (Vec<u32>, Vec<Dispatch>) {
    let mut table: Vec<u32> = program.constants.iter().map(|constant| constant.to_bits()).collect();
    let mut dispatches = Vec::new();
    let mut index = 0;
    while let Some(instruction) = program.instructions.get(index) {
        if let Some(chain) = program.chains.iter().find(|chain| chain.instructions.start == index) {
            dispatches.extend(super::chain::write(program, chain, adapter, &mut table));
            index = chain.instructions.end;
            continue;
        }
        match sequences::write(program, instruction, adapter, &mut table) {
            Some(several) => dispatches.extend(several),
            None => {
                let hops = hops::write(program, instruction, &mut table);
                dispatches.push(hops.unwrap_or_else(|| record(program, instruction, adapter.software, &mut table)));
            }
        }
        index += 1;
    }
    (table, dispatches)
}

/// Writes the record of one instruction behind the table.
fn record(program: &Program, instruction: &Instruction, software: bool, table: &mut Vec<u32>) -> Dispatch {
    let address = |at: At| word(program.address(at));
    let first = table.len();
    let (kernel, groups) = match instruction {
        Instruction::ColumnSums(_) | Instruction::Products(_) | Instruction::Copies(_) => {
            return grouped(program, instruction, software, table);
        }
        Instruction::Embed { tokens, table: rows_of, out, rows, width } => {
            table.extend(match tokens {
                Tokens::Words(first) => [word(*first), NONE],
                Tokens::Numbers(numbers) => [address(numbers.at), word(numbers.stride)],
            });
            table.extend([address(*rows_of), address(out.at), word(out.stride), word(*rows), word(*width)]);
            (Kernel::Embed, (rows * width).div_ceil(THREADS))
        }
        Instruction::EmbedBackward { tokens, gradient, out, rows, width, vocabulary, accumulate } => {
            table.extend([word(*tokens), address(*gradient), address(*out), word(*rows), word(*width)]);
            table.extend([word(*vocabulary), u32::from(*accumulate)]);
            (Kernel::EmbedBackward, (vocabulary * width).div_ceil(THREADS))
        }
        Instruction::Norm { .. } | Instruction::NormBackward { .. } => norm(program, instruction, table),
        Instruction::Attention { shape, qkv, turns, out, sums } => {
            attention(shape, table);
            table.extend([address(*qkv), word(*turns), address(*out), address(*sums), 0, 0]);
            let kind = kind(shape);
            (Kernel::AttentionForward(kind), blocks(shape, kind))
        }
        Instruction::AttentionAt { shape, qkv, turns, out, position } => {
            attention(shape, table);
            table.extend([address(*qkv), word(*turns), address(*out), word(*position)]);
            // Each thread has a row of workgroup memory.
            let most = if software { attention_at::FEW_SHARERS } else { attention_at::SHARERS };
            let block = (3072 / shape.head.max(1)).clamp(1, most);
            (Kernel::AttentionAt(Kind { head: shape.head, rotary: shape.rotary, block, tile: 1 }), shape.sequences * shape.heads)
        }
        Instruction::AttentionBackward { shape, qkv, turns, out, sums, gradient, into } => {
            attention(shape, table);
            table.extend([address(*qkv), word(*turns), address(*out), address(*sums), address(*gradient), address(*into)]);
            let kind = kind(shape);
            (Kernel::AttentionBackward(kind), 2 * blocks(shape, kind))
        }
        Instruction::CrossEntropy { logits, labels, rows, vocabulary, scale, rows_out, answers, gradient } => {
            table.extend([address(*logits), word(*labels), word(*rows), word(*vocabulary), scale.to_bits()]);
            table.extend([address(*rows_out), address(*answers), optional(program, *gradient)]);
            (Kernel::CrossEntropy, rows.div_ceil(ROWS))
        }
        Instruction::Answer { logits, rows, vocabulary, out } => {
            table.extend([address(logits.at), word(logits.stride), word(*rows), word(*vocabulary), address(out.at), word(out.stride)]);
            (Kernel::Answer, rows.div_ceil(ROWS))
        }
        Instruction::Draw { .. } | Instruction::LogProbability { .. } | Instruction::Policy { .. } => policy(program, instruction, table),
        Instruction::Lstm { .. }
        | Instruction::LstmBackward { .. }
        | Instruction::Convolution { .. }
        | Instruction::ConvolutionBackward { .. }
        | Instruction::Scan { .. }
        | Instruction::ScanBackward { .. }
        | Instruction::Features { .. }
        | Instruction::Recall { .. } => unreachable!("`sequences` has written these"),
        Instruction::Halting { .. }
        | Instruction::HaltingBackward { .. }
        | Instruction::Mixture { .. }
        | Instruction::MixtureBackward { .. } => unreachable!("`hops` has written these"),
        Instruction::Memorize { .. }
        | Instruction::MemorizeBackward { .. }
        | Instruction::FeaturesBackward { .. }
        | Instruction::RecallBackward { .. } => unreachable!("memories are written to within chains alone"),
        Instruction::Total { rows_in, rows, out, accumulate } => {
            table.extend([address(*rows_in), word(*rows), address(*out), u32::from(*accumulate)]);
            (Kernel::Total, 1)
        }
    };
    Dispatch { kernel, record: word(first), count: word(groups) }
}

/// The record of a norm, its pipeline and its workgroups.
pub fn norm(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> (Kernel, usize) {
    let address = |at: At| word(program.address(at));
    match instruction {
        Instruction::Norm { x, outs, statistics, rows, width, epsilon, centred, pitch } => {
            table.extend([address(*x), address(*statistics), word(*rows), word(*width)]);
            table.extend([u32::from(*centred), word(outs.len()), epsilon.to_bits(), word(*pitch)]);
            normed(program, outs, table);
            (Kernel::NormForward, rows.div_ceil(ROWS))
        }
        Instruction::NormBackward { x, statistics, outs, carried, out, rows, width, centred } => {
            table.extend([address(*x), address(*statistics), word(*rows), word(*width)]);
            table.extend([u32::from(*centred), word(outs.len()), optional(program, *carried), address(*out)]);
            normed(program, outs, table);
            (Kernel::NormBackward, rows.div_ceil(ROWS))
        }
        _ => unreachable!("`record` sends nothing but norms"),
    }
}

/// The record of drawing tokens or of a policy's loss, its pipeline and its workgroups.
fn policy(program: &Program, instruction: &Instruction, table: &mut Vec<u32>) -> (Kernel, usize) {
    let address = |at: At| word(program.address(at));
    let cold = |temperature: f32| (1.0 / temperature).to_bits();
    let (kernel, rows) = match instruction {
        Instruction::Draw { logits, rows, vocabulary, sampling, uniforms: (first, stride), out } => {
            table.extend([address(logits.at), word(logits.stride), word(*rows), word(*vocabulary), cold(sampling.temperature)]);
            table.extend([word(sampling.top_k), word(*first), word(*stride), address(out.at), word(out.stride)]);
            (Kernel::Draw, rows)
        }
        Instruction::LogProbability { logits, labels, rows, vocabulary, temperature, out } => {
            table.extend([address(*logits), word(*labels), word(*rows), word(*vocabulary), cold(*temperature), address(*out)]);
            (Kernel::LogProbability, rows)
        }
        Instruction::Policy { logits, labels, rows, vocabulary, terms, reference, rows_out, gradient } => {
            table.extend([address(*logits), word(*labels), word(*rows), word(*vocabulary), cold(terms.temperature), address(*reference)]);
            table.extend([terms.kl.to_bits(), terms.clip.to_bits()]);
            table.extend([terms.advantages, terms.old, terms.scale].map(word));
            table.extend([address(*rows_out), address(*gradient)]);
            (Kernel::Policy, rows)
        }
        _ => unreachable!("`record` sends nothing else"),
    };
    (kernel, rows.div_ceil(THREADS))
}

/// The record of a grouped launch.
fn grouped(program: &Program, instruction: &Instruction, software: bool, table: &mut Vec<u32>) -> Dispatch {
    let mut jobs = Jobs::new(table);
    match instruction {
        Instruction::ColumnSums(sums) => {
            for sum in sums {
                jobs.column_sum(program, sum);
            }
            jobs.finish(Kernel::Columns)
        }
        Instruction::Copies(copies) => {
            for copy in copies {
                jobs.copy(program, copy);
            }
            jobs.finish(Kernel::Copies)
        }
        Instruction::Products(products) => {
            let (kernel, edge) = tiling(products, software);
            for product in products {
                jobs.product(product, edge, |at| program.address(at));
            }
            jobs.finish(kernel)
        }
        _ => unreachable!("`record` sends nothing but grouped launches"),
    }
}

fn normed(program: &Program, outs: &[Normed], table: &mut Vec<u32>) {
    for out in outs {
        table.extend([word(program.address(out.gamma)), optional(program, out.beta), word(program.address(out.y))]);
    }
}

fn attention(shape: &AttentionShape, table: &mut Vec<u32>) {
    table.extend([word(shape.sequences), word(shape.length), word(shape.heads)]);
}

/// Blocks of 32 positions where a sequence is no longer, else 64; tiles that take at most 12 KiB of the 16 KiB of workgroup
/// memory that every adapter has.
fn kind(shape: &AttentionShape) -> Kind {
    let block = if shape.length <= 32 { 32 } else { 64 };
    let tile = if shape.head <= 32 { 32 } else { (1536 / shape.head).next_power_of_two() / 2 }.max(1);
    Kind { head: shape.head, rotary: shape.rotary, block, tile }
}

fn blocks(shape: &AttentionShape, kind: Kind) -> usize {
    shape.sequences * shape.heads * shape.length.div_ceil(kind.block)
}
