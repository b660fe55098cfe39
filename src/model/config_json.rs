//! The config.json that stands beside saved weights: each network's shape under the keys that its own field uses.

use super::{armt, deltanet, gpt_neox, lstm, mamba};
use crate::config::{Looped, ModelConfig, ModelKind, RunConfig};
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
        let value = &self.0[key];
        if value.is_null() {
            return Err(format!("config.json does not say “{key}”."));
        }
        let number = value.as_u64().and_then(|value| usize::try_from(value).ok());
        number.ok_or_else(|| format!("config.json says “{key}” is {value}, which is no number that can be counted to."))
    }

    /// That each of these keys is absent, null, or what this version computes.
    ///
    /// # Errors
    /// A sentence that names the first that is not, and what it would have to be.
    pub fn only(&self, network: &str, computed: &[(&str, Value)]) -> Result<(), String> {
        let other = computed.iter().find(|(key, value)| !self.0[key].is_null() && !same(&self.0[key], value));
        other.map_or(Ok(()), |(key, value)| {
            Err(format!("config.json says “{key}” is {}: this version computes {network} only with {value}.", self.0[key]))
        })
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

/// Equal, numbers up to how they were written.
fn same(found: &Value, computed: &Value) -> bool {
    match (found.as_f64(), computed.as_f64()) {
        (Some(found), Some(computed)) => (found - computed).abs() <= 1e-6 * computed.abs(),
        (Some(_), None) | (None, Some(_)) | (None, None) => found == computed,
    }
}

/// The config.json of a network that reads at most `positions` tokens, in segments of `segment`.
pub fn write(model: &ModelConfig, vocabulary: usize, positions: usize, segment: usize) -> String {
    let mut value = match model.kind {
        ModelKind::GptNeox => gpt_neox::config_json(model, vocabulary, positions),
        ModelKind::Lstm => lstm::config_json(model, vocabulary),
        ModelKind::Mamba => mamba::config_json(model, vocabulary),
        ModelKind::Armt => armt::config_json(model, vocabulary, positions, segment),
        ModelKind::DeltaNet => deltanet::config_json(model, vocabulary),
    };
    if model.looped != Looped::None {
        // Others' tools know no such networks and must not open them as plain ones.
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

/// Before the type of a network whose layers are looped.
const LOOPED: &str = "looped_";
const LOOPS: [(&str, Looped); 4] = [("none", Looped::None), ("layer", Looped::Layer), ("stack", Looped::Stack), ("fixed", Looped::Fixed)];

/// Which layers are looped, and how often at most.
fn loops(json: &Json, plain: ModelConfig) -> Result<ModelConfig, String> {
    if json.get("loop").is_null() {
        return Ok(plain);
    }
    let found = json.get("loop").as_str().and_then(|name| LOOPS.iter().find(|(known, _)| *known == name));
    let Some((_, looped)) = found else {
        return Err(format!("config.json says “loop” is {}: this version knows none, layer, stack and fixed.", json.get("loop")));
    };
    Ok(ModelConfig { looped: *looped, hops: json.whole("hops")?, ..plain })
}

/// The network that a config.json describes.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub fn read(text: &str) -> Result<Described, String> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| format!("config.json cannot be read ({error}): it may have been cut off."))?;
    let json = Json(json);
    let kind = json.get("model_type").as_str();
    let config = match kind.map(|name| name.strip_prefix(LOOPED).unwrap_or(name)) {
        Some("gpt_neox") => gpt_neox::read_config(&json, ModelKind::GptNeox),
        Some("lstm") => lstm::read_config(&json),
        Some("mamba") => mamba::read_config(&json),
        Some("armt") => armt::read_config(&json),
        Some("deltanet") => deltanet::read_config(&json),
        other => Err(format!(
            "config.json is of a model of type {}; this version opens gpt_neox, lstm, mamba, armt and deltanet.",
            other.map_or("unknown".into(), |name| format!("“{name}”"))
        )),
    }?;
    let config = loops(&json, config)?;
    let segment = json.whole("segment_length").ok().filter(|_| config.kind.segmented());
    let vocabulary = json.whole("vocab_size")?;
    if vocabulary == 0 {
        return Err("config.json describes a network that knows no tokens.".into());
    }
    Ok(Described { config, vocabulary, segment })
}
