//! `sweep`: the list of all runs that a link with several values means.

use super::error::CommandError;
use super::{print, read_link};
use crate::config::link;
use std::collections::HashSet;

/// The most runs of a list.
const MOST: usize = 100_000;

/// Prints a line for each combination of values, the last setting changing fastest: a link with a label of what varies. Values are separated by
/// commas; `1..30` means all whole numbers from 1 to 30.
///
/// # Errors
/// If a value cannot be read, there are too many runs, or two lines mean the same run.
pub(super) fn sweep(text: &str) -> Result<(), CommandError> {
    let cut = link::parts(text).map_err(|fault| CommandError::Link(vec![fault]))?;
    let settings = cut.into_iter().map(Setting::read).collect::<Result<Vec<_>, _>>()?;
    let count = settings.iter().try_fold(1_usize, |count, setting| count.checked_mul(setting.values.len())).filter(|&count| count <= MOST);
    let count = count.ok_or(CommandError::TooManyRuns(MOST))?;
    let (mut lines, mut seen) = (Vec::new(), HashSet::new());
    for index in 0..count {
        let chosen = choose(&settings, index);
        let run = chosen.iter().map(|(setting, value)| setting.with(value)).collect::<Vec<_>>().join("&");
        let varied = chosen.iter().filter(|(setting, _)| setting.values.len() > 1);
        let label = varied.map(|(setting, value)| setting.with(value)).collect::<Vec<_>>().join(" ");
        if !seen.insert(link::write(&read_link(&run)?.config, None)) {
            return Err(CommandError::SameRun(run));
        }
        lines.push(if label.is_empty() { run } else { format!("{run} # {label}") });
    }
    // All are right, so that a list is never cut off by a fault.
    lines.iter().try_for_each(|line| print(line))
}

/// A part of the link with its values.
struct Setting<'a> {
    key: Option<&'a str>,
    values: Vec<String>,
}

impl<'a> Setting<'a> {
    fn read(part: &'a str) -> Result<Self, CommandError> {
        match part.split_once('=') {
            None => Ok(Self { key: None, values: vec![part.into()] }),
            // A run in parentheses is one value.
            Some((key, value)) if value.starts_with('(') => Ok(Self { key: Some(key), values: vec![value.into()] }),
            Some((key, values)) => {
                let values =
                    values.split(',').map(range).collect::<Option<Vec<_>>>().ok_or_else(|| CommandError::NotARange(part.into()))?;
                Ok(Self { key: Some(key), values: values.concat() })
            }
        }
    }

    fn with(&self, value: &str) -> String {
        self.key.map_or_else(|| value.into(), |key| format!("{key}={value}"))
    }
}

/// The whole numbers of `1..30`, or the value itself; `None` if the range is empty or its ends are no numbers.
fn range(text: &str) -> Option<Vec<String>> {
    let Some((first, last)) = text.split_once("..") else { return Some(vec![text.into()]) };
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    let count = last.checked_sub(first)?;
    (count < MOST as u64).then(|| (first..=last).map(|value| value.to_string()).collect())
}

/// The values of the combination `index`.
fn choose<'a>(settings: &'a [Setting<'a>], index: usize) -> Vec<(&'a Setting<'a>, &'a String)> {
    let mut rest = index;
    let mut chosen: Vec<_> = settings
        .iter()
        .rev()
        .map(|setting| {
            let value = &setting.values[rest % setting.values.len()];
            rest /= setting.values.len();
            (setting, value)
        })
        .collect();
    chosen.reverse();
    chosen
}
