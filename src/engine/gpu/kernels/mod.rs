//! The kernels: one CubeCL function an instruction.
//!
//! Every kernel is launched with the memory, the program's table and two numbers: where its record begins in the table
//! and how many workgroups have work. Sizes and addresses are read from the record, so one compiled pipeline serves every
//! instruction of its kind, and a launch for 0 workgroups compiles a pipeline and changes nothing.
//!
//! Barriers stand in control flow that depends on the table and the workgroup alone: browsers refuse anything else.
//! Nothing here needs subgroups, atomics or floating-point types other than `f32`, and every sum has a fixed order.

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

/// The address of an operand that is not there.
pub const NONE: u32 = u32::MAX;

/// Threads of a workgroup that share one row in kernels over rows, and rows of a workgroup: together 64 threads.
pub const LANES: usize = 8;
pub const ROWS: usize = 8;

/// Threads of a workgroup that share one column in kernels over columns: with 8 columns 128 threads.
pub const COLUMN_LANES: usize = 16;
pub const COLUMNS: usize = 8;

/// Threads of a workgroup that adds up a list. Few, because a software adapter starts a coroutine for every four threads of
/// a kernel with barriers, which costs it more than the numbers.
pub const ADDERS: usize = 64;

/// Threads of a workgroup in kernels that treat each number by itself.
pub const THREADS: usize = 64;

/// Sum of `value` over the [`LANES`] threads of a row, for each of them. `shared` has 64 numbers.
#[cube]
pub fn sum_of_row(shared: &mut Shared<[f32]>, value: f32) -> f32 {
    let unit = UNIT_POS as usize;
    // What was shared before may still be read by a slower thread.
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

/// Sum of `value` over the `threads` threads of a workgroup, for each of them. `shared` has 16 numbers more than threads.
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

/// Copies `count` numbers, when a memory grows.
#[cube(launch_unchecked)]
pub fn copy(from: &[f32], to: &mut [f32], count: u32) {
    let at = ABSOLUTE_POS;
    if at < count as usize {
        to[at] = from[at];
    }
}
