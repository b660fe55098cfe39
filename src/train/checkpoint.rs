//! Checkpoints: weights as safetensors with config.json, under the names that other tools expect. Snapshots: all that a run needs to go on.

use super::error::CheckpointError;
use super::optimizer::by_muon;
use super::plan::Plan;
use crate::config::RunConfig;
use crate::engine::cpu::Moments;
use crate::model::{Parameter, config_json as description, looped, weights};
use half::{bf16, f16};
use safetensors::SafeTensorError;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;

/// Name of the weights file in a checkpoint's folder.
pub const WEIGHTS_FILE: &str = "model.safetensors";
/// Name of the configuration file in a checkpoint's folder.
pub const CONFIG_FILE: &str = "config.json";

/// Name, shape and bytes of a tensor in a file.
type TensorEntry = (String, Vec<usize>, Vec<u8>);

const FIRST: &str = "first.";
const SECOND: &str = "second.";
const BEST: &str = "best.";

/// The weights (all parameters, concatenated) as a safetensors file with the interchange format's names.
///
/// # Errors
/// When safetensors cannot write the file; the sentence holds the library's message.
pub fn write(parameters: &[Parameter], values: &[f32]) -> Result<Vec<u8>, CheckpointError> {
    let entries = named(parameters.iter().map(|parameter| (parameter.name.clone(), parameter)), values);
    serialize(entries, HashMap::from([("format".into(), "pt".into())]))
}

/// The metadata of every file of weights, as it is written.
const FORMAT: &str = "\"format\":\"pt\"";
/// The key of the metadata that holds the network's config.json.
const DESCRIPTION: &str = "config_json";

/// As [`write`], with the network's config.json in the file's metadata: then the file alone can be opened.
///
/// # Errors
/// As [`write`].
pub fn write_model(run: &RunConfig, parameters: &[Parameter], values: &[f32]) -> Result<Vec<u8>, CheckpointError> {
    let file = write(parameters, values)?;
    // The library writes a map, whose order is another one each time; equal weights are equal files.
    let (length, rest) = file.split_at(8);
    let length = length.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
    let (header, data) = rest.split_at(length);
    let described = format!("{FORMAT},\"{DESCRIPTION}\":{}", serde_json::Value::from(config_json(run)));
    let mut header = String::from_utf8_lossy(header).trim_end().replacen(FORMAT, &described, 1);
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    Ok([&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat())
}

/// The config.json in a file's metadata; `None` if there is none or the file cannot be read.
pub fn described(file: &[u8]) -> Option<String> {
    let (_, metadata) = SafeTensors::read_metadata(file).ok()?;
    metadata.metadata().as_ref()?.get(DESCRIPTION).cloned()
}

/// Reads the weights of a model from a safetensors file: all parameters, concatenated.
///
/// # Errors
/// When the file is broken, or a tensor is missing, has another shape or is not float32, float16 or bfloat16. The sentence names the first such tensor.
pub fn read_weights(parameters: &[Parameter], file: &[u8]) -> Result<Vec<f32>, CheckpointError> {
    let tensors = open(file)?;
    let mut values = Vec::with_capacity(weights::count(parameters));
    for parameter in parameters {
        values.extend(entry(&tensors, &parameter.name, &parameter.shape)?);
    }
    Ok(values)
}

/// Overwrites `values`, the drawn initial weights, with those of a file. The file may lack halting units; these keep their drawn values.
///
/// # Errors
/// As [`read_weights`], or when a value is NaN or infinite.
pub fn read_over(parameters: &[Parameter], file: &[u8], values: &mut [f32]) -> Result<(), CheckpointError> {
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
    Err(CheckpointError::StartNotFinite)
}

/// The type of a file's numbers in words, if they were converted to float32; `None` if they are float32 or the file cannot be read.
pub fn converted(file: &[u8]) -> Option<&'static str> {
    let kinds: Vec<Dtype> = open(file).ok()?.tensors().into_iter().map(|(_, tensor)| tensor.dtype()).collect();
    [(Dtype::F16, "float16"), (Dtype::BF16, "bfloat16")].into_iter().find(|(kind, _)| kinds.contains(kind)).map(|(_, name)| name)
}

/// The names of a safetensors file's tensors. Empty if the file cannot be read.
pub fn names(file: &[u8]) -> Vec<String> {
    open(file).map(|tensors| tensors.names().into_iter().map(String::from).collect()).unwrap_or_default()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the errors of the library, of which only these mean a cut file")]
fn open(file: &[u8]) -> Result<SafeTensors<'_>, CheckpointError> {
    SafeTensors::deserialize(file).map_err(|error| match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength | SafeTensorError::MetadataIncompleteBuffer => {
            CheckpointError::CutOff(error.to_string())
        }
        other => CheckpointError::NotSafetensors(other.to_string()),
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's types of numbers, of which three are read")]
fn entry(tensors: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
    let tensor = tensors.tensor(name).map_err(|_| CheckpointError::NoTensor(name.into()))?;
    if tensor.shape() != shape {
        return Err(CheckpointError::Shape { name: name.into(), found: tensor.shape().to_vec(), expected: shape.to_vec() });
    }
    match tensor.dtype() {
        Dtype::F32 => Ok(tensor.data().chunks_exact(4).map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])).collect()),
        // Every float16 and every bfloat16 is a float32.
        Dtype::F16 => Ok(tensor.data().chunks_exact(2).map(|chunk| f16::from_le_bytes([chunk[0], chunk[1]]).to_f32()).collect()),
        Dtype::BF16 => Ok(tensor.data().chunks_exact(2).map(|chunk| bf16::from_le_bytes([chunk[0], chunk[1]]).to_f32()).collect()),
        kind => Err(CheckpointError::NotFloat32 { name: name.into(), kind }),
    }
}

/// Cuts the concatenated values into one entry for each parameter.
fn named<'a>(names: impl Iterator<Item = (String, &'a Parameter)>, values: &[f32]) -> Vec<TensorEntry> {
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

fn serialize(entries: Vec<TensorEntry>, metadata: HashMap<String, String>) -> Result<Vec<u8>, CheckpointError> {
    let mut views = Vec::with_capacity(entries.len());
    for (name, shape, data) in &entries {
        let view = TensorView::new(Dtype::F32, shape.clone(), data)
            .map_err(|error| CheckpointError::TensorUnsaved { name: name.clone(), why: error.to_string() })?;
        views.push((name.clone(), view));
    }
    safetensors::serialize(views, Some(metadata)).map_err(|error| CheckpointError::Unsaved(error.to_string()))
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
    /// All parameters, concatenated.
    pub values: Vec<f32>,
}

/// The contents of a snapshot: weights and moments (parameters concatenated), the step they belong to, and the best weights so far.
pub struct Snapshot {
    pub step: u64,
    pub values: Vec<f32>,
    pub best: Option<Best>,
    pub moments: Moments,
}

/// Writes a snapshot as safetensors. Moments have the prefixes `first.` and `second.`, the best weights `best.`; the metadata holds the
/// steps. Matrices updated by Muon have no second moment.
///
/// # Errors
/// As [`write`].
pub fn snapshot(plan: &Plan, step: u64, values: &[f32], moments: &Moments, best: Option<&Best>) -> Result<Vec<u8>, CheckpointError> {
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
    /// Reads a file that [`snapshot`] wrote.
    ///
    /// # Errors
    /// As [`read_weights`], or when the step is missing.
    pub fn read(plan: &Plan, file: &[u8]) -> Result<Self, CheckpointError> {
        let tensors = open(file)?;
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(|error| CheckpointError::BrokenSnapshot(error.to_string()))?;
        let number = |key: &str| metadata.metadata().as_ref().and_then(|data| data.get(key)).and_then(|value| value.parse::<u64>().ok());
        let step = number("step").ok_or(CheckpointError::NoStep)?;
        let all = |prefix: &str| -> Result<Vec<f32>, CheckpointError> {
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
        let second = plan.parameters.iter().map(second).collect::<Result<Vec<_>, CheckpointError>>()?.concat();
        Ok(Self { step, values, best, moments: Moments { first: all(FIRST)?, second } })
    }
}
