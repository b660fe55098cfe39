//! `train` and `bench`.

use super::course::Course;
use super::error::CommandError;
use super::place::place;
use super::print;
use super::start::{Asked, Begun, Starts};
use super::unfinished::Place;
use super::whole::{self, Whole};
use crate::config::link::{self, Link};
use crate::replay::{Fingerprint, Verdict};
use crate::results::{Ending, Record};
use crate::task::Split;
use crate::train::rollouts::Rollouts;
use crate::train::{Run, checkpoint};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// Trains a run. The results are written even if the run fails.
///
/// # Errors
/// A sentence if the run failed or was interrupted, or a file cannot be written.
pub fn train(asked: Asked, starts: &mut Starts, out: Option<&Path>, save: Option<&Path>, thin: bool) -> Result<(), CommandError> {
    let out = out.map(Whole::create).transpose()?;
    let config = asked.link.config.clone();
    let (run, results) = carry_out(asked, starts, thin)?;
    // Saved first, because a reader that closes standard output ends this program.
    let saved = save.filter(|_| results.failure.is_none()).map_or(Ok(()), |folder| save_weights(&run, folder));
    match out {
        Some(out) => put(out, &results)?,
        None => write(&results, None)?,
    }
    if let Some(sentence) = results.failure {
        return Err(CommandError::Run(sentence));
    }
    saved?;
    starts.finish([&config]);
    Ok(())
}

/// A run of a list: its results, also if it could not begin. Its weights lie in the folder `save` afterwards.
///
/// # Errors
/// If it was interrupted, or its weights cannot be saved.
pub(super) fn attempt(link: &Link, starts: &mut Starts, save: Option<&Path>, thin: bool) -> Result<Record, CommandError> {
    match carry_out(Asked::new(link), starts, thin) {
        Ok((run, results)) => {
            if let Some(folder) = save.filter(|_| results.failure.is_none()) {
                whole::folder(folder)?;
                save_weights(&run, folder)?;
            }
            Ok(results)
        }
        Err(error) if error.is_interruption() => Err(error),
        Err(error) => Ok(not_begun(link, &error)),
    }
}

fn not_begun(link: &Link, error: &CommandError) -> Record {
    Record {
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
    }
}

/// Runs to the end or to a failure, and returns the run and its results.
///
/// # Errors
/// If the run could not begin, or was interrupted.
fn carry_out(asked: Asked, starts: &mut Starts, thin: bool) -> Result<(Run, Record), CommandError> {
    let (config, kernel) = (&asked.link.config, asked.kernel);
    // Whoever resumes needs no weights to start from, and they may be hours away.
    let early = if starts.keeper.may_hold(config) { None } else { Some(starts.weights_of(&asked)?) };
    let (place, class) = place(config, starts.workers, kernel)?;
    let resumes = starts.keeper.place(config, class).is_some_and(|kept| kept.exists());
    let start = match early {
        Some(start) => start,
        None if resumes => None,
        None => {
            eprintln!("The snapshot of this run is of another arithmetic than this machine's, so the run starts again.");
            starts.weights_of(&asked)?
        }
    };
    let mut kept = starts.keeper.place(config, class);
    let (mut run, mut course) = match &kept {
        Some(kept) if resumes => pollster::block_on(kept.resume(config, place))?,
        Some(_) | None => (pollster::block_on(Run::new(config, place, start.as_deref()))?, Course::default()),
    };
    let ended = match pollster::block_on(follow(&mut run, &mut course, kept.as_mut())) {
        Err(error) if error.is_interruption() => return Err(error),
        ended => ended,
    };
    let fingerprint = Fingerprint::of(class, &course.losses);
    let results = Record {
        label: None,
        link: link::seal(config, fingerprint.as_ref()),
        engine: class.name().into(),
        workers: run.workers(),
        parameters: crate::model::weights::count(run.plan.trained_parameters()),
        steps: run.step_count(),
        ending: ended.as_ref().ok().copied(),
        failure: ended.err().map(|error| error.to_string()),
        seconds: course.seconds,
        fingerprint: fingerprint.as_ref().map(ToString::to_string),
        replay: asked.link.verdict(class, &course.losses).as_ref().map(verdict),
        losses: (!thin).then_some(course.losses),
        rewards: if thin { Vec::new() } else { course.rewards },
        measured: course.measured,
        you: Vec::new(),
    };
    Ok((run, results))
}

/// Runs to the end, and makes the last measurement on test rules.
async fn follow(run: &mut Run, course: &mut Course, mut kept: Option<&mut Place<'_>>) -> Result<Ending, CommandError> {
    let bar = ProgressBar::new(run.plan.config.training.steps);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {eta} left  {msg}")?);
    bar.set_position(run.step_count());
    bar.reset_eta();
    let ending = loop {
        if let Some(ending) = course.ending.or_else(|| run.ended()) {
            break ending;
        }
        if let Some(kept) = &mut kept {
            kept.keep_if_due(run, course).await?;
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
    if course.ending.is_none() {
        course.ending = Some(ending);
        if let Some(kept) = kept {
            kept.keep(run, course).await;
        }
    }
    // The last weights are candidates for the best ones too.
    if !run.measurement_due() {
        course.measure(run, Split::Validation).await?;
    }
    bar.finish_with_message(course.measure(run, Split::Test).await?);
    Ok(ending)
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
pub(super) fn weights(asked: Asked, starts: &mut Starts) -> Result<Vec<u8>, CommandError> {
    let (run, results) = carry_out(asked, starts, true)?;
    results.failure.map_or_else(|| best(&run), |sentence| Err(CommandError::Run(sentence)))
}

fn best(run: &Run) -> Result<Vec<u8>, CommandError> {
    let (_, values) = pollster::block_on(run.values(true))?;
    Ok(checkpoint::write_model(&run.plan.config, run.plan.trained_parameters(), &values)?)
}

fn save_weights(run: &Run, folder: &Path) -> Result<(), CommandError> {
    whole::write(&folder.join(checkpoint::WEIGHTS_FILE), &best(run)?)?;
    whole::write(&folder.join(checkpoint::CONFIG_FILE), checkpoint::config_json(&run.plan.config).as_bytes())
}

/// Writes a line of JSON into its file. If that fails, for example because the disk is full, prints the line.
fn put<T: Serialize>(out: Whole, value: &T) -> Result<(), CommandError> {
    let (text, path) = (serde_json::to_string(value)?, out.path().to_path_buf());
    let Err(why) = out.write(format!("{text}\n").as_bytes()) else { return Ok(()) };
    print(&text)?;
    Err(CommandError::ResultsPrinted { path, why })
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
