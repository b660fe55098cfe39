//! Opens a saved model for a task. It checks the safetensors file and the config.json beside it before anything is computed.

use super::checkpoint;
use super::error::{CheckpointError, OpeningError};
use super::plan::Plan;
use crate::config::fields::{FIELDS, FieldGroup};
use crate::config::{Objective, RunConfig, Start};
use crate::model::config_json::{self, Described};
use crate::task::Vocabulary;

/// The weights of a saved network, and a configuration with the network's shape and the task that it must answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub config: RunConfig,
    /// All parameters, concatenated.
    pub values: Vec<f32>,
    /// The type of the file's numbers, if they were converted.
    pub converted: Option<&'static str>,
}

/// Reads a model. Task, seed and measurement settings come from `asked`, the network's shape from `config_json`, or if that is empty, from the
/// description in the weights' file.
///
/// # Errors
/// - config.json cannot be read, or describes another architecture, or a vocabulary or segment length that differs from the task's;
/// - a size is outside the range of its setting;
/// - the weights are broken, have other shapes, are not float32, or hold NaN or infinity.
///
/// The sentence names the file, the fault and what to do.
pub fn open(asked: &RunConfig, config_json: &str, weights: &[u8]) -> Result<Opened, OpeningError> {
    let within = if config_json.is_empty() { checkpoint::described(weights).ok_or(OpeningError::NoDescription)? } else { String::new() };
    let described = config_json::read(if config_json.is_empty() { &within } else { config_json })?;
    let mut config = asked.clone();
    // An opened model is only measured. The settings for a run's start and objective do not apply to it.
    (config.start, config.training.objective) = (Start::Scratch, Objective::Examples);
    config.set_model(described.config.clone());
    fits(&config, &described)?;
    let plan = Plan::new(&config);
    let values = checkpoint::read_weights(&plan.parameters, weights)?;
    if let Some(name) = deeper(&config, weights) {
        return Err(OpeningError::MoreLayers { layers: config.model.layers, name });
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let parameter = plan.parameters.iter().scan(0, |end, parameter| {
            *end += parameter.size();
            Some((*end, &parameter.name))
        });
        let name = parameter.into_iter().find(|(end, _)| at < *end).map_or("", |(_, name)| name);
        return Err(CheckpointError::NotFinite(name.into()).into());
    }
    Ok(Opened { config, values, converted: checkpoint::converted(weights) })
}

/// Checks that vocabulary and segment length match the task, and that every size is in the range of its setting.
fn fits(config: &RunConfig, described: &Described) -> Result<(), OpeningError> {
    let task = &config.task;
    if described.vocabulary != task.vocabulary.size() {
        let other = match task.vocabulary {
            Vocabulary::Compact => "the paper's",
            Vocabulary::Paper => "compact",
        };
        return Err(OpeningError::Vocabulary { known: described.vocabulary, asked: task.vocabulary.size(), other });
    }
    if let Some(segment) = described.segment.filter(|&segment| segment != task.segment_length()) {
        let width = (segment / 2).saturating_sub(1);
        return Err(OpeningError::Segments { read: segment, asked: task.segment_length(), width });
    }
    for field in FIELDS.iter().filter(|field| field.group == FieldGroup::Model && field.applies(config)) {
        let same = field.set(&mut config.clone(), &(field.get)(config));
        same.map_err(OpeningError::Untrainable)?;
    }
    match config.problems().into_iter().next() {
        Some(problem) => Err(OpeningError::Problem(problem.sentence)),
        None => Ok(()),
    }
}

/// The name of a tensor in the file that belongs to one more layer than `config` has, if there is one.
fn deeper(config: &RunConfig, weights: &[u8]) -> Option<String> {
    let mut more = config.clone();
    more.model.layers += 1;
    let known = Plan::new(config).parameters;
    let names = checkpoint::names(weights);
    let further = Plan::new(&more).parameters;
    let further = further.iter().filter(|parameter| known.iter().all(|other| other.name != parameter.name));
    further.map(|parameter| parameter.name.clone()).find(|name| names.contains(name))
}
