//! The engine: what a training step computes, and on what.
//!
//! Networks, loops and objectives are written over one trait, [`Operators`]: `embedding`, `layer_norms`, `linears`, `causal_attention`,
//! `residual`, `cross_entropy` and so on. Two engines implement it.
//!
//! - The [`Recorder`] writes each operator's instructions down and leaves behind its hand-derived backward pass. The finished
//!   [`Program`] is a fixed list of instructions over one memory laid out ahead: nothing is decided, allocated or differentiated
//!   while it runs. [`cpu`] (SIMD, in WebAssembly and natively with equal bits) and, with the feature `webgpu`, `gpu` (CubeCL kernels on
//!   WebGPU, Vulkan, Metal) carry it out, one kernel an instruction.
//! - `burn::Tensors`, with the feature `burn`, computes each operator when it is called, by its *definition* in Burn's tensors, a few lines with
//!   the equation; Burn's autodiff finds the gradient. It is the truth that the kernels are tested against, an engine that a visitor can
//!   choose, and the only engine of a network whose operators have no kernels.
//!
//! ```text
//! model, objective ─call→ Operators ─┬→ Recorder ─finish→ Program ─┬→ cpu::Machine   one thread, its memory
//!                                    │                             └→ gpu::Resident  one device, its buffers
//!                                    └→ burn::Tensors ─backward→ gradient             burn-flex, or burn-wgpu on gpu's device
//! ```
//!
//! # Adding an operator
//! 1. **Definition**: a method of [`Operators`] (`operators.rs`) whose docstring gives the equation, the shapes and the source, and its body in
//!    Burn's tensors (`burn/tensors.rs`, with a function in the file of its family). The recorder's method (`ops/mod.rs`) returns
//!    [`Missing`] as [`Operators::delta_rule`] does, and the network that needs it runs on Burn. That may be all: see `docs/new-network.md`.
//! 2. **Instruction** (`program.rs`): a variant for the forward kernel and one for the backward kernel, with its equation, its
//!    shapes, and an [`program::At`] for every array. List those arrays in `layout.rs` (`visit`), or their space is given away.
//!    Often there is nothing to add: products, sums over rows and norms exist, and gradients of weights should go through
//!    `weight_gradient` and `vector_gradient`, which gather all of them into one launch.
//! 3. **Recorded operator** (`ops/`): a method of [`Recorder`] that makes its result with `var`, pushes the forward instruction and
//!    hands `on_backward` a closure: it asks for the `gradient` of the result, gets a place for each input's from
//!    `add_gradient` (adding what is carried), and pushes the backward instruction. The docstring gives the backward equation.
//! 4. **CPU kernel** (`cpu/`): loops over `memory`, with sums in a fixed order (`math::sum`) and no functions but those of
//!    `math`, so that bits are equal everywhere; products through `products::multiply`.
//! 5. **GPU kernel** (`gpu/kernels/`): one dispatch, sizes and addresses as arguments rather than compile-time values (each
//!    combination of those is another pipeline), no atomics, no subgroups.
//! 6. **Tests**: a small network in `tests/operators/`, written once over [`Operators`]; both engines must give its values and gradients
//!    at odd sizes.
//!
//! Why the default engine is not Burn: `docs/engine.md`, with the sizes and counts that decided it.

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
