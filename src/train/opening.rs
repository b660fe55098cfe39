//! A saved model, opened for a task: a safetensors file and the config.json beside it, checked before anything is computed.

use super::checkpoint;
use super::job::Plan;
use crate::config::fields::{FIELDS, Group};
use crate::config::{Objective, RunConfig, Start};
use crate::model::config_json::{self, Described};
use crate::task::Vocabulary;

/// A network with its weights, and the run that it stands in: the task asked of it, and its own shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    pub config: RunConfig,
    /// All parameters one after the other.
    pub values: Vec<f32>,
}

/// Reads a model for the task, seed and measurements of `asked`.
///
/// # Errors
/// A sentence that says which of the two files is wrong, how, and what to do: a config.json that cannot be read or is of another
/// architecture, another vocabulary or segment than the task's, a size that no link can say, weights that are broken, of other
/// shapes, not float32 or not numbers.
pub fn open(asked: &RunConfig, config_json: &str, weights: &[u8]) -> Result<Opened, String> {
    let described = config_json::read(config_json)?;
    let mut config = asked.clone();
    // Opened weights are measured as they are, whatever they will start.
    (config.start, config.training.objective) = (Start::Scratch, Objective::Examples);
    config.set_model(described.config.clone());
    fits(&config, &described)?;
    let plan = Plan::new(&config);
    let values = checkpoint::read_weights(&plan.parameters, weights)?;
    if let Some(name) = deeper(&config, weights) {
        return Err(format!(
            "The weights have more layers than config.json says ({}; “{name}” is one too many): use the config.json saved beside them.",
            config.model.layers
        ));
    }
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let parameter = plan.parameters.iter().scan(0, |end, parameter| {
            *end += parameter.size();
            Some((*end, &parameter.name))
        });
        let name = parameter.into_iter().find(|(end, _)| at < *end).map_or("", |(_, name)| name);
        return Err(format!("“{name}” holds a value that is no number: the run had diverged when it was saved. Save an earlier one."));
    }
    Ok(Opened { config, values })
}

/// Whether the network can be asked this task, and has a size that the form can show.
fn fits(config: &RunConfig, described: &Described) -> Result<(), String> {
    let task = &config.task;
    if described.vocabulary != task.vocabulary.size() {
        let other = match task.vocabulary {
            Vocabulary::Compact => "the paper's",
            Vocabulary::Paper => "compact",
        };
        return Err(format!(
            "The weights know {} tokens and the task has {}: choose the vocabulary they were trained with (under Task, perhaps {other}; vocab in a link), then open them again.",
            described.vocabulary,
            task.vocabulary.size()
        ));
    }
    if let Some(segment) = described.segment.filter(|&segment| segment != task.segment_length()) {
        return Err(format!(
            "The weights read segments of {segment} tokens and the task has segments of {}: set the cells in a row (W) to {}, then open them again.",
            task.segment_length(),
            (segment / 2).saturating_sub(1)
        ));
    }
    for field in FIELDS.iter().filter(|field| field.group == Group::Model && field.applies(config)) {
        let same = field.set(&mut config.clone(), &(field.get)(config));
        same.map_err(|sentence| format!("config.json describes a network that this version cannot train. {sentence}"))?;
    }
    match config.problems().into_iter().next() {
        Some(problem) => Err(problem.sentence),
        None => Ok(()),
    }
}

/// A tensor of the file that only a network of one more layer has.
fn deeper(config: &RunConfig, weights: &[u8]) -> Option<String> {
    let mut more = config.clone();
    more.model.layers += 1;
    let known = Plan::new(config).parameters;
    let names = checkpoint::names(weights);
    let further = Plan::new(&more).parameters;
    let further = further.iter().filter(|parameter| known.iter().all(|other| other.name != parameter.name));
    further.map(|parameter| parameter.name.clone()).find(|name| names.contains(name))
}
