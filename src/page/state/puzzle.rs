//! A question that the visitor answers herself, on the task of the small paper, and her answers so far.

use crate::results::OwnScore;
use crate::task::{Horizon, Layout, Radius, Sample, Split, Task, Vocabulary};
use serde::{Deserialize, Serialize};

/// The seed of the visitor's questions. Test rules: no network of the page was trained on them.
const SEED: u64 = 1;

/// The task: the small paper's.
pub fn task(depth: usize) -> Task {
    Task {
        radius: Radius::One,
        width: 10,
        shown: 4,
        depth,
        horizon: Horizon::Single,
        layout: Layout::OrbitState,
        vocabulary: Vocabulary::Compact,
        segmented: false,
    }
}

/// One answer of the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    pub depth: usize,
    /// Number of right cells, of the row's width.
    pub right: usize,
    pub cells: usize,
    pub seconds: f64,
    /// Whether the rule was shown.
    pub rule: bool,
}

/// The question, the cells set so far, and all answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Puzzle {
    pub depth: usize,
    pub index: u64,
    pub sample: Sample,
    /// `[W]`; `None` for a cell that is not set.
    pub cells: Vec<Option<u8>>,
    pub rule_shown: bool,
    /// Whether the rule was shown at any time for this question.
    pub rule_seen: bool,
    /// The answer, once it is checked.
    pub checked: Option<Answer>,
    /// When the first cell was set, in milliseconds; `None` before it.
    pub begun: Option<f64>,
    pub answers: Vec<Answer>,
}

impl Puzzle {
    /// A question at this depth.
    pub fn new(depth: usize, index: u64) -> Self {
        let task = task(depth);
        let sample = task.sample(SEED, Split::Test, index);
        Self {
            depth,
            index,
            sample,
            cells: vec![None; task.width],
            rule_shown: false,
            rule_seen: false,
            checked: None,
            begun: None,
            answers: Vec::new(),
        }
    }

    /// The next question, at `depth`. The rule stays as it is, hidden or shown.
    pub fn next(&mut self, depth: usize) {
        let answers = std::mem::take(&mut self.answers);
        let shown = self.rule_shown;
        *self = Self { answers, rule_shown: shown, rule_seen: shown, ..Self::new(depth, self.index + 1) };
    }

    pub fn shown(&self) -> &[Vec<u8>] {
        &self.sample.states[..task(self.depth).shown]
    }

    /// The row that is asked for, `[W]`.
    pub fn truth(&self) -> &[u8] {
        &self.sample.states[task(self.depth).shown - 1 + self.depth]
    }

    /// Turns a cell over: not set, filled, empty, filled … Does nothing once the answer is checked.
    pub fn turn(&mut self, cell: usize, now: f64) {
        if self.checked.is_none() {
            self.set(cell, if self.cells.get(cell) == Some(&Some(1)) { 0 } else { 1 }, now);
        }
    }

    /// Sets a cell.
    pub fn set(&mut self, cell: usize, value: u8, now: f64) {
        if let (None, Some(place)) = (self.checked, self.cells.get_mut(cell)) {
            *place = Some(value);
            self.begun.get_or_insert(now);
        }
    }

    /// Checks the answer. Cells that are not set count as empty, as they look.
    pub fn check(&mut self, now: f64) {
        if self.checked.is_some() {
            return;
        }
        let right = self.cells.iter().zip(self.truth()).filter(|(given, truth)| given.unwrap_or(0) == **truth).count();
        let seconds = self.begun.map_or(0.0, |begun| (now - begun) / 1_000.0);
        let answer = Answer { depth: self.depth, right, cells: self.cells.len(), seconds, rule: self.rule_seen };
        self.checked = Some(answer);
        self.answers.push(answer);
    }

    /// The scores at every depth that was answered, with the rule hidden or shown.
    pub fn scores(&self, rule: bool) -> Vec<OwnScore> {
        scores(&self.answers, rule)
    }
}

/// The scores of these answers at every depth.
pub fn scores(answers: &[Answer], rule: bool) -> Vec<OwnScore> {
    let at = |depth: usize| {
        let mine: Vec<&Answer> = answers.iter().filter(|answer| answer.depth == depth && answer.rule == rule).collect();
        let mut seconds: Vec<f64> = mine.iter().map(|answer| answer.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let exact = mine.iter().filter(|answer| answer.right == answer.cells).count();
        OwnScore { depth, asked: mine.len(), exact, seconds: seconds.get(seconds.len() / 2).copied().unwrap_or(0.0) }
    };
    (1..=crate::task::MULTI_DEPTHS).map(at).filter(|score| score.asked > 0).collect()
}
