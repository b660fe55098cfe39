//! Runs that were ended before their end. Each is a file in a folder, from which the same command goes on with the bits of a run that was never
//! interrupted: one line of JSON with the results so far, then the snapshot of [`Run::snapshot`].

use super::course::Course;
use super::error::CommandError;
use super::whole;
use crate::config::{RunConfig, link, shipped};
use crate::replay::EngineClass;
use crate::train::{Backend, Run};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals after which a command keeps its run and ends: Ctrl-C, the end of a job's time, and what Slurm's `--signal` is mostly set to.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGUSR1];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

/// Where a command keeps its unfinished runs, and how often.
pub struct Keeper {
    folder: Option<PathBuf>,
    /// The folder is for unfinished runs alone.
    own: bool,
    every: Duration,
    /// A signal has asked the command to end.
    asked: Arc<AtomicBool>,
}

/// The first line of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    link: String,
    course: Course,
}

impl Keeper {
    /// Keeps nothing: a signal ends the command at once.
    pub fn nowhere() -> Self {
        Self { folder: None, own: false, every: Duration::MAX, asked: Arc::default() }
    }

    /// Keeps runs in the folder of saved weights if there is one, else beside the file of results; else nowhere.
    ///
    /// # Errors
    /// If the folder cannot be written, before anything is computed.
    pub fn new(save: Option<&Path>, out: Option<&Path>, every: Duration) -> Result<Self, CommandError> {
        let beside = out.map(|out| {
            let mut name = out.as_os_str().to_os_string();
            name.push(ENDING);
            PathBuf::from(name)
        });
        let Some(folder) = save.map(Path::to_path_buf).or(beside) else { return Ok(Self::nowhere()) };
        whole::folder(&folder)?;
        let asked = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS {
            // The second signal ends the program as it would without this.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)))
                .map_err(CommandError::Signals)?;
        }
        Ok(Self { folder: Some(folder), own: save.is_none(), every, asked })
    }

    /// Every run is finished: a folder that was made for them alone is removed.
    pub fn finish(&self) {
        if let Some(folder) = self.folder.as_ref().filter(|_| self.own) {
            // It stays if another process keeps a run there.
            drop(std::fs::remove_dir(folder));
        }
    }

    /// Whether the run was begun before, by whatever engine.
    pub fn holds(&self, config: &RunConfig) -> bool {
        self.files(config).any(|file| file.to_str().is_some_and(|name| name.ends_with(ENDING)))
    }

    /// Removes the files of a run whose results are written, and what a process left that was killed while it wrote one.
    pub fn forget(&self, config: &RunConfig) {
        self.files(config).for_each(|file| drop(std::fs::remove_file(file)));
    }

    fn files(&self, config: &RunConfig) -> impl Iterator<Item = PathBuf> {
        let begins = begins(&link::write(config, None));
        let files = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let mine = move |name: &str| name.starts_with(&begins) && name.contains(ENDING);
        files.into_iter().flatten().flatten().filter(move |file| file.file_name().to_str().is_some_and(&mine)).map(|file| file.path())
    }

    /// The run's place, while it is carried out by an engine of this class.
    pub fn place(&self, config: &RunConfig, class: EngineClass) -> Option<Place<'_>> {
        let folder = self.folder.as_ref()?;
        let link = link::write(config, None);
        let path = folder.join(format!("{}{}{ENDING}", begins(&link), class.name()));
        Some(Place { keeper: self, link, path, last: Instant::now() })
    }
}

/// How names of files end.
const ENDING: &str = ".unfinished";

/// How the names of a run's files begin.
fn begins(link: &str) -> String {
    format!("{:016x}-", shipped::hash(link.as_bytes()))
}

/// The file of one unfinished run.
pub struct Place<'a> {
    keeper: &'a Keeper,
    link: String,
    path: PathBuf,
    last: Instant,
}

impl Place<'_> {
    /// The run that was begun before, with its results so far.
    ///
    /// # Errors
    /// If it was begun by an engine of another class, or its file cannot be read.
    pub async fn go_on(&self, config: &RunConfig, backend: Backend) -> Result<(Run, Course), CommandError> {
        if !self.path.exists() {
            return Err(CommandError::BegunElsewhere(self.path.clone()));
        }
        let broken = |why: String| CommandError::BrokenUnfinished { path: self.path.clone(), why };
        let bytes = super::error::read(&self.path)?;
        let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| broken("its first line is cut off".into()))?;
        let head: Head = serde_json::from_slice(&bytes[..end]).map_err(|why| broken(why.to_string()))?;
        let run = Run::resume(config, backend, &bytes[end + 1..]).await.map_err(|why| broken(why.to_string()))?;
        if head.link != self.link || run.step_count() != head.course.losses.len() as u64 {
            return Err(broken("its parts do not belong together".into()));
        }
        Ok((run, head.course))
    }

    /// Keeps the run if it is time or a signal came.
    ///
    /// # Errors
    /// [`CommandError::Interrupted`] after a signal; otherwise if the file cannot be written.
    pub async fn keep_if_due(&mut self, run: &Run, course: &Course) -> Result<(), CommandError> {
        let asked = self.keeper.asked.load(Ordering::Relaxed);
        if asked || self.last.elapsed() >= self.keeper.every {
            self.keep(run, course).await?;
        }
        if asked { Err(CommandError::Interrupted { step: run.step_count(), path: self.path.clone() }) } else { Ok(()) }
    }

    /// Keeps the run.
    ///
    /// # Errors
    /// If the file cannot be written; the one from before is still there then.
    pub async fn keep(&mut self, run: &Run, course: &Course) -> Result<(), CommandError> {
        let mut bytes = serde_json::to_vec(&serde_json::json!({ "link": self.link, "course": course }))?;
        bytes.push(b'\n');
        bytes.extend(run.snapshot().await?);
        whole::write(&self.path, &bytes)?;
        self.last = Instant::now();
        Ok(())
    }
}
