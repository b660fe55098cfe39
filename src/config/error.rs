//! What can be wrong with a setting and with a link.

use super::limits::{MOST_RUNS, VERSION};
use crate::replay::FingerprintError;
use thiserror::Error;

/// Why a text is not a value of a field.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum FieldError {
    #[error("“{label}” ({key}) must be a whole number from {min} to {max}, not “{text}”.")]
    NotInteger { label: &'static str, key: &'static str, min: u64, max: u64, text: String },
    #[error("“{label}” ({key}) must be a number from {min} to {max}, not “{text}”.")]
    NotReal { label: &'static str, key: &'static str, min: f64, max: f64, text: String },
    #[error("“{label}” ({key}) must be one of {allowed}, not “{text}”.")]
    NotChoice { label: &'static str, key: &'static str, allowed: String, text: String },
}

/// Why a link cannot be read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum LinkError {
    #[error("The link has no version: it should begin with v=1. It may have been cut off at the start.")]
    NoVersion,
    #[error("The link has version {0}, which is newer than this program: reload the page to get its newest version.")]
    NewerVersion(u32),
    #[error("“{0}” is not a version of a link: it should be v={VERSION}.")]
    WrongVersion(String),
    #[error(
        "“{name}” is not the name of a run. Names are: {known}. A whole link begins with v=1; this one may have been cut off at the start."
    )]
    UnknownName { name: String, known: String },
    #[error("“{0}” has no value: every part of a link has the form key=value. The link may have been cut off.")]
    NoValue(String),
    #[error("“{0}”: a % is not followed by two hexadecimal digits; the link may have been cut off.")]
    Percent(String),
    #[error("“{0}” appears twice in the link: remove one of the two.")]
    Twice(String),
    #[error("“{0}” is not a setting of this version: check its spelling or remove it.")]
    UnknownKey(String),
    #[error(
        "The link is not as it was copied: it was cut off or changed on its way. Copy it again. If you changed it yourself, remove “sum={0}” from it."
    )]
    NotWhole(String),
    #[error("“sum” has 8 hexadecimal digits, not “{0}”: the link was probably cut off.")]
    SumCutOff(String),
    #[error("There are two links, one behind the other: keep one of them.")]
    TwoLinks,
    #[error("The link ends in “…”: it was shortened where it was shown. Copy it from where it leads.")]
    Shortened,
    #[error("{0} more parts of the link cannot be read.")]
    More(usize),
    #[error("The link has a ) without its (: it was probably cut off at the start.")]
    Unopened,
    #[error("The link has a ( without its ): it was probably cut off.")]
    Unclosed,
    #[error("More than {MOST_RUNS} runs start from each other: save the weights of one of them, and start from that file.")]
    TooManyRuns,
    #[error("The link of the run that it starts from (from) has no end: it was probably cut off.")]
    StartCutOff,
    #[error("“from” names a file by 16 digits, not “{0}”: the link was probably cut off.")]
    FileCutOff(String),
    #[error("“{text}” (from) is not a checkpoint of this site. It has {known}; another run's link must be in parentheses.")]
    UnknownCheckpoint { text: String, known: String },
    #[error("In the run that it starts from: {}", sentences(.0).join(" "))]
    InStart(Vec<LinkError>),
    #[error("it is computed by the engine of the run that starts from it, so take “engine” out of the parentheses.")]
    EngineInStart,
    #[error(
        "“em” has three numbers for each depth, DEPTH.RIGHT.ASKED, not “{0}”: the link was probably cut off. Remove the em part to run without comparing."
    )]
    Scores(String),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Fingerprint(#[from] FingerprintError),
    /// The settings do not go together.
    #[error("{0}")]
    Problem(String),
}

/// A text of a link as an error shows it.
pub(super) fn brief(text: &str) -> String {
    const LONGEST: usize = 48;
    if text.chars().count() <= LONGEST { text.into() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// The sentences of several errors.
pub fn sentences(errors: &[LinkError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
