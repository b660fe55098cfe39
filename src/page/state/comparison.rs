//! “Does thinking aloud help?”: the same network on the same task with as many steps, once straight and once aloud.

use super::run::Run;
use crate::config::presets::SMALL_PAPER;
use crate::config::{Method, RunConfig};
use crate::results::DepthScore;

/// The keys of its runs: straight at each depth, then aloud at all of them.
const KEYS: [&str; 5] = ["small-1", "small-2", "small-3", "small-4", "small-cot"];

/// How much longer a step takes aloud than straight (docs/small-paper.md: 38 ms and 22 ms).
const ALOUD: f64 = 1.7;

/// The runs of the comparison.
pub fn runs() -> Vec<RunConfig> {
    let named = |key: &&str| SMALL_PAPER.iter().find(|preset| preset.key == *key).map(|preset| (preset.config)());
    KEYS.iter().filter_map(named).collect()
}

/// One method's scores, ascending by depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub method: Method,
    pub scores: Vec<DepthScore>,
}

/// The scores of the comparison's runs that have ended on this page.
pub fn lines(done: &[Run]) -> Vec<Line> {
    let wanted = runs();
    let of = |method: Method| {
        let mine = wanted.iter().filter(|config| Method::of(config) == method);
        let ended = mine.filter_map(|config| done.iter().rev().find(|run| run.config == *config && run.complete()));
        let mut scores: Vec<DepthScore> = ended.filter_map(|run| run.latest()).flat_map(|last| last.depths.clone()).collect();
        scores.sort_by_key(|score| score.depth);
        Line { method, scores }
    };
    [Method::Straight, Method::Aloud].map(of).into()
}

/// What the runs say, in one sentence; `None` before both methods are measured at one depth beyond the first.
pub fn sentence(lines: &[Line]) -> Option<String> {
    let at = |method: Method, depth: usize| {
        let line = lines.iter().find(|line| line.method == method)?;
        line.scores.iter().find(|score| score.depth == depth)
    };
    let (depth, straight, aloud) =
        (2..=4).rev().find_map(|depth| Some((depth, at(Method::Straight, depth)?, at(Method::Aloud, depth)?)))?;
    let share = |score: &DepthScore| 100.0 * score.share();
    let interval = |score: &DepthScore| score.interval();
    let told = format!("At k = {depth}, thinking aloud gets {:.0} % and straight {:.0} %.", share(aloud), share(straight));
    let judged = if interval(aloud).0 > interval(straight).1 {
        "Thinking aloud helps: the 95 % intervals do not overlap."
    } else if interval(straight).0 > interval(aloud).1 {
        "Thinking aloud does not help in this run. Another seed may have left its plateau."
    } else {
        "The 95 % intervals overlap, so these two runs cannot say. Try another seed."
    };
    Some(format!("{told} {judged}"))
}

/// Seconds that the waiting runs and the rest of the current one take. `current` is (steps left, its method), `rate` its steps per second.
pub fn seconds_left(waiting: &[RunConfig], current: (u64, Method), rate: f64) -> f64 {
    let weight = |method: Method| if method == Method::Aloud { ALOUD } else { 1.0 };
    let ahead: f64 = waiting.iter().map(|config| config.training.steps as f64 * weight(Method::of(config))).sum();
    (current.0 as f64 + ahead / weight(current.1)) / rate.max(1e-9)
}
