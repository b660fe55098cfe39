//! The native command line. Every command takes a link (or a preset's name) and writes JSON to standard output or a file;
//! progress goes to standard error, and only to a terminal. Wrong input exits with 1 and a sentence, wrong usage with 2.

mod inspect;
mod list;
mod place;
mod start;
mod train;
mod verify;

use crate::config::link::{self, Link};
use crate::config::presets;
use crate::config::{EngineChoice, RunConfig, Start, shipped};
use crate::task::Split;
use clap::{Parser, Subcommand, ValueEnum};
use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Parser)]
#[command(
    name = "lookahead",
    about = "Small sequence models that learn to look k steps ahead. LINK is a link of the page, its fragment, or a preset's name (quick, two, depths, cot, act, mamba, armt, deltanet, lstm, grpo, paper), which settings may follow: 'quick&k=2&seed=3'."
)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Train a run, or the runs of a list, on the CPU and write what was measured
    Train {
        /// A run, or a file that names one a line (` # label` may follow)
        #[arg(value_name = "LINK|FILE")]
        link: String,
        /// Start from the weights in this folder or safetensors file
        #[arg(long)]
        from: Option<PathBuf>,
        /// Write the results here instead of to standard output; a list goes on from what it finds there
        #[arg(long)]
        out: Option<PathBuf>,
        /// Train only every n-th run of a list, from the i-th on
        #[arg(long, value_name = "i/n")]
        part: Option<list::Part>,
        /// Leave the losses out of the results
        #[arg(long)]
        thin: bool,
        /// Save the best weights into this folder, as model.safetensors and config.json
        #[arg(long)]
        save: Option<PathBuf>,
        /// Threads that share a batch (0: one a core); they never change a number
        #[arg(long, default_value_t = 0)]
        workers: usize,
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
        /// Threads that share a batch (0: one a core)
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
    /// Make the first steps of a run on its engine and on Burn, and say how far their losses agree
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
        /// Threads that share a batch (0: one a core)
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
    /// Print the table of fields that a link is made of
    Fields,
}

/// Where Burn computes.
#[derive(Clone, Copy, ValueEnum)]
enum BurnDevice {
    /// burn-wgpu where a real graphics card answers, else burn-flex
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

/// Reads the process's arguments and does what they ask.
///
/// # Errors
/// A sentence for the person at the terminal.
pub fn run() -> Result<(), String> {
    match Arguments::parse().command {
        Action::Train { link, from, out, part, thin, save, workers } => match listed(&link) {
            Some(_) if save.is_some() || from.is_some() => Err("--save and --from are about one run: give a link, not a list.".into()),
            Some(path) => list::train(path, out.as_deref(), part, workers, thin),
            None if part.is_some() => Err("--part takes a share of a list: give a file that names a run a line.".into()),
            None => train::train(&start::begin(&link, from.as_deref(), workers)?, out.as_deref(), save.as_deref(), workers, thin),
        },
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

/// The list that is meant, where no run is.
fn listed(text: &str) -> Option<&Path> {
    let path = Path::new(text);
    (named(text).is_none() && path.is_file()).then_some(path)
}

/// The run that a name stands for: a preset, or what made a checkpoint of the site.
fn named(name: &str) -> Option<RunConfig> {
    let preset = presets::all().find(|preset| preset.key == name).map(|preset| (preset.config)());
    preset.or_else(|| shipped::find(name)?.config().ok())
}

/// A link, its fragment, or a preset's name, which settings may follow. A preset's name may also stand for a run that another starts from:
/// `quick&k=2&from=(quick)`.
fn read_link(text: &str) -> Result<Link, String> {
    let text = written_out(text)?;
    let (name, settings) = text.split_once('&').unwrap_or((&text, ""));
    let read = match named(name) {
        Some(config) => link::change(config, settings),
        None if !text.contains('=') => {
            return Err(format!("“{text}” is neither a link, a preset ({}) nor a file that is there.", presets::names()));
        }
        None => link::read(&text),
    };
    read.map_err(unusable)
}

fn unusable(faults: Vec<String>) -> String {
    format!("The link cannot be used:\n  {}", faults.join("\n  "))
}

/// With whole links in place of presets in parentheses, the innermost first.
fn written_out(text: &str) -> Result<Cow<'_, str>, String> {
    let cut = text.split_once("from=(").and_then(|(before, rest)| Some((before, rest.rsplit_once(')')?)));
    let Some((before, (inner, after))) = cut else { return Ok(text.into()) };
    let inner = written_out(inner)?;
    let (name, settings) = inner.split_once('&').unwrap_or((&inner, ""));
    let inner = match named(name) {
        Some(config) => Start::from_run(&link::change(config, settings).map_err(unusable)?.config).text().unwrap_or_default(),
        None => format!("({inner})"),
    };
    Ok(format!("{before}from={inner}{after}").into())
}

/// Writes a line to standard output; whoever reads it may stop early, which ends the program without a word.
///
/// # Errors
/// When standard output cannot be written for another reason.
fn print(line: &str) -> Result<(), String> {
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(format!("Standard output cannot be written: {error}")),
    }
}

/// Threads for `--workers`.
fn threads(asked: usize) -> usize {
    if asked > 0 { asked } else { std::thread::available_parallelism().map_or(1, usize::from) }
}
