//! The kernels: CubeCL functions, usually one per instruction.
//!
//! Every kernel of a program takes the memory, the program's table and two numbers: the index of its record in the table, and the number of
//! workgroups with work. It reads sizes and addresses from the record, so one compiled pipeline serves every instruction of its kind. A launch
//! for 0 workgroups compiles a pipeline and changes nothing.
//!
//! A barrier's control flow depends only on the table and the workgroup, because browsers refuse anything else. No kernel uses subgroups,
//! atomics or floating-point types other than `f32`. Every sum has a fixed order.

pub mod activation;
pub mod attention;
pub mod attention_at;
pub mod chain;
pub mod convolution;
pub mod cross_entropy;
pub mod embed;
pub mod erf;
pub mod halting;
pub mod lstm;
pub mod memory;
pub mod muon;
pub mod norm;
pub mod policy;
pub mod products;
pub mod scan;
pub mod scan_backward;
pub mod sums;
pub mod update;

use cubecl::prelude::*;

record! {
    /// Places of the words that every record over a window of rows begins with.
    pub mod window {
        SEQUENCES,
        LENGTH,
        FROM,
        ROWS,
    }
}

/// The address of a missing operand.
pub const NONE: u32 = u32::MAX;

/// In kernels over rows: threads that share one row, and rows of a workgroup; 64 threads together.
pub const LANES: usize = 8;
pub const ROWS: usize = 8;

/// In kernels over columns: threads that share one column, and columns of a workgroup; 128 threads together.
pub const COLUMN_LANES: usize = 16;
pub const COLUMNS: usize = 8;

/// Threads of a workgroup that sums a list. They are few, because a software adapter starts a coroutine for every four threads of a kernel with
/// barriers, and that costs more than the additions.
pub const ADDERS: usize = 64;

/// Threads of a workgroup in kernels that compute each element independently.
pub const THREADS: usize = 64;

/// The sum of `value` over the [`LANES`] threads of a row, returned to each of them. `shared` has 64 elements.
#[cube]
pub fn sum_of_row(shared: &mut Shared<[f32]>, value: f32) -> f32 {
    let unit = UNIT_POS as usize;
    // A slower thread may still read the old contents of `shared`.
    sync_cube();
    shared[unit] = value;
    sync_cube();
    let first = unit / LANES * LANES;
    let mut sum = 0.0f32;
    #[unroll]
    for lane in 0..LANES {
        sum += shared[first + lane];
    }
    sum
}

/// The sum of `value` over the `threads` threads of a workgroup, returned to each of them. `shared` has `threads` + 16 elements.
#[cube]
pub fn sum_of_group(shared: &mut Shared<[f32]>, value: f32, #[comptime] threads: usize) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    shared[unit] = value;
    sync_cube();
    if unit < 16 {
        let mut part = 0.0f32;
        for i in 0..comptime!(threads / 16) {
            part += shared[unit * comptime!(threads / 16) + i];
        }
        shared[threads + unit] = part;
    }
    sync_cube();
    let mut sum = 0.0f32;
    for i in 0..16usize {
        sum += shared[threads + i];
    }
    sum
}

/// Copies `count` elements to a larger memory.
#[cube(launch_unchecked)]
pub fn copy(from: &[f32], to: &mut [f32], count: u32) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        to[at] = from[at];
    }
}
