//! `train FILE`: the runs of a list one after the other, into one file of results that a stopped list goes on from.
//!
//! A line of the list is a link, or a preset's name, which settings may follow (`quick&k=2&seed=3`), and may end in ` # label`. Empty
//! lines and lines that begin with # say nothing. The results are JSON lines, only ever appended to: of two lines of one run the later
//! one holds. What is in the file when a list begins decides what is left to do, so that a list may be stopped anywhere.

use super::start::Starts;
use super::train::{self, Results};
use crate::config::RunConfig;
use crate::config::link::{self, Link};
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::str::FromStr;

/// The runs `index`, `index + of`, … of a list, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    index: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            Some(_) | None => Err("a part reads i/n with i from 1 to n, such as 2/4 for the second of four.".into()),
        }
    }
}

/// A run of the list.
struct Entry {
    link: Link,
    label: Option<String>,
}

/// A line of the results: what `train` writes for one run, and the label.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(flatten)]
    results: &'a Results,
}

/// What a line of the results is read for.
#[derive(Deserialize)]
struct Done {
    link: String,
    failure: Option<String>,
}

/// Trains the runs of the list at `path` that `out` does not have yet.
///
/// # Errors
/// Before anything is trained, where a line of the list or of `out` cannot be read; every such line is told. After all is trained, where
/// runs failed.
pub(super) fn train(path: &Path, out: Option<&Path>, part: Option<Part>, workers: usize, thin: bool) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("The list {} cannot be read: {error}", path.display()))?;
    let entries = read(&text).map_err(|faults| format!("The list {} cannot be used:\n  {}", path.display(), faults.join("\n  ")))?;
    let Part { index, of } = part.unwrap_or(Part { index: 1, of: 1 });
    let mine: Vec<Entry> = entries.into_iter().skip(index - 1).step_by(of).collect();
    let (mut out, done) = match out {
        Some(path) => open(path).map(|(file, done)| (Some(file), done))?,
        None => (None, Vec::new()),
    };
    let left: Vec<&Entry> = mine.iter().filter(|entry| !done.contains(&entry.link.config)).collect();
    say(&format!("{} of {} runs are already there.", mine.len() - left.len(), mine.len()));
    let (mut failed, mut starts) = (0, Starts::new(workers));
    for (place, Entry { link, label }) in left.iter().enumerate() {
        let name = label.clone().unwrap_or_else(|| link::write(&link.config, None));
        say(&format!("{} of {}: {name}", place + 1, left.len()));
        let results = train::attempt(link, &mut starts, workers, thin);
        if let Some(sentence) = &results.failure {
            eprintln!("The run “{name}” failed: {sentence}");
            failed += 1;
        }
        train::write(&Line { label: label.as_deref(), results: &results }, out.as_mut())?;
    }
    if failed > 0 {
        return Err(format!("{failed} of {} runs failed: give the same command again to try them again.", left.len()));
    }
    Ok(())
}

/// Tells a person at a terminal.
fn say(sentence: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{sentence}");
    }
}

/// The runs of a list, or every fault, each with its line's number.
fn read(text: &str) -> Result<Vec<Entry>, Vec<String>> {
    let mut entries: Vec<(usize, Entry)> = Vec::new();
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.starts_with("#v=") {
            faults
                .push(format!("line {number}: a line that begins with # is left out; write the link without its #, or a space after it."));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (run, label) = match line.find(" #").or_else(|| line.find("\t#")) {
            Some(end) => (line[..end].trim_end(), Some(line[end + 2..].trim().to_string()).filter(|label| !label.is_empty())),
            None => (line, None),
        };
        match super::read_link(run) {
            Ok(link) => match entries.iter().find(|(_, other)| other.link.config == link.config) {
                Some((first, _)) => faults.push(format!("line {number}: this is the run of line {first} again; remove one of the two.")),
                None => entries.push((number, Entry { link, label })),
            },
            Err(sentence) => faults.push(format!("line {number}: {}", sentence.replace('\n', "\n  "))),
        }
    }
    if entries.is_empty() && faults.is_empty() {
        faults.push("it names no run; write one link a line.".into());
    }
    if faults.is_empty() { Ok(entries.into_iter().map(|(_, entry)| entry).collect()) } else { Err(faults) }
}

/// Opens the results to append to them, without a last line that was written by half, and says which runs they have to the end.
fn open(path: &Path) -> Result<(File, Vec<RunConfig>), String> {
    let fault = |error: std::io::Error| format!("The results {} cannot be written: {error}", path.display());
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(format!("Another lookahead is writing {}: give each part a file of its own.", path.display()));
        }
        Err(TryLockError::Error(error)) => return Err(fault(error)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let other = |line: usize| format!("Line {line} of {} is not what train writes: give another file for the results.", path.display());
    let done = finished(&text[..whole]).map_err(other)?;
    if !is_half(&text[whole..]) {
        return Err(other(text.lines().count()));
    }
    file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).and_then(|_| file.flush()).map_err(fault)?;
    Ok((file, done))
}

/// Whether this may be the beginning of a line of results.
fn is_half(text: &str) -> bool {
    ["{\"label\":", "{\"link\":"].iter().any(|start| text.starts_with(start) || start.starts_with(text))
}

/// The runs that lines of results have to the end, or the number of the first line that is none.
fn finished(text: &str) -> Result<Vec<RunConfig>, usize> {
    let mut done = Vec::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let Done { link, failure } = serde_json::from_str(line).map_err(|_| number)?;
        let config = link::read(&link).map_err(|_| number)?.config;
        if failure.is_none() {
            done.push(config);
        }
    }
    Ok(done)
}
