//! The links of lessons.

use crate::config::{LinkError, RunConfig, link, presets};

/// Reads a short link: a preset's name with settings after it, as in `quick&k=2`, or a whole link.
///
/// # Errors
/// The faults of the link.
pub fn short_link(text: &str) -> Result<RunConfig, Vec<LinkError>> {
    let (name, settings) = text.split_once('&').unwrap_or((text, ""));
    let read = match presets::all().find(|preset| preset.key == name) {
        Some(preset) => link::change((preset.config)(), settings),
        None => link::read(text),
    };
    read.map(|link| link.config)
}
