//! Weights as safetensors with config.json beside them, in the names others' tools open, and snapshots to go on from.

use super::job::Plan;
use super::optimizer::by_muon;
use crate::config::RunConfig;
use crate::engine::cpu::Moments;
use crate::model::{Parameter, config_json as description, looped, weights};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;

/// Name of the weights' file in a checkpoint's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the configuration's file in a checkpoint's folder.
pub const CONFIG_FILE: &str = "config.json";

/// Name, shape and bytes of a tensor in a file.
type Entry = (String, Vec<usize>, Vec<u8>);

const FIRST: &str = "first.";
const SECOND: &str = "second.";
const BEST: &str = "best.";

/// The weights (all parameters one after the other) as a safetensors file under the interchange names.
///
/// # Errors
/// When the file cannot be laid out; the library's sentence.
pub fn write(parameters: &[Parameter], values: &[f32]) -> Result<Vec<u8>, String> {
    let entries = named(parameters.iter().map(|parameter| (parameter.name.clone(), parameter)), values);
    serialize(entries, HashMap::from([("format".into(), "pt".into())]))
}

/// Reads the weights of a model from a safetensors file.
///
/// # Errors
/// A sentence naming the first tensor that is missing, of another shape or not float32, or saying that the file is broken.
pub fn read_weights(parameters: &[Parameter], file: &[u8]) -> Result<Vec<f32>, String> {
    let tensors = open(file)?;
    let mut values = Vec::with_capacity(weights::count(parameters));
    for parameter in parameters {
        values.extend(entry(&tensors, &parameter.name, &parameter.shape)?);
    }
    Ok(values)
}

/// Reads the weights that a run starts from over `values`, which hold what is drawn: only the units of a loop may be missing.
///
/// # Errors
/// As [`read_weights`], or when a number is none.
pub fn read_over(parameters: &[Parameter], file: &[u8], values: &mut [f32]) -> Result<(), String> {
    let tensors = open(file)?;
    let names = tensors.names();
    let mut start = 0;
    for parameter in parameters {
        let range = start..start + parameter.size();
        start = range.end;
        if parameter.name.starts_with(looped::UNITS) && !names.contains(&parameter.name.as_str()) {
            continue;
        }
        values[range].copy_from_slice(&entry(&tensors, &parameter.name, &parameter.shape)?);
    }
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err("The weights to start from hold values that are no numbers: the run had diverged when they were saved. Choose others.".into())
}

/// The names of a safetensors file's tensors; none where it cannot be read.
pub fn names(file: &[u8]) -> Vec<String> {
    open(file).map(|tensors| tensors.names().into_iter().map(String::from).collect()).unwrap_or_default()
}

fn open(file: &[u8]) -> Result<SafeTensors<'_>, String> {
    SafeTensors::deserialize(file).map_err(|error| match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer => {
            format!("The weights' file is not whole ({error}): it was cut off, or is no safetensors file. Save or download it again.")
        }
        other => format!("The weights' file is no safetensors file ({other}): choose the model.safetensors that was saved with the model."),
    })
}

fn entry(tensors: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    let tensor = tensors
        .tensor(name)
        .map_err(|_| format!("The file has no tensor “{name}”: it is not of this architecture or has fewer layers."))?;
    if tensor.shape() != shape {
        return Err(format!(
            "“{name}” is {:?} in the file and {shape:?} in this model: the sizes differ. Use the config.json saved beside the file.",
            tensor.shape()
        ));
    }
    match tensor.dtype() {
        Dtype::F32 => Ok(tensor.data().chunks_exact(4).map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])).collect()),
        other => Err(format!("“{name}” is stored as {other:?}, not float32: convert the file to float32 first.")),
    }
}

/// Values cut into named entries, one parameter after the other.
fn named<'a>(names: impl Iterator<Item = (String, &'a Parameter)>, values: &[f32]) -> Vec<Entry> {
    let mut rest = values;
    let cut = |(name, parameter): (String, &Parameter)| {
        let (head, tail) = rest.split_at(parameter.size());
        rest = tail;
        (name, parameter.shape.clone(), bytes(head))
    };
    names.map(cut).collect()
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn serialize(entries: Vec<Entry>, metadata: HashMap<String, String>) -> Result<Vec<u8>, String> {
    let mut views = Vec::with_capacity(entries.len());
    for (name, shape, data) in &entries {
        let view = TensorView::new(Dtype::F32, shape.clone(), data).map_err(|error| format!("“{name}” cannot be saved: {error}"))?;
        views.push((name.clone(), view));
    }
    safetensors::serialize(views, Some(metadata)).map_err(|error| format!("The weights cannot be saved: {error}"))
}

/// The config.json of a run's network.
pub fn config_json(run: &RunConfig) -> String {
    let task = &run.task;
    description::write(&run.model, task.vocabulary.size(), task.sequence_length(), task.segment_length())
}

/// The weights of the best measurement so far.
#[derive(Clone)]
pub struct Best {
    /// Exact matches of that measurement.
    pub exact: usize,
    pub step: u64,
    /// All parameters one after the other.
    pub values: Vec<f32>,
}

/// What a snapshot holds: weights and moments, one parameter after the other, the step they stand at, and the best weights so far.
pub struct Snapshot {
    pub step: u64,
    pub values: Vec<f32>,
    pub best: Option<Best>,
    pub moments: Moments,
}

/// Writes a snapshot: safetensors with the moments under `first.` and `second.` (Muon's matrices have no second), the best
/// weights under `best.` and the steps in its metadata.
///
/// # Errors
/// As [`write`].
pub fn snapshot(plan: &Plan, step: u64, values: &[f32], moments: &Moments, best: Option<&Best>) -> Result<Vec<u8>, String> {
    let under = |prefix: &str, values: &[f32]| {
        let names = plan.parameters.iter().map(|parameter| (format!("{prefix}{}", parameter.name), parameter));
        named(names, values)
    };
    let mut entries = under("", values);
    entries.extend(under(FIRST, &moments.first));
    let second = under(SECOND, &moments.second).into_iter().zip(plan.parameters.iter());
    entries.extend(second.filter(|(_, parameter)| !by_muon(plan.config.training.optimizer, parameter)).map(|(entry, _)| entry));
    let mut metadata = HashMap::from([("step".to_string(), step.to_string())]);
    if let Some(best) = best {
        entries.extend(under(BEST, &best.values));
        metadata.extend([("best_step".into(), best.step.to_string()), ("best_exact".into(), best.exact.to_string())]);
    }
    serialize(entries, metadata)
}

impl Snapshot {
    /// Reads what [`snapshot`] wrote.
    ///
    /// # Errors
    /// As [`read_weights`], or when the step is missing.
    pub fn read(plan: &Plan, file: &[u8]) -> Result<Self, String> {
        let tensors = open(file)?;
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(|error| format!("The snapshot is broken: {error}"))?;
        let number = |key: &str| metadata.metadata().as_ref().and_then(|data| data.get(key)).and_then(|value| value.parse::<u64>().ok());
        let step = number("step").ok_or("The file does not say at which step it was saved: it holds weights, not a run to go on with.")?;
        let all = |prefix: &str| -> Result<Vec<f32>, String> {
            let parts = plan.parameters.iter().map(|parameter| entry(&tensors, &format!("{prefix}{}", parameter.name), &parameter.shape));
            Ok(parts.collect::<Result<Vec<_>, _>>()?.concat())
        };
        let second = |parameter: &Parameter| {
            if by_muon(plan.config.training.optimizer, parameter) {
                return Ok(vec![0.0; parameter.size()]);
            }
            entry(&tensors, &format!("{SECOND}{}", parameter.name), &parameter.shape)
        };
        let best = match (number("best_step"), number("best_exact")) {
            (Some(step), Some(exact)) => Some(Best { exact: exact as usize, step, values: all(BEST)? }),
            (None, _) | (_, None) => None,
        };
        let values = all("")?;
        let second = plan.parameters.iter().map(second).collect::<Result<Vec<_>, String>>()?.concat();
        Ok(Self { step, values, best, moments: Moments { first: all(FIRST)?, second } })
    }
}
