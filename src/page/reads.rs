//! What a network reads, from shares by position to cells, levels and sentences. Nothing here draws.

use super::charts::cells::{Line, Map, Part};
use super::look::Ask;
use super::words::percent;
use crate::config::{Looped, ModelConfig, ModelKind, RunConfig};
use crate::protocol::{LayerReads, Reading, WHOLE};
use crate::task::{Layout, Sample, StatePlaces, Task};
use std::ops::Range;

/// Shares from which on a level begins, in parts of [`WHOLE`], and what the levels are called.
const LEVELS: [u16; 4] = [100, 300, 1_000, 3_000];
pub const NAMES: [&str; 5] = ["under 1 %", "1 %", "3 %", "10 %", "30 % and more"];

/// The answered cell that is looked at: the number of its row among those asked, and its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    pub asked: usize,
    pub cell: usize,
}

impl Target {
    /// The answered cell that is pointed at (a line of the map and a cell), else the one before, else the middle cell of the first answer, whose
    /// neighbours stand around it; within a valid task's rows.
    pub fn of(pointed: Option<(usize, usize)>, before: Option<Self>, task: &Task) -> Self {
        let pointed = pointed.and_then(|(line, cell)| Some(Self { asked: line.checked_sub(task.shown)?, cell }));
        let Self { asked, cell } = pointed.or(before).unwrap_or(Self { asked: 0, cell: task.width / 2 });
        Self { asked: asked.min(task.depths().len() - 1), cell: cell.min(task.width - 1) }
    }

    pub fn depth(self, task: &Task) -> usize {
        task.depths()[self.asked]
    }
}

/// What one layer reads at the target, added up, as shares of 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    /// All cells, and those that the target follows from.
    cells: f64,
    source: f64,
    rule: f64,
    signs: f64,
}

/// Everything about one target.
pub struct View<'a> {
    pub config: &'a RunConfig,
    pub sample: &'a Sample,
    pub target: Target,
    /// 0 for the mean of all heads, else the number of one.
    pub head: usize,
    pub layers: Option<&'a [LayerReads]>,
    /// What to ask the worker, once something is known of the question.
    pub ask: Option<Ask>,
}

/// What the card shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub map: Map,
    pub target: Target,
    /// How many of its lines are not asked.
    lines: usize,
    /// How many heads there are to choose from, none where there are no several, and which is on show: 0 for their mean.
    pub heads: (usize, usize),
    pub about: About,
    pub ask: Option<Ask>,
    pub words: String,
    /// What the panels add up to, told to tests: cells, rule, signs.
    pub sums: Vec<Option<[f64; 3]>>,
}

impl Shown {
    /// The target's place in the map.
    pub fn place(&self) -> (usize, usize) {
        (self.lines + self.target.asked, self.target.cell)
    }

    /// The place of the cell so many further, through all answered rows.
    pub fn beside(&self, by: isize) -> (usize, usize) {
        let (width, asked) = (self.map.cells, self.map.lines.len() - self.lines);
        let place = (self.target.asked * width + self.target.cell).saturating_add_signed(by).min(asked * width - 1);
        (self.lines + place / width, place % width)
    }

    /// The head on show.
    pub fn head(&self) -> String {
        match self.heads {
            (count, 0) => format!("mean of {count} heads"),
            (count, head) => format!("head {head} of {count}"),
        }
    }

    /// The sums of all panels, those of a panel between semicolons.
    pub fn sums_as_text(&self) -> String {
        let text = |sums: &Option<[f64; 3]>| sums.map_or("-".into(), |sums| sums.map(|share| format!("{share:.4}")).join(" "));
        self.sums.iter().map(text).collect::<Vec<_>>().join(";")
    }
}

/// Heads to choose from; none where nothing has heads, or one.
fn heads(model: &ModelConfig) -> usize {
    match model.kind {
        ModelKind::GptNeox | ModelKind::Armt if model.heads > 1 => model.heads,
        ModelKind::GptNeox | ModelKind::Armt | ModelKind::Lstm | ModelKind::Mamba | ModelKind::DeltaNet => 0,
    }
}

/// The state that the target truly follows from, and how many of its cells from which on, on a ring: the row before in a chain of thought, else
/// the last row shown.
fn source(task: &Task, target: Target) -> (usize, usize, usize) {
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

    /// The head on show.
    fn head(&self) -> usize {
        self.head.min(heads(&self.config.model))
    }

    /// Where the tokens of each state's cells stand in the sequence that asks for the target.
    fn places(&self) -> Vec<StatePlaces> {
        let token = |places: StatePlaces| {
            // An answer's cells are predicted from the position before them.
            let Range { start, end } = places.positions;
            let by = usize::from(places.state >= self.task().shown);
            StatePlaces { positions: start + by..end + by, ..places }
        };
        self.task().places(self.sample, self.target.depth(self.task())).into_iter().map(token).collect()
    }

    /// A layer's shares at the target: the mean over the heads, or one of them.
    fn shares(&self, layer: &LayerReads) -> Vec<f64> {
        let Some(heads) = layer.shares.get(self.target.cell) else { return Vec::new() };
        let chosen = match self.head() {
            head if head > 0 && heads.len() > 1 => &heads[head - 1..head],
            _ => &heads[..],
        };
        let mean = |place: usize| chosen.iter().map(|head| f64::from(head[place])).sum::<f64>() / (chosen.len() as f64 * f64::from(WHOLE));
        (0..chosen.first().map_or(0, Vec::len)).map(mean).collect()
    }

    /// Names and readings of the panels, whether or not they are known.
    fn panels(&self) -> Vec<(usize, Reading)> {
        let model = &self.config.model;
        let readings: &[Reading] = match model.kind {
            ModelKind::GptNeox => &[Reading::Attention],
            ModelKind::Lstm | ModelKind::Mamba => &[Reading::State],
            ModelKind::Armt => &[Reading::Memory, Reading::Attention],
            ModelKind::DeltaNet => &[],
        };
        (0..model.layers).flat_map(|layer| readings.iter().map(move |reading| (layer, *reading))).collect()
    }

    fn known(&self, (layer, reading): (usize, Reading)) -> Option<&LayerReads> {
        self.layers?.iter().find(|reads| (reads.layer, reads.reading) == (layer, reading))
    }

    /// The panels and the words.
    pub fn show(&self, largest: f64) -> Shown {
        let task = self.task();
        let (places, panels) = (self.places(), self.panels());
        let states = (0..task.shown).chain(task.depths().into_iter().map(|depth| task.shown - 1 + depth));
        let line = |state: usize| {
            let positions = places.iter().find(|places| places.state == state).map(|places| places.positions.clone());
            let levels = panels.iter().map(|&panel| self.levels(panel, positions.clone())).collect();
            Line { row: state + 1, asked: state >= task.shown, levels: Some(levels) }
        };
        let (state, first, count) = source(task, self.target);
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
            ask: self.ask,
            words: self.words(&sums),
            sums: told,
            map,
        }
    }

    /// The levels of one state's cells in a panel.
    fn levels(&self, panel: (usize, Reading), positions: Option<Range<usize>>) -> Vec<u8> {
        let (Some(reads), Some(positions)) = (self.known(panel).filter(|reads| reads.reading != Reading::Memory), positions) else {
            return Vec::new();
        };
        let shares = self.shares(reads);
        let of = |position: usize| position.checked_sub(reads.first).and_then(|place| shares.get(place)).map_or(0, |share| level(*share));
        positions.map(of).collect()
    }

    fn sums(&self, panel: (usize, Reading), places: &[StatePlaces]) -> Option<Sums> {
        let reads = self.known(panel).filter(|reads| reads.reading != Reading::Memory)?;
        let (state, first, count) = source(self.task(), self.target);
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

    fn part(&self, panel: (usize, Reading), sums: Option<&Sums>) -> Part {
        let (layer, reading) = (panel.0 + 1, panel.1);
        let name = match (reading, self.config.model.kind) {
            (Reading::Memory, _) => format!("layer {layer}: memory"),
            (Reading::Attention, ModelKind::Armt) => format!("layer {layer}: attention"),
            (Reading::Attention | Reading::State, _) => format!("layer {layer}"),
        };
        if reading == Reading::Memory {
            let shares = self.known(panel).map(|reads| self.shares(reads));
            let told = shares.as_ref().map_or("– from rows –".into(), |shares| most(shares));
            let bands = shares.map_or(vec![0; self.task().shown - 1], |shares| shares.into_iter().map(level).collect());
            return Part { caption: format!("{name}\n{told}"), name, bands: Some(bands) };
        }
        // Whole, so that no caption is longer than its panel is wide.
        let share = |of: fn(&Sums) -> f64| sums.map_or("–".into(), |sums| format!("{:.0} %", 100.0 * of(sums)));
        let caption = format!("{name}\n{} outlined, {} signs", share(|sums| sums.source), share(|sums| sums.signs));
        Part { caption, name, bands: None }
    }

    /// What is read, in a few sentences.
    fn words(&self, sums: &[Option<Sums>]) -> String {
        let task = self.task();
        let depth = self.target.depth(task);
        let heads = match (heads(&self.config.model), self.head()) {
            (0, _) => String::new(),
            (count, 0) => format!(", mean of {count} heads"),
            (_, head) => format!(", head {head}"),
        };
        let place = format!("Predicting row {}, cell {} (k = {depth}){heads}.", task.shown + depth, self.target.cell + 1);
        if self.layers.is_none() {
            return format!("{place} What is read for it is known once a run has been measured.");
        }
        let (_, _, count) = source(task, self.target);
        let each = |of: fn(&Sums) -> f64| -> String {
            let known = sums.iter().zip(self.panels()).filter_map(|(sums, panel)| Some((panel.0 + 1, percent(of(sums.as_ref()?)))));
            known.map(|(layer, share)| format!("layer {layer} {share}")).collect::<Vec<_>>().join(", ")
        };
        let read = self.panels().iter().find_map(|&panel| self.known(panel).filter(|reads| reads.reading != Reading::Memory));
        let read = read.and_then(|reads| reads.shares.get(self.target.cell)?.first()).map_or(1, Vec::len);
        // In a segment the row may not stand at all.
        let even = percent(count.min(read) as f64 / read as f64);
        let cells = format!("On the {count} cells that it follows from: {}; spread evenly it would be {even}.", each(|sums| sums.source));
        let signs = format!("On signs: {}.", each(|sums| sums.signs));
        let rule = match task.layout {
            Layout::OrbitRuleState | Layout::RuleOrbitState => format!(" On the rule's entries: {}.", each(|sums| sums.rule)),
            Layout::OrbitState | Layout::OrbitOrbit | Layout::ChainOfThought => String::new(),
        };
        let memory = self.panels().into_iter().filter(|panel| panel.1 == Reading::Memory).filter_map(|panel| self.known(panel));
        let memory: Vec<String> = memory.map(|reads| format!("layer {} {}", reads.layer + 1, most(&self.shares(reads)))).collect();
        let memory = if memory.is_empty() { String::new() } else { format!(" From memory: {}.", memory.join(", ")) };
        format!("{place} {cells} {signs}{rule}{memory}")
    }
}

/// The segment that most comes from.
fn most(shares: &[f64]) -> String {
    let best = shares.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).filter(|(_, share)| **share > 0.0);
    best.map_or("nothing".into(), |(at, share)| format!("{} from rows {} and {}", percent(*share), at + 1, at + 2))
}

/// The level of a share of 1, from 1 on.
fn level(share: f64) -> u8 {
    1 + LEVELS.iter().filter(|&&from| share * f64::from(WHOLE) >= f64::from(from)).count() as u8
}

/// What a read is for this kind of network: a sentence around a term, which is its key in the glossary too; and what is shown where layers are
/// applied several times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    pub before: &'static str,
    pub key: &'static str,
    pub after: &'static str,
    pub loops: &'static str,
}

fn about(model: &ModelConfig) -> About {
    let (before, key, after) = match model.kind {
        ModelKind::GptNeox => ("Each layer looks back: by ", "attention", " it divides one look among all that stands before."),
        ModelKind::Lstm => {
            ("An LSTM cannot look back. It keeps a ", "state", ": coloured is how much of what is read from it each token has left there.")
        }
        ModelKind::Mamba => (
            "Mamba cannot look back. It keeps a ",
            "state",
            ": coloured is how much of what is read from it each token, mixed with the three before it, has left there.",
        ),
        ModelKind::DeltaNet => ("What DeltaNet reads of its ", "state", " is not shown yet."),
        ModelKind::Armt => (
            "By attention a layer looks back in the last segment alone. What came before has written into its ",
            "memory",
            ", two rows at a time: a band says how much of what the layer finds there is from which two.",
        ),
    };
    let loops = match model.looped {
        Looped::None => "",
        Looped::Layer | Looped::Stack => " Shown is the mean over a layer's hops, as the network weighs them for this cell.",
        Looped::Fixed => " Shown is the mean over all applications of a layer.",
    };
    About { before, key, after, loops }
}
