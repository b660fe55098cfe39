//! The native command line. Every command takes a link (or a preset's name) and writes JSON to standard output or a file.
//! Progress goes to standard error, if that is a terminal. After wrong input the exit code is 1, with a sentence; after wrong usage it is 2.

mod course;
mod error;
mod inspect;
mod list;
mod merge;
mod place;
mod start;
mod sweep;
mod train;
mod unfinished;
mod verify;
mod whole;

use crate::config::link::Link;
use crate::config::{EngineChoice, presets, short};
use crate::task::Split;
use clap::{Parser, Subcommand, ValueEnum};
use error::CommandError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Parser)]
#[command(
    name = "lookahead",
    about = "Small sequence models that learn to look k steps ahead. LINK is a link of the page, its fragment, or a preset's name (quick, two, depths, cot, act, mamba, armt, deltanet, lstm, grpo, paper). Settings can follow: 'quick&k=2&seed=3'."
)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Train a run, or the runs of a list, and write the losses and measurements
    Train {
        /// A run, or a file with one run per line (` # label` may follow)
        #[arg(value_name = "LINK|FILE")]
        link: String,
        /// Start from the weights in this folder or safetensors file
        #[arg(long)]
        from: Option<PathBuf>,
        /// Write the results to this file instead of standard output; a list skips runs that are complete in it
        #[arg(long)]
        out: Option<PathBuf>,
        /// Train only every n-th run of a list, from the i-th on; `auto` takes i and n from a Slurm array
        #[arg(long, value_name = "i/n|auto")]
        part: Option<list::Part>,
        /// Leave the losses out of the results
        #[arg(long)]
        thin: bool,
        /// Save the best weights into this folder, as model.safetensors and config.json; those of a list into one folder a run
        #[arg(long)]
        save: Option<PathBuf>,
        /// Seconds between snapshots of an unfinished run, which the same command resumes. They lie in OUT.unfinished, or without --out in the folder of --save
        #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
        keep_every: f64,
        /// Threads that share a batch (0: one per core); they change the speed, never the numbers
        #[arg(long, default_value_t = 0)]
        workers: usize,
    },
    /// Print the list of all runs that a link with several values means, for train: 'quick&seed=1..30&k=1,2'
    Sweep { link: String },
    /// Join files of results into one, and say what is missing, doubled or contradictory
    Merge {
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The list whose runs should all be there
        #[arg(long)]
        list: Option<PathBuf>,
        /// Write to this file instead of standard output
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Print sequences of the task as JSON lines
    Sample {
        link: String,
        #[arg(long, default_value_t = 10)]
        count: u64,
        #[arg(long, value_enum, default_value_t = SplitName::Train)]
        split: SplitName,
        /// Write the published data set's fields (rule_ids, input_ids_0 …) instead
        #[arg(long)]
        published: bool,
    },
    /// Print the ceiling and the shortcut floors of a task at every depth
    Ceiling {
        link: String,
        #[arg(long, default_value_t = 10_000)]
        samples: u64,
        #[arg(long, value_enum, default_value_t = SplitName::Test)]
        split: SplitName,
    },
    /// Time training steps
    Bench {
        link: String,
        /// Start from the weights in this folder or safetensors file
        #[arg(long)]
        from: Option<PathBuf>,
        #[arg(long, default_value_t = 20)]
        steps: u64,
        /// Threads that share a batch (0: one per core)
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
    /// Compute the first steps of a run on its engine and on Burn, and print how far their losses agree
    Verify {
        link: String,
        /// Start from the weights in this folder or safetensors file
        #[arg(long)]
        from: Option<PathBuf>,
        #[arg(long, default_value_t = 20)]
        steps: u64,
        /// Burn's device
        #[arg(long, value_enum, default_value_t = BurnDevice::Auto)]
        on: BurnDevice,
        /// Threads that share a batch (0: one per core)
        #[arg(long, default_value_t = 0)]
        workers: usize,
    },
    /// Measure saved weights on the task of a link
    Eval {
        /// A folder with model.safetensors and config.json
        dir: PathBuf,
        link: String,
        #[arg(long, value_enum, default_value_t = SplitName::Test)]
        split: SplitName,
        /// Print the logits of the first sequences as well
        #[arg(long, default_value_t = 0)]
        logits: u64,
    },
    /// Print the table of all settings of a link
    Fields,
}

/// Burn's device.
#[derive(Clone, Copy, ValueEnum)]
enum BurnDevice {
    /// burn-wgpu if a real graphics card answers, else burn-flex
    Auto,
    Flex,
    Wgpu,
}

impl From<BurnDevice> for EngineChoice {
    fn from(device: BurnDevice) -> Self {
        match device {
            BurnDevice::Auto => EngineChoice::Burn,
            BurnDevice::Flex => EngineChoice::BurnFlex,
            BurnDevice::Wgpu => EngineChoice::BurnWgpu,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum SplitName {
    Train,
    Validation,
    Test,
}

impl From<SplitName> for Split {
    fn from(name: SplitName) -> Self {
        match name {
            SplitName::Train => Split::Train,
            SplitName::Validation => Split::Validation,
            SplitName::Test => Split::Test,
        }
    }
}

/// Reads the process's arguments and runs the command.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn run() -> Result<(), CommandError> {
    match Arguments::parse().command {
        Action::Train { link, from, out, part, thin, save, keep_every, workers } => {
            let keeper = || unfinished::Keeper::new(save.as_deref(), out.as_deref(), Duration::from_secs_f64(keep_every));
            match listed(&link) {
                Some(_) if from.is_some() => Err(CommandError::OneRunOnly),
                Some(_) if save.is_some() && out.is_none() => Err(CommandError::SaveNeedsOut),
                Some(path) => {
                    let list = list::List { path, out: out.as_deref(), part, save: save.as_deref(), thin };
                    list::train(list, || Ok(start::Starts::new(workers, keeper()?)))
                }
                None if part.is_some() => Err(CommandError::ListOnly),
                None => {
                    let asked = start::asked(&link, from.as_deref())?;
                    train::train(asked, &mut start::Starts::new(workers, keeper()?), out.as_deref(), save.as_deref(), thin)
                }
            }
        }
        Action::Sweep { link } => sweep::sweep(&link),
        Action::Merge { files, list, out } => merge::merge(&files, list.as_deref(), out.as_deref()),
        Action::Bench { link, from, steps, workers } => train::bench(&start::begin(&link, from.as_deref(), workers)?, steps, workers),
        Action::Verify { link, from, steps, on, workers } => {
            verify::verify(&start::begin(&link, from.as_deref(), workers)?, steps, on.into(), workers)
        }
        Action::Sample { link, count, split, published } => inspect::sample(&read_link(&link)?.config, count, split.into(), published),
        Action::Ceiling { link, samples, split } => inspect::ceiling(&read_link(&link)?.config, samples, split.into()),
        Action::Eval { dir, link, split, logits } => inspect::eval(&dir, &read_link(&link)?.config, split.into(), logits),
        Action::Fields => inspect::fields(),
    }
}

/// The path of a list, if `text` is a file and not the name of a run.
fn listed(text: &str) -> Option<&Path> {
    let path = Path::new(text);
    // A pipe is no file and yet read.
    (text == list::STANDARD_INPUT || short::named(text).is_none() && path.exists() && !path.is_dir()).then_some(path)
}

/// Reads a link, its fragment, or a name with optional settings after it, and prints what a reader of the link should know.
fn read_link(text: &str) -> Result<Link, CommandError> {
    match short::read(&short::later_holds(text)) {
        Ok((link, notes)) => {
            if let Some(sentence) = notes.sentence(&link.config, std::thread::available_parallelism().map_or(1, usize::from)) {
                eprintln!("{sentence}");
            }
            Ok(link)
        }
        // It can also be the misspelt name of a file.
        Err(_) if !text.contains('=') => Err(CommandError::NotALink { text: text.into(), presets: presets::names() }),
        Err(faults) => Err(CommandError::Link(faults)),
    }
}

/// Writes a line to standard output. If its reader has stopped reading, the program ends without an error.
///
/// # Errors
/// If standard output cannot be written for another reason.
fn print(line: &str) -> Result<(), CommandError> {
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(CommandError::Output(error)),
    }
}

/// A number of seconds.
fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds| (0.0..=1e9).contains(seconds)).ok_or_else(|| "it must be a number of seconds from 0 to 1e9".into())
}

/// Number of threads for `--workers`; 0 means one per core.
fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { std::thread::available_parallelism().map_or(1, usize::from) }
}
