//! The config.json that stands beside saved weights: each network's shape under the keys that its own field uses.

use super::{armt, gpt_neox, lstm, mamba};
use crate::config::{ModelConfig, ModelKind, RunConfig};
use serde_json::Value;

/// What a config.json says.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    pub config: ModelConfig,
    /// Tokens it knows.
    pub vocabulary: usize,
    /// Tokens of a segment, where it reads by segments.
    pub segment: Option<usize>,
}

/// A config.json being read.
pub(super) struct Json(Value);

impl Json {
    /// A whole number.
    ///
    /// # Errors
    /// A sentence that names the missing key.
    pub fn whole(&self, key: &str) -> Result<usize, String> {
        self.0[key].as_u64().map(|value| value as usize).ok_or_else(|| format!("config.json does not say “{key}”."))
    }

    /// The value under a key, null if there is none.
    pub fn get(&self, key: &str) -> &Value {
        &self.0[key]
    }

    /// A network of this kind with the layers and width that the file gives, and whatever else a network has as a link of version 1 has it.
    ///
    /// # Errors
    /// As [`Self::whole`].
    pub fn network(&self, kind: ModelKind) -> Result<ModelConfig, String> {
        let (layers, width) = (self.whole("num_hidden_layers")?, self.whole("hidden_size")?);
        if layers == 0 || width == 0 {
            return Err("config.json describes a network without layers or width.".into());
        }
        Ok(ModelConfig { kind, layers, width, ..RunConfig::version_1().model })
    }
}

/// The config.json of a network that reads at most `positions` tokens, in segments of `segment`.
pub fn write(model: &ModelConfig, vocabulary: usize, positions: usize, segment: usize) -> String {
    let value = match model.kind {
        ModelKind::GptNeox => gpt_neox::config_json(model, vocabulary, positions),
        ModelKind::Lstm => lstm::config_json(model, vocabulary),
        ModelKind::Mamba => mamba::config_json(model, vocabulary),
        ModelKind::Armt => armt::config_json(model, vocabulary, positions, segment),
    };
    format!("{value:#}")
}

/// The network that a config.json describes.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub fn read(text: &str) -> Result<Described, String> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| format!("config.json cannot be read ({error}): it may have been cut off."))?;
    let json = Json(json);
    let config = match json.get("model_type").as_str() {
        Some("gpt_neox") => gpt_neox::read_config(&json, ModelKind::GptNeox),
        Some("lstm") => json.network(ModelKind::Lstm),
        Some("mamba") => mamba::read_config(&json),
        Some("armt") => armt::read_config(&json),
        other => Err(format!(
            "config.json is of a model of type {}; this version opens gpt_neox, lstm, mamba and armt.",
            other.map_or("unknown".into(), |name| format!("“{name}”"))
        )),
    }?;
    let segment = json.whole("segment_length").ok().filter(|_| config.kind.segmented());
    Ok(Described { config, vocabulary: json.whole("vocab_size")?, segment })
}
