//! A sweep: one setting, and its values in runs that are otherwise equal.

use super::run::Run;
use crate::config::RunConfig;
use crate::config::fields::{self, Field};

/// The setting that a sweep varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Layers,
    Width,
}

impl Axis {
    pub const ALL: [Axis; 2] = [Axis::Layers, Axis::Width];

    /// The key of its field.
    pub fn key(self) -> &'static str {
        match self {
            Axis::Layers => "layers",
            Axis::Width => "d",
        }
    }

    /// The label of the chart's horizontal axis.
    pub fn label(self) -> &'static str {
        match self {
            Axis::Layers => "layers",
            Axis::Width => "model width",
        }
    }

    /// The values that the page suggests.
    pub fn values(self) -> &'static str {
        match self {
            Axis::Layers => "1, 2, 3, 4, 6, 8, 12",
            Axis::Width => "16, 32, 48, 64, 96, 128",
        }
    }

    /// The value in this run's configuration.
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

/// The sweep in the form.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    pub axis: Axis,
    /// The values as typed.
    pub text: String,
}

impl Sweep {
    /// The sweep with the values that the page suggests for an axis.
    pub fn over(axis: Axis) -> Self {
        Self { axis, text: axis.values().into() }
    }
}

/// The runs of a list of values, and sentences about values that are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    pub runs: Vec<RunConfig>,
    pub left_out: Vec<String>,
}

/// Reads a list of values and returns the runs: `base` with each value. A value that this page has already trained is left out.
pub fn read(axis: Axis, text: &str, base: &RunConfig, done: &[Run]) -> Asked {
    let (mut asked, mut refused) = (Asked::default(), Vec::new());
    let Some(field) = axis.field() else { return asked };
    let parts = text.split(|letter: char| letter == ',' || letter == ';' || letter.is_whitespace()).filter(|part| !part.is_empty());
    for part in parts {
        let mut config = base.clone();
        let set = field.set(&mut config, part);
        let problem = || config.problems().into_iter().next().map(|problem| problem.sentence);
        match set {
            Err(error) => refused.push((part, error.to_string())),
            Ok(()) => match problem() {
                Some(sentence) => refused.push((part, sentence)),
                None if asked.runs.contains(&config) => asked.left_out.push(format!("{part} appears twice and is trained once.")),
                None if done.iter().any(|run| run.config == config && run.complete()) => {
                    asked.left_out.push(format!("{part} has been trained on this page already."));
                }
                None => asked.runs.push(config),
            },
        }
    }
    // A reason that applies to several values is shown once.
    while let Some((_, sentence)) = refused.first().cloned() {
        let alike: Vec<&str> = refused.extract_if(.., |(_, other)| *other == sentence).map(|(part, _)| part).collect();
        let verb = if alike.len() == 1 { "is" } else { "are" };
        asked.left_out.push(format!("{} {verb} left out: {sentence}", alike.join(", ")));
    }
    asked
}
