//! The task: predict the state of an unknown one-dimensional cellular automaton `k` steps ahead of its shown orbit.
//!
//! | letter | meaning |
//! |---|---|
//! | `W` | width: cells in one state |
//! | `r` | radius of the neighbourhood: 1, 3/2 or 2 |
//! | `T` | shown states `s0 … s(T−1)` |
//! | `k` | depth: the asked state is `s(T−1+k)` |
//!
//! Data flow: [`split_of`] assigns each rule to a split. [`Task::sample`] draws a rule of the split and runs it.
//! [`Task::encode`] writes the orbit as tokens. [`estimate`] computes the scores of a perfect predictor and of the two
//! shortcuts. A sample depends only on (task, seed, split, index).
//!
//! This module does not depend on models, losses, batches or browsers.
//!
//! Source: arXiv 2508.16745 v3, the benchmark "1dCA-Reasoning".

mod automaton;
mod ceiling;
mod export;
mod floors;
mod layout;
mod pattern;
mod places;
mod sample;
mod split;
mod vocabulary;

pub use automaton::{Radius, Rule, next_state};
pub use ceiling::{Estimate, estimate, estimate_samples, target_distribution};
pub use export::{published_record, sample_record};
pub use layout::{Example, Horizon, Layout, LossOn, Target};
pub use places::StatePlaces;
pub use sample::{MULTI_DEPTHS, Sample, Task};
pub use split::{Split, split_of};
pub use vocabulary::Vocabulary;
