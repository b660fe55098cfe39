//! The class: a student's number, and what a teacher or a researcher has collected.

use super::run::Run;
use crate::class::{Again, Handed, Line, Reader, compare, run_key};
use crate::config::RunConfig;
use crate::task::Split;
use serde::{Deserialize, Serialize};

/// The largest number of lines that the page lists. The chart and the table count all lines.
pub const LISTED: usize = 200;

/// A student's number in the class.
#[derive(Clone, Debug, PartialEq)]
pub enum Seat {
    /// The page was not opened by a class link.
    None,
    /// The page asks for the number.
    Asked,
    /// The number, and the student's run.
    Taken { number: u64, config: Box<RunConfig> },
}

/// A text with lines of results.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The name of its file; empty for pasted text.
    pub name: String,
    pub text: String,
}

/// What was handed in.
#[derive(Clone, Debug, Default)]
pub struct Class {
    /// The texts that are stored in the browser.
    pub stored: Vec<Source>,
    /// The texts that are not read yet.
    pub unread: Vec<Source>,
    pub reader: Reader,
    pub lines: Vec<Line>,
    /// Counts how often the lines were cleared, so that the reading of cleared lines ends.
    pub cleared: u32,
}

impl Class {
    /// The lines whose form is right.
    pub fn right(&self) -> impl Iterator<Item = &Handed> {
        self.lines.iter().filter_map(|line| line.read.as_deref().ok())
    }

    /// The indices of the listed lines: the faulty ones first.
    pub fn listed(&self) -> Vec<usize> {
        let of = |faulty: bool| (0..self.lines.len()).filter(move |&index| self.lines[index].read.is_err() == faulty);
        of(true).chain(of(false)).take(LISTED).collect()
    }

    /// What the complete runs of this page say about lines, by the index of the line.
    pub fn verdicts(&self, runs: &[Run]) -> Vec<(usize, Again)> {
        let made: Vec<(u64, &Run)> = runs.iter().filter(|run| run.complete()).map(|run| (run_key(&run.config), run)).collect();
        let verdict = |line: &Line| {
            let line = line.read.as_deref().ok()?;
            let of_line = || made.iter().rev().filter(|(key, _)| *key == line.run).map(|(_, run)| *run);
            // A run on the engine of the line says most.
            let (run, engine) = of_line()
                .filter_map(|run| Some((run, run.engine.as_ref()?)))
                .max_by_key(|(_, engine)| engine.class == line.fingerprint.engine)?;
            let scores = run.latest().filter(|measured| measured.split == Split::Test)?;
            Some(compare(line, engine.class, &run.losses, &scores.depths))
        };
        if made.is_empty() {
            return Vec::new();
        }
        self.lines.iter().enumerate().filter_map(|(index, line)| Some((index, verdict(line)?))).collect()
    }
}
