//! Reads a line and checks everything that can be checked without making its run.

use super::fault::Fault;
use super::lines::Item;
use crate::config::link::{self, Link};
use crate::config::{EngineChoice, Objective, RunConfig, Start, sentences, shipped};
use crate::replay::{EngineClass, Fingerprint};
use crate::results::{DepthScore, Ending, Measured, Record, Unread};
use crate::task::{MULTI_DEPTHS, Split};

/// A line of the class: where it stood, and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// “line 3” or “results.jsonl, line 3”.
    pub place: String,
    pub read: Result<Box<Handed>, Fault>,
}

/// A line whose form is right.
#[derive(Clone, Debug, PartialEq)]
pub struct Handed {
    /// Without the loss of each step, which would fill the memory.
    pub record: Record,
    pub config: RunConfig,
    pub fingerprint: Fingerprint,
    /// The scores on test rules after the last step, ascending by depth.
    pub scores: Vec<DepthScore>,
    /// Equal for two lines of the same run, whatever engine has computed them: see [`run_key`].
    pub run: u64,
    /// Equal for two runs that differ in their seed only.
    pub group: u64,
    /// Equal for two groups that differ in their depth only.
    pub family: u64,
}

impl Handed {
    /// The run as it is made again: on the engine of the line's fingerprint, if this machine has it.
    pub fn again(&self) -> RunConfig {
        let engine = match self.fingerprint.engine {
            EngineClass::Separate => EngineChoice::Portable,
            EngineClass::Fused | EngineClass::Cpu | EngineClass::Native => EngineChoice::Cpu,
            EngineClass::WebGpu => EngineChoice::Auto,
            EngineClass::BurnFlex => EngineChoice::BurnFlex,
            EngineClass::BurnWgpu => EngineChoice::Burn,
        };
        RunConfig { engine, ..self.config.clone() }
    }

    /// Its link with its fingerprint.
    pub fn link(&self) -> Link {
        Link { config: self.config.clone(), fingerprint: Some(self.fingerprint.clone()), scores: Vec::new() }
    }
}

/// A number that is equal for equal runs, whatever engine computes them.
pub fn run_key(config: &RunConfig) -> u64 {
    shipped::hash(link::write(&RunConfig { engine: EngineChoice::Auto, ..config.clone() }, None).as_bytes())
}

/// Reads a record from JSON: serde_json, or in the page the browser's parser.
pub type Parse = fn(&str) -> Result<Record, Unread>;

/// Reads items, and knows which runs have come before.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// The runs so far, by their keys and their engines' classes, each with its place. Ascending.
    seen: Vec<(u64, String)>,
}

impl Reader {
    /// Reads an item of the source of this name; the name is empty for pasted text.
    /// `parse` reads JSON.
    pub fn read(&mut self, parse: Parse, source: &str, item: &Item) -> Line {
        let place = if source.is_empty() { format!("line {}", item.line) } else { format!("{source}, line {}", item.line) };
        let read = read(parse, &item.text).and_then(|handed| {
            let key = handed.run ^ of_class(handed.fingerprint.engine);
            match self.seen.binary_search_by_key(&key, |(run, _)| *run) {
                Ok(at) => Err(Fault::Twice(self.seen[at].1.clone())),
                Err(at) => {
                    self.seen.insert(at, (key, place.clone()));
                    Ok(Box::new(handed))
                }
            }
        });
        Line { place, read }
    }
}

/// Distinguishes runs of one configuration on engines of two classes.
fn of_class(class: EngineClass) -> u64 {
    shipped::hash(class.name().as_bytes())
}

fn read(parse: Parse, text: &str) -> Result<Handed, Fault> {
    let mut record = parse(text).map_err(|why| unreadable(text, why))?;
    (record.losses, record.rewards) = (None, Vec::new());
    record.you.retain(|own| (1..=MULTI_DEPTHS).contains(&own.depth) && own.exact <= own.asked && own.asked > 0);
    let Link { config, fingerprint, .. } = link::read(&record.link).map_err(|faults| Fault::Unreadable(sentences(&faults).join(" ")))?;
    if let Some(why) = &record.failure {
        return Err(Fault::Failed(why.clone()));
    }
    let told: Option<Fingerprint> = match &record.fingerprint {
        Some(text) => Some(text.parse().map_err(|_| Fault::TwoFingerprints)?),
        None => None,
    };
    let fingerprint = match (fingerprint, told) {
        (Some(one), Some(other)) if one != other => return Err(Fault::TwoFingerprints),
        (Some(one), _) | (None, Some(one)) => one,
        (None, None) => return Err(Fault::NoFingerprint),
    };
    steps(&record, &config, &fingerprint)?;
    let mut scores = last(&record.measured, &fingerprint)?.depths.clone();
    for score in record.measured.iter().flat_map(|measured| &measured.depths) {
        possible(score, &config)?;
    }
    for depth in config.task.depths() {
        if scores.iter().filter(|score| score.depth == depth).count() != 1 {
            return Err(Fault::Missing(depth));
        }
    }
    scores.sort_by_key(|score| score.depth);
    let (run, same) = (run_key(&config), without_seed(&config));
    let key = |config: &RunConfig| run_key(config) ^ of_class(fingerprint.engine);
    let (group, mut flat) = (key(&same), same);
    if flat.task.depths().len() == 1 {
        flat.task.depth = 1;
    }
    let family = key(&flat);
    Ok(Handed { record, config, fingerprint, scores, run, group, family })
}

fn unreadable(text: &str, why: Unread) -> Fault {
    if text.contains("NaN") || text.contains("Infinity") {
        return Fault::NotFinite;
    }
    match why {
        Unread::Shape(told) if told.contains("`link`") => Fault::NoLink,
        Unread::Shape(told) => Fault::Foreign(told),
        Unread::NotJson => Fault::NotJson,
    }
}

/// The run without its seed. A run that it starts from usually has the same seed.
fn without_seed(config: &RunConfig) -> RunConfig {
    let start = match &config.start {
        Start::Run(first) if first.seed == config.seed => Start::Run(Box::new(without_seed(first))),
        Start::Scratch | Start::Shipped(_) | Start::File(_) | Start::Run(_) => config.start.clone(),
    };
    RunConfig { seed: 1, start, ..config.clone() }
}

/// Whether the line's steps are those of its fingerprint, and the run came to its end.
fn steps(record: &Record, config: &RunConfig, fingerprint: &Fingerprint) -> Result<(), Fault> {
    let counted = fingerprint.steps as u64;
    let wrong = |told: u64| if told == counted { Ok(()) } else { Err(Fault::Steps { told, counted }) };
    match record.ending {
        Some(Ending::Stopped | Ending::Opened) => return Err(Fault::Stopped),
        // It may end early, at its target.
        Some(Ending::Target) => {}
        Some(Ending::Reached) | None => wrong(config.training.steps)?,
    }
    // A line may leave its steps out.
    if record.steps == 0 { Ok(()) } else { wrong(record.steps) }
}

fn last<'a>(measured: &'a [Measured], fingerprint: &Fingerprint) -> Result<&'a Measured, Fault> {
    let last = measured.iter().rev().find(|measured| measured.split == Split::Test);
    last.filter(|measured| measured.step == fingerprint.steps as u64).ok_or(Fault::NoScore)
}

/// Whether a measurement can give this score.
fn possible(score: &DepthScore, config: &RunConfig) -> Result<(), Fault> {
    let DepthScore { depth, samples, exact, .. } = *score;
    let asked = config.training.eval_samples;
    if !config.task.depths().contains(&depth) {
        return Err(Fault::Unasked(depth));
    }
    if samples != asked || score.free_samples > samples {
        return Err(Fault::Samples { depth, samples, asked });
    }
    if exact > samples || score.exact_free_running > score.free_samples {
        return Err(Fault::Above { depth, exact, samples });
    }
    let shares = [score.bits_teacher_forced, score.bits_free_running].into_iter().chain(score.rule_bits);
    if shares.into_iter().any(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Fault::Share(depth));
    }
    // A right row has all its cells right; a wrong row has at least one wrong cell.
    let fits = |exact: usize, samples: usize, bits: f64| {
        let (right, all) = (exact as f64, samples as f64);
        let wrong = (all - right) / config.task.width as f64;
        samples == 0 || (right / all - 1e-9..=1.0 - wrong / all + 1e-9).contains(&bits)
    };
    let free = config.task.layout.scored_free_running() || config.training.objective == Objective::Grpo;
    let scored = free || fits(exact, samples, score.bits_teacher_forced);
    let own = !free || exact == score.exact_free_running;
    if scored && own && fits(score.exact_free_running, score.free_samples, score.bits_free_running) {
        Ok(())
    } else {
        Err(Fault::Contradiction(depth))
    }
}
