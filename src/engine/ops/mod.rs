//! Operators: what models call by what it does. Each appends its instructions and, for the backward pass, those of its
//! hand-derived gradient. See [`crate::engine`] for how one is added.

mod attention;
mod cross_entropy;
mod embedding;
mod halting;
mod linear;
mod lstm;
mod mamba;
mod memory;
mod norm;
mod policy;
mod segments;

pub use attention::{Heads, rotary_table};
pub use linear::{Activation, Linear};
pub use lstm::LstmWeights;
pub use mamba::ScanWeights;
pub use memory::MemoryVar;
pub use norm::Affine;
