//! A run as a URL fragment: `#v=1&r=1&W=8&…&fp=…`. Readable, complete, and frozen: every field of the first links is written out, newer ones where they are used, and `v=`
//! names the version whose meanings and defaults hold, so a link means the same for ever. The link of a run that another starts from stands in
//! parentheses inside the other's.

use super::start::{MOST_RUNS, too_many_runs};
use super::{RunConfig, Start, fields};
use crate::replay::Fingerprint;

/// The version that new links are written under.
pub const VERSION: u32 = 1;

/// What a link says: the run and, if it was copied from a finished or running one, what that run's losses were.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    pub config: RunConfig,
    pub fingerprint: Option<Fingerprint>,
}

/// Writes a run as a fragment without the leading `#`.
pub fn write(config: &RunConfig, fingerprint: Option<&Fingerprint>) -> String {
    let mut text = settings(config, |_| true);
    if let Some(fingerprint) = fingerprint {
        text.push_str(&format!("&fp={fingerprint}"));
    }
    text
}

/// Writes a run that another starts from, whose engine computes both.
pub(super) fn write_inner(config: &RunConfig) -> String {
    settings(config, |key| key != "engine")
}

fn settings(config: &RunConfig, wanted: impl Fn(&str) -> bool) -> String {
    let mut text = format!("v={VERSION}");
    let frozen = RunConfig::version_1();
    for field in fields::FIELDS.iter().filter(|field| wanted(field.key)) {
        // Links of runs that a newer setting means nothing to stay as they were.
        let new = field.came_later() || field.group == fields::Group::Model && !field.applies(config);
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

/// Reads a fragment, or a whole URL with one.
///
/// # Errors
/// Every fault found, each a sentence that says what to do; nothing is silently replaced.
pub fn read(text: &str) -> Result<Link, Vec<String>> {
    let fragment = text.split_once('#').map_or(text, |(_, fragment)| fragment).trim();
    let mut reader = Reader::new(RunConfig::version_1());
    reader.take(fragment).map_err(|fault| vec![fault])?;
    if !reader.seen.iter().any(|key| key == "v") {
        let sentence = "The link does not say its version: it should begin with v=1. It may have been cut off at the start.";
        reader.faults.insert(0, sentence.into());
    }
    reader.link()
}

/// A run with some of its settings changed, written as in a link.
///
/// # Errors
/// As [`read`].
pub fn change(config: RunConfig, settings: &str) -> Result<Link, Vec<String>> {
    let mut reader = Reader::new(config);
    reader.take(settings).map_err(|fault| vec![fault])?;
    reader.link()
}

/// What was read of a link so far.
struct Reader {
    config: RunConfig,
    fingerprint: Option<Fingerprint>,
    faults: Vec<String>,
    seen: Vec<String>,
}

impl Reader {
    fn new(config: RunConfig) -> Self {
        Self { config, fingerprint: None, faults: Vec::new(), seen: Vec::new() }
    }

    /// Reads every part, and keeps what is wrong with each.
    ///
    /// # Errors
    /// Where the fragment has no parts to be told apart.
    fn take(&mut self, fragment: &str) -> Result<(), String> {
        for part in parts(fragment)?.into_iter().filter(|part| !part.is_empty()) {
            if let Err(fault) = self.part(part) {
                self.faults.push(fault);
            }
        }
        Ok(())
    }

    /// One `key=value`.
    fn part(&mut self, part: &str) -> Result<(), String> {
        let Some((key, value)) = part.split_once('=') else {
            return Err(format!("“{part}” has no value: every part of a link reads key=value. The link may have been cut off."));
        };
        let value = decode(value).map_err(|fault| format!("“{key}”: {fault}"))?;
        if self.seen.iter().any(|other| other == key) {
            return Err(format!("“{key}” stands twice in the link: remove one."));
        }
        self.seen.push(key.to_string());
        match key {
            "v" => version(&value),
            "from" => Start::read(&value).map(|start| self.config.start = start),
            "fp" => value.parse().map(|parsed| self.fingerprint = Some(parsed)),
            key => match fields::field(key) {
                Some(field) => field.set(&mut self.config, &value),
                None => Err(format!("“{key}” is not a setting that this version knows: check its spelling or remove it.")),
            },
        }
    }

    fn link(self) -> Result<Link, Vec<String>> {
        let Self { config, fingerprint, mut faults, .. } = self;
        if faults.is_empty() {
            faults.extend(config.problems().into_iter().map(|problem| problem.sentence));
        }
        if faults.is_empty() { Ok(Link { config, fingerprint }) } else { Err(faults) }
    }
}

/// Cuts a fragment at each & that stands in no parentheses, which messengers may have written as %28 and %29.
///
/// # Errors
/// A sentence where parentheses do not close, or too many stand inside one another.
fn parts(fragment: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, 0_usize);
    for (at, letter) in fragment.char_indices() {
        let code = if letter == '%' { fragment.get(at..at + 3) } else { None };
        match (letter, code) {
            ('(', _) | (_, Some("%28")) => open += 1,
            (')', _) | (_, Some("%29")) => {
                open = open.checked_sub(1).ok_or("The link has a ) without its (: it was probably cut off at the start.")?
            }
            ('&', _) if open == 0 => {
                parts.push(&fragment[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if open > MOST_RUNS {
            return Err(too_many_runs());
        }
    }
    parts.push(&fragment[start..]);
    if open > 0 { Err("The link has a ( without its ): it was probably cut off.".into()) } else { Ok(parts) }
}

fn version(value: &str) -> Result<(), String> {
    match value.parse::<u32>() {
        Ok(VERSION) => Ok(()),
        Ok(newer) if newer > VERSION => {
            Err(format!("The link is of version {newer}, newer than this page knows: reload the page or ask for a newer one."))
        }
        Ok(_) | Err(_) => Err(format!("“{value}” is not a version of a link: it should read v={VERSION}.")),
    }
}

/// Undoes percent-encoding, which messengers add to links.
fn decode(value: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let code =
                tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            bytes.push(code.ok_or("a % is not followed by two hexadecimal digits; the link may have been cut off.")?);
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).map_err(|_| "it holds bytes that are not text.".into())
}
