//! Constants of links.

/// The version of new links.
pub const VERSION: u32 = 1;

/// The largest number of runs in a chain of runs that start from each other.
pub const MOST_RUNS: usize = 8;
