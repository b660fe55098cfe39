//! # Lookahead
//!
//! A page on which small sequence models learn to look *k* steps ahead on one-dimensional cellular automata, after
//! arXiv 2508.16745. This library holds the science; the page, its workers and the command line are thin programs over it.
//!
//! `docs/architecture.md` follows a link to its first step, a batch through both engines, and a report to a picture.
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
//! ## Modules
//!
//! Lowest first: a module uses only modules above it in this list. `tests/architecture.rs` reads the `use` lines and fails on an arrow upward.
//!
//! - [`rng`]: the only source of randomness, by (seed, purpose, index). [`stats`]: confidence intervals.
//! - [`task`]: automaton, rule split, layouts, ceilings and floors. Knows no model.
//! - [`replay`]: fingerprints of loss traces. Knows no engine.
//! - [`results`]: what training and measuring find out, as plain numbers.
//! - [`config`]: the run as data, its table of fields, its link. Knows no engine.
//! - [`lesson`]: the lessons' files, read into prose and live blocks. Knows no browser.
//! - [`protocol`]: what page and worker say to each other.
//! - [`class`]: what a class hands in: lines of results are read, checked, grouped and compared. Knows no browser.
//! - `engine`: operators as one trait, and what implements it: recorded programs on the CPU and on WebGPU, and Burn's tensors. Knows parameters
//!   by name and shape, but no model and no step count.
//! - `model`: networks as parameters, initial weights and forward pass. Knows no device and no optimiser.
//! - `train`: batch, loss, optimiser, step, evaluation, checkpoint. Knows no clock, page or worker.
//! - `wire`: how messages travel between page, worker and helpers. `adapter`: the browser's WebGPU adapter. `locks`: who
//!   still exists.
//! - `worker`, `page`: the browser's side; the only places that know there is a browser. `command`: the command line.

pub mod class;
pub mod config;
pub mod lesson;
pub mod protocol;
pub mod replay;
pub mod results;
pub mod rng;
pub mod stats;
pub mod task;

#[cfg(feature = "browser")]
mod adapter;
#[cfg(feature = "cli")]
pub mod command;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "browser")]
mod locks;
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
