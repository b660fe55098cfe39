//! A whole [`Chain`](crate::engine::program::Chain) in one launch: a workgroup runs all of its instructions for one sequence.
//!
//! A segment writes a memory, and the next segment reads it, layer by layer. With one launch per instruction, a sequence of twice as many
//! segments would take twice as many launches. No two sequences of a batch mix, so one workgroup per sequence can run all steps, with a barrier
//! between instructions that depend on each other.
//!
//! Record: [`steps`], then [`step`] for each step. The code includes [`code::NO_BARRIER`] if the next step need
//! not wait for this one. Inside a step no thread waits for another, except in products on a GPU, which pass through workgroup memory. Every
//! array of a record begins at its first sequence's part.

pub mod attention;
pub mod hops;
pub mod memory;
pub mod products;
pub mod rows;

use cubecl::prelude::*;

/// The kind of a step.
pub mod code {
    /// Added to a code if the next step need not wait for this one.
    pub const NO_BARRIER: u32 = 256;
    pub const COPY: u32 = 0;
    pub const PRODUCT: u32 = 1;
    pub const NORM: u32 = 2;
    pub const ATTENTION: u32 = 3;
    pub const FEATURES: u32 = 4;
    pub const RECALL: u32 = 5;
    /// `v − v̄` of the values to write, and the divisors.
    pub const NOVELTY: u32 = 6;
    /// The new memory.
    pub const MEMORIZE: u32 = 7;
    /// Gradients, from here on.
    pub const NORM_BACKWARD: u32 = 8;
    pub const ATTENTION_BACKWARD: u32 = 9;
    pub const FEATURES_BACKWARD: u32 = 10;
    /// The gradient of each divisor of a recall.
    pub const RECALL_DIVISOR_GRADIENTS: u32 = 11;
    pub const RECALL_QUERIES: u32 = 12;
    pub const RECALL_MEMORY: u32 = 13;
    pub const MEMORIZE_VALUES: u32 = 14;
    /// The gradients of each strength and of each divisor of a write.
    pub const MEMORIZE_DIVISOR_GRADIENTS: u32 = 15;
    pub const MEMORIZE_KEYS: u32 = 16;
    pub const MEMORIZE_OLD: u32 = 17;
    /// Adaptive computation time, forward and backward.
    pub const HALT: u32 = 18;
    pub const MIX: u32 = 19;
    pub const HALT_BACKWARD: u32 = 20;
    pub const MIX_BACKWARD: u32 = 21;
}

/// The compile-time values of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChainKind {
    /// Threads along the rows and along the columns of a product; their product is the workgroup's number of threads.
    pub down: usize,
    pub across: usize,
    /// Whether products pass through workgroup memory.
    pub staged: bool,
    /// Whether the steps are those of a backward pass.
    pub backward: bool,
    /// The sizes of an attention head and of its rotated part.
    pub attention: super::attention::AttentionKind,
}

impl ChainKind {
    /// Threads of a workgroup.
    pub fn threads(&self) -> usize {
        self.down * self.across
    }
}

/// The steps of a forward pass.
#[cube]
#[allow(clippy::too_many_arguments, reason = "a kernel takes its buffers and sizes one by one")]
fn forward(memory: &mut [f32], table: &[u32], code: u32, record: usize, sequence: usize, #[comptime] kind: ChainKind) {
    let threads = comptime!(kind.threads());
    if code == code::NORM {
        rows::norm(memory, table, record, sequence, threads);
    } else if code == code::ATTENTION {
        attention::attention(memory, table, record, sequence, threads, comptime!(kind.attention));
    } else if code == code::FEATURES {
        rows::features(memory, table, record, sequence, threads);
    } else if code == code::RECALL {
        memory::recall(memory, table, record, sequence, threads);
    } else if code == code::NOVELTY {
        memory::novelty(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE {
        memory::memorize(memory, table, record, sequence, threads);
    } else if code == code::HALT {
        hops::halt(memory, table, record, sequence, threads);
    } else if code == code::MIX {
        hops::mix(memory, table, record, sequence, threads);
    }
}

/// The steps of a backward pass.
#[cube]
fn backward(memory: &mut [f32], table: &[u32], code: u32, record: usize, sequence: usize, #[comptime] kind: ChainKind) {
    let threads = comptime!(kind.threads());
    if code == code::NORM_BACKWARD {
        rows::norm_backward(memory, table, record, sequence, threads);
    } else if code == code::ATTENTION_BACKWARD {
        attention::queries(memory, table, record, sequence, threads, comptime!(kind.attention));
        attention::keys_and_values(memory, table, record, sequence, threads, comptime!(kind.attention));
    } else if code == code::FEATURES_BACKWARD {
        rows::features_backward(memory, table, record, sequence, threads);
    } else if code == code::RECALL_DIVISOR_GRADIENTS {
        memory::recall_sides(memory, table, record, sequence, threads);
    } else if code == code::RECALL_QUERIES {
        memory::recall_queries(memory, table, record, sequence, threads);
    } else if code == code::RECALL_MEMORY {
        memory::recall_memory(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_VALUES {
        memory::memorize_values(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_DIVISOR_GRADIENTS {
        memory::memorize_sides(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_KEYS {
        memory::memorize_keys(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_OLD {
        memory::memorize_old(memory, table, record, sequence, threads);
    } else if code == code::HALT_BACKWARD {
        hops::halt_backward(memory, table, record, sequence, threads);
    } else if code == code::MIX_BACKWARD {
        hops::mix_backward(memory, table, record, sequence, threads);
    }
}

record! {
    /// The first word of a launch. The words of [`step`] follow for each step.
    pub mod steps {
        COUNT,
    }
}

record! {
    /// Indices of the words of a step.
    pub mod step {
        /// One of [`code`].
        CODE,
        RECORD,
    }
}

/// The kernel; workgroup `i` of `count` computes sequence i.
#[cube(launch_unchecked)]
pub fn chain(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: ChainKind) {
    let mut a = Shared::<[f32]>::new_slice(comptime!(products::room(kind.down, kind.staged)));
    let mut b = Shared::<[f32]>::new_slice(comptime!(products::room(kind.across, kind.staged)));
    if CUBE_POS < count as usize {
        let sequence = CUBE_POS;
        let record = record as usize;
        for step in 0..table[record + steps::COUNT] as usize {
            let at = record + steps::WORDS + step * step::WORDS;
            let code = table[at + step::CODE] % code::NO_BARRIER;
            let own = table[at + step::RECORD] as usize;
            if code == code::PRODUCT {
                products::product(memory, table, &mut a, &mut b, own, sequence, kind);
            } else if code == code::COPY {
                rows::copy(memory, table, own, sequence, comptime!(kind.threads()));
            } else if comptime!(kind.backward) {
                backward(memory, table, code, own, sequence, kind);
            } else {
                forward(memory, table, code, own, sequence, kind);
            }
            if table[at + step::CODE] < code::NO_BARRIER {
                sync_storage();
            }
        }
    }
}
