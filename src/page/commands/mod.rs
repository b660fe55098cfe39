//! Commands change the page's state and talk to the worker. In this order, each module calls only modules to its left:
//!
//! [`worker`] < [`form`] < [`kept_weights`] < [`runs`] < [`queue`] < [`buttons`]. `tests/architecture.rs` has the place of every module.
//! [`reports`] may call all of them: it handles the worker's reports.

pub mod adapter;
pub mod attribution;
pub mod buttons;
pub mod check;
pub mod class;
pub mod display;
pub mod door;
pub mod downloads;
pub mod finished_runs;
pub mod form;
pub mod kept_weights;
pub mod lesson;
pub mod opening;
pub mod puzzle;
pub mod queue;
pub mod references;
pub mod reports;
pub mod runs;
pub mod story;
pub mod tab;
pub mod unfinished_run;
pub mod views;
pub mod work;
pub mod worker;
