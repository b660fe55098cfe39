//! The curves that ship with the site: results of `lookahead train`, by method.

use crate::config::{Method, RunConfig, Start, link};
use crate::results::{DepthScore, Record};
use crate::task::{Radius, Split};
use crate::wire;

/// The steps of the small paper's runs that are compared. Runs with a reward have fewer, after a run of as many.
const STEPS: u64 = 1_500;

/// The task sizes of the story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// The small paper's: minutes on one core.
    #[default]
    Small,
    /// The paper's own.
    Paper,
}

impl Scale {
    pub const ALL: [Scale; 2] = [Scale::Small, Scale::Paper];

    /// The files of its results and of its floors, on the site.
    pub fn files(self) -> (&'static str, &'static str) {
        match self {
            Scale::Small => ("results/small-paper.jsonl", "results/small-paper.floors.jsonl"),
            Scale::Paper => ("results/paper-scale.jsonl", "results/paper-scale.floors.jsonl"),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Scale::Small => "Small task",
            Scale::Paper => "The paper's size",
        }
    }
}

/// The runs of one method at one depth: one run for each seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub depth: usize,
    /// The score of each seed, ascending by exact match.
    pub scores: Vec<(DepthScore, RunConfig)>,
}

impl Group {
    /// The run in the middle.
    pub fn median(&self) -> &(DepthScore, RunConfig) {
        &self.scores[self.scores.len() / 2]
    }

    /// The middle run's exact match and its 95 % interval.
    pub fn share(&self) -> (f64, (f64, f64)) {
        let (score, _) = self.median();
        (score.share(), score.interval())
    }
}

/// A method's curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    pub method: Method,
    /// Ascending by depth.
    pub groups: Vec<Group>,
}

/// A line of `lookahead ceiling`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
pub struct Floor {
    pub depth: usize,
    pub ceiling: f64,
    pub copy: f64,
    pub cycle: f64,
}

/// What the first chart shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Story {
    pub scale: Scale,
    pub references: Vec<Reference>,
    pub floors: Vec<Floor>,
    /// The touched curve.
    pub chosen: Option<Method>,
    /// Whether the files could not be loaded.
    pub missing: bool,
}

impl Story {
    pub fn reference(&self, method: Method) -> Option<&Reference> {
        self.references.iter().find(|reference| reference.method == method)
    }
}

/// Puts runs into curves, by method, in the order of the story.
pub fn references(runs: &[(RunConfig, Record)]) -> Vec<Reference> {
    let of = |method: Method| {
        let mine = runs.iter().filter(move |(config, _)| Method::of(config) == method);
        let mut groups: Vec<Group> = Vec::new();
        for (config, record) in mine {
            let Some(last) = record.measured.iter().rev().find(|measured| measured.split == Split::Test) else { continue };
            for score in &last.depths {
                let entry = (score.clone(), config.clone());
                match groups.iter_mut().find(|group| group.depth == score.depth) {
                    Some(group) => group.scores.push(entry),
                    None => groups.push(Group { depth: score.depth, scores: vec![entry] }),
                }
            }
        }
        groups.sort_by_key(|group| group.depth);
        groups.iter_mut().for_each(|group| group.scores.sort_by(|a, b| a.0.share().total_cmp(&b.0.share())));
        Reference { method, groups }
    };
    Method::STORY.into_iter().map(of).filter(|reference| !reference.groups.is_empty()).collect()
}

/// Reads lines of `lookahead ceiling`.
pub fn floors(lines: &str) -> Vec<Floor> {
    lines.lines().filter_map(|line| wire::from_json(line).ok()).collect()
}

/// Reads a line of results if its run belongs beside the others. Lines that cannot be read are left out: tests/class.rs reads them all.
pub fn read(line: &str) -> Option<(RunConfig, Record)> {
    let record: Record = wire::from_json(line).ok()?;
    let config = link::read(&record.link).ok()?.config;
    (record.failure.is_none() && comparable(&config)).then_some((config, record))
}

/// Whether the run belongs beside the others: of the small paper the runs of equal length, and rewards that go one depth further at a time.
fn comparable(config: &RunConfig) -> bool {
    if config.task.radius != Radius::One {
        // Of the paper's size: not the run that only prepares the reward, nor the short one of two cores.
        return Method::of(config) != Method::Straight || config.start == Start::Scratch && config.training.steps > STEPS;
    }
    match Method::of(config) {
        Method::Reward => config.first().is_some_and(|first| first.task.depth + 1 == config.task.depth),
        Method::Straight | Method::AllRows | Method::WithRule | Method::Longer | Method::Fixed | Method::Memory | Method::Aloud => {
            config.training.steps == STEPS
        }
    }
}
