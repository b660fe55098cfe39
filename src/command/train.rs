//! `train` and `bench`.

use super::place::place;
use super::print;
use super::start::{Begun, Starts};
use crate::config::link::{self, Link};
use crate::protocol::{DepthScore, Ending, StepReward};
use crate::replay::{self, Fingerprint, Verdict};
use crate::task::Split;
use crate::train::grpo::Rollouts;
use crate::train::{Measurement, Run, checkpoint};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// What `train` writes.
#[derive(Serialize)]
pub(super) struct Results {
    link: String,
    engine: &'static str,
    workers: usize,
    parameters: usize,
    steps: u64,
    /// Why it ended; none where it failed.
    ending: Option<Ending>,
    pub failure: Option<String>,
    /// Training time, measurements left out.
    seconds: f64,
    fingerprint: Option<String>,
    /// Only where the link carried a fingerprint.
    replay: Option<String>,
    /// Of every step; left out where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    losses: Option<Vec<f32>>,
    /// What a policy drew, step by step.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rewards: Vec<StepReward>,
    measured: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    step: u64,
    seconds: f64,
    split: Split,
    best: bool,
    depths: Vec<DepthScore>,
}

/// Trains a run, from its weights if it starts from some. The results are written whatever befalls the run; then its end is told.
pub fn train(run: &Begun, out: Option<&Path>, save: Option<&Path>, workers: usize, thin: bool) -> Result<(), String> {
    let mut out =
        out.map(|path| File::create(path).map_err(|error| format!("{} cannot be written: {error}", path.display()))).transpose()?;
    if let Some(folder) = save {
        std::fs::create_dir_all(folder).map_err(|error| format!("The folder {} cannot be made: {error}", folder.display()))?;
    }
    let (run, results) = carry_out(run, workers, thin)?;
    // First: whoever reads the results may stop reading, and with that this program.
    let saved = save.filter(|_| results.failure.is_none()).map_or(Ok(()), |folder| save_weights(&run, folder));
    write(&results, out.as_mut())?;
    results.failure.map_or(saved, Err)
}

/// What became of a run, even where it could not begin.
pub(super) fn attempt(link: &Link, starts: &mut Starts, workers: usize, thin: bool) -> Results {
    match starts.begin(link).and_then(|begun| carry_out(&begun, workers, thin)) {
        Ok((_, results)) => results,
        Err(sentence) => Results {
            link: link::write(&link.config, None),
            engine: "none",
            workers: 0,
            parameters: link.config.parameter_count(),
            steps: 0,
            ending: None,
            failure: Some(sentence),
            seconds: 0.0,
            fingerprint: None,
            replay: None,
            losses: None,
            rewards: Vec::new(),
            measured: Vec::new(),
        },
    }
}

/// A run to its end or its failure, and what it found.
///
/// # Errors
/// Where it could not begin.
fn carry_out(Begun { link, start, kernel }: &Begun, workers: usize, thin: bool) -> Result<(Run, Results), String> {
    let (place, class) = place(&link.config, workers, *kernel)?;
    let mut run = pollster::block_on(Run::new(&link.config, place, start.as_deref()))?;
    let mut course = Course::default();
    let ended = pollster::block_on(follow(&mut run, &mut course));
    let fingerprint = Fingerprint::of(class, &course.losses);
    let results = Results {
        link: link::write(&link.config, fingerprint.as_ref()),
        engine: class.name(),
        workers: run.workers(),
        parameters: crate::model::weights::count(run.plan.own()),
        steps: run.step_count(),
        ending: ended.as_ref().ok().copied(),
        failure: ended.err(),
        seconds: course.seconds,
        fingerprint: fingerprint.as_ref().map(ToString::to_string),
        replay: replay::verdict(link, class, &course.losses).as_ref().map(verdict),
        losses: (!thin).then_some(course.losses),
        rewards: if thin { Vec::new() } else { course.rewards },
        measured: course.measured,
    };
    Ok((run, results))
}

/// What a run has given so far.
#[derive(Default)]
struct Course {
    losses: Vec<f32>,
    rewards: Vec<StepReward>,
    measured: Vec<Measured>,
    seconds: f64,
}

/// Drives a run to its end and its last measurement, on test rules.
async fn follow(run: &mut Run, course: &mut Course) -> Result<Ending, String> {
    let bar = ProgressBar::new(run.plan.config.training.steps);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} steps, {eta} left  {msg}").map_err(|error| error.to_string())?);
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
    // The last weights compete for the best ones too.
    if !run.measurement_due() {
        course.measure(run, Split::Validation).await?;
    }
    bar.finish_with_message(course.measure(run, Split::Test).await?);
    Ok(ending)
}

impl Course {
    /// Measures, and says in a few words what was found.
    async fn measure(&mut self, run: &mut Run, split: Split) -> Result<String, String> {
        let (measurement, best) = run.measure(split).await?;
        let words = summary(&self.losses, &measurement);
        self.measured.push(Measured { step: run.step_count(), seconds: self.seconds, split, best, depths: measurement.depths });
        Ok(words)
    }
}

fn summary(losses: &[f32], measurement: &Measurement) -> String {
    let exact: Vec<String> =
        measurement.depths.iter().map(|score| format!("{:.2}", score.exact as f64 / score.samples.max(1) as f64)).collect();
    format!("loss {:.4}, EM {}", losses.last().copied().unwrap_or(f32::NAN), exact.join(" "))
}

fn verdict(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Identical => "reproduced bit for bit".into(),
        Verdict::Reproduced => "reproduced within tolerance".into(),
        Verdict::Differs { step, expected, found } => format!("differs at step {step} (expected {expected}, found {found})"),
        Verdict::DrewOthers => "drew other samples, which engines that round differently do".into(),
        Verdict::DiffersBetween => "differs between two recorded steps".into(),
        Verdict::Agreeing { steps } => format!("agrees over the {steps} steps made"),
    }
}

/// The weights of a run's best measurement, as a file.
pub(super) fn weights(run: &Begun, workers: usize) -> Result<Vec<u8>, String> {
    let (run, results) = carry_out(run, workers, true)?;
    results.failure.map_or_else(|| best(&run), Err)
}

fn best(run: &Run) -> Result<Vec<u8>, String> {
    let (_, values) = pollster::block_on(run.values(true))?;
    checkpoint::write(run.plan.own(), &values)
}

fn save_weights(run: &Run, folder: &Path) -> Result<(), String> {
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| format!("{} cannot be written: {error}", path.display()))
    };
    put(checkpoint::WEIGHTS_FILE, &best(run)?)?;
    put(checkpoint::CONFIG_FILE, checkpoint::config_json(&run.plan.config).as_bytes())
}

/// Writes a line of JSON to the file or to standard output.
pub(super) fn write<T: Serialize>(value: &T, out: Option<&mut File>) -> Result<(), String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    match out {
        // In one piece, so that a line is whole or seen to be half.
        Some(file) => file.write_all(format!("{text}\n").as_bytes()).map_err(|error| format!("The results cannot be written: {error}")),
        None => print(&text),
    }
}

/// Times steps one by one and prints their median.
pub fn bench(Begun { link, start, kernel }: &Begun, steps: u64, workers: usize) -> Result<(), String> {
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
        "tokens_a_second": tokens as f64 / median, "parameters": crate::model::weights::count(run.plan.own()),
    });
    write(&result, None)
}
