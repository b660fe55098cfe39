//! Attribution for the page: turns shares by position into cells, levels and sentences. Nothing here draws.

use super::charts::cells::{Map, MapLine, Part};
use super::words::percent;
use crate::config::{Looped, ModelConfig, ModelKind, RunConfig};
use crate::page::state::attribution::Query;
use crate::results::{AttributionSource, FULL_SHARE, LayerAttribution};
use crate::task::{Layout, Sample, StatePlaces, Task};
use std::ops::Range;

/// The lowest share of each level from the second on, in parts of [`FULL_SHARE`], and the names of all levels.
const LEVELS: [u16; 4] = [100, 300, 1_000, 3_000];
pub const NAMES: [&str; 5] = ["under 1 %", "1 %", "3 %", "10 %", "30 % and more"];

/// A predicted cell: the index of its row among the asked rows, and its index in that row, both from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictedCell {
    pub asked: usize,
    pub cell: usize,
}

impl PredictedCell {
    /// The predicted cell at `pointed` (a line of the map and a cell), else `before`, else the middle cell of the first answer. The middle cell
    /// has neighbours on both sides. The result is always inside the task's rows; the task must be valid.
    pub fn of(pointed: Option<(usize, usize)>, before: Option<Self>, task: &Task) -> Self {
        let pointed = pointed.and_then(|(line, cell)| Some(Self { asked: line.checked_sub(task.shown)?, cell }));
        let Self { asked, cell } = pointed.or(before).unwrap_or(Self { asked: 0, cell: task.width / 2 });
        Self { asked: asked.min(task.depths().len() - 1), cell: cell.min(task.width - 1) }
    }

    pub fn depth(self, task: &Task) -> usize {
        task.depths()[self.asked]
    }
}

/// Sums of one layer's shares for the target; 1 is everything.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    /// All cells, and the cells that determine the target.
    cells: f64,
    source: f64,
    rule: f64,
    signs: f64,
}

/// Everything that the card needs about one target.
pub struct View<'a> {
    pub config: &'a RunConfig,
    pub sample: &'a Sample,
    pub target: PredictedCell,
    /// 0 for the mean of all heads, else the number of one head.
    pub head: usize,
    pub layers: Option<&'a [LayerAttribution]>,
    /// The query for the worker, once a run has answered the question.
    pub query: Option<Query>,
}

/// The content of the card.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub map: Map,
    pub target: PredictedCell,
    /// Number of the map's lines that are shown, not asked.
    lines: usize,
    /// The number of heads to choose from (0 if there are fewer than two), and the displayed head (0 for their mean).
    pub heads: (usize, usize),
    pub about: About,
    pub query: Option<Query>,
    pub words: String,
    /// A text that is as long as `words` can become.
    pub longest: String,
    /// Each panel's sums over cells, rule and signs. Tests read them.
    pub sums: Vec<Option<[f64; 3]>>,
}

impl Shown {
    /// The target's line and cell in the map.
    pub fn place(&self) -> (usize, usize) {
        (self.lines + self.target.asked, self.target.cell)
    }

    /// The line and cell that is `by` cells further, through all predicted rows.
    pub fn beside(&self, by: isize) -> (usize, usize) {
        let (width, asked) = (self.map.cells, self.map.lines.len() - self.lines);
        let place = (self.target.asked * width + self.target.cell).saturating_add_signed(by).min(asked * width - 1);
        (self.lines + place / width, place % width)
    }

    /// The displayed head.
    pub fn head(&self) -> String {
        match self.heads {
            (count, 0) => format!("mean of {count} heads"),
            (count, head) => format!("head {head} of {count}"),
        }
    }

    /// The target as “row cell”, both counted from 1.
    pub fn target_as_text(&self) -> String {
        let (line, cell) = self.place();
        self.map.lines.get(line).map_or_else(String::new, |line| format!("{} {}", line.row, cell + 1))
    }

    /// The sums of all panels as text, with semicolons between panels.
    pub fn sums_as_text(&self) -> String {
        let text = |sums: &Option<[f64; 3]>| sums.map_or("-".into(), |sums| sums.map(|share| format!("{share:.4}")).join(" "));
        self.sums.iter().map(text).collect::<Vec<_>>().join(";")
    }
}

/// The number of heads to choose from; 0 if the network has fewer than two.
fn heads(model: &ModelConfig) -> usize {
    match model.kind {
        ModelKind::GptNeox | ModelKind::Armt if model.heads > 1 => model.heads,
        ModelKind::GptNeox | ModelKind::Armt | ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => 0,
    }
}

/// The cells that determine the target, as (state, first cell, number of cells), on a ring. The state is the row before in a chain of thought,
/// else the last row shown.
fn origin(task: &Task, target: PredictedCell) -> (usize, usize, usize) {
    let depth = target.depth(task);
    let (state, steps) = match task.layout {
        Layout::ChainOfThought => (task.shown + depth - 2, 1),
        Layout::OrbitState | Layout::OrbitOrbit | Layout::OrbitRuleState | Layout::RuleOrbitState => (task.shown - 1, depth),
    };
    let (left, right) = task.radius.neighbourhood();
    let count = (steps * (left + right) + 1).min(task.width);
    let first = if count == task.width { 0 } else { (target.cell + task.width * steps - steps * left) % task.width };
    (state, first, count)
}

impl View<'_> {
    fn task(&self) -> &Task {
        &self.config.task
    }

    /// The displayed head.
    fn head(&self) -> usize {
        self.head.min(heads(&self.config.model))
    }

    /// The positions of each state's cells in the sequence that asks for the target.
    fn places(&self) -> Vec<StatePlaces> {
        let token = |places: StatePlaces| {
            // The places of an answer's cells are one position earlier, where they are predicted.
            let Range { start, end } = places.positions;
            let by = usize::from(places.state >= self.task().shown);
            StatePlaces { positions: start + by..end + by, ..places }
        };
        self.task().places(self.sample, self.target.depth(self.task())).into_iter().map(token).collect()
    }

    /// A layer's shares for the target, by position: the mean over the heads, or one head's.
    fn shares(&self, layer: &LayerAttribution) -> Vec<f64> {
        let Some(heads) = layer.shares.get(self.target.cell) else { return Vec::new() };
        let chosen = match self.head() {
            head if head > 0 && heads.len() > 1 => &heads[head - 1..head],
            _ => &heads[..],
        };
        let mean =
            |place: usize| chosen.iter().map(|head| f64::from(head[place])).sum::<f64>() / (chosen.len() as f64 * f64::from(FULL_SHARE));
        (0..chosen.first().map_or(0, Vec::len)).map(mean).collect()
    }

    /// The layer and source of every panel, also of those without an answer yet.
    fn panels(&self) -> Vec<(usize, AttributionSource)> {
        let model = &self.config.model;
        let sources: &[AttributionSource] = match model.kind {
            ModelKind::GptNeox => &[AttributionSource::Attention],
            ModelKind::Lstm | ModelKind::Mamba => &[AttributionSource::State],
            ModelKind::Armt => &[AttributionSource::Memory, AttributionSource::Attention],
            ModelKind::DeltaNet => &[],
        };
        (0..model.layers).flat_map(|layer| sources.iter().map(move |source| (layer, *source))).collect()
    }

    fn known(&self, (layer, source): (usize, AttributionSource)) -> Option<&LayerAttribution> {
        self.layers?.iter().find(|reads| (reads.layer, reads.source) == (layer, source))
    }

    /// The content of the card. `largest` is the largest side of a cell, in CSS pixels.
    pub fn show(&self, largest: f64) -> Shown {
        let task = self.task();
        let (places, panels) = (self.places(), self.panels());
        let states = (0..task.shown).chain(task.depths().into_iter().map(|depth| task.shown - 1 + depth));
        let line = |state: usize| {
            let positions = places.iter().find(|places| places.state == state).map(|places| places.positions.clone());
            let levels = panels.iter().map(|&panel| self.levels(panel, positions.clone())).collect();
            MapLine { row: state + 1, asked: state >= task.shown, levels: Some(levels) }
        };
        let (state, first, count) = origin(task, self.target);
        let before = count.min(task.width - first);
        let at = |state: usize| {
            if state < task.shown {
                state
            } else {
                task.shown + task.depths().iter().position(|depth| task.shown - 1 + depth == state).unwrap_or(0)
            }
        };
        let runs = [(at(state), first, before), (at(state), 0, count - before)];
        let outlined = runs.into_iter().filter(|(_, _, count)| *count > 0).collect();
        let sums: Vec<Option<Sums>> = panels.iter().map(|&panel| self.sums(panel, &places)).collect();
        let parts = panels.iter().zip(&sums).map(|(&panel, sums)| self.part(panel, sums.as_ref())).collect();
        let map = Map { lines: states.map(line).collect(), cells: task.width, parts, most: NAMES.len(), outlined, largest };
        let told = sums.iter().map(|sums| sums.map(|sums| [sums.cells, sums.rule, sums.signs])).collect();
        Shown {
            target: self.target,
            lines: task.shown,
            heads: (heads(&self.config.model), self.head()),
            about: about(&self.config.model),
            query: self.query,
            words: self.words(&sums),
            longest: self.longest(),
            sums: told,
            map,
        }
    }

    /// The levels of one state's cells in a panel.
    fn levels(&self, panel: (usize, AttributionSource), positions: Option<Range<usize>>) -> Vec<u8> {
        let (Some(reads), Some(positions)) = (self.known(panel).filter(|reads| reads.source != AttributionSource::Memory), positions)
        else {
            return Vec::new();
        };
        let shares = self.shares(reads);
        let of = |position: usize| position.checked_sub(reads.first).and_then(|place| shares.get(place)).map_or(0, |share| level(*share));
        positions.map(of).collect()
    }

    fn sums(&self, panel: (usize, AttributionSource), places: &[StatePlaces]) -> Option<Sums> {
        let reads = self.known(panel).filter(|reads| reads.source != AttributionSource::Memory)?;
        let (state, first, count) = origin(self.task(), self.target);
        let rule = self.task().rule_places(self.sample, self.target.depth(self.task()));
        let mut sums = Sums::default();
        for (place, share) in self.shares(reads).into_iter().enumerate() {
            let position = reads.first + place;
            let of = places.iter().find(|places| places.positions.contains(&position));
            match of {
                Some(of) => {
                    sums.cells += share;
                    let cell = position - of.positions.start;
                    let inside = (cell + self.task().width - first) % self.task().width < count;
                    sums.source += if of.state == state && inside { share } else { 0.0 };
                }
                None if rule.contains(&position) => sums.rule += share,
                None => sums.signs += share,
            }
        }
        Some(sums)
    }

    fn part(&self, panel: (usize, AttributionSource), sums: Option<&Sums>) -> Part {
        let (layer, source) = (panel.0 + 1, panel.1);
        let name = match (source, self.config.model.kind) {
            (AttributionSource::Memory, _) => format!("layer {layer}: memory"),
            (AttributionSource::Attention, ModelKind::Armt) => format!("layer {layer}: attention"),
            (AttributionSource::Attention | AttributionSource::State, _) => format!("layer {layer}"),
        };
        if source == AttributionSource::Memory {
            let shares = self.known(panel).map(|reads| self.shares(reads));
            let told = shares.as_ref().map_or("– from rows –".into(), |shares| most(shares));
            let bands = shares.map_or(vec![0; self.task().shown - 1], |shares| shares.into_iter().map(level).collect());
            return Part { caption: format!("{name}\n{told}"), name, bands: Some(bands) };
        }
        // Whole percents, so that the caption fits the width of its panel.
        let share = |of: fn(&Sums) -> f64| sums.map_or("–".into(), |sums| format!("{:.0} %", 100.0 * of(sums)));
        let caption = format!("{name}\n{} outlined, {} signs", share(|sums| sums.source), share(|sums| sums.signs));
        Part { caption, name, bands: None }
    }

    /// The target in a sentence.
    fn target_sentence(&self) -> String {
        let depth = self.target.depth(self.task());
        let heads = match (heads(&self.config.model), self.head()) {
            (0, _) => String::new(),
            (count, 0) => format!(", mean of {count} heads"),
            (_, head) => format!(", head {head}"),
        };
        format!("Predicting row {}, cell {} (k = {depth}){heads}.", self.task().shown + depth, self.target.cell + 1)
    }

    /// The attribution in a few sentences.
    fn words(&self, sums: &[Option<Sums>]) -> String {
        let place = self.target_sentence();
        if self.layers.is_none() {
            return format!("{place} Its attribution is known once a run has been measured.");
        }
        let read = self.panels().iter().find_map(|&panel| self.known(panel).filter(|reads| reads.source != AttributionSource::Memory));
        let read = read.and_then(|reads| reads.shares.get(self.target.cell)?.first()).map_or(1, Vec::len);
        // A segment may not contain the row.
        let (_, _, count) = origin(self.task(), self.target);
        let even = count.min(read) as f64 / read as f64;
        let memory = self.panels().into_iter().filter(|panel| panel.1 == AttributionSource::Memory).filter_map(|panel| self.known(panel));
        let memory: Vec<(usize, String)> = memory.map(|reads| (reads.layer, most(&self.shares(reads)))).collect();
        format!("{place} {}", self.sum_sentences(sums, even, &memory))
    }

    /// The text with the longest numbers.
    fn longest(&self) -> String {
        let sum = Sums { cells: LONGEST, source: LONGEST, rule: LONGEST, signs: LONGEST };
        let panels = self.panels();
        let sums: Vec<Option<Sums>> = panels.iter().map(|(_, source)| (*source != AttributionSource::Memory).then_some(sum)).collect();
        let memory = panels.iter().filter(|(_, source)| *source == AttributionSource::Memory);
        let memory: Vec<(usize, String)> = memory.map(|&(layer, _)| (layer, from_rows(LONGEST, self.task().shown))).collect();
        format!("{} {}", self.target_sentence(), self.sum_sentences(&sums, LONGEST, &memory))
    }

    /// `even` is the share of the determining cells if all positions had the same; `memory` has what each layer reads from memory.
    fn sum_sentences(&self, sums: &[Option<Sums>], even: f64, memory: &[(usize, String)]) -> String {
        let task = self.task();
        let (_, _, count) = origin(task, self.target);
        let each = |of: fn(&Sums) -> f64| -> String {
            let known = sums.iter().zip(self.panels()).filter_map(|(sums, panel)| Some((panel.0 + 1, percent(of(sums.as_ref()?)))));
            known.map(|(layer, share)| format!("layer {layer} {share}")).collect::<Vec<_>>().join(", ")
        };
        let even = percent(even);
        let cells = format!("On the {count} cells that determine it: {} (an even spread would give {even}).", each(|sums| sums.source));
        let signs = format!("On signs: {}.", each(|sums| sums.signs));
        let rule = match task.layout {
            Layout::OrbitRuleState | Layout::RuleOrbitState => format!(" On the rule's entries: {}.", each(|sums| sums.rule)),
            Layout::OrbitState | Layout::OrbitOrbit | Layout::ChainOfThought => String::new(),
        };
        let memory: Vec<String> = memory.iter().map(|(layer, told)| format!("layer {} {told}", layer + 1)).collect();
        let memory = if memory.is_empty() { String::new() } else { format!(" From memory: {}.", memory.join(", ")) };
        format!("{cells} {signs}{rule}{memory}")
    }
}

/// A share that is as long in words as any.
const LONGEST: f64 = 0.999;

/// The segment with the largest share, in words.
fn most(shares: &[f64]) -> String {
    let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, share)| **share > 0.0);
    best.map_or("nothing".into(), |(at, share)| from_rows(*share, at + 2))
}

fn from_rows(share: f64, last: usize) -> String {
    format!("{} from rows {} and {last}", percent(share), last - 1)
}

/// The level of a share in 0 ..= 1, counted from 1.
fn level(share: f64) -> u8 {
    1 + LEVELS.iter().filter(|&&from| share * f64::from(FULL_SHARE) >= f64::from(from)).count() as u8
}

/// What attribution means for this kind of network: a sentence around a term, whose key is also the glossary's. `loops` says what is shown if
/// layers are applied several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    pub before: &'static str,
    pub key: &'static str,
    pub after: &'static str,
    pub loops: &'static str,
}

fn about(model: &ModelConfig) -> About {
    let (before, key, after) = match model.kind {
        ModelKind::GptNeox => ("Each layer looks back: by ", "attention", " it divides its reading among all earlier positions."),
        ModelKind::Lstm => (
            "An LSTM cannot look back. It keeps a ",
            "state",
            ". The colour shows how much of what it reads from the state each token has written.",
        ),
        ModelKind::Mamba => (
            "Mamba cannot look back. It keeps a ",
            "state",
            ". The colour shows how much of what it reads from the state each token has written, mixed with the three tokens before it.",
        ),
        ModelKind::DeltaNet => ("The page does not show yet what DeltaNet reads from its ", "state", "."),
        ModelKind::Armt => (
            "By attention a layer looks back only inside the last segment. Each earlier segment, two rows, has written into its ",
            "memory",
            ". A band shows how much of what the layer reads there comes from which two rows.",
        ),
    };
    let loops = match model.looped {
        Looped::None => "",
        Looped::Layer | Looped::Stack => " You see the mean over a layer's hops, as the network weighs them for this cell.",
        Looped::Fixed => " You see the mean over all applications of a layer.",
    };
    About { before, key, after, loops }
}
