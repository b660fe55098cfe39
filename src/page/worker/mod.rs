//! The page's side of the worker: [`link`] sends messages, [`session`] starts and replaces the worker, [`build`] chooses its program.

pub mod build;
pub mod link;
pub mod session;
