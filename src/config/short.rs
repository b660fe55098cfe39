//! Short links: the name of a run, with settings after it (`quick&k=2&seed=3`). A name can also stand for the run that another starts from
//! (`quick&k=2&from=(quick)`). The page's address and the command line read them here; every whole link is read as before.

use super::error::{LinkError, brief};
use super::link::{self, Link, LinkNotes};
use super::{RunConfig, Start, mangled, presets, shipped};
use std::borrow::Cow;

/// The run with this name: a preset, or the run that trained a checkpoint of the site.
pub fn named(name: &str) -> Option<RunConfig> {
    let preset = presets::all().find(|preset| preset.key == name).map(|preset| (preset.config)());
    preset.or_else(|| shipped::find(name)?.config().ok())
}

/// All names, separated by commas.
pub fn names() -> String {
    // Some checkpoints have the name of the preset that trained them.
    let checkpoints = shipped::SHIPPED.iter().map(|shipped| shipped.name).filter(|name| presets::all().all(|preset| preset.key != *name));
    presets::all().map(|preset| preset.key).chain(checkpoints).collect::<Vec<_>>().join(", ")
}

/// Reads a link, its fragment, or a name with optional settings.
///
/// # Errors
/// As [`link::read`]; for an unknown name, a sentence that lists the names.
pub fn read(text: &str) -> Result<(Link, LinkNotes), Vec<LinkError>> {
    let (plain, undone) = mangled::undo(text);
    let Ok(fragment) = link::fragment(&plain) else { return link::read_with_notes(text) };
    let written = written_out(fragment).map_err(|fault| vec![fault])?;
    if let Some((config, settings)) = begun(&written).map_err(|fault| vec![fault])? {
        return Ok((link::change(config, settings)?, LinkNotes { undone, named: None, short: true }));
    }
    match written {
        // Without names the link is read as it came, so that its notes are those of a whole link.
        Cow::Borrowed(_) => link::read_with_notes(text),
        Cow::Owned(written) => {
            let (link, notes) = link::read_with_notes(&written)?;
            Ok((link, LinkNotes { undone, short: true, ..notes }))
        }
    }
}

/// A name with settings after it, where of two settings of one key only the later one is left: a script adds what it changes at the end. Every
/// other text is as it was.
pub fn later_holds(text: &str) -> Cow<'_, str> {
    let Some((name, settings)) = text.split_once('&').filter(|(name, _)| named(name).is_some()) else { return text.into() };
    let Ok(parts) = link::parts(settings) else { return text.into() };
    let key = |part: &str| part.split_once('=').map(|(key, _)| key.to_string());
    let later = |at: usize| key(parts[at]).is_some_and(|mine| parts[at + 1..].iter().any(|other| key(other).as_ref() == Some(&mine)));
    let left = (0..parts.len()).filter(|&at| !later(at)).map(|at| parts[at]);
    std::iter::once(name).chain(left).collect::<Vec<_>>().join("&").into()
}

/// Replaces names in parentheses by whole links, the innermost first.
fn written_out(text: &str) -> Result<Cow<'_, str>, LinkError> {
    let cut = text.split_once("from=(").and_then(|(before, rest)| Some((before, rest.rsplit_once(')')?)));
    let Some((before, (inner, after))) = cut else { return Ok(text.into()) };
    let within = |fault| LinkError::InStart(vec![fault]);
    let inner = written_out(inner)?;
    let inner = match (begun(&inner).map_err(within)?, &inner) {
        (Some((config, settings)), _) => {
            Start::from_run(&link::change(config, settings).map_err(LinkError::InStart)?.config).text().unwrap_or_default()
        }
        (None, Cow::Owned(inner)) => format!("({inner})"),
        (None, Cow::Borrowed(_)) => return Ok(text.into()),
    };
    Ok(format!("{before}from={inner}{after}").into())
}

/// The run that a text begins with by its name, and the settings after it; `None` if the text begins with a setting.
fn begun(text: &str) -> Result<Option<(RunConfig, &str)>, LinkError> {
    let (name, settings) = text.split_once('&').unwrap_or((text, ""));
    if let Some(config) = named(name) {
        return Ok(Some((config, settings)));
    }
    let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    // The rest of a link that was cut off at its start is no name: it has a sign, or begins with a digit.
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(letters) {
        return Err(LinkError::UnknownName { name: brief(name), known: names() });
    }
    Ok(None)
}
