//! The start of a run: its link, and the weights that the link names or `--from` gives.

use super::error::CommandError;
use super::unfinished::Keeper;
use super::{place, read_link, train};
use crate::config::link::{self, Link};
use crate::config::{RunConfig, Start, shipped};
use crate::engine::cpu::{Arithmetic, Kernel};
use crate::train::checkpoint::WEIGHTS_FILE;
use std::io::IsTerminal;
use std::path::Path;

/// Number of runs whose weights are kept because others start from them. Older ones are trained again if needed.
const KEPT: usize = 16;

/// A run that is asked for.
pub struct Asked {
    pub link: Link,
    pub kernel: Kernel,
    /// The file of weights that `--from` gives.
    given: Option<Vec<u8>>,
}

impl Asked {
    /// A run whose link names what it starts from.
    pub fn new(link: &Link) -> Self {
        Self { link: link.clone(), kernel: place::kernel(link), given: None }
    }
}

/// A run that is ready to begin.
pub struct Begun {
    pub link: Link,
    /// The file of weights that it starts from, if any.
    pub start: Option<Vec<u8>>,
    pub kernel: Kernel,
}

/// Weights of runs that others start from. Each run is trained when its weights are first needed.
pub struct Starts {
    pub workers: usize,
    pub keeper: Keeper,
    made: Vec<(RunConfig, Arithmetic, Vec<u8>)>,
}

impl Starts {
    pub fn new(workers: usize, keeper: Keeper) -> Self {
        Self { workers, keeper, made: Vec::new() }
    }

    /// A run with the weights that it starts from, if any. If it starts from another run, that run is trained here.
    ///
    /// # Errors
    /// If it starts from a file, or the run that it starts from failed.
    pub fn begin(&mut self, asked: Asked) -> Result<Begun, CommandError> {
        let start = self.weights_of(&asked)?;
        Ok(Begun { link: asked.link, start, kernel: asked.kernel })
    }

    /// The weights that a run starts from, if any.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn weights_of(&mut self, asked: &Asked) -> Result<Option<Vec<u8>>, CommandError> {
        match &asked.given {
            Some(file) => Ok(Some(file.clone())),
            None => self.weights(&asked.link.config, asked.kernel),
        }
    }

    /// The results of all these runs are written: neither they nor those that they start from are needed any more.
    pub fn finish<'a>(&self, runs: impl IntoIterator<Item = &'a RunConfig>) {
        for run in runs {
            self.keeper.forget(run);
            run.firsts().for_each(|first| self.keeper.forget(&first));
        }
    }

    fn weights(&mut self, config: &RunConfig, kernel: Kernel) -> Result<Option<Vec<u8>>, CommandError> {
        match (&config.start, config.first()) {
            (_, Some(first)) => self.of_run(first, kernel).map(Some),
            (Start::Shipped(name), None) => Ok(shipped::find(name).map(|shipped| shipped.bytes.to_vec())),
            (Start::Scratch | Start::Run(_), None) => Ok(None),
            (Start::File(_), None) => Err(CommandError::NoStartFile),
        }
    }

    fn of_run(&mut self, first: RunConfig, kernel: Kernel) -> Result<Vec<u8>, CommandError> {
        let known = self.made.iter().find(|(config, arithmetic, _)| *config == first && *arithmetic == kernel.arithmetic);
        if let Some((_, _, bytes)) = known {
            return Ok(bytes.clone());
        }
        if std::io::stderr().is_terminal() {
            eprintln!("Training first the run that it starts from: {}", link::seal(&first, None));
        }
        let link = Link { config: first.clone(), fingerprint: None, scores: Vec::new() };
        let bytes = train::weights(Asked { link, kernel, given: None }, self)
            .map_err(|why| if why.is_interruption() { why } else { CommandError::StartFailed(Box::new(why)) })?;
        if self.made.len() == KEPT {
            self.made.remove(0);
        }
        self.made.push((first, kernel.arithmetic, bytes.clone()));
        Ok(bytes)
    }
}

/// Reads a link (or a preset's name) and the weights that it starts from. They come from `from`, a safetensors file or a folder with one, if it
/// is given; else the link names them.
///
/// # Errors
/// A sentence if the link cannot be used, or its weights are not available.
pub fn asked(text: &str, from: Option<&Path>) -> Result<Asked, CommandError> {
    let Some(path) = from else { return Ok(Asked::new(&read_link(text)?)) };
    let start = read(path)?;
    let link = match text.contains("from=") {
        false => read_link(&format!("{text}&from=file-{:016x}", shipped::hash(&start)))?,
        true => read_link(text)?,
    };
    match link.config.start {
        // When the run begins, it checks whether this is the file that the link names.
        Start::Scratch | Start::File(_) => {}
        Start::Shipped(_) | Start::Run(_) => {
            return Err(CommandError::TwoStarts);
        }
    }
    Ok(Asked { given: Some(start), ..Asked::new(&link) })
}

/// As [`asked`], ready to begin.
///
/// # Errors
/// As [`asked`] and [`Starts::begin`].
pub fn begin(text: &str, from: Option<&Path>, workers: usize) -> Result<Begun, CommandError> {
    Starts::new(workers, Keeper::nowhere()).begin(asked(text, from)?)
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let file = if path.is_dir() { path.join(WEIGHTS_FILE) } else { path.to_path_buf() };
    super::error::read(&file)
}
