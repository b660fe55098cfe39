//! Links for a class, and the numbers of its students.

use crate::config::link;
use crate::config::{EngineChoice, RunConfig};

/// The numbers that students can have.
pub const SEATS: std::ops::RangeInclusive<u64> = 1..=99;

/// The number that a student typed, or that stands in the address.
pub fn seat(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|number| SEATS.contains(number))
}

/// The link that a teacher gives to a class: this run, with a number asked for. `page` is the page's address without query and fragment,
/// `lesson` the name of a lesson or empty, and `extra` more of the query or empty. The run gets the engine whose bits are equal on every
/// machine, if that engine can compute it.
pub fn invitation(page: &str, lesson: &str, extra: &str, config: &RunConfig) -> String {
    let portable = RunConfig { engine: EngineChoice::Portable, ..config.clone() };
    let config = if config.model.kind.has_kernels() && portable.problems().is_empty() { &portable } else { config };
    let lesson = if lesson.is_empty() { String::new() } else { format!("&lesson={lesson}") };
    let extra = if extra.is_empty() { String::new() } else { format!("&{extra}") };
    format!("{page}?seat={lesson}{extra}#{}", link::seal(config, None))
}
