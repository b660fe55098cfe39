//! What holds of the tasks, the networks, the procedures, the engines and the command line, a module a subject. One program, because
//! every program links all engines again. `cargo test --release networks` runs the module of that name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]
#![allow(clippy::too_many_lines, reason = "a law and its reference are read in one piece")]

mod attribution;
mod burn;
mod cluster;
mod common;
mod descriptions;
mod devices;
mod functions;
mod generation;
mod gpu_kernels;
mod grpo;
mod interchange;
mod layouts;
mod lessons;
mod link;
mod list;
mod looped;
mod memory;
mod muon;
mod networks;
mod opening;
mod operators;
mod replay;
mod start;
mod task;
mod task_ceiling;
mod training;
mod unfinished;
