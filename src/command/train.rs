//! `train` and `bench`.

use super::error::CommandError;
use super::place::place;
use super::print;
use super::start::{Begun, Starts};
use crate::config::link::{self, Link};
use crate::replay::{Fingerprint, Verdict};
use crate::results::{Ending, Measured, Record, StepReward};
use crate::task::Split;
use crate::train::rollouts::Rollouts;
use crate::train::{Measurement, Run, checkpoint};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Trains a run. The results are written even if the run fails.
///
/// # Errors
/// A sentence if the run failed, or a file cannot be written.
pub fn train(run: &Begun, out: Option<&Path>, save: Option<&Path>, workers: usize, thin: bool) -> Result<(), CommandError> {
    let out = out.map(Whole::create).transpose()?;
    if let Some(folder) = save {
        std::fs::create_dir_all(folder).map_err(|why| CommandError::NoFolder { path: folder.into(), why })?;
    }
    let (run, results) = carry_out(run, workers, thin)?;
    // Saved first, because a reader that closes standard output ends this program.
    let saved = save.filter(|_| results.failure.is_none()).map_or(Ok(()), |folder| save_weights(&run, folder));
    match out {
        Some(out) => out.write(&results)?,
        None => write(&results, None)?,
    }
    results.failure.map_or(saved, |sentence| Err(CommandError::Run(sentence)))
}

/// The results of a run, also if it could not begin.
pub(super) fn attempt(link: &Link, starts: &mut Starts, workers: usize, thin: bool) -> Record {
    match starts.begin(link).and_then(|begun| carry_out(&begun, workers, thin)) {
        Ok((_, results)) => results,
        Err(error) => Record {
            label: None,
            link: link::seal(&link.config, None),
            engine: "none".into(),
            workers: 0,
            parameters: link.config.parameter_count(),
            steps: 0,
            ending: None,
            failure: Some(error.to_string()),
            seconds: 0.0,
            fingerprint: None,
            replay: None,
            losses: None,
            rewards: Vec::new(),
            measured: Vec::new(),
            you: Vec::new(),
        },
    }
}

/// Runs to the end or to a failure, and returns the run and its results.
///
/// # Errors
/// If the run could not begin.
fn carry_out(Begun { link, start, kernel }: &Begun, workers: usize, thin: bool) -> Result<(Run, Record), CommandError> {
    let (place, class) = place(&link.config, workers, *kernel)?;
    let mut run = pollster::block_on(Run::new(&link.config, place, start.as_deref()))?;
    let mut course = Course::default();
    let ended = pollster::block_on(follow(&mut run, &mut course));
    let fingerprint = Fingerprint::of(class, &course.losses);
    let results = Record {
        label: None,
        link: link::seal(&link.config, fingerprint.as_ref()),
        engine: class.name().into(),
        workers: run.workers(),
        parameters: crate::model::weights::count(run.plan.trained_parameters()),
        steps: run.step_count(),
        ending: ended.as_ref().ok().copied(),
        failure: ended.err().map(|error| error.to_string()),
        seconds: course.seconds,
        fingerprint: fingerprint.as_ref().map(ToString::to_string),
        replay: link.verdict(class, &course.losses).as_ref().map(verdict),
        losses: (!thin).then_some(course.losses),
        rewards: if thin { Vec::new() } else { course.rewards },
        measured: course.measured,
        you: Vec::new(),
    };
    Ok((run, results))
}

/// The results of a run so far.
#[derive(Default)]
struct Course {
    losses: Vec<f32>,
    rewards: Vec<StepReward>,
    measured: Vec<Measured>,
    seconds: f64,
}

/// Runs to the end, and makes the last measurement on test rules.
async fn follow(run: &mut Run, course: &mut Course) -> Result<Ending, CommandError> {
    let bar = ProgressBar::new(run.plan.config.training.steps);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {eta} left  {msg}")?);
    let ending = loop {
        if let Some(ending) = run.ended() {
            break ending;
        }
        let start = Instant::now();
        run.step().await?;
        course.losses.extend(run.losses().await?);
        course.rewards.extend(run.rollouts().iter().map(Rollouts::summary));
        course.seconds += start.elapsed().as_secs_f64();
        if run.measurement_due() {
            bar.set_message(course.measure(run, Split::Validation).await?);
        }
        bar.set_position(run.step_count());
    };
    // The last weights are candidates for the best ones too.
    if !run.measurement_due() {
        course.measure(run, Split::Validation).await?;
    }
    bar.finish_with_message(course.measure(run, Split::Test).await?);
    Ok(ending)
}

impl Course {
    /// Measures, and returns a short summary.
    async fn measure(&mut self, run: &mut Run, split: Split) -> Result<String, CommandError> {
        let (measurement, best) = run.measure(split).await?;
        let words = summary(&self.losses, &measurement);
        self.measured.push(Measured { step: run.step_count(), seconds: self.seconds, split, best, depths: measurement.depths });
        Ok(words)
    }
}

fn summary(losses: &[f32], measurement: &Measurement) -> String {
    let exact: Vec<String> = measurement.depths.iter().map(|score| format!("{:.2}", score.share())).collect();
    format!("loss {:.4}, EM {}", losses.last().copied().unwrap_or(f32::NAN), exact.join(" "))
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Identical => "reproduced bit for bit".into(),
        Verdict::Reproduced => "reproduced within tolerance".into(),
        Verdict::Differs { step, expected, found } => format!("differs at step {step} (expected {expected}, found {found})"),
        Verdict::Parted { step } => format!("has the same course; another arithmetic, so the losses part from step {step} on"),
        Verdict::DrewOthers => "drew other samples, because the engines round differently".into(),
        Verdict::DiffersBetween => "differs between two recorded steps".into(),
        Verdict::Agreeing { steps } => format!("agrees over the {steps} steps completed"),
    }
}

/// The weights of a run's best measurement, as a file.
pub(super) fn weights(run: &Begun, workers: usize) -> Result<Vec<u8>, CommandError> {
    let (run, results) = carry_out(run, workers, true)?;
    results.failure.map_or_else(|| best(&run), |sentence| Err(CommandError::Run(sentence)))
}

fn best(run: &Run) -> Result<Vec<u8>, CommandError> {
    let (_, values) = pollster::block_on(run.values(true))?;
    Ok(checkpoint::write_model(&run.plan.config, run.plan.trained_parameters(), &values)?)
}

fn save_weights(run: &Run, folder: &Path) -> Result<(), CommandError> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|why| CommandError::Unwritable { path, why })
    };
    put(checkpoint::WEIGHTS_FILE, &best(run)?)?;
    put(checkpoint::CONFIG_FILE, checkpoint::config_json(&run.plan.config).as_bytes())
}

/// A file of results that is written beside its place and renamed at the end, so that older results stay until the new ones are whole.
struct Whole {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Whole {
    /// Before the run, so that a folder that cannot be written is told at once.
    fn create(path: &Path) -> Result<Self, CommandError> {
        let mut beside = path.as_os_str().to_os_string();
        beside.push(".partial");
        let beside = PathBuf::from(beside);
        let file = File::create(&beside).map_err(|why| CommandError::Unwritable { path: path.into(), why })?;
        Ok(Self { path: path.into(), beside, file })
    }

    /// Writes the line and puts the file in its place. If that fails, for example because the disk is full, prints the line.
    fn write<T: Serialize>(mut self, value: &T) -> Result<(), CommandError> {
        let text = serde_json::to_string(value)?;
        let written = self.file.write_all(format!("{text}\n").as_bytes()).and_then(|()| self.file.sync_all());
        let Err(why) = written.and_then(|()| std::fs::rename(&self.beside, &self.path)) else { return Ok(()) };
        // The disk may be full: what was written of it is of no use.
        drop(std::fs::remove_file(&self.beside));
        print(&text)?;
        Err(CommandError::ResultsPrinted { path: self.path, why })
    }
}

/// Writes a line of JSON to the file or to standard output.
pub(super) fn write<T: Serialize>(value: &T, out: Option<&mut File>) -> Result<(), CommandError> {
    let text = serde_json::to_string(value)?;
    match out {
        // Written in one piece, so that an interrupted line can be recognised.
        Some(file) => file.write_all(format!("{text}\n").as_bytes()).map_err(CommandError::Results),
        None => print(&text),
    }
}

/// Times steps one by one and prints their median.
pub fn bench(Begun { link, start, kernel }: &Begun, steps: u64, workers: usize) -> Result<(), CommandError> {
    let config = &link.config;
    let (place, class) = place(config, workers, *kernel)?;
    let mut run = pollster::block_on(Run::new(config, place, start.as_deref()))?;
    let mut seconds = Vec::new();
    for _ in 0..=steps {
        let start = Instant::now();
        pollster::block_on(run.step())?;
        pollster::block_on(run.losses())?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.remove(0);
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
    let tokens = config.training.batch * config.task.sequence_length();
    let result = serde_json::json!({
        "engine": class.name(), "workers": run.workers(), "steps": steps, "milliseconds_a_step": median * 1e3, "fastest": seconds.first().map(|best| best * 1e3),
        "tokens_a_second": tokens as f64 / median, "parameters": crate::model::weights::count(run.plan.trained_parameters()),
    });
    write(&result, None)
}
