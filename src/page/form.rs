//! The form as plain data: a configuration, and the texts that could not be taken over into it.

use crate::config::RunConfig;
use crate::config::fields::{self, FIELDS, Field};
use std::collections::BTreeMap;

/// What the form holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The last acceptable value of every field.
    pub config: RunConfig,
    /// Why the text in a field was refused, by the field's key.
    refused: BTreeMap<&'static str, String>,
}

impl Form {
    pub fn of(config: RunConfig) -> Self {
        Self { config, refused: BTreeMap::new() }
    }

    /// Takes over what was typed, or keeps why not.
    pub fn set(&mut self, field: &'static Field, text: &str) {
        match field.set(&mut self.config, text.trim()) {
            Ok(()) => self.refused.remove(field.key),
            Err(sentence) => self.refused.insert(field.key, sentence),
        };
    }

    /// What to say beside this field: a refused text first, then what is wrong between fields.
    pub fn error(&self, key: &str) -> Option<String> {
        let between = || self.config.problems().into_iter().find(|problem| problem.key == key).map(|problem| problem.sentence);
        let refused = self.refused.get(key).filter(|_| self.applies(key)).cloned();
        refused.or_else(between)
    }

    /// Every reason why no run can start; empty when one can.
    pub fn reasons(&self) -> Vec<String> {
        let between = self.config.problems().into_iter().map(|problem| problem.sentence);
        let refused = self.refused.iter().filter(|(key, _)| self.applies(key)).map(|(_, sentence)| sentence.clone());
        refused.chain(between).collect()
    }

    /// Whether the field means anything to this run: what stands in one that does not is no reason against it.
    fn applies(&self, key: &str) -> bool {
        fields::field(key).is_none_or(|field| field.applies(&self.config))
    }

    /// The fields of this group's index that are in error, to mark folded groups.
    pub fn faulty_keys(&self) -> Vec<&'static str> {
        FIELDS.iter().map(|field| field.key).filter(|key| self.error(key).is_some()).collect()
    }
}
