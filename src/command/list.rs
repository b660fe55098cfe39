//! `train FILE`: trains the runs of a list one after the other and writes them into one file of results.
//!
//! A line of the list is a link or a preset's name, with optional settings after it (`quick&k=2&seed=3`), and may end in ` # label`. Empty
//! lines and lines that begin with # are ignored. The results are JSON lines, and new lines are appended: if two lines are of the same run, the
//! later one counts. A stopped list can be continued: at the start, runs that are complete in the file are skipped.

use super::error::CommandError;
use super::start::Starts;
use super::train;
use crate::config::link::{self, Link};
use crate::config::{RunConfig, shipped};
use crate::results::Record;
use serde::Deserialize;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::str::FromStr;

/// “Function not implemented” and “no locks available”, on Linux.
const NO_LOCKS: [i32; 2] = [38, 37];

/// The runs `index`, `index + of`, … of a list, counted from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    index: usize,
    of: usize,
}

impl FromStr for Part {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        if text == "auto" {
            return Self::of_array(|name| std::env::var(format!("SLURM_ARRAY_TASK_{name}")).ok()?.parse().ok());
        }
        let numbers = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            Some(_) | None => Err(CommandError::NotAPart),
        }
    }
}

impl Part {
    /// This task's part in a Slurm array, whose variables `read` gives.
    fn of_array(read: impl Fn(&str) -> Option<usize>) -> Result<Self, CommandError> {
        let number = |name| read(name).ok_or(CommandError::NoArray("they are not set"));
        let (id, min, max, count) = (number("ID")?, number("MIN")?, number("MAX")?, number("COUNT")?);
        let step = read("STEP").unwrap_or(1).max(1);
        // Part of an array that is submitted again does not say how large the whole one was.
        if min > 1 || id < min || max < min || (max - min) / step + 1 != count || !(id - min).is_multiple_of(step) || id > max {
            return Err(CommandError::NoArray("they are not of an array that counts from 0 or 1 without gaps"));
        }
        Ok(Self { index: (id - min) / step + 1, of: count })
    }
}

/// A run of the list.
struct ListEntry {
    link: Link,
    label: Option<String>,
}

/// The members of a line of results that are read back.
#[derive(Deserialize)]
struct Done {
    link: String,
    failure: Option<String>,
}

/// What `train FILE` is asked for.
pub(super) struct List<'a> {
    pub path: &'a Path,
    pub out: Option<&'a Path>,
    pub part: Option<Part>,
    /// The folder in which each run's weights have one of their own.
    pub save: Option<&'a Path>,
    pub thin: bool,
}

/// Trains the runs of the list that are not yet complete in `out`.
///
/// # Errors
/// Before training, if lines of the list or of `out` cannot be read; the error names all such lines. After training, if runs failed. In between,
/// if a signal came.
pub(super) fn train(list: List, starts: impl FnOnce() -> Result<Starts, CommandError>) -> Result<(), CommandError> {
    let text = text(list.path)?;
    let entries = read(&text).map_err(|faults| CommandError::List { path: list.path.into(), faults })?;
    let Part { index, of } = list.part.unwrap_or(Part { index: 1, of: 1 });
    let mine: Vec<ListEntry> = entries.into_iter().skip(index - 1).step_by(of).collect();
    let (mut out, done) = match list.out {
        Some(path) => open(path).map(|(file, done)| (Some(file), done))?,
        None => (None, Vec::new()),
    };
    let done: HashSet<String> = done.iter().map(|config| link::write(config, None)).collect();
    let left: Vec<&ListEntry> = mine.iter().filter(|entry| !done.contains(&link::write(&entry.link.config, None))).collect();
    say(&format!("{} of {} runs are already in the results.", mine.len() - left.len(), mine.len()));
    let (mut failed, mut starts) = (0, starts()?);
    for (place, ListEntry { link, label }) in left.iter().enumerate() {
        let name = label.clone().unwrap_or_else(|| link::write(&link.config, None));
        say(&format!("{} of {}: {name}", place + 1, left.len()));
        let save = list.save.map(|folder| folder.join(folder_of(&link.config, label.as_deref())));
        let results = Record { label: label.clone(), ..train::attempt(link, &mut starts, save.as_deref(), list.thin)? };
        if let Some(sentence) = &results.failure {
            eprintln!("The run “{name}” failed: {sentence}");
            failed += 1;
        }
        train::write(&results, out.as_mut())?;
        if let Some(out) = &out {
            // Before its snapshot is removed.
            out.sync_data().map_err(CommandError::Results)?;
        }
        if results.failure.is_none() {
            starts.keeper.forget(&link.config);
        }
    }
    if failed > 0 {
        return Err(CommandError::RunsFailed { failed, all: left.len() });
    }
    starts.finish(mine.iter().map(|entry| &entry.link.config));
    Ok(())
}

/// The name of a run's folder: what its label says, and a hash of its link, which no other run has.
fn folder_of(config: &RunConfig, label: Option<&str>) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || "=.".contains(letter) { letter } else { '-' };
    let words: String = label.unwrap_or("run").chars().map(plain).take(40).collect();
    format!("{words}-{:016x}", shipped::hash(link::write(config, None).as_bytes()))
}

/// The runs of a list.
///
/// # Errors
/// If lines cannot be read; the error names all such lines.
pub(super) fn runs(path: &Path) -> Result<Vec<RunConfig>, CommandError> {
    let entries = read(&text(path)?).map_err(|faults| CommandError::List { path: path.into(), faults })?;
    Ok(entries.into_iter().map(|entry| entry.link.config).collect())
}

/// The text of a list: UTF-8 with or without a byte-order mark, or UTF-16 with one, as some editors on Windows save it. `-` is standard input.
fn text(path: &Path) -> Result<String, CommandError> {
    let mut bytes = Vec::new();
    let read = if path == Path::new(STANDARD_INPUT) {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|why| CommandError::UnreadableList { path: path.into(), why })?;
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        bytes.chunks(2).map(|pair| unit([pair[0], pair.get(1).copied().unwrap_or(0)])).collect::<Vec<_>>()
    };
    let encoding = |name| CommandError::ListEncoding { path: path.into(), name };
    match bytes[..] {
        [0xff, 0xfe, ref rest @ ..] => String::from_utf16(&units(rest, u16::from_le_bytes)).map_err(|_| encoding("UTF-16")),
        [0xfe, 0xff, ref rest @ ..] => String::from_utf16(&units(rest, u16::from_be_bytes)).map_err(|_| encoding("UTF-16")),
        [0xef, 0xbb, 0xbf, ref rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| encoding("UTF-8")),
        _ => String::from_utf8(bytes).map_err(|_| encoding("UTF-8")),
    }
}

/// The name of standard input in place of a file.
pub(super) const STANDARD_INPUT: &str = "-";

/// Prints a sentence if standard error is a terminal.
fn say(sentence: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("{sentence}");
    }
}

/// The runs of a list, or every fault with its line number.
fn read(text: &str) -> Result<Vec<ListEntry>, Vec<String>> {
    let mut entries: Vec<ListEntry> = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.starts_with("#v=") {
            faults.push(format!(
                "line {number}: a line that begins with # is a comment. Write the link without its #, or put a space after the #."
            ));
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (run, label) = match line.find(" #").or_else(|| line.find("\t#")) {
            Some(end) => (line[..end].trim_end(), Some(line[end + 2..].trim().to_string()).filter(|label| !label.is_empty())),
            None => (line, None),
        };
        match super::read_link(run) {
            Ok(link) => match seen.entry(link::write(&link.config, None)) {
                Entry::Occupied(first) => {
                    faults.push(format!("line {number}: this is the run of line {} again: remove one of the two.", first.get()));
                }
                Entry::Vacant(place) => {
                    place.insert(number);
                    entries.push(ListEntry { link, label });
                }
            },
            Err(error) => faults.push(format!("line {number}: {}", error.to_string().replace('\n', "\n  "))),
        }
    }
    if entries.is_empty() && faults.is_empty() {
        faults.push("it names no run: write one link per line.".into());
    }
    if faults.is_empty() { Ok(entries) } else { Err(faults) }
}

/// Opens the results to append to them, and removes an incomplete last line. Returns the file and the runs that are complete in it.
fn open(path: &Path) -> Result<(File, Vec<RunConfig>), CommandError> {
    let fault = |why: std::io::Error| CommandError::UnwritableResults { path: path.into(), why };
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(fault)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(CommandError::Locked(path.into()));
        }
        // Some network file systems have no locks.
        Err(TryLockError::Error(error))
            if matches!(error.kind(), ErrorKind::Unsupported) || error.raw_os_error().is_some_and(|error| NO_LOCKS.contains(&error)) =>
        {
            say("This file system has no locks: let no other process write these results.");
        }
        Err(TryLockError::Error(error)) => return Err(fault(error)),
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|why| CommandError::Unreadable { path: path.into(), why })?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let other = |line: usize| CommandError::ForeignLine { path: path.into(), line };
    let done = finished(&text[..whole]).map_err(other)?;
    if !is_half(&text[whole..]) {
        return Err(other(text.lines().count()));
    }
    file.set_len(whole as u64).and_then(|()| file.seek(SeekFrom::End(0))).and_then(|_| file.flush()).map_err(fault)?;
    Ok((file, done))
}

/// Whether this can be the beginning of a line of results.
fn is_half(text: &str) -> bool {
    ["{\"label\":", "{\"link\":"].iter().any(|start| text.starts_with(start) || start.starts_with(text))
}

/// The complete runs in lines of results, or the number of the first line that is not a line of results.
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
