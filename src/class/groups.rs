//! Means over the seeds of a run: what a class or a cluster found.

use super::check::Handed;
use crate::config::RunConfig;
use crate::replay::EngineClass;
use crate::stats::wilson;
use crate::task::MULTI_DEPTHS;

/// The scores of one depth over all seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct DepthStatistics {
    pub depth: usize,
    /// Number of seeds.
    pub seeds: usize,
    /// Mean, over the seeds, of the share of rows right in every cell.
    pub mean: f64,
    /// Standard deviation over the seeds, with n − 1; `None` for one seed.
    pub deviation: Option<f64>,
    pub lowest: f64,
    pub highest: f64,
    /// Wilson's 95 % interval of the questions of all seeds together.
    pub interval: (f64, f64),
}

impl DepthStatistics {
    /// Of (right, asked) for each seed; `None` without seeds.
    pub fn of(depth: usize, scores: &[(usize, usize)]) -> Option<Self> {
        let shares: Vec<f64> = scores.iter().map(|&(right, asked)| right as f64 / asked.max(1) as f64).collect();
        let (seeds, count) = (shares.len(), shares.len() as f64);
        let mean = shares.iter().sum::<f64>() / count;
        let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
        let (right, asked) = scores.iter().fold((0, 0), |sum, score| (sum.0 + score.0, sum.1 + score.1));
        (seeds > 0).then(|| Self {
            depth,
            seeds,
            mean,
            deviation: (seeds > 1).then(|| (squares / (count - 1.0)).sqrt()),
            lowest: shares.iter().copied().fold(f64::INFINITY, f64::min),
            highest: shares.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            interval: wilson(right, asked),
        })
    }
}

/// The lines of one run with different seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    pub group: u64,
    pub family: u64,
    /// The first line's run.
    pub config: RunConfig,
    pub engine: EngineClass,
    /// Ascending by depth.
    pub depths: Vec<DepthStatistics>,
}

/// What the people of a class answered themselves, the rule hidden, ascending by depth. A person who handed in several runs counts once: with the
/// line that tells most answers.
pub fn people(lines: &[&Handed]) -> Vec<DepthStatistics> {
    let answers = |line: &Handed| line.record.you.iter().map(|own| own.asked).sum::<usize>();
    let mut people: Vec<&Handed> = Vec::new();
    for line in lines.iter().filter(|line| !line.record.you.is_empty()) {
        let same = |other: &&mut &Handed| other.config.seed == line.config.seed && other.record.label == line.record.label;
        match people.iter_mut().find(same) {
            Some(known) if answers(known) < answers(line) => *known = line,
            Some(_) => {}
            None => people.push(line),
        }
    }
    let at = |depth: usize| {
        let scores = people.iter().flat_map(|person| &person.record.you).filter(|own| own.depth == depth);
        DepthStatistics::of(depth, &scores.map(|own| (own.exact, own.asked)).collect::<Vec<_>>())
    };
    (1..=MULTI_DEPTHS).filter_map(at).collect()
}

/// Groups lines by their run without its seed, in the order in which the groups appear.
pub fn groups(lines: &[&Handed]) -> Vec<Group> {
    let mut order: Vec<(u64, Vec<&Handed>)> = Vec::new();
    for line in lines {
        match order.iter_mut().find(|(group, _)| *group == line.group) {
            Some((_, members)) => members.push(line),
            None => order.push((line.group, vec![line])),
        }
    }
    let group = |(group, members): (u64, Vec<&Handed>)| {
        let first = members.first()?;
        let of = |depth: usize| {
            let scores = members.iter().flat_map(|member| &member.scores).filter(|score| score.depth == depth);
            DepthStatistics::of(depth, &scores.map(|score| (score.exact, score.samples)).collect::<Vec<_>>())
        };
        let depths = first.scores.iter().filter_map(|score| of(score.depth)).collect();
        Some(Group { group, family: first.family, config: first.config.clone(), engine: first.fingerprint.engine, depths })
    };
    order.into_iter().filter_map(group).collect()
}
