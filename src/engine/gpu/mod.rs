//! The WebGPU engine: runs a [`Program`](super::program::Program) with CubeCL kernels. Most instructions are one dispatch; a chain of
//! instructions is one dispatch too.
//!
//! [`open`] returns the GPU, and [`Resident`] is one run on it. The kernels use no subgroups, no atomics, at most four storage buffers, and at
//! most 256 threads in a workgroup. Every WebGPU adapter can run them.

#[macro_use]
mod record;

mod adapter;
mod chain;
mod device;
mod dispatch;
mod hops;
mod jobs;
pub mod kernels;
mod launch;
mod resident;
mod sequences;
mod step;
mod table;

pub use adapter::AdapterTraits;
pub use device::{Gpu, OnFault, open};
pub use resident::Resident;

use super::program::Program;

/// Number of dispatches of a program on such an adapter.
pub fn dispatches(program: &Program, adapter: AdapterTraits) -> usize {
    table::write(program, adapter).1.len()
}
