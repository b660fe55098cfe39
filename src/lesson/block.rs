//! The live blocks of a lesson.

use super::error::{Fault, LessonError};
use super::prose::{Numbered, joined};
use crate::config::{Method, RunConfig, sentences, short};
use crate::task::MULTI_DEPTHS;

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// Headings of the third level, paragraphs, lists and tables, as HTML.
    Prose(String),
    /// A live block, and its words as HTML.
    Live { live: Live, words: String },
}

/// A live block: something to do, or something to look at.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// A question of the puzzle.
    Question { depth: usize, rule: bool },
    /// A share to predict for each depth.
    Predict { id: String, depths: Vec<usize> },
    /// A run to train.
    Run { id: String, config: Box<RunConfig> },
    /// Predictions and measurements, side by side.
    Compare { sources: Vec<Source> },
    /// A question to answer in words.
    Explain { id: String },
    /// On a teacher's page: the numbers of a run. Empty until they are measured.
    Expect { id: String, config: Box<RunConfig>, rows: Vec<Expected> },
}

impl Live {
    /// The name of what the visitor gives; `None` if nothing is kept of this block.
    pub fn kept(&self) -> Option<&str> {
        match self {
            Live::Predict { id, .. } | Live::Run { id, .. } | Live::Explain { id } => Some(id),
            Live::Question { .. } | Live::Compare { .. } | Live::Expect { .. } => None,
        }
    }
}

/// What a chart compares.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A prediction of this lesson.
    Prediction(String),
    /// A run of this lesson.
    Run(String),
    /// The visitor's own answers.
    You,
    /// The results that ship with the page.
    Reference(Method),
}

impl Source {
    /// The name in the file, without `ref:`.
    pub fn key(&self) -> &str {
        match self {
            Source::Prediction(id) | Source::Run(id) => id,
            Source::You => "you",
            Source::Reference(method) => method.key(),
        }
    }
}

/// A line of the numbers to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub depth: usize,
    pub right: usize,
    pub asked: usize,
}

const QUESTION: &str = "```question k=1 rule=hidden” or “… rule=shown";
const PREDICT: &str = "```predict NAME k=1,2,3,4";
const RUN: &str = "```run NAME LINK";
const COMPARE: &str = "```compare NAME NAME …";
const EXPLAIN: &str = "```explain NAME";
const EXPECT: &str = "```expect NAME LINK” with lines “k=1 251 of 256";

/// Reads a live block: the words behind its fence, and its lines.
///
/// # Errors
/// What is wrong, with its line.
pub fn block(line: usize, info: &str, body: &Numbered<'_>, earlier: &[&Live]) -> Result<Block, LessonError> {
    let wrong = |fault: Fault| LessonError { line, fault };
    let (kind, rest) = info.trim().split_once(' ').unwrap_or((info.trim(), ""));
    let parts: Vec<&str> = rest.split_whitespace().collect();
    let live = match (kind, &parts[..]) {
        ("question", [k, rule]) => Live::Question {
            depth: depths(k, QUESTION).map_err(wrong)?[0],
            rule: match *rule {
                "rule=shown" => true,
                "rule=hidden" => false,
                _ => return Err(wrong(Fault::Form(QUESTION))),
            },
        },
        ("predict", [id, k]) => Live::Predict { id: (*id).into(), depths: depths(k, PREDICT).map_err(wrong)? },
        ("run", [id, link]) => Live::Run { id: (*id).into(), config: config(link).map_err(wrong)? },
        ("compare", [_, ..]) => {
            Live::Compare { sources: parts.iter().map(|part| source(part, earlier)).collect::<Result<_, _>>().map_err(wrong)? }
        }
        ("explain", [id]) => Live::Explain { id: (*id).into() },
        ("expect", [id, link]) => Live::Expect { id: (*id).into(), config: config(link).map_err(wrong)?, rows: expected(body)? },
        ("question", _) => return Err(wrong(Fault::Form(QUESTION))),
        ("predict", _) => return Err(wrong(Fault::Form(PREDICT))),
        ("run", _) => return Err(wrong(Fault::Form(RUN))),
        ("compare", _) => return Err(wrong(Fault::Form(COMPARE))),
        ("explain", _) => return Err(wrong(Fault::Form(EXPLAIN))),
        ("expect", _) => return Err(wrong(Fault::Form(EXPECT))),
        (other, _) => return Err(wrong(Fault::UnknownBlock(other.into()))),
    };
    if let Some(id) = live.kept().filter(|id| earlier.iter().any(|other| other.kept() == Some(id))) {
        return Err(wrong(Fault::Twice(id.into())));
    }
    let words = if kind == "expect" { String::new() } else { joined(body)? };
    Ok(Block::Live { live, words })
}

fn config(link: &str) -> Result<Box<RunConfig>, Fault> {
    short::read(link).map(|(link, _)| Box::new(link.config)).map_err(|errors| Fault::Link(sentences(&errors).join(" ")))
}

/// Reads “k=1,2”: at least one depth.
fn depths(text: &str, form: &'static str) -> Result<Vec<usize>, Fault> {
    let list = text.strip_prefix("k=").ok_or(Fault::Form(form))?;
    list.split(',').map(depth).collect()
}

fn depth(text: &str) -> Result<usize, Fault> {
    text.parse().ok().filter(|depth| (1..=MULTI_DEPTHS).contains(depth)).ok_or(Fault::Depth(MULTI_DEPTHS))
}

fn source(name: &str, earlier: &[&Live]) -> Result<Source, Fault> {
    let unknown = || Fault::UnknownName(name.into());
    if name == "you" {
        return Ok(Source::You);
    }
    if let Some(key) = name.strip_prefix("ref:") {
        return Method::STORY.into_iter().find(|method| method.key() == key).map(Source::Reference).ok_or_else(unknown);
    }
    match earlier.iter().find(|live| live.kept() == Some(name)) {
        Some(Live::Predict { id, .. }) => Ok(Source::Prediction(id.clone())),
        Some(Live::Run { id, .. }) => Ok(Source::Run(id.clone())),
        Some(Live::Question { .. } | Live::Compare { .. } | Live::Explain { .. } | Live::Expect { .. }) | None => Err(unknown()),
    }
}

fn expected(body: &Numbered<'_>) -> Result<Vec<Expected>, LessonError> {
    let row = |&(line, text): &(usize, &str)| {
        let wrong = |fault| LessonError { line, fault };
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [k, right, "of", asked] = parts[..] else { return Err(wrong(Fault::Form(EXPECT))) };
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong(Fault::Form(EXPECT)));
        let (right, asked) = (number(right)?, number(asked)?);
        if right > asked || asked == 0 {
            return Err(wrong(Fault::Form(EXPECT)));
        }
        let depth = k.strip_prefix("k=").ok_or(Fault::Form(EXPECT)).and_then(depth).map_err(wrong)?;
        Ok(Expected { depth, right, asked })
    };
    body.iter().filter(|(_, text)| !text.trim().is_empty()).map(row).collect()
}
