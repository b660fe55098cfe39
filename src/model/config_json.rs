//! Reads and writes the config.json beside saved weights. Each network uses the keys that are usual for its kind.

use super::error::DescriptionError;
use super::json::Json;
use super::{armt, deltanet, gpt_neox, lstm, mamba};
use crate::config::{Looped, ModelConfig, ModelKind};
use serde_json::Value;

/// The network that a config.json describes.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    pub config: ModelConfig,
    /// Size of the vocabulary.
    pub vocabulary: usize,
    /// Tokens of a segment, for a network that reads by segments.
    pub segment: Option<usize>,
}

/// The config.json of a network that reads at most `positions` tokens, in segments of `segment` tokens.
pub fn write(model: &ModelConfig, vocabulary: usize, positions: usize, segment: usize) -> String {
    let mut value = match model.kind {
        ModelKind::GptNeox => gpt_neox::config_json(model, vocabulary, positions),
        ModelKind::Lstm => lstm::config_json(model, vocabulary),
        ModelKind::Mamba => mamba::config_json(model, vocabulary),
        ModelKind::Armt => armt::config_json(model, vocabulary, positions, segment),
        ModelKind::DeltaNet => deltanet::config_json(model, vocabulary),
    };
    if model.looped != Looped::None {
        // Other tools do not support looped networks. The changed type keeps them from opening one as a plain network.
        let plain = value["model_type"].as_str().unwrap_or_default();
        value["model_type"] = format!("{LOOPED}{plain}").into();
        let mode = LOOPS.iter().find(|(_, looped)| *looped == model.looped);
        value["loop"] = mode.map_or("none", |(name, _)| name).into();
        value["hops"] = model.hops.into();
        if let Some(name) = value["architectures"][0].as_str() {
            value["architectures"] = serde_json::json!([format!("Looped{name}")]);
        }
    }
    format!("{value:#}")
}

/// Prefix of the type of a network with looped layers.
const LOOPED: &str = "looped_";
const LOOPS: [(&str, Looped); 4] = [("none", Looped::None), ("layer", Looped::Layer), ("stack", Looped::Stack), ("fixed", Looped::Fixed)];

/// `plain` with the file's loop settings: which layers are looped, and the most hops.
fn loops(json: &Json, plain: ModelConfig) -> Result<ModelConfig, DescriptionError> {
    if json.get("loop").is_null() {
        return Ok(plain);
    }
    let found = json.get("loop").as_str().and_then(|name| LOOPS.iter().find(|(known, _)| *known == name));
    let Some((_, looped)) = found else {
        return Err(DescriptionError::UnknownLoop(json.get("loop").clone()));
    };
    Ok(ModelConfig { looped: *looped, hops: json.whole("hops")?, ..plain })
}

/// Reads a config.json.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub fn read(text: &str) -> Result<Described, DescriptionError> {
    let json: Value = serde_json::from_str(text).map_err(|error| DescriptionError::Unreadable(error.to_string()))?;
    let json = Json::of(json);
    let kind = json.get("model_type").as_str();
    let config = match kind.map(|name| name.strip_prefix(LOOPED).unwrap_or(name)) {
        Some("gpt_neox") => gpt_neox::read_config(&json, ModelKind::GptNeox),
        Some("lstm") => lstm::read_config(&json),
        Some("mamba") => mamba::read_config(&json),
        Some("armt") => armt::read_config(&json),
        Some("deltanet") => deltanet::read_config(&json),
        other => Err(DescriptionError::UnknownType(other.map(String::from))),
    }?;
    let config = loops(&json, config)?;
    let segment = json.whole("segment_length").ok().filter(|_| config.kind.segmented());
    let vocabulary = json.whole("vocab_size")?;
    if vocabulary == 0 {
        return Err(DescriptionError::NoTokens);
    }
    Ok(Described { config, vocabulary, segment })
}
