//! Snapshots of unfinished runs, which the same command resumes; on the CPU with the bits of a run that was never interrupted. A snapshot is one
//! file: eight bytes with the length of what follows, the results so far as CBOR, and the bytes of [`Run::snapshot`].

use super::course::Course;
use super::error::CommandError;
use super::whole;
use crate::config::{RunConfig, link, shipped};
use crate::replay::EngineClass;
use crate::train::{Backend, Run, TrainError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Signals after which a command writes a snapshot and ends: Ctrl-C, the end of a job's time, and the one that `docs/cluster/slurm.sh` asks for.
#[cfg(unix)]
const SIGNALS: [i32; 3] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGUSR1];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

/// How the names of snapshots end.
const ENDING: &str = ".unfinished";

/// Where a command writes snapshots, and how often.
pub struct Keeper {
    folder: Option<PathBuf>,
    /// The folder is for snapshots alone, and is removed when it is empty.
    own: bool,
    every: Duration,
    /// A signal has asked the command to end.
    asked: Arc<AtomicBool>,
}

impl Keeper {
    /// Writes none: a signal ends the command at once.
    pub fn nowhere() -> Self {
        Self { folder: None, own: false, every: Duration::MAX, asked: Arc::default() }
    }

    /// Writes snapshots into `OUT.unfinished` if there is a file of results, else into the folder of saved weights, else none.
    ///
    /// # Errors
    /// If either folder cannot be written, before anything is computed.
    pub fn new(save: Option<&Path>, out: Option<&Path>, every: Duration) -> Result<Self, CommandError> {
        if let Some(save) = save {
            whole::folder(save)?;
        }
        let beside = out.map(|out| {
            let mut name = out.as_os_str().to_os_string();
            name.push(ENDING);
            PathBuf::from(name)
        });
        let own = beside.is_some();
        let Some(folder) = beside.or(save.map(Path::to_path_buf)) else { return Ok(Self::nowhere()) };
        if own {
            whole::beside(&folder)?;
        }
        let asked = Arc::new(AtomicBool::new(false));
        for signal in SIGNALS {
            // The second signal ends the program as it would without this.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&asked))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&asked)))
                .map_err(CommandError::Signals)?;
        }
        Ok(Self { folder: Some(folder), own, every, asked })
    }

    /// The snapshots of a run, by engines of all classes.
    fn files(&self, config: &RunConfig) -> Vec<PathBuf> {
        let begins = begins(&link::write(config, None));
        let files = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok());
        let mine = |name: &str| name.starts_with(&begins) && name.ends_with(ENDING);
        let files = files.into_iter().flatten().flatten();
        files.filter(|file| file.file_name().to_str().is_some_and(mine)).map(|file| file.path()).collect()
    }

    /// Whether a snapshot of the run may be resumed, by an engine of a class that is not known yet.
    pub fn may_hold(&self, config: &RunConfig) -> bool {
        !self.files(config).is_empty()
    }

    /// Removes the snapshots of a run whose results are written.
    pub fn forget(&self, config: &RunConfig) {
        self.files(config).into_iter().for_each(|file| drop(std::fs::remove_file(file)));
    }

    /// The run's place, while it is computed by an engine of this class.
    pub fn place(&self, config: &RunConfig, class: EngineClass) -> Option<Place<'_>> {
        let folder = self.folder.as_ref()?;
        let link = link::write(config, None);
        let path = folder.join(format!("{}{}{ENDING}", begins(&link), class.name()));
        Some(Place { keeper: self, link, path, last: Instant::now() })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(folder) = self.folder.as_ref().filter(|_| self.own) {
            // It stays if a snapshot is in it.
            drop(std::fs::remove_dir(folder));
        }
    }
}

/// How the names of a run's snapshots begin.
fn begins(link: &str) -> String {
    format!("{:016x}-", shipped::hash(link.as_bytes()))
}

/// The snapshot of one run.
pub struct Place<'a> {
    keeper: &'a Keeper,
    link: String,
    path: PathBuf,
    last: Instant,
}

impl Place<'_> {
    /// Whether there is a snapshot.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }

    /// The run of the snapshot, with its results so far.
    ///
    /// # Errors
    /// If the snapshot cannot be read, or as [`Run::resume`].
    pub async fn resume(&self, config: &RunConfig, backend: Backend) -> Result<(Run, Course), CommandError> {
        let broken = |why: String| CommandError::BrokenSnapshot { path: self.path.clone(), why };
        let bytes = super::error::read(&self.path)?;
        let (head, rest) = split(&bytes).ok_or_else(|| broken("it was cut off".into()))?;
        let (link, course): (String, Course) = ciborium::from_reader(head).map_err(|why| broken(why.to_string()))?;
        let run = match Run::resume(config, backend, rest).await {
            Err(TrainError::Checkpoint(why)) => return Err(broken(why.to_string())),
            // The engine may have too little memory today: the snapshot is good.
            run => run?,
        };
        if link != self.link || run.step_count() != course.losses.len() as u64 {
            return Err(broken("its parts do not belong together".into()));
        }
        Ok((run, course))
    }

    /// Writes a snapshot if it is time or a signal came. If it cannot be written, this is told, and the run goes on.
    ///
    /// # Errors
    /// [`CommandError::Interrupted`] or [`CommandError::NotKept`] after a signal.
    pub async fn keep_if_due(&mut self, run: &Run, course: &Course) -> Result<(), CommandError> {
        if self.keeper.asked.load(Ordering::Relaxed) {
            return Err(match self.write(run, course).await {
                Ok(()) => CommandError::Interrupted { step: run.step_count(), path: self.path.clone() },
                Err(why) => CommandError::NotKept(Box::new(why)),
            });
        }
        if self.last.elapsed() >= self.keeper.every {
            self.keep(run, course).await;
        }
        Ok(())
    }

    /// Writes a snapshot. If it cannot be written, this is told; the one from before is still there then.
    pub async fn keep(&mut self, run: &Run, course: &Course) {
        if let Err(why) = self.write(run, course).await {
            eprintln!("No snapshot after step {}: {why}", run.step_count());
        }
        self.last = Instant::now();
    }

    async fn write(&self, run: &Run, course: &Course) -> Result<(), CommandError> {
        let mut head = Vec::new();
        ciborium::into_writer(&(&self.link, course), &mut head).map_err(|why| CommandError::Snapshot(why.to_string()))?;
        let bytes = [&(head.len() as u64).to_le_bytes()[..], &head, &run.snapshot().await?].concat();
        whole::write(&self.path, &bytes)
    }
}

/// The two parts of a snapshot; `None` if it was cut off.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
