//! The engine: what a training step computes, and on what.
//!
//! A model calls **operators** ([`ops`]) on a [`Recorder`]: `embedding`, `layer_norms`, `linears`, `causal_attention`, `residual`,
//! `cross_entropy`. Each writes its instructions down and leaves behind its hand-derived backward pass. The finished
//! [`Program`] is a fixed list of instructions over one memory laid out ahead: nothing is decided, allocated or differentiated
//! while it runs. Two engines carry programs out, one kernel an instruction: [`cpu`] (SIMD, in WebAssembly and natively with
//! equal bits) and, with the feature `webgpu`, `gpu` (CubeCL kernels on WebGPU, Vulkan, Metal).
//!
//! ```text
//! model ─calls→ operator ─records→ Recorder ─finish→ Program ─┬→ cpu::Machine   one thread, its memory
//!                                                             └→ gpu::Resident  one device, its buffers
//! ```
//!
//! # Adding an operator
//! 1. **Instruction** (`program.rs`): a variant for the forward kernel and one for the backward kernel, with its equation, its
//!    shapes, and an [`program::At`] for every array. List those arrays in `layout.rs` (`visit`), or their space is given away.
//!    Often there is nothing to add: products, sums over rows and norms exist, and gradients of weights should go through
//!    `weight_gradient` and `vector_gradient`, which gather all of them into one launch.
//! 2. **Operator** (`ops/`): a method of [`Recorder`] that makes its result with `var`, pushes the forward instruction and
//!    hands `on_backward` a closure: it asks for the `gradient` of the result, gets a place for each input's from
//!    `add_gradient` (adding what is carried), and pushes the backward instruction. The docstring gives both equations.
//! 3. **CPU kernel** (`cpu/`): loops over `memory`, with sums in a fixed order (`math::sum`) and no functions but those of
//!    `math`, so that bits are equal everywhere; products through `products::multiply`.
//! 4. **GPU kernel** (`gpu/kernels/`): one dispatch, sizes and addresses as arguments rather than compile-time values (each
//!    combination of those is another pipeline), no atomics, no subgroups.
//! 5. **Tests**: a plain definition of the operator in `tests/operators.rs` in burn's own tensors, whose values and gradients
//!    both engines must give at odd sizes.
//!
//! Why not burn's autodiff and backends: see `docs/engine.md`, with the sizes and counts that decided it.

#[cfg(feature = "burn")]
pub mod burn;
pub mod cpu;
pub mod eager;
mod generation;
#[cfg(feature = "webgpu")]
pub mod gpu;
mod journal;
mod layout;
mod operands;
pub mod operators;
pub mod ops;
mod pass;
pub mod program;
mod recorder;
pub mod update;

pub use operators::{Missing, Operators, Shaped, Weight};
pub use pass::{Pass, Purpose, record};
pub use program::Program;
pub use recorder::{Carrier, Recorder, Var};
