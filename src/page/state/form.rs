//! The form as plain data: a configuration, and the errors of texts that are not valid values.

use crate::config::RunConfig;
use crate::config::fields::{self, FIELDS, Field};
use std::collections::BTreeMap;

/// What the form holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The last valid value of every field.
    pub config: RunConfig,
    /// Why the text in a field was refused, by the field's key.
    refused: BTreeMap<&'static str, String>,
}

impl Form {
    pub fn of(config: RunConfig) -> Self {
        Self { config, refused: BTreeMap::new() }
    }

    /// Sets a field to the typed text, or keeps the error.
    pub fn set(&mut self, field: &'static Field, text: &str) {
        match field.set(&mut self.config, text.trim()) {
            Ok(()) => self.refused.remove(field.key),
            Err(error) => self.refused.insert(field.key, error.to_string()),
        };
    }

    /// The error to show next to this field: of a refused text first, then of a problem between fields.
    pub fn error(&self, key: &str) -> Option<String> {
        let between = || self.config.problems().into_iter().find(|problem| problem.key == key).map(|problem| problem.sentence);
        let refused = self.refused.get(key).filter(|_| self.applies(key)).cloned();
        refused.or_else(between)
    }

    /// Every reason why no run can start; empty if a run can start.
    pub fn reasons(&self) -> Vec<String> {
        let between = self.config.problems().into_iter().map(|problem| problem.sentence);
        let refused = self.refused.iter().filter(|(key, _)| self.applies(key)).map(|(_, sentence)| sentence.clone());
        refused.chain(between).collect()
    }

    /// Whether the field applies to this run. Errors in other fields do not stop the run.
    fn applies(&self, key: &str) -> bool {
        fields::field(key).is_none_or(|field| field.applies(&self.config))
    }

    /// The keys of all fields with an error. The form marks their groups.
    pub fn faulty_keys(&self) -> Vec<&'static str> {
        FIELDS.iter().map(|field| field.key).filter(|key| self.error(key).is_some()).collect()
    }
}
