//! What can be wrong with a lesson.

use thiserror::Error;

/// A fault and its line, counted from 1.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("Line {line}: {fault}")]
pub struct LessonError {
    pub line: usize,
    pub fault: Fault,
}

/// What is wrong in a line.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum Fault {
    #[error("a lesson begins with its title, “# Title”.")]
    NoTitle,
    #[error("the second line of a lesson is “*MINUTES minutes · QUESTION*”.")]
    NoMinutes,
    #[error("a heading has two or three # and a space: the title is the only one with one #.")]
    Heading,
    #[error("this is not part of a lesson's Markdown. Use headings, paragraphs, lists of one level, tables and live blocks.")]
    Unsupported,
    #[error("every row of a table has as many cells as its head, which has {0}.")]
    Cells(usize),
    #[error("the second line of a table has a |---| for each of its {0} columns.")]
    NoRule(usize),
    #[error("“{0}” is opened here and not closed.")]
    Unclosed(&'static str),
    #[error("“{0}” is not an address for a lesson: use https://… or the file of a lesson.")]
    Address(String),
    #[error("“{0}” is not a live block. The live blocks are question, predict, run, compare, explain and expect.")]
    UnknownBlock(String),
    #[error("this block is not closed by a line with ```.")]
    OpenBlock,
    #[error("the block is written “{0}”.")]
    Form(&'static str),
    #[error("a depth k is a number from 1 to {0}.")]
    Depth(usize),
    #[error("“{0}” names two blocks: give each its own name.")]
    Twice(String),
    #[error(
        "“{0}” is not the name of a prediction or a run above this block. Others are “you” and ref:straight, longer, memory, reward or aloud."
    )]
    UnknownName(String),
    #[error("the link cannot be read: {0}")]
    Link(String),
}
