//! A run as a URL fragment: `#v=1&r=1&W=8&…&fp=…`. A link always keeps its meaning: `v=` names the version of meanings and default values.
//! A link contains every field of the first links, and newer fields if they differ from their default. If a run starts from another run, its
//! link contains the other's link in parentheses.
//!
//! A link that leaves the program is sealed: `v=1&sum=1a2b3c4d&r=1&…`. The sum stands in front, so a link that was cut off anywhere behind it is
//! refused. Links of the first versions have no sum; they are read as they always were.

use super::error::{LinkError, brief};
use super::limits::MOST_RUNS;
use super::mangled;
use super::sent::{self, SentScore};
use super::{Objective, RunConfig, Start, TrainingConfig, fields, shipped};
use crate::replay::{EngineClass, Fingerprint, Verdict};

pub use super::limits::VERSION;
pub use super::mangled::Mangling;

/// The content of a link: the run, and the fingerprint of its losses if the link was copied from a run in progress or finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub config: RunConfig,
    pub fingerprint: Option<Fingerprint>,
    /// The result of its sender's run, ascending by depth; empty if the link does not tell it.
    pub scores: Vec<SentScore>,
}

impl Link {
    /// The link without its leading `#`, sealed.
    pub fn seal(&self) -> String {
        let mut text = write(&self.config, self.fingerprint.as_ref());
        if !self.scores.is_empty() {
            text.push_str(&format!("&em={}", sent::write(&self.scores)));
        }
        sealed(&text)
    }

    /// Compares the losses of the link's run on an engine with its fingerprint; `None` if the link has no fingerprint.
    pub fn verdict(&self, engine: EngineClass, trace: &[f32]) -> Option<Verdict> {
        let fingerprint = self.fingerprint.as_ref()?;
        let promised = fingerprint.engine == engine && engine.promises_bits();
        Some(match (fingerprint.compare(engine, trace), self.config.training.objective) {
            (Verdict::Differs { .. } | Verdict::DiffersBetween | Verdict::Parted { .. }, Objective::Grpo) if !promised => {
                Verdict::DrewOthers
            }
            (verdict, Objective::Examples | Objective::Grpo) => verdict,
        })
    }
}

/// Writes a run as a fragment without the leading `#`, with the sum of all that follows it.
pub fn seal(config: &RunConfig, fingerprint: Option<&Fingerprint>) -> String {
    sealed(&write(config, fingerprint))
}

fn sealed(text: &str) -> String {
    let rest = text.strip_prefix(&format!("v={VERSION}&")).unwrap_or(text);
    format!("v={VERSION}&sum={}&{rest}", sum(rest))
}

/// The sum of a link's parts behind it: the last 32 bits of their 64-bit FNV-1a hash.
fn sum(parts: &str) -> String {
    format!("{:08x}", shipped::hash(parts.as_bytes()) as u32)
}

/// Writes a run as a fragment without the leading `#` and without a sum: equal runs have equal texts.
pub fn write(config: &RunConfig, fingerprint: Option<&Fingerprint>) -> String {
    let mut text = settings(config, |_| true);
    if let Some(fingerprint) = fingerprint {
        text.push_str(&format!("&fp={fingerprint}"));
    }
    text
}

/// Writes a run that another starts from. It has no engine of its own, because the other run's engine computes both.
pub(super) fn write_inner(config: &RunConfig) -> String {
    settings(config, |key| key != "engine")
}

fn settings(config: &RunConfig, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = format!("v={VERSION}");
    let frozen = RunConfig::version_1();
    for field in fields::FIELDS.iter().filter(|field| wanted(field.key)) {
        // A newer setting with its default value is left out, so that older runs keep their links.
        let new = field.since == fields::Since::Later || field.group == fields::FieldGroup::Model && !field.applies(config);
        if new && (field.get)(config) == (field.get)(&frozen) {
            continue;
        }
        text.push_str(&format!("&{}={}", field.key, (field.get)(config)));
    }
    if let Some(start) = config.start.text() {
        text.push_str(&format!("&from={start}"));
    }
    text
}

/// What a reader of a link should know besides the run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkNotes {
    /// What was undone before the link was read.
    pub undone: Vec<Mangling>,
    /// How many settings the link names, and how many it would name if it were whole; `None` if it names all of them.
    pub named: Option<(usize, usize)>,
    /// Whether the link has names of runs ([`super::short`]).
    pub short: bool,
}

impl LinkNotes {
    /// The notes on a link of this run in one or two sentences; `None` if there is nothing to say. `cores` are the machine's.
    pub fn sentence(&self, config: &RunConfig, cores: usize) -> Option<String> {
        let mut sentences = Vec::new();
        if !self.undone.is_empty() {
            let undone: Vec<String> = self.undone.iter().map(ToString::to_string).collect();
            sentences.push(format!("The link was changed on its way: {}. It was read as it was meant.", undone.join("; ")));
        }
        if let Some((named, of)) = self.named {
            let TrainingConfig { steps, batch, .. } = config.training;
            let time = rough_time(config.rough_seconds(cores));
            sentences.push(format!(
                "The link names {named} of {of} settings. The others are the paper's. The run has {steps} steps of {batch} sequences, {time} on this machine's processor."
            ));
        }
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

fn rough_time(seconds: f64) -> String {
    match seconds {
        ..60.0 => "less than a minute".into(),
        ..7200.0 => format!("very roughly {:.0} minutes", (seconds / 60.0).ceil()),
        ..172_800.0 => format!("very roughly {:.0} hours", seconds / 3600.0),
        _ => format!("very roughly {:.0} days", seconds / 86_400.0),
    }
}

/// Reads a fragment, or a whole URL with a fragment.
///
/// # Errors
/// At most five faults and the number of the others, each as a sentence that says what to do. No value is silently replaced.
pub fn read(text: &str) -> Result<Link, Vec<LinkError>> {
    read_with_notes(text).map(|(link, _)| link)
}

/// Reads a link, and says what was undone and what the link leaves open.
///
/// # Errors
/// As [`read`].
pub fn read_with_notes(text: &str) -> Result<(Link, LinkNotes), Vec<LinkError>> {
    let (text, undone) = mangled::undo(text);
    let fragment = fragment(&text).map_err(|fault| vec![fault])?;
    let mut reader = Reader::new(RunConfig::version_1());
    reader.take(fragment).map_err(|fault| vec![fault])?;
    if !reader.seen.iter().any(|key| key == "v") {
        reader.faults.insert(0, LinkError::NoVersion);
    }
    if let Some(promised) = reader.sum.take().filter(|promised| *promised != sum(&reader.summed.join("&"))) {
        reader.faults.insert(0, LinkError::NotWhole(promised));
    }
    let seen = std::mem::take(&mut reader.seen);
    let link = reader.link()?;
    let whole = settings(&link.config, |_| true);
    let keys: Vec<&str> =
        parts(&whole).unwrap_or_default().into_iter().filter_map(|part| part.split_once('=')).map(|(key, _)| key).collect();
    let fields: Vec<&&str> = keys.iter().filter(|key| fields::field(key).is_some()).collect();
    let named = fields.iter().filter(|key| seen.iter().any(|other| other == **key)).count();
    Ok((link, LinkNotes { undone, named: (named < fields.len()).then_some((named, fields.len())), short: false }))
}

/// The fragment of a link, which is behind the `#` of a URL. A `#` in parentheses belongs to another link.
///
/// # Errors
/// If there are two links, or the link was shortened.
pub(super) fn fragment(text: &str) -> Result<&str, LinkError> {
    let mut open = 0_usize;
    let hashes: Vec<usize> = text
        .char_indices()
        .filter_map(|(at, letter)| {
            match letter {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            (letter == '#' && open == 0).then_some(at)
        })
        .collect();
    let fragment = match hashes[..] {
        [] => text,
        [at] if at == 0 || text[..at].contains(['/', '?']) => &text[at + 1..],
        _ => return Err(LinkError::TwoLinks),
    };
    if fragment.ends_with('…') || fragment.ends_with("...") { Err(LinkError::Shortened) } else { Ok(fragment) }
}

/// Changes some settings of a run. The changes are written as in a link.
///
/// # Errors
/// As [`read`].
pub fn change(config: RunConfig, settings: &str) -> Result<Link, Vec<LinkError>> {
    let mut reader = Reader::new(config);
    let (settings, _) = mangled::undo(settings);
    reader.take(&settings).map_err(|fault| vec![fault])?;
    reader.link()
}

/// The parts of a link that have been read so far.
struct Reader {
    config: RunConfig,
    fingerprint: Option<Fingerprint>,
    scores: Vec<SentScore>,
    faults: Vec<LinkError>,
    seen: Vec<String>,
    /// The sum that the link promises, and the parts that it is of.
    sum: Option<String>,
    summed: Vec<String>,
}

/// The most faults that are told one by one.
const MOST_FAULTS: usize = 5;

impl Reader {
    fn new(config: RunConfig) -> Self {
        Self { config, fingerprint: None, scores: Vec::new(), faults: Vec::new(), seen: Vec::new(), sum: None, summed: Vec::new() }
    }

    /// Reads every part, and collects the faults.
    ///
    /// # Errors
    /// If the fragment cannot be cut into parts.
    fn take(&mut self, fragment: &str) -> Result<(), LinkError> {
        for part in parts(fragment)?.into_iter().filter(|part| !part.is_empty()) {
            if let Err(fault) = self.part(part) {
                self.faults.push(fault);
            }
        }
        Ok(())
    }

    /// Reads one `key=value`.
    fn part(&mut self, part: &str) -> Result<(), LinkError> {
        let Some((key, value)) = part.split_once('=') else {
            return Err(LinkError::NoValue(brief(part)));
        };
        if value.contains('%') {
            return Err(LinkError::Percent(brief(key)));
        }
        if self.seen.iter().any(|other| other == key) {
            return Err(LinkError::Twice(brief(key)));
        }
        self.seen.push(key.to_string());
        if key != "v" && key != "sum" {
            self.summed.push(part.into());
        }
        match key {
            "v" => version(value),
            "sum" if value.len() == 8 && value.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                self.sum = Some(value.into());
                Ok(())
            }
            "sum" => Err(LinkError::SumCutOff(brief(value))),
            "from" => Start::read(value).map(|start| self.config.start = start),
            "fp" => Ok(value.parse().map(|parsed| self.fingerprint = Some(parsed))?),
            "em" => sent::read(value).map(|scores| self.scores = scores),
            key => match fields::field(key) {
                Some(field) => Ok(field.set(&mut self.config, value)?),
                None => Err(LinkError::UnknownKey(brief(key))),
            },
        }
    }

    fn link(self) -> Result<Link, Vec<LinkError>> {
        let Self { config, fingerprint, scores, mut faults, .. } = self;
        if faults.is_empty() {
            faults.extend(config.problems().into_iter().map(|problem| LinkError::Problem(problem.sentence)));
        }
        if faults.len() > MOST_FAULTS + 1 {
            let more = faults.len() - MOST_FAULTS;
            faults.truncate(MOST_FAULTS);
            faults.push(LinkError::More(more));
        }
        if faults.is_empty() { Ok(Link { config, fingerprint, scores }) } else { Err(faults) }
    }
}

/// Cuts a fragment at each & outside of parentheses.
///
/// # Errors
/// A sentence if parentheses do not match, or are nested too deeply.
pub fn parts(fragment: &str) -> Result<Vec<&str>, LinkError> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, 0_usize);
    for (at, letter) in fragment.char_indices() {
        match letter {
            '(' => open += 1,
            ')' => open = open.checked_sub(1).ok_or(LinkError::Unopened)?,
            '&' if open == 0 => {
                parts.push(&fragment[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if open > MOST_RUNS {
            return Err(LinkError::TooManyRuns);
        }
    }
    parts.push(&fragment[start..]);
    if open > 0 { Err(LinkError::Unclosed) } else { Ok(parts) }
}

fn version(value: &str) -> Result<(), LinkError> {
    match value.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(newer) if newer > VERSION => Err(LinkError::NewerVersion(newer)),
        Ok(_) | Err(_) => Err(LinkError::WrongVersion(brief(value))),
    }
}
