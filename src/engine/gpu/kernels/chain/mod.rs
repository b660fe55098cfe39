//! A whole [`Chain`](crate::engine::program::Chain) in one launch: a workgroup takes one sequence through all of its instructions.
//!
//! What a segment does to the memory the next one reads, layer by layer: carried out one launch an instruction, a sequence of
//! twice as many segments would take twice as many launches. No sequence of a batch meets another on the way, so a
//! workgroup can do the waiting by itself, with a barrier between instructions that depend on each other.
//!
//! Record: the number of steps, then for each `code, address of its own record`, the code with [`code::TOGETHER`] where the next
//! step need not wait for this one. Inside a step no thread waits for another, but for products on a graphics card,
//! which come through workgroup memory. Every array of a record begins at its first sequence's part.

pub mod attention;
pub mod hops;
pub mod memory;
pub mod products;
pub mod rows;

use cubecl::prelude::*;

/// What a step does.
pub mod code {
    /// Added to a code whose step the next need not wait for.
    pub const TOGETHER: u32 = 256;
    pub const COPY: u32 = 0;
    pub const PRODUCT: u32 = 1;
    pub const NORM: u32 = 2;
    pub const ATTENTION: u32 = 3;
    pub const FEATURES: u32 = 4;
    pub const RECALL: u32 = 5;
    /// What is new in the values that are to be written, and the divisors.
    pub const NOVELTY: u32 = 6;
    /// The new memory.
    pub const MEMORIZE: u32 = 7;
    /// The gradients, from here on.
    pub const NORM_BACKWARD: u32 = 8;
    pub const ATTENTION_BACKWARD: u32 = 9;
    pub const FEATURES_BACKWARD: u32 = 10;
    /// That of each divisor of a recall.
    pub const RECALL_SIDES: u32 = 11;
    pub const RECALL_QUERIES: u32 = 12;
    pub const RECALL_MEMORY: u32 = 13;
    pub const MEMORIZE_VALUES: u32 = 14;
    /// Those of each strength and of each divisor.
    pub const MEMORIZE_SIDES: u32 = 15;
    pub const MEMORIZE_KEYS: u32 = 16;
    pub const MEMORIZE_OLD: u32 = 17;
    /// Adaptive computation time.
    pub const HALT: u32 = 18;
    pub const MIX: u32 = 19;
    pub const HALT_BACKWARD: u32 = 20;
    pub const MIX_BACKWARD: u32 = 21;
}

/// What a pipeline is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Threads along the rows and along the columns of a product; together those of the workgroup.
    pub down: usize,
    pub across: usize,
    /// Whether products come through workgroup memory.
    pub staged: bool,
    /// Whether gradients are among the steps, or only what is made forwards.
    pub backward: bool,
    /// The attention's head and how much of it turns.
    pub attention: super::attention::Kind,
}

impl Kind {
    /// Threads of a workgroup.
    pub fn threads(&self) -> usize {
        self.down * self.across
    }
}

/// The steps of a forward pass.
#[cube]
#[allow(clippy::too_many_arguments)]
fn forward(memory: &mut [f32], table: &[u32], code: u32, record: usize, sequence: usize, #[comptime] kind: Kind) {
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
fn backward(memory: &mut [f32], table: &[u32], code: u32, record: usize, sequence: usize, #[comptime] kind: Kind) {
    let threads = comptime!(kind.threads());
    if code == code::NORM_BACKWARD {
        rows::norm_backward(memory, table, record, sequence, threads);
    } else if code == code::ATTENTION_BACKWARD {
        attention::queries(memory, table, record, sequence, threads, comptime!(kind.attention));
        attention::keys_and_values(memory, table, record, sequence, threads, comptime!(kind.attention));
    } else if code == code::FEATURES_BACKWARD {
        rows::features_backward(memory, table, record, sequence, threads);
    } else if code == code::RECALL_SIDES {
        memory::recall_sides(memory, table, record, sequence, threads);
    } else if code == code::RECALL_QUERIES {
        memory::recall_queries(memory, table, record, sequence, threads);
    } else if code == code::RECALL_MEMORY {
        memory::recall_memory(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_VALUES {
        memory::memorize_values(memory, table, record, sequence, threads);
    } else if code == code::MEMORIZE_SIDES {
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

/// The kernel; workgroup `i` of `count` takes sequence i.
#[cube(launch_unchecked)]
pub fn chain(memory: &mut [f32], table: &[u32], record: u32, count: u32, #[comptime] kind: Kind) {
    let mut a = Shared::<[f32]>::new_slice(comptime!(products::room(kind.down, kind.staged)));
    let mut b = Shared::<[f32]>::new_slice(comptime!(products::room(kind.across, kind.staged)));
    if CUBE_POS < count as usize {
        let sequence = CUBE_POS;
        let record = record as usize;
        for step in 0..table[record] as usize {
            let at = record + 1 + 2 * step;
            let code = table[at] % code::TOGETHER;
            let own = table[at + 1] as usize;
            if code == code::PRODUCT {
                products::product(memory, table, &mut a, &mut b, own, sequence, kind);
            } else if code == code::COPY {
                rows::copy(memory, table, own, sequence, comptime!(kind.threads()));
            } else if comptime!(kind.backward) {
                backward(memory, table, code, own, sequence, kind);
            } else {
                forward(memory, table, code, own, sequence, kind);
            }
            if table[at] < code::TOGETHER {
                sync_storage();
            }
        }
    }
}
