//! One run as the page keeps it: what was asked, and all that came back.

use crate::config::fields::FIELDS;
use crate::config::link;
use crate::config::presets::{self, Preset};
use crate::config::{RunConfig, Start};
use crate::protocol::{DepthScore, Ending, Engine, Prediction, Sampled, StepReward};
use crate::replay::Fingerprint;
use crate::task::{Split, Task};
use serde::{Deserialize, Serialize};

/// Accuracy after `step` steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub step: u64,
    /// Training time so far, pauses and measurements left out.
    pub seconds: f64,
    pub split: Split,
    pub depths: Vec<DepthScore>,
}

/// A run, in progress or over.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub id: usize,
    /// What tells it from a preset: see [`name_of`].
    pub name: String,
    pub config: RunConfig,
    /// Its colour and marker: an index into [`super::charts::series`].
    pub series: usize,
    /// Whether the charts draw it.
    pub visible: bool,
    pub engine: Option<Engine>,
    /// Trained numbers of the model.
    pub parameters: usize,
    /// One loss a step, from step 1.
    pub losses: Vec<f32>,
    /// What a policy drew, one a step from step 1, and the newest completions of one prompt and the first ones.
    pub rewards: Vec<StepReward>,
    pub group: Vec<Sampled>,
    pub first_group: Vec<Sampled>,
    /// The steps that drew them.
    pub group_step: u64,
    pub first_group_step: u64,
    pub seconds: f64,
    /// Training time before the worker that now computes took over.
    pub earlier: f64,
    pub measured: Vec<Measurement>,
    /// Answers of the newest measurement, and the split its questions are from.
    pub predictions: Vec<Prediction>,
    pub split: Split,
    /// The step whose weights measured best.
    pub best_step: Option<u64>,
    pub ending: Option<Ending>,
    /// Saved weights that were opened and measured; nothing was trained here.
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
            best_step: None,
            ending: None,
            opened: false,
        }
    }

    /// A saved model that was opened.
    pub fn opened(id: usize, series: usize, config: RunConfig) -> Self {
        let (kind, layers) = (config.model.kind.name(), config.model.layers);
        let name = format!("Opened: {kind}, {layers} {}", if layers == 1 { "layer" } else { "layers" });
        Self { name, opened: true, ..Self::new(id, series, config) }
    }

    /// Whether there is anything to keep: losses or a measurement.
    pub fn begun(&self) -> bool {
        !self.losses.is_empty() || !self.measured.is_empty()
    }

    /// What it is asked: see [`subject`].
    pub fn subject(&self) -> (Task, u64) {
        subject(&self.config)
    }

    /// Steps made.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// Sets another step to end at; its name says so too.
    pub fn reach(&mut self, steps: u64) {
        self.config.training.steps = steps;
        self.name = name_of(&self.config);
    }

    /// Back to what was known after `step` steps, for a run that goes on from a snapshot.
    pub fn rewind(&mut self, step: u64) {
        self.losses.truncate(step as usize);
        self.rewards.truncate(step as usize);
        self.measured.retain(|measurement| measurement.step <= step);
        self.ending = None;
        self.earlier = self.measured.last().map_or(0.0, |measurement| measurement.seconds);
        self.seconds = self.earlier;
    }

    /// Takes over the losses of the steps from `first`, counted from 1. What was known of those steps gives way.
    pub fn add_losses(&mut self, first: u64, losses: &[f32], seconds: f64) {
        self.losses.truncate(first.saturating_sub(1) as usize);
        self.losses.extend_from_slice(losses);
        self.seconds = self.earlier + seconds;
    }

    /// Takes over what a policy drew in the steps from `first` on.
    pub fn add_rewards(&mut self, first: u64, steps: &[StepReward], group: Vec<Sampled>) {
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
        self.split = measurement.split;
        self.predictions = predictions;
        self.measured.push(Measurement { seconds: self.earlier + measurement.seconds, ..measurement });
    }

    pub fn latest(&self) -> Option<&Measurement> {
        self.measured.last()
    }

    pub fn last_loss(&self) -> Option<f32> {
        self.losses.last().copied()
    }

    /// The proof of its losses so far; none before the first step.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        Fingerprint::of(self.engine.as_ref()?.class, &self.losses)
    }

    /// Its link's fragment, with the fingerprint where there is one.
    pub fn fragment(&self) -> String {
        link::write(&self.config, self.fingerprint().as_ref())
    }
}

/// The questions of a run and their seed. How a network reads them, in one piece or in segments, makes no other questions.
pub fn subject(config: &RunConfig) -> (Task, u64) {
    (Task { segmented: false, ..config.task }, config.seed)
}

/// What it starts from, in a few words.
fn start_of(config: &RunConfig) -> String {
    match &config.start {
        Start::Scratch => "new weights".into(),
        Start::Shipped(name) => format!("from {name}"),
        Start::File(_) => "from a file".into(),
        Start::Run(run) => format!("after {}", name_of(run)),
    }
}

/// A name from what differs from the nearest preset of the same network: “Quick”, “Quick: k=2, seed=3”, “Paper with 7
/// changes”; where no preset has this network, “LSTM as Quick: k=2”.
pub fn name_of(config: &RunConfig) -> String {
    // Once: it names the run behind this one, and so on.
    let start = start_of(config);
    let differing = |other: &RunConfig| -> Vec<String> {
        let told = FIELDS.iter().filter(|field| field.key != "model" && field.applies(config));
        told.filter(|field| (field.get)(config) != (field.get)(other))
            .map(|field| format!("{}={}", field.key, (field.get)(config)))
            .chain((config.start != other.start).then(|| start.clone()))
            .collect()
    };
    let near = |preset: &Preset| {
        let other = (preset.config)();
        (other.training.objective != config.training.objective, other.model.kind != config.model.kind, differing(&other))
    };
    let nearest = presets::all()
        .map(|preset| (preset.label, near(preset)))
        .min_by_key(|(_, (other_aim, foreign, changes))| (*other_aim, *foreign, changes.len()));
    let Some((label, (_, foreign, changes))) = nearest else { return "Run".into() };
    let label = if foreign { format!("{} as {label}", config.model.kind.name()) } else { label.into() };
    match changes.len() {
        0 => label,
        1..=3 => format!("{label}: {}", changes.join(", ")),
        count => format!("{label} with {count} changes"),
    }
}
