//! Errors in a config.json that does not describe a supported network.

use serde_json::Value;
use thiserror::Error;

/// What is wrong with a config.json.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum DescriptionError {
    #[error("config.json cannot be read ({0}): it may have been cut off.")]
    Unreadable(String),
    #[error("config.json does not say “{0}”.")]
    Missing(String),
    #[error("config.json does not say “{0}”: it must be true or false.")]
    NotBoolean(String),
    #[error("config.json says “{key}” is {value}, which is not a whole number from 0 on.")]
    NotWhole { key: String, value: Value },
    #[error("config.json says “{key}” is {value}: this version computes {network} only with {computed}.")]
    NotComputed { network: String, key: String, value: Value, computed: Value },
    #[error("config.json describes a network without layers or width.")]
    Empty,
    #[error("config.json describes a network that knows no tokens.")]
    NoTokens,
    #[error("config.json is of a model of type {}; this version opens gpt_neox, lstm, mamba, armt and deltanet.", .0.as_ref().map_or("unknown".into(), |name| format!("“{name}”")))]
    UnknownType(Option<String>),
    #[error("config.json says “loop” is {0}: this version knows none, layer, stack and fixed.")]
    UnknownLoop(Value),
    #[error("config.json has a width that its heads cannot share, no MLP, or rotary dimensions that are not an even number of a head's.")]
    Heads,
    #[error("config.json has a width that its heads cannot share, or no MLP.")]
    HeadsOrMlp,
    #[error("config.json describes a memory without tokens or keys, or segments of no length.")]
    NoMemory,
    #[error("config.json says “{place}” is of type {kind}: this version computes rotary positions only as they are, “default”.")]
    RotaryType { place: String, kind: Value },
    #[error("config.json says “{new}” is {new_value} and “{old}” is {old_value}, which are two names of one thing: leave the right one.")]
    Contradiction { new: String, new_value: f64, old: String, old_value: f64 },
}
