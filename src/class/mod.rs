//! What a class hands in: lines of results, as `lookahead train` and the page write them. Lines are cut out of a text, read, checked, grouped
//! by their run, and compared with the same run made again.
//!
//! Nothing here trusts a line: its form is checked here, and its numbers are checked by making the run again.

mod again;
mod check;
mod fault;
mod groups;
mod invite;
mod lines;

pub use again::{Again, compare};
pub use check::{Handed, Line, Reader, run_key};
pub use fault::Fault;
pub use groups::{DepthStatistics, Group, groups, people};
pub use invite::{SEATS, invitation, seat};
pub use lines::{Item, Lines};
