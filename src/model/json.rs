//! Reads values from a config.json.

use super::error::DescriptionError;
use crate::config::{ModelConfig, ModelKind, RunConfig};
use serde_json::Value;

/// The parsed value of a config.json.
pub struct Json(Value);

impl Json {
    pub fn of(value: Value) -> Self {
        Self(value)
    }

    /// The whole number from 0 on under a key.
    ///
    /// # Errors
    /// When the key is missing or its value is not a whole number; the sentence names the key.
    pub fn whole(&self, key: &str) -> Result<usize, DescriptionError> {
        let value = &self.0[key];
        if value.is_null() {
            return Err(DescriptionError::Missing(key.into()));
        }
        let number = value.as_u64().and_then(|value| usize::try_from(value).ok());
        number.ok_or_else(|| DescriptionError::NotWhole { key: key.into(), value: value.clone() })
    }

    /// Checks that each of these keys is absent, null, or has the one value that this version computes.
    ///
    /// # Errors
    /// When a key has another value; the sentence names the first such key and the value that this version computes.
    pub fn only(&self, network: &str, computed: &[(&str, Value)]) -> Result<(), DescriptionError> {
        let other = computed.iter().find(|(key, value)| !self.0[key].is_null() && !same(&self.0[key], value));
        other.map_or(Ok(()), |(key, computed)| {
            let (key, value, computed) = (key.to_string(), self.0[key].clone(), computed.clone());
            Err(DescriptionError::NotComputed { network: network.into(), key, value, computed })
        })
    }

    /// The value under a key; null if the key is absent.
    pub fn get(&self, key: &str) -> &Value {
        &self.0[key]
    }

    /// A network of this kind with the file's layers and width. Every other setting has its default in links of version 1.
    ///
    /// # Errors
    /// As [`Self::whole`], or when layers or width are 0.
    pub fn network(&self, kind: ModelKind) -> Result<ModelConfig, DescriptionError> {
        let (layers, width) = (self.whole("num_hidden_layers")?, self.whole("hidden_size")?);
        if layers == 0 || width == 0 {
            return Err(DescriptionError::Empty);
        }
        Ok(ModelConfig { kind, layers, width, ..RunConfig::version_1().model })
    }
}

/// Whether two values are equal. Numbers may differ by 10⁻⁶ of the computed value, because tools round them when they write.
fn same(found: &Value, computed: &Value) -> bool {
    match (found.as_f64(), computed.as_f64()) {
        (Some(found), Some(computed)) => (found - computed).abs() <= 1e-6 * computed.abs(),
        (Some(_), None) | (None, Some(_)) | (None, None) => found == computed,
    }
}
