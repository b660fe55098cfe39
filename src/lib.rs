//! # Lookahead
//!
//! A page on which small sequence models learn to look *k* steps ahead on one-dimensional cellular automata, after
//! arXiv 2508.16745. This library holds the science; the page, its worker and the command line are thin programs over it.
//!
//! ## Data flow, one way
//!
//! `link → RunConfig → Run → Example → Batch (host memory) → logits → loss → Report → page state → picture`.
//! Host memory up to [`train`]'s batch, device memory from there to the loss, plain numbers after it.
//!
//! ## Letters
//!
//! | letter | meaning |
//! |---|---|
//! | W, r, T, k | cells in a row; radius of the rule; rows shown; steps ahead asked |
//! | B, S | sequences in a batch; tokens in a sequence |
//! | L, d, h, d_ff, V | blocks; model width; heads; MLP width; vocabulary |
//! | EM | exact match: share of answers right in all W cells |
//!
//! ## Modules, and what each does not know
//!
//! - [`rng`]: the only source of randomness, by (seed, purpose, index).
//! - [`task`]: automaton, rule split, layouts, ceilings and floors. Knows no model.
//! - [`config`]: the run as data, its table of fields, its link. Knows no engine.
//! - [`replay`]: fingerprints of loss traces.
//! - `model`: shapes, names, initial weights, forward. Knows no device and no optimiser.
//! - `train`: batch, loss, optimiser, step, evaluation, checkpoint. Knows no clock, page or worker.
//! - `engine`: operators as one trait, and what implements it: recorded programs on the CPU and on WebGPU, and Burn's tensors. Knows no model
//!   and no step count.
//! - [`protocol`]: what page and worker say. `wire`: how messages travel between page, worker and helpers.
//! - `page`, `worker`, and `adapter` for both: the browser's side; the only places that know there is a browser.

#[cfg(feature = "browser")]
mod adapter;
pub mod config;
pub mod protocol;
pub mod replay;
pub mod rng;
pub mod stats;
pub mod task;

#[cfg(feature = "cli")]
pub mod command;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod model;
#[cfg(feature = "page")]
pub mod page;
#[cfg(feature = "engine")]
pub mod train;
#[cfg(feature = "browser")]
pub mod wire;
#[cfg(feature = "worker")]
pub mod worker;
