//! One run as the page stores it: its configuration, and all results that the worker has reported.

use crate::config::fields::FIELDS;
use crate::config::link::Link;
use crate::config::presets::{self, Preset};
use crate::config::shipped;
use crate::config::{Method, ModelKind, RunConfig, SentScore, Start};
use crate::protocol::Engine;
use crate::replay::Fingerprint;
use crate::results::{Completion, DepthScore, Ending, Prediction, StepReward};
use crate::task::{Split, Task};
use serde::{Deserialize, Serialize};

/// Accuracy after `step` steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub step: u64,
    /// Training time so far in seconds, without pauses and measurements.
    pub seconds: f64,
    pub split: Split,
    pub depths: Vec<DepthScore>,
}

/// A run, in progress or finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: usize,
    /// What it does: see [`name_of`].
    pub name: String,
    pub config: RunConfig,
    /// Its colour and marker: an index into the chart's colours and markers.
    pub series: usize,
    /// Whether the charts draw it.
    pub visible: bool,
    pub engine: Option<Engine>,
    /// Number of the model's parameters.
    pub parameters: usize,
    /// One loss per step, from step 1.
    pub losses: Vec<f32>,
    /// For a run with rewards: a summary per step from step 1, then the newest and the first completions of one prompt.
    pub rewards: Vec<StepReward>,
    pub group: Vec<Completion>,
    pub first_group: Vec<Completion>,
    /// The steps that drew these two groups.
    pub group_step: u64,
    pub first_group_step: u64,
    pub seconds: f64,
    /// Training time before the present worker took over, in seconds.
    pub earlier: f64,
    pub measured: Vec<Measurement>,
    /// Answers of the newest measurement, and the split of its questions.
    pub predictions: Vec<Prediction>,
    pub split: Split,
    /// Answers of the newest measurement on validation rules, once `predictions` are of test rules: the picture goes on showing these questions.
    #[serde(default)]
    pub practice: Vec<Prediction>,
    /// The step whose weights measured best.
    pub best_step: Option<u64>,
    pub ending: Option<Ending>,
    /// Whether these are saved weights that were opened and measured, without training.
    pub opened: bool,
}

impl Run {
    pub fn new(id: usize, series: usize, config: RunConfig) -> Self {
        Self {
            id,
            name: name_of(&config),
            config,
            series,
            visible: true,
            engine: None,
            parameters: 0,
            losses: Vec::new(),
            rewards: Vec::new(),
            group: Vec::new(),
            first_group: Vec::new(),
            group_step: 0,
            first_group_step: 0,
            seconds: 0.0,
            earlier: 0.0,
            measured: Vec::new(),
            predictions: Vec::new(),
            split: Split::Validation,
            practice: Vec::new(),
            best_step: None,
            ending: None,
            opened: false,
        }
    }

    /// A saved model that was opened.
    pub fn opened(id: usize, series: usize, config: RunConfig) -> Self {
        let (kind, layers) = (config.model.kind.name(), config.model.layers);
        let plain = || format!("Opened: {kind}, {layers} {}", if layers == 1 { "layer" } else { "layers" });
        let name = shipped::trained_by(&config).map_or_else(plain, |shipped| format!("Opened: {}", shipped.label));
        Self { name, opened: true, ..Self::new(id, series, config) }
    }

    /// Whether the run has losses or a measurement.
    pub fn begun(&self) -> bool {
        !self.losses.is_empty() || !self.measured.is_empty()
    }

    /// Its task and seed: see [`subject`].
    pub fn subject(&self) -> (Task, u64) {
        subject(&self.config)
    }

    /// Number of completed steps.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// Changes the step at which the run ends, and its name accordingly.
    pub fn reach(&mut self, steps: u64) {
        self.config.training.steps = steps;
        self.name = name_of(&self.config);
    }

    /// Drops all results after `step` steps, for a run that continues from a snapshot.
    pub fn rewind(&mut self, step: u64) {
        self.losses.truncate(step as usize);
        self.rewards.truncate(step as usize);
        self.measured.retain(|measurement| measurement.step <= step);
        self.ending = None;
        self.earlier = self.measured.last().map_or(0.0, |measurement| measurement.seconds);
        self.seconds = self.earlier;
    }

    /// Stores the losses of the steps from `first` on, counted from 1. They replace earlier losses of those steps.
    pub fn add_losses(&mut self, first: u64, losses: &[f32], seconds: f64) {
        self.losses.truncate(first.saturating_sub(1) as usize);
        self.losses.extend_from_slice(losses);
        self.seconds = self.earlier + seconds;
    }

    /// Stores the rewards of the steps from `first` on, counted from 1. They replace earlier rewards of those steps.
    pub fn add_rewards(&mut self, first: u64, steps: &[StepReward], group: Vec<Completion>) {
        self.rewards.truncate(first.saturating_sub(1) as usize);
        self.rewards.extend_from_slice(steps);
        self.group_step = self.rewards.len() as u64;
        if self.first_group.is_empty() || self.group_step <= self.first_group_step {
            self.first_group.clone_from(&group);
            self.first_group_step = self.group_step;
        }
        self.group = group;
    }

    pub fn add_measurement(&mut self, measurement: Measurement, predictions: Vec<Prediction>, best: bool) {
        self.measured.retain(|earlier| earlier.step < measurement.step);
        if best {
            self.best_step = Some(measurement.step);
        }
        let before = std::mem::replace(&mut self.predictions, predictions);
        match (self.split, measurement.split) {
            (Split::Validation, Split::Test) => self.practice = before,
            (_, Split::Validation | Split::Train) => self.practice.clear(),
            (Split::Train | Split::Test, Split::Test) => {}
        }
        self.split = measurement.split;
        self.measured.push(Measurement { seconds: self.earlier + measurement.seconds, ..measurement });
    }

    /// Whether it was trained here to its own end. Only such runs are compared.
    pub fn complete(&self) -> bool {
        match self.ending {
            Some(Ending::Reached | Ending::Target) => self.latest().is_some(),
            Some(Ending::Stopped | Ending::Opened) | None => false,
        }
    }

    pub fn latest(&self) -> Option<&Measurement> {
        self.measured.last()
    }

    pub fn last_loss(&self) -> Option<f32> {
        self.losses.last().copied()
    }

    /// The fingerprint of its losses so far; `None` before the first step.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        Fingerprint::of(self.engine.as_ref()?.class, &self.losses)
    }

    /// Its link's fragment, with the fingerprint if there is one, and with its scores if it is complete.
    pub fn fragment(&self) -> String {
        let score = |score: &DepthScore| SentScore { depth: score.depth, exact: score.exact, samples: score.samples };
        let told = self.latest().filter(|_| self.complete()).map(|measured| measured.depths.iter().map(score).collect());
        Link { config: self.config.clone(), fingerprint: self.fingerprint(), scores: told.unwrap_or_default() }.seal()
    }
}

/// Number of runs that the charts can distinguish.
const SERIES: usize = 36;

/// The first series without a run, or else the least used one.
pub fn free_series(taken: impl Iterator<Item = usize>) -> usize {
    let mut uses = [0; SERIES];
    for series in taken {
        uses[series % SERIES] += 1;
    }
    (0..SERIES).min_by_key(|&series| uses[series]).unwrap_or(0)
}

/// The task and seed of a run. The layout in segments is left out, because it does not change the questions.
pub fn subject(config: &RunConfig) -> (Task, u64) {
    (Task { segmented: false, ..config.task }, config.seed)
}

/// The start of a run, in a few words.
fn start_of(config: &RunConfig) -> String {
    match &config.start {
        Start::Scratch => "new weights".into(),
        Start::Shipped(name) => format!("from {name}"),
        Start::File(_) => "from a file".into(),
        Start::Run(run) => format!("after {}", name_of(run)),
    }
}

/// The keys of fields that a name tells in words: the method, the network and the depth.
const TOLD: [&str; 8] = ["model", "k", "horizon", "layout", "loop", "hops", "learn", "new"];

/// The name of a run: that of its preset, or what it does and what differs from the nearest preset that does the same: “Straight, k = 2”,
/// “Thinking aloud, k = 1 … 4, seed=3”, “Straight, LSTM, k = 1, with 7 changes”.
pub fn name_of(config: &RunConfig) -> String {
    if let Some(preset) = presets::all().find(|preset| (preset.config)() == *config) {
        return preset.label.into();
    }
    // Computed once, because it names the run before this one, and so on.
    let start = start_of(config);
    let method = Method::of(config);
    let alike = |preset: &&Preset| {
        let other = (preset.config)();
        Method::of(&other) == method && other.model.kind == config.model.kind
    };
    let differing = |preset: &Preset| -> Vec<String> {
        let other = (preset.config)();
        let fields = FIELDS.iter().filter(|field| !TOLD.contains(&field.key) && field.applies(config));
        let changes = fields.filter(|field| (field.get)(config) != (field.get)(&other));
        changes
            .map(|field| format!("{}={}", field.key, (field.get)(config)))
            .chain((config.start != other.start && config.start != Start::Scratch).then(|| start.clone()))
            .collect()
    };
    let changes = presets::all().filter(alike).map(differing).min_by_key(Vec::len);
    let network = match config.model.kind {
        ModelKind::GptNeox => String::new(),
        kind @ (ModelKind::Lstm | ModelKind::Mamba | ModelKind::Armt | ModelKind::DeltaNet) => format!(", {}", kind.name()),
    };
    let depths = config.task.depths();
    let depth = match (depths.first(), depths.last()) {
        (Some(first), Some(last)) if first != last => format!(", k = {first} … {last}"),
        (_, Some(last)) => format!(", k = {last}"),
        (_, None) => String::new(),
    };
    let changed = match changes {
        Some(changes) if changes.is_empty() => String::new(),
        Some(changes) if changes.len() <= 3 => format!(", {}", changes.join(", ")),
        Some(changes) => format!(", with {} changes", changes.len()),
        None => String::new(),
    };
    format!("{}{network}{depth}{changed}", method.name())
}
