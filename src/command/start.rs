//! What a run starts from: its link, and the weights that the link names or the command line gives.

use super::{place, read_link, train};
use crate::config::link::{self, Link};
use crate::config::{RunConfig, Start, shipped};
use crate::engine::cpu::{Arithmetic, Kernel};
use crate::train::checkpoint::WEIGHTS_FILE;
use std::io::IsTerminal;
use std::path::Path;

/// Runs that others start from, whose weights are kept until the process ends; older ones are made again.
const KEPT: usize = 16;

/// A run to begin.
pub struct Begun {
    pub link: Link,
    /// The file of weights that it starts from, if it starts from one.
    pub start: Option<Vec<u8>>,
    pub kernel: Kernel,
}

/// Weights of runs that others start from, made when they are first asked for.
pub struct Starts {
    workers: usize,
    made: Vec<(RunConfig, Arithmetic, Vec<u8>)>,
}

impl Starts {
    pub fn new(workers: usize) -> Self {
        Self { workers, made: Vec::new() }
    }

    /// A run with the weights that it starts from, if it starts from any: those of another run are trained here.
    ///
    /// # Errors
    /// Where it starts from a file, or the run that it starts from failed.
    pub fn begin(&mut self, link: &Link) -> Result<Begun, String> {
        let kernel = place::kernel(link);
        let start = self.weights(&link.config, kernel)?;
        Ok(Begun { link: link.clone(), start, kernel })
    }

    fn weights(&mut self, config: &RunConfig, kernel: Kernel) -> Result<Option<Vec<u8>>, String> {
        match (&config.start, config.first()) {
            (_, Some(first)) => self.of_run(first, kernel).map(Some),
            (Start::Shipped(name), None) => Ok(shipped::find(name).map(|shipped| shipped.bytes.to_vec())),
            (Start::Scratch | Start::Run(_), None) => Ok(None),
            (Start::File(_), None) => {
                Err("This run starts from a file of weights: give it with --from, as a folder or a model.safetensors.".into())
            }
        }
    }

    fn of_run(&mut self, first: RunConfig, kernel: Kernel) -> Result<Vec<u8>, String> {
        let known = self.made.iter().find(|(config, arithmetic, _)| *config == first && *arithmetic == kernel.arithmetic);
        if let Some((_, _, bytes)) = known {
            return Ok(bytes.clone());
        }
        let start = self.weights(&first, kernel)?;
        if std::io::stderr().is_terminal() {
            eprintln!("First the run that it starts from: {}", link::write(&first, None));
        }
        let begun = Begun { link: Link { config: first.clone(), fingerprint: None }, start, kernel };
        let bytes = train::weights(&begun, self.workers).map_err(|sentence| format!("The run that it starts from failed: {sentence}"))?;
        if self.made.len() == KEPT {
            self.made.remove(0);
        }
        self.made.push((first, kernel.arithmetic, bytes.clone()));
        Ok(bytes)
    }
}

/// Reads a link (or a preset's name) and the weights it starts from: those in `from`, a safetensors file or a folder with one, which the link
/// need not name, or else what the link names.
///
/// # Errors
/// A sentence when the link cannot be used, or its weights are not here.
pub fn begin(text: &str, from: Option<&Path>, workers: usize) -> Result<Begun, String> {
    let Some(path) = from else { return Starts::new(workers).begin(&read_link(text)?) };
    let start = read(path)?;
    let link = match text.contains("from=") {
        false => read_link(&format!("{text}&from=file-{:016x}", shipped::hash(&start)))?,
        true => read_link(text)?,
    };
    match link.config.start {
        // Whether it is the file that the link names is seen when the run begins.
        Start::Scratch | Start::File(_) => {}
        Start::Shipped(_) | Start::Run(_) => {
            return Err("The link says itself what the run starts from: leave --from out, or take “from” out of the link.".into());
        }
    }
    let kernel = place::kernel(&link);
    Ok(Begun { link, start: Some(start), kernel })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let file = if path.is_dir() { path.join(WEIGHTS_FILE) } else { path.to_path_buf() };
    std::fs::read(&file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
