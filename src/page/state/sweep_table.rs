//! The results of a sweep: the page's runs that differ only in the swept setting, as one group for each network.

use super::run::Run;
use super::sweep::Axis;
use crate::config::{ModelKind, RunConfig, link};
use crate::stats::wilson;
use crate::task::{Estimate, Task};

/// The last test measurement of one run at one depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub value: usize,
    /// Answers right in every cell, of `samples` questions.
    pub exact: usize,
    pub samples: usize,
}

impl Point {
    pub fn share(&self) -> f64 {
        self.exact as f64 / self.samples.max(1) as f64
    }
}

/// One network at one depth, ascending by the swept value.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepLine {
    pub kind: ModelKind,
    pub depth: usize,
    pub points: Vec<Point>,
}

/// The data of the chart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub lines: Vec<SweepLine>,
    /// The task, with its depth set to 1, and the seed.
    pub asked: Option<(Task, u64)>,
    /// Finished runs of this page that differ in more than the swept setting.
    pub left_out: usize,
}

/// Runs with equal settings, except for the swept one and the depth asked.
struct SweepGroup<'a> {
    key: String,
    runs: Vec<&'a Run>,
}

impl SweepGroup<'_> {
    fn config(&self) -> Option<&RunConfig> {
        self.runs.first().map(|run| &run.config)
    }

    /// Sorts groups with more than one value first, then by the newest run.
    fn rank(&self, axis: Axis) -> (bool, usize) {
        let first = self.config().map(|config| axis.of(config));
        let several = self.runs.iter().any(|run| Some(axis.of(&run.config)) != first);
        (several, self.runs.iter().map(|run| run.id).max().unwrap_or(0))
    }
}

/// Collects the chart's data from the visible runs. For each network it takes the group with several values, or else the newest group. All
/// groups have the same task.
pub fn collect(runs: &[Run], axis: Axis) -> Table {
    let finished: Vec<&Run> = runs.iter().filter(|run| run.visible && run.complete()).collect();
    let mut groups: Vec<SweepGroup> = Vec::new();
    for run in &finished {
        let key = key(&run.config, axis);
        match groups.iter_mut().find(|group| group.key == key) {
            Some(group) => group.runs.push(run),
            None => groups.push(SweepGroup { key, runs: vec![run] }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.rank(axis)));
    let Some(asked) = groups.first().and_then(SweepGroup::config).map(asked) else { return Table::default() };
    let mut kinds: Vec<ModelKind> = Vec::new();
    groups.retain(|group| {
        let fits = group.config().is_some_and(|config| self::asked(config) == asked && !kinds.contains(&config.model.kind));
        kinds.extend(group.config().filter(|_| fits).map(|config| config.model.kind));
        fits
    });
    let drawn: usize = groups.iter().map(|group| group.runs.len()).sum();
    let lines = groups.iter().flat_map(|group| lines(group, axis)).collect();
    Table { lines, asked: Some(asked), left_out: finished.len() - drawn }
}

/// Equal for runs that differ only in the swept setting and the depth asked.
fn key(config: &RunConfig, axis: Axis) -> String {
    let mut alike = config.clone();
    alike.task.depth = 1;
    match axis {
        Axis::Layers => alike.model.layers = 1,
        Axis::Width => alike.model.width = 1,
    }
    link::write(&alike, None)
}

/// The task without its depth and its layout in segments, and the seed.
fn asked(config: &RunConfig) -> (Task, u64) {
    (Task { segmented: false, depth: 1, ..config.task }, config.seed)
}

fn lines(group: &SweepGroup, axis: Axis) -> Vec<SweepLine> {
    let mut lines: Vec<SweepLine> = Vec::new();
    for run in &group.runs {
        for score in run.latest().iter().flat_map(|measurement| &measurement.depths) {
            let point = Point { value: axis.of(&run.config), exact: score.exact, samples: score.samples };
            let kind = run.config.model.kind;
            match lines.iter_mut().find(|line| line.depth == score.depth) {
                Some(line) => {
                    // If two runs have the same value, the newer one counts.
                    line.points.retain(|other| other.value != point.value);
                    line.points.push(point);
                }
                None => lines.push(SweepLine { kind, depth: score.depth, points: vec![point] }),
            }
        }
    }
    lines.iter_mut().for_each(|line| line.points.sort_by_key(|point| point.value));
    lines.sort_by_key(|line| line.depth);
    lines
}

/// The table as CSV, with the ceiling and the floors if they are known.
pub fn csv(table: &Table, axis: Axis, references: &[Estimate]) -> String {
    let mut text = format!("model,k,{},exact,samples,share,low,high,ceiling,copy,cycle\n", axis.label().replace(' ', "_"));
    for line in &table.lines {
        let estimate = references.iter().find(|estimate| estimate.depth == line.depth);
        let known = estimate.map_or(",,".into(), |estimate| format!("{},{},{}", estimate.ceiling, estimate.copy, estimate.cycle));
        for point in &line.points {
            let (low, high) = wilson(point.exact, point.samples);
            let Point { value, exact, samples } = point;
            text.push_str(&format!(
                "{},{},{value},{exact},{samples},{},{low},{high},{known}\n",
                line.kind.name(),
                line.depth,
                point.share()
            ));
        }
    }
    text
}
