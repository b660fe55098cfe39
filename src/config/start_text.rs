//! How a link names the weights that a run starts from: `from=…`.
//!
//! ```text
//! from=k1                  a checkpoint of the site
//! from=file-0123456789abcdef   a file of weights, by its hash
//! from=(v=1&…)             another run: the weights of its best measurement. It can itself start from a third run.
//! ```

use super::error::{LinkError, brief, sentences};
use super::limits::MOST_RUNS;
use super::{EngineChoice, RunConfig, Start, link, shipped};

impl Start {
    /// Its value in links; `None` for new weights.
    pub fn text(&self) -> Option<String> {
        match self {
            Start::Scratch => None,
            Start::Shipped(name) => Some(name.clone()),
            Start::File(hash) => Some(format!("file-{hash:016x}")),
            Start::Run(run) => Some(format!("({})", link::write_inner(run))),
        }
    }

    /// Reads that value.
    ///
    /// # Errors
    /// If there is no such checkpoint, the hash of a file was cut off, or the other run's link cannot be read.
    pub fn read(text: &str) -> Result<Self, LinkError> {
        if let Some(inner) = text.strip_prefix('(') {
            let inner = inner.strip_suffix(')').ok_or(LinkError::StartCutOff)?;
            return read_run(inner).map_err(LinkError::InStart);
        }
        if let Some(digits) = text.strip_prefix("file-") {
            let hash = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
            return hash.map(Start::File).ok_or_else(|| LinkError::FileCutOff(brief(text)));
        }
        if shipped::find(text).is_some() {
            return Ok(Start::Shipped(text.into()));
        }
        let known: Vec<&str> = shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
        Err(LinkError::UnknownCheckpoint { text: brief(text), known: known.join(", ") })
    }
}

/// Reads a run that another starts from. Its fingerprint is ignored, because the fingerprint of the run that starts from it shows any difference.
fn read_run(text: &str) -> Result<Start, Vec<LinkError>> {
    let run = link::read(text)?.config;
    if run.engine != EngineChoice::Auto {
        return Err(vec![LinkError::EngineInStart]);
    }
    Ok(Start::Run(Box::new(run)))
}

impl RunConfig {
    /// Why the run cannot start from the weights that it names: the field's key and a sentence. `None` if it can.
    pub(super) fn start_problem(&self) -> Option<(&'static str, String)> {
        if self.firsts().count() > MOST_RUNS {
            return Some(("from", LinkError::TooManyRuns.to_string()));
        }
        let (what, made) = match &self.start {
            Start::Scratch | Start::File(_) => return None,
            Start::Run(run) => ("run that it starts from".into(), (**run).clone()),
            Start::Shipped(name) => match shipped::find(name).map(shipped::Shipped::config) {
                Some(Ok(made)) => (format!("checkpoint “{name}”"), made),
                Some(Err(faults)) => return Some(("from", sentences(&faults).join(" "))),
                None => return Some(("from", format!("There is no checkpoint called “{name}”."))),
            },
        };
        let (mut ours, theirs) = (self.model.clone(), made.model);
        // A loop adds its own halting units, which get new random weights.
        (ours.looped, ours.hops) = (theirs.looped, theirs.hops);
        let same = ours == theirs && self.task.vocabulary == made.task.vocabulary;
        (!same).then(|| {
            let sentence = format!(
                "The {what} has a {} of {} layers and width {}, with the vocabulary “{}”: set the network to the same sizes, or start from other weights.",
                theirs.kind.name(),
                theirs.layers,
                theirs.width,
                made.task.vocabulary.name()
            );
            ("from", sentence)
        })
    }
}
