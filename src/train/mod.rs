//! Learning and measuring: batch, loss, gradient, optimiser, evaluation, run, checkpoint.
//!
//! A [`Run`] is a state machine that somebody else drives: it knows no clock, page, worker or log. The work that can be
//! shared between workers is cut into [`Job`]s, each a pure function of (configuration, weights, job); a [`Pool`] performs them
//! wherever it likes, and the run reduces their outcomes in the jobs' order, so the number of workers never changes a bit.

pub mod batch;
pub mod checkpoint;
#[cfg(feature = "webgpu")]
mod device;
pub mod direct;
pub mod evaluation;
pub mod grpo;
pub mod hops;
pub mod job;
pub mod loss;
pub mod opening;
pub mod optimizer;
pub mod performer;
pub mod place;
pub mod pool;
pub mod reads;
pub mod run;
pub mod schedule;

pub use direct::Direct;
pub use evaluation::Measurement;
pub use job::{Job, Outcome, Plan};
pub use opening::Opened;
pub use performer::Performer;
pub use place::Place;
pub use pool::Pool;
pub use run::Run;
