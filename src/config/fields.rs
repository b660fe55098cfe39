//! A field of a run: what it is called, which values it takes, when it has an effect. [`FIELDS`] is the table of all of them.

use super::RunConfig;
use super::error::{FieldError, brief};

pub use super::table::FIELDS;

/// The group in which the form shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldGroup {
    Task,
    Model,
    Training,
    Measuring,
    Machine,
}

/// The values that a field accepts; ranges are inclusive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldKind {
    Integer {
        min: u64,
        max: u64,
    },
    Real {
        min: f64,
        max: f64,
    },
    /// (value in the link, label in the form)
    Choice(&'static [(&'static str, &'static str)]),
}

/// One row of the table.
pub struct Field {
    /// Name in the link and on the command line.
    pub key: &'static str,
    /// Name in the form.
    pub label: &'static str,
    /// Unit of the value, or empty.
    pub unit: &'static str,
    pub group: FieldGroup,
    pub kind: FieldKind,
    pub needs: Needs,
    pub since: Since,
    pub ways_out: &'static [WayOut],
    /// A few sentences in plain language.
    pub help: &'static str,
    /// The value as the link writes it.
    pub get: fn(&RunConfig) -> String,
    pub(super) write: fn(&mut RunConfig, Value),
}

/// When a field has an effect, and what the form does with it otherwise.
#[derive(Clone, Copy)]
pub struct Needs {
    pub met: fn(&RunConfig) -> bool,
    pub otherwise: Otherwise,
}

/// What the form does with a field that has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    Hide,
    /// Shows it disabled, with this reason.
    Disable(&'static str),
}

/// Since which links a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Every link names it.
    FirstLinks,
    /// A link names it only if it differs from the version's frozen value, so that the links of older runs stay the same.
    Later,
}

/// A button that solves a problem between fields. It appears next to its field, and sets the field of this key to this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayOut {
    pub label: &'static str,
    pub sets: (&'static str, &'static str),
}

impl Field {
    /// Whether the field has an effect in this run. Example: heads have none in a network without heads. Links contain the field anyway.
    pub fn applies(&self, config: &RunConfig) -> bool {
        (self.needs.met)(config)
    }

    /// Whether the form hides the field, because this run has no use for it.
    pub fn hidden(&self, config: &RunConfig) -> bool {
        !self.applies(config) && self.needs.otherwise == Otherwise::Hide
    }

    /// Why the form disables the field; `None` if it does not.
    pub fn disabled(&self, config: &RunConfig) -> Option<&'static str> {
        match self.needs.otherwise {
            Otherwise::Disable(reason) if !self.applies(config) => Some(reason),
            Otherwise::Disable(_) | Otherwise::Hide => None,
        }
    }
}

/// A value inside its field's range. A choice is its index in the field's list.
pub(super) enum Value {
    Integer(u64),
    Real(f64),
    Choice(usize),
}

impl Value {
    pub(super) fn integer(&self) -> u64 {
        match *self {
            Value::Integer(value) => value,
            Value::Real(value) => value as u64,
            Value::Choice(index) => index as u64,
        }
    }
    pub(super) fn real(&self) -> f64 {
        match *self {
            Value::Integer(value) => value as f64,
            Value::Real(value) => value,
            Value::Choice(index) => index as f64,
        }
    }
    pub(super) fn pick<T: Copy>(&self, values: &[T]) -> T {
        values[(self.integer() as usize).min(values.len() - 1)]
    }
}

impl Field {
    /// Sets the field from text.
    ///
    /// # Errors
    /// If the text is not a value of the field. The configuration is then unchanged.
    pub fn set(&self, config: &mut RunConfig, text: &str) -> Result<(), FieldError> {
        let Self { label, key, .. } = *self;
        let given = || brief(text);
        let value = match self.kind {
            FieldKind::Integer { min, max } => {
                let value = text.parse::<u64>().ok().filter(|value| (min..=max).contains(value));
                Value::Integer(value.ok_or_else(|| FieldError::NotInteger { label, key, min, max, text: given() })?)
            }
            FieldKind::Real { min, max } => {
                let value = decimal(text).filter(|value| (min..=max).contains(value));
                Value::Real(value.ok_or_else(|| FieldError::NotReal { label, key, min, max, text: given() })?)
            }
            FieldKind::Choice(choices) => {
                let index = choices.iter().position(|(value, _)| *value == text);
                let allowed = || choices.iter().map(|(value, _)| *value).collect::<Vec<_>>().join(", ");
                Value::Choice(index.ok_or_else(|| FieldError::NotChoice { label, key, allowed: allowed(), text: given() })?)
            }
        };
        (self.write)(config, value);
        Ok(())
    }
}

/// A number with a point or a comma as its decimal sign. With more than one of them, either may separate thousands, so that is no number here.
fn decimal(text: &str) -> Option<f64> {
    if text.matches([',', '.']).count() > 1 { None } else { text.replace(',', ".").parse().ok() }
}

/// The row with this key.
pub fn field(key: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.key == key)
}
