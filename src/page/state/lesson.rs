//! The lesson that is open, and what the visitor has given to all lessons.

use crate::config::{RunConfig, link};
use crate::lesson::{Head, Lesson, Live};
use crate::results::DepthScore;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the Lessons door shows.
#[derive(Clone, Debug, Default)]
pub struct Lessons {
    /// The heads of [`crate::lesson::NAMES`], in their order. Empty until they are loaded; a head that could not be read has no title.
    pub heads: Vec<Head>,
    pub shown: Option<Shown>,
}

/// A page of a lesson, a student's or a teacher's.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub name: String,
    /// The lesson, or a sentence that says why it cannot be shown.
    pub read: Result<Arc<Lesson>, String>,
}

/// Something that the visitor has given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    /// (depth, share), for each depth that is set.
    Prediction(Vec<(usize, f64)>),
    Words(String),
    /// The last scores of a run, and its link without a fingerprint.
    Result {
        link: String,
        scores: Vec<DepthScore>,
    },
}

/// Something given, with its place and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub lesson: String,
    /// The name of its block.
    pub id: String,
    /// Milliseconds since 1970.
    pub written: f64,
    pub given: Given,
}

/// Everything that the visitor has given: one entry for each block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    pub entries: Vec<Entry>,
}

impl Work {
    /// Adds an entry. Of two entries of one block, the newer stays.
    pub fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|own| own.lesson == entry.lesson && own.id == entry.id) {
            Some(own) if own.written <= entry.written => *own = entry,
            Some(_) => {}
            None => self.entries.push(entry),
        }
    }

    /// The entries of one lesson.
    pub fn of(&self, lesson: &str) -> Work {
        Work { entries: self.entries.iter().filter(|entry| entry.lesson == lesson).cloned().collect() }
    }

    fn given(&self, lesson: &str, id: &str) -> Option<&Given> {
        self.entries.iter().find(|entry| entry.lesson == lesson && entry.id == id).map(|entry| &entry.given)
    }

    /// A prediction, ascending by depth. Empty if there is none.
    pub fn prediction(&self, lesson: &str, id: &str) -> &[(usize, f64)] {
        match self.given(lesson, id) {
            Some(Given::Prediction(points)) => points,
            Some(Given::Words(_) | Given::Result { .. }) | None => &[],
        }
    }

    /// An answer in words. Empty if there is none.
    pub fn words(&self, lesson: &str, id: &str) -> &str {
        match self.given(lesson, id) {
            Some(Given::Words(words)) => words,
            Some(Given::Prediction(_) | Given::Result { .. }) | None => "",
        }
    }

    /// The scores of a run. Empty if it was not trained, or if the lesson has another run by now.
    pub fn scores(&self, lesson: &str, id: &str, config: &RunConfig) -> &[DepthScore] {
        match self.given(lesson, id) {
            Some(Given::Result { link, scores }) if *link == link::write(config, None) => scores,
            Some(Given::Result { .. } | Given::Prediction(_) | Given::Words(_)) | None => &[],
        }
    }

    /// Whether a prediction has all its depths.
    pub fn predicted(&self, lesson: &str, id: &str, depths: &[usize]) -> bool {
        let given = self.prediction(lesson, id);
        depths.iter().all(|depth| given.iter().any(|(own, _)| own == depth))
    }

    /// How many blocks of a lesson's part are done, and how many can be done.
    pub fn done<'a>(&self, lesson: &str, blocks: impl Iterator<Item = &'a Live>) -> (usize, usize) {
        let done = blocks.filter_map(|live| match live {
            Live::Predict { id, depths } => Some(self.predicted(lesson, id, depths)),
            Live::Run { id, config } => Some(!self.scores(lesson, id, config).is_empty()),
            Live::Explain { id } => Some(!self.words(lesson, id).trim().is_empty()),
            Live::Question { .. } | Live::Compare { .. } | Live::Expect { .. } => None,
        });
        done.fold((0, 0), |(done, all), now| (done + usize::from(now), all + 1))
    }
}

/// Everything that the visitor has given to this page, for a file of hers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Saved {
    pub lessons: Work,
    /// Her answers to the puzzle.
    pub answers: Vec<super::puzzle::Answer>,
}
