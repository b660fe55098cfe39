//! The engine: it computes training steps on the CPU, on the GPU, or in Burn.
//!
//! Networks, loops and objectives are written over one trait, [`Operators`]: `embedding`, `layer_norms`, `linears`, `causal_attention`,
//! `residual`, `cross_entropy` and so on. Two engines implement it.
//!
//! - The [`Recorder`] records each operator's instructions and its hand-derived backward pass. The result is a [`Program`]: a fixed list of
//!   instructions over one memory with a fixed layout. A run decides, allocates and differentiates nothing. [`cpu`] runs a program with SIMD,
//!   with equal bits in WebAssembly and natively. [`gpu`] runs it with CubeCL kernels on WebGPU, Vulkan or Metal. Each instruction is one
//!   kernel.
//! - `burn::Tensors` computes each operator when it is called, by its *definition*: a few lines of Burn tensor code that follow the equation.
//!   Burn's autodiff computes the gradient. The kernels are tested against this engine. A visitor can choose it, and a network with operators
//!   that have no kernels runs only here.
//!
//! ```text
//! model, objective ─call→ Operators ─┬→ Recorder ─finish→ Program ─┬→ cpu::Machine   one thread, its memory
//!                                    │                             └→ gpu::Resident  one device, its buffers
//!                                    └→ burn::Tensors ─backward→ gradient             burn-flex, or burn-wgpu on gpu's device
//! ```
//!
//! # Adding an operator
//! 1. **Definition**: add a method to [`Operators`] (`operators.rs`); its docstring gives the equation, the shapes and the source. Write its
//!    body in Burn's tensors (`burn/tensors.rs`, with a function in the file of its family). The recorder's method (`ops/mod.rs`) returns
//!    [`Missing`], as [`Operators::delta_rule`] does. The network that needs the operator then runs on Burn. You can stop here: see
//!    `docs/new-network.md`.
//! 2. **Instruction** (`instruction.rs`): add one variant to its family for the forward kernel and one for the backward kernel, with its
//!    equation, its shapes, and an [`program::At`] for every array. The compiler then reports every place that must handle it:
//!    - `layout.rs` (`visit…`): list its arrays. Other buffers take the space of an array that is not listed.
//!    - `cpu/mod.rs`, or `cpu/recurrent.rs` and `cpu/halting.rs` for their families: call the CPU kernel.
//!    - `gpu/table.rs`, or `gpu/sequences.rs` and `gpu/hops.rs` for their families: write the record and the dispatch. A new pipeline also
//!      needs `gpu/dispatch.rs` and `gpu/launch.rs`. An instruction that can be part of a chain also needs `gpu/chain.rs`.
//!    - `cpu/attribution.rs`: say what it reads from other rows.
//!
//!    Often you need no new kernel: products, sums over rows and norms exist. Pass gradients of weights to `weight_gradient` and
//!    `vector_gradient`, which gather all of them into one launch.
//! 3. **Recorded operator** (`ops/`): add a method to [`Recorder`]. It creates its result with `var`, pushes the forward instruction and passes
//!    a closure to `on_backward`. The closure calls `gradient` for the gradient of the result, and `add_gradient` for the place of each input's
//!    gradient (it must add what is `carried`). Then it pushes the backward instruction. The docstring gives the backward equation.
//! 4. **CPU kernel** (`cpu/`): write loops over `memory`. Sum in a fixed order (`math::sum`) and use only the functions of `math`, so that bits
//!    are equal everywhere. Compute products with `products::multiply`.
//! 5. **GPU kernel** (`gpu/kernels/`): use one dispatch, no atomics and no subgroups. Declare the words of its record beside it with `record!`
//!    (`gpu/record.rs`); `gpu/table.rs` writes them by the same names. Read sizes and addresses from the record: each combination of
//!    compile-time values is another pipeline.
//! 6. **Tests**: add a small network in `tests/laws/operators/`, written once over [`Operators`]. Both engines must give its values and
//!    gradients at odd sizes.
//!
//! `docs/engine.md` explains why Burn is not the default engine, with the sizes and counts behind that decision.

pub mod burn;
pub mod cpu;
pub mod eager;
mod error;
mod generation;
pub mod gpu;
mod halting_log;
pub mod instruction;
mod layout;
mod operands;
pub mod operators;
pub mod ops;
pub mod parameters;
mod pass;
pub mod program;
mod recorder;
pub mod update;

pub use error::EngineError;
pub use operators::{Missing, Operators, Shaped, Weight};
pub use parameters::ParameterShape;
pub use pass::{Pass, Purpose, Target};
pub use program::Program;
pub use recorder::{Recorder, Var, record};
