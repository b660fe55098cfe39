//! `merge`: joins files of results, as the parts of a list leave them on many machines.

use super::error::CommandError;
use super::whole::Whole;
use super::{list, print};
use crate::config::link;
use crate::replay::{EngineClass, Fingerprint};
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// The members of a line that are read. The line itself is passed on as it is.
#[derive(Deserialize)]
struct Told {
    link: String,
    failure: Option<String>,
    fingerprint: Option<String>,
}

/// A line of results.
struct Line<'a> {
    /// The link of its run, without a fingerprint.
    run: String,
    failed: bool,
    fingerprint: Option<Fingerprint>,
    text: &'a str,
    place: String,
}

impl Line<'_> {
    fn class(&self) -> Option<EngineClass> {
        self.fingerprint.as_ref().map(|fingerprint| fingerprint.engine)
    }

    /// Whether two lines of one run cannot both be true.
    fn contradicts(&self, other: &Line) -> bool {
        let bits = self.class().is_some_and(EngineClass::promises_bits);
        bits && self.class() == other.class() && self.fingerprint != other.fingerprint
    }
}

/// What is wrong with the lines of all files together.
#[derive(Default)]
struct Found {
    doubled: usize,
    contradictory: Vec<String>,
}

/// Writes the lines of all files: of each complete run one for each class of engines, the first; of a run that failed everywhere, the last. What is
/// missing of the list, doubled or contradictory is said on standard error.
///
/// # Errors
/// If a file cannot be read, or is no file of results. After writing: if runs are missing, or lines of one run contradict each other.
pub(super) fn merge(files: &[PathBuf], list: Option<&Path>, out: Option<&Path>) -> Result<(), CommandError> {
    let expected = list.map(list::runs).transpose()?.unwrap_or_default();
    let texts = files.iter().map(|file| text(file)).collect::<Result<Vec<_>, _>>()?;
    let mut lines = Vec::new();
    for (text, file) in texts.iter().zip(files) {
        lines.extend(read(text, file)?);
    }
    let mut found = Found::default();
    let kept = chosen(&lines, &mut found);
    let complete: HashSet<&str> = kept.iter().filter(|line| !line.failed).map(|line| line.run.as_str()).collect();
    let missing: Vec<String> =
        expected.iter().map(|config| link::write(config, None)).filter(|run| !complete.contains(run.as_str())).collect();
    write(&kept, out)?;
    let failed = kept.iter().filter(|line| line.failed).count();
    eprintln!("{} results, {failed} of them of runs that failed; {} lines were doubled.", kept.len(), found.doubled);
    missing.iter().for_each(|run| eprintln!("Missing: {run}"));
    found
        .contradictory
        .iter()
        .for_each(|places| eprintln!("Contradictory: {places} are of one run on one class of engines, with other losses."));
    if missing.is_empty() && found.contradictory.is_empty() {
        return Ok(());
    }
    Err(CommandError::NotMerged { missing: missing.len(), contradictory: found.contradictory.len() })
}

/// The lines that are kept, in their order.
fn chosen<'a>(lines: &'a [Line<'a>], found: &mut Found) -> Vec<&'a Line<'a>> {
    let mut of_run: HashMap<&str, Vec<&Line>> = HashMap::new();
    let mut kept = Vec::new();
    for line in lines.iter().filter(|line| !line.failed) {
        let same = of_run.entry(&line.run).or_default();
        let contradicted = same.iter().filter(|other| other.contradicts(line));
        found.contradictory.extend(contradicted.map(|other| format!("{} and {}", other.place, line.place)));
        if same.iter().any(|other| other.class() == line.class()) {
            found.doubled += 1;
        } else {
            same.push(line);
            kept.push(line);
        }
    }
    let failed: HashMap<&str, &Line> = lines.iter().filter(|line| line.failed).map(|line| (line.run.as_str(), line)).collect();
    let last = |line: &&Line| {
        !of_run.contains_key(line.run.as_str()) && failed.get(line.run.as_str()).is_some_and(|last| last.place == line.place)
    };
    kept.extend(lines.iter().filter(|line| line.failed).filter(last));
    kept
}

fn text(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|why| CommandError::Unreadable { path: path.into(), why })
}

fn read<'a>(text: &'a str, path: &Path) -> Result<Vec<Line<'a>>, CommandError> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        match line_of(line.trim_end(), format!("{}, line {number}", path.display())) {
            Some(line) => lines.push(line),
            None if !line.ends_with('\n') => eprintln!("The last line of {} is not whole and is left out.", path.display()),
            None => return Err(CommandError::ForeignLine { path: path.into(), line: number }),
        }
    }
    Ok(lines)
}

fn line_of(text: &str, place: String) -> Option<Line<'_>> {
    let told: Told = serde_json::from_str(text).ok()?;
    let run = link::write(&link::read(&told.link).ok()?.config, None);
    let fingerprint = told.fingerprint.map(|fingerprint| fingerprint.parse()).transpose().ok()?;
    Some(Line { run, failed: told.failure.is_some(), fingerprint, text, place })
}

fn write(lines: &[&Line], out: Option<&Path>) -> Result<(), CommandError> {
    let Some(path) = out else { return lines.iter().try_for_each(|line| print(line.text)) };
    let text: String = lines.iter().map(|line| format!("{}\n", line.text)).collect();
    Whole::create(path)?.write(text.as_bytes()).map_err(|why| CommandError::Unwritable { path: path.into(), why })
}
