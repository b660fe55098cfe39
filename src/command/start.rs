//! What a run starts from: its link, and the weights that the link names or the command line gives.

use super::read_link;
use crate::config::link::Link;
use crate::config::{Start, shipped};
use crate::train::checkpoint::WEIGHTS_FILE;
use std::path::Path;

/// A run to begin.
pub struct Begun {
    pub link: Link,
    /// The file of weights that it starts from, if it starts from one.
    pub start: Option<Vec<u8>>,
}

/// Reads a link (or a preset's name) and the weights it starts from: those in `from`, a safetensors file or a folder with one, which the link
/// need not name, or else the checkpoint of the site that it names.
///
/// # Errors
/// A sentence when the link cannot be used, or its weights are not here.
pub fn begin(text: &str, from: Option<&Path>) -> Result<Begun, String> {
    let Some(path) = from else { return of(&read_link(text)?) };
    let start = read(path)?;
    let named = text.contains("from=");
    let link = read_link(&if named { text.into() } else { format!("{text}&from=file-{:016x}", shipped::hash(&start)) })?;
    Ok(Begun { link, start: Some(start) })
}

/// A run whose weights the site carries, if it starts from any.
///
/// # Errors
/// Where it starts from a file.
pub fn of(link: &Link) -> Result<Begun, String> {
    let start = match &link.config.start {
        Start::Scratch => None,
        Start::Shipped(name) => shipped::find(name).map(|shipped| shipped.bytes.to_vec()),
        Start::File(_) => {
            return Err("This run starts from a file of weights: give it with --from, as a folder or a model.safetensors.".into());
        }
    };
    Ok(Begun { link: link.clone(), start })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = if path.is_dir() { path.join(WEIGHTS_FILE) } else { path.to_path_buf() };
    std::fs::read(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
