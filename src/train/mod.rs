//! Training and evaluation: batch, loss, gradient, optimiser, measurement, run, checkpoint.
//!
//! A [`Run`] is a state machine. Its caller drives it; the run itself uses no clock, page, worker or log.
//!
//! A [`Job`] is work that workers can share: a pure function of configuration, weights and job. A [`Pool`] performs the jobs on its workers.
//! The run adds up their outcomes in the order of the jobs, so the result is bitwise the same for every number of workers.

pub mod answer;
pub mod attribution;
pub mod backend;
pub mod batch;
pub mod checkpoint;
mod device;
pub mod direct;
mod error;
pub mod evaluation;
pub mod grpo;
pub mod hops;
mod initial;
pub mod job;
pub mod loss;
pub mod opening;
pub mod optimizer;
pub mod performer;
pub mod plan;
pub mod pool;
pub mod rollouts;
pub mod run;
pub mod schedule;

pub use backend::Backend;
pub use direct::Direct;
pub use error::{CheckpointError, OpeningError, TrainError};
pub use evaluation::Measurement;
pub use job::{Job, Outcome};
pub use opening::Opened;
pub use performer::Performer;
pub use plan::Plan;
pub use pool::Pool;
pub use run::Run;
