//! Runs that wait for one another: the same settings with more and more layers, or a wider and wider model; or the paper's comparison in small.
//!
//! The queue goes on whenever no run is in progress, unless it is held. Stop holds it; a failure does not.

use super::run::{Run, name_of};
use super::state::{Failure, Page};
use super::{actions, sequel};
use crate::config::fields::{self, Field};
use crate::config::presets::{Preset, SMALL_PAPER};
use crate::config::{RunConfig, Start};
use crate::protocol::Ending;
use leptos::prelude::*;
use std::time::Duration;

/// The setting that a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Layers,
    Width,
}

impl Axis {
    pub const ALL: [Axis; 2] = [Axis::Layers, Axis::Width];

    /// Its field's key.
    pub fn key(self) -> &'static str {
        match self {
            Axis::Layers => "layers",
            Axis::Width => "d",
        }
    }

    /// What is counted along the chart.
    pub fn label(self) -> &'static str {
        match self {
            Axis::Layers => "layers",
            Axis::Width => "model width",
        }
    }

    /// The values offered at first.
    pub fn values(self) -> &'static str {
        match self {
            Axis::Layers => "1, 2, 3, 4, 6, 8, 12",
            Axis::Width => "16, 32, 48, 64, 96, 128",
        }
    }

    /// The value that a run has.
    pub fn of(self, config: &RunConfig) -> usize {
        match self {
            Axis::Layers => config.model.layers,
            Axis::Width => config.model.width,
        }
    }

    fn field(self) -> Option<&'static Field> {
        fields::field(self.key())
    }
}

/// A run that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    pub name: String,
    config: RunConfig,
}

impl Queued {
    /// A run of a sweep, whose name says the swept value even where too much else differs from every preset.
    fn swept(axis: Axis, config: RunConfig) -> Self {
        let (name, value) = (name_of(&config), format!("{}={}", axis.key(), axis.of(&config)));
        Self { name: if name.contains(&value) { name } else { format!("{name}, {value}") }, config }
    }
}

/// The queue, and what has happened to its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    pub axis: Axis,
    /// The values as typed.
    pub text: String,
    /// Runs that wait, the next one first.
    pub waiting: Vec<Queued>,
    /// The run that the queue began last.
    begun: Option<usize>,
    /// Whether the queue waits for somebody to let it go on.
    pub held: bool,
    /// Runs that failed, each in a sentence.
    pub failed: Vec<String>,
}

impl Sweep {
    /// Whether the queue began this run.
    pub fn began(&self, run: Option<usize>) -> bool {
        run.is_some() && self.begun == run
    }
}

impl Default for Sweep {
    fn default() -> Self {
        let axis = Axis::Layers;
        Self { axis, text: axis.values().into(), waiting: Vec::new(), begun: None, held: false, failed: Vec::new() }
    }
}

/// The runs that a list of values asks for, and a sentence for every value left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    pub runs: Vec<RunConfig>,
    pub left_out: Vec<String>,
}

/// Reads a list of values for the settings of `base`. Values that this page has trained already need no second run.
pub fn read(axis: Axis, text: &str, base: &RunConfig, done: &[Run]) -> Asked {
    let (mut asked, mut refused) = (Asked::default(), Vec::new());
    let Some(field) = axis.field() else { return asked };
    let parts = text.split(|letter: char| letter == ',' || letter == ';' || letter.is_whitespace()).filter(|part| !part.is_empty());
    for part in parts {
        let mut config = base.clone();
        let set = field.set(&mut config, part);
        let problem = || config.problems().into_iter().next().map(|problem| problem.sentence);
        match set {
            Err(sentence) => refused.push((part, sentence)),
            Ok(()) => match problem() {
                Some(sentence) => refused.push((part, sentence)),
                None if asked.runs.contains(&config) => asked.left_out.push(format!("{part} stands twice and is trained once.")),
                None if done.iter().any(|run| run.config == config && complete(run)) => {
                    asked.left_out.push(format!("{part} has been trained on this page already."));
                }
                None => asked.runs.push(config),
            },
        }
    }
    // A reason that holds for many values is told once.
    while let Some((_, sentence)) = refused.first().cloned() {
        let alike: Vec<&str> = refused.extract_if(.., |(_, other)| *other == sentence).map(|(part, _)| part).collect();
        let verb = if alike.len() == 1 { "is" } else { "are" };
        asked.left_out.push(format!("{} {verb} left out: {sentence}", alike.join(", ")));
    }
    asked
}

/// Whether a run was trained here to its own end, so that it may be compared.
pub fn complete(run: &Run) -> bool {
    match run.ending {
        Some(Ending::Reached | Ending::Target) => run.latest().is_some(),
        Some(Ending::Stopped | Ending::Opened) | None => false,
    }
}

/// Puts the runs of the form's list into the queue.
pub fn queue(page: Page) {
    let base = page.form.with_untracked(|form| form.config.clone());
    let asked = page.sweep.with_untracked(|sweep| page.runs.with_untracked(|runs| read(sweep.axis, &sweep.text, &base, runs)));
    let axis = page.sweep.with_untracked(|sweep| sweep.axis);
    put(page, asked.runs.into_iter().map(|config| Queued::swept(axis, config)));
}

/// The runs of the paper in small that this page has not trained yet.
pub fn small_paper(page: Page) -> Vec<Queued> {
    let run = |preset: &Preset| {
        let config = (preset.config)();
        Queued { name: name_of(&config), config }
    };
    let trained = |queued: &Queued| page.runs.with(|runs| runs.iter().any(|run| run.config == queued.config && complete(run)));
    SMALL_PAPER.iter().map(run).filter(|queued| !trained(queued)).collect()
}

/// Puts them into the queue.
pub fn queue_small_paper(page: Page) {
    let runs = untrack(|| small_paper(page));
    // Its ceiling and floors are then drawn beside it to the end.
    if let Some(first) = runs.first() {
        actions::fill(page, first.config.clone());
    }
    put(page, runs.into_iter());
}

fn put(page: Page, runs: impl Iterator<Item = Queued>) {
    page.sweep.update(|sweep| {
        sweep.failed.clear();
        sweep.held = false;
        for queued in runs {
            if !sweep.waiting.contains(&queued) {
                sweep.waiting.push(queued);
            }
        }
    });
    advance(page);
}

/// Whether a run that waits, in a queue that goes on, starts from the current one, at once or by others.
pub fn awaits_weights(page: Page) -> bool {
    let Some(current) = untrack(|| page.with_current(|run| Start::from_run(&run.config))) else { return false };
    let behind = |queued: &Queued| queued.config.firsts().any(|first| Start::from_run(&first) == current);
    page.sweep.with_untracked(|sweep| !sweep.held && sweep.waiting.iter().any(behind))
}

/// Begins the next run, if nothing stands against it.
pub fn advance(page: Page) {
    let stands = page.phase.get_untracked().active() || page.sweep.with_untracked(|sweep| sweep.held || sweep.waiting.is_empty());
    if stands {
        return;
    }
    let Some(next) = page.sweep.try_update(|sweep| sweep.waiting.remove(0)) else { return };
    sequel::begin(page, next.config, Some(next.name));
    let begun = page.current.get_untracked();
    page.sweep.update(|sweep| sweep.begun = begun);
}

/// The run that the queue began has gone over into the one that starts from it.
pub fn went_on(page: Page, before: Option<usize>) {
    let current = page.current.get_untracked();
    if page.sweep.with_untracked(|sweep| sweep.began(before)) {
        page.sweep.update(|sweep| sweep.begun = current);
    }
}

/// As [`advance`], after what is being done now has been done.
pub fn advance_soon(page: Page) {
    if page.sweep.with_untracked(|sweep| !sweep.waiting.is_empty()) {
        set_timeout(move || advance(page), Duration::ZERO);
    }
}

/// Somebody stopped a run: what waits goes on waiting.
pub fn hold(page: Page) {
    if page.sweep.with_untracked(|sweep| !sweep.waiting.is_empty()) {
        page.sweep.update(|sweep| sweep.held = true);
    }
}

/// Lets the queue go on.
pub fn go_on(page: Page) {
    page.sweep.update(|sweep| sweep.held = false);
    advance(page);
}

/// Takes everything that waits off the queue; the run in progress goes on.
pub fn clear(page: Page) {
    page.sweep.update(|sweep| {
        sweep.waiting.clear();
        sweep.held = false;
    });
}

/// Takes one run off the queue.
pub fn drop_one(page: Page, position: usize) {
    page.sweep.update(|sweep| {
        if position < sweep.waiting.len() {
            sweep.waiting.remove(position);
        }
    });
}

/// A run failed: if it was the queue's, that is kept in a sentence, since the next run clears the page's own banner.
pub fn failed(page: Page, failure: &Failure) {
    let current = page.current.get_untracked();
    if page.sweep.with_untracked(|sweep| sweep.began(current)) {
        let name = page.runs.with_untracked(|runs| runs.iter().find(|run| Some(run.id) == current).map(|run| run.name.clone()));
        let sentence = format!("{} failed: {}", name.unwrap_or_else(|| "A run".into()), failure.sentence);
        page.sweep.update(|sweep| {
            sweep.begun = None;
            sweep.failed.push(sentence);
        });
    }
    advance_soon(page);
}
