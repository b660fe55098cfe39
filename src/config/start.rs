//! What a run's weights are at first, and how its link says so: `from=…`.
//!
//! ```text
//! from=k1                  a checkpoint that the site carries
//! from=file-0123456789abcdef   a file of weights, by its hash
//! from=(v=1&…)             another run: the weights of its best measurement; it may start from a third one in turn
//! ```

use super::{EngineChoice, RunConfig, link, shipped};
use serde::{Deserialize, Serialize};

/// The most runs that may stand behind one another in a link.
pub(super) const MOST_RUNS: usize = 8;

/// Where a run's weights come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Start {
    /// Drawn anew.
    Scratch,
    /// A checkpoint of this name that the site carries: see [`shipped`].
    Shipped(String),
    /// A file of weights with this hash: see [`shipped::hash`].
    File(u64),
    /// The weights of this run's best measurement. Its engine is that of the run that starts from it, and is left at automatic here.
    Run(Box<RunConfig>),
}

impl Start {
    /// From this run.
    pub fn from_run(run: &RunConfig) -> Self {
        Self::Run(Box::new(RunConfig { engine: EngineChoice::Auto, ..run.clone() }))
    }

    /// Its value in links; none where nothing need be said.
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
    /// A sentence when there is no such checkpoint, the hash of a file was cut off, or the other run's link cannot be read.
    pub fn read(text: &str) -> Result<Self, String> {
        if let Some(inner) = text.strip_prefix('(') {
            let inner =
                inner.strip_suffix(')').ok_or("The link of the run that it starts from (from) has no end: it was probably cut off.")?;
            return read_run(inner).map_err(|fault| format!("In the run that it starts from: {fault}"));
        }
        if let Some(digits) = text.strip_prefix("file-") {
            let hash = (digits.len() == 16).then(|| u64::from_str_radix(digits, 16).ok()).flatten();
            return hash
                .map(Start::File)
                .ok_or_else(|| format!("“from” names a file by 16 digits, not “{text}”: the link was probably cut off."));
        }
        if shipped::find(text).is_some() {
            return Ok(Start::Shipped(text.into()));
        }
        let known: Vec<&str> = shipped::SHIPPED.iter().map(|shipped| shipped.name).collect();
        Err(format!(
            "“{text}” (from) is no checkpoint of this site, which has {}; another run's link stands in parentheses.",
            known.join(", ")
        ))
    }

    /// Whether a link alone brings the weights: no file is needed that is not on the site.
    pub fn travels(&self) -> bool {
        match self {
            Start::Scratch | Start::Shipped(_) => true,
            Start::File(_) => false,
            Start::Run(run) => run.start.travels(),
        }
    }
}

/// What is wrong with more than [`MOST_RUNS`].
pub(super) fn too_many_runs() -> String {
    format!("More than {MOST_RUNS} runs start from one another: save the weights of one, and start from that file.")
}

/// A run that another starts from. What its losses were is not looked at: the run that starts from it says whether it was the same.
fn read_run(text: &str) -> Result<Start, String> {
    let run = link::read(text).map_err(|faults| faults.join(" "))?.config;
    if run.engine != EngineChoice::Auto {
        return Err("it is computed by the engine of the run that starts from it, so take “engine” out of the parentheses.".into());
    }
    Ok(Start::Run(Box::new(run)))
}

impl RunConfig {
    /// The run that this one starts from, on this one's engine.
    pub fn first(&self) -> Option<RunConfig> {
        match &self.start {
            Start::Run(run) => Some(RunConfig { engine: self.engine, ..(**run).clone() }),
            Start::Scratch | Start::Shipped(_) | Start::File(_) => None,
        }
    }

    /// The runs that stand behind this one, the nearest first.
    pub fn firsts(&self) -> impl Iterator<Item = RunConfig> {
        std::iter::successors(self.first(), RunConfig::first)
    }

    /// Whether another run's link can say that it starts from this one: no file is wanted, and there are not too many runs behind it.
    pub fn can_be_started_from(&self) -> bool {
        self.start.travels() && self.firsts().count() < MOST_RUNS && self.problems().is_empty()
    }

    /// Why the run cannot start from the weights that it names: the field's key and a sentence.
    pub(super) fn start_problem(&self) -> Option<(&'static str, String)> {
        if self.firsts().count() > MOST_RUNS {
            return Some(("from", too_many_runs()));
        }
        let (what, made) = match &self.start {
            Start::Scratch | Start::File(_) => return None,
            Start::Run(run) => ("run that it starts from".into(), (**run).clone()),
            Start::Shipped(name) => match shipped::find(name).map(shipped::Shipped::config) {
                Some(Ok(made)) => (format!("checkpoint “{name}”"), made),
                Some(Err(fault)) => return Some(("from", fault)),
                None => return Some(("from", format!("There is no checkpoint called “{name}”."))),
            },
        };
        let (mut ours, theirs) = (self.model.clone(), made.model);
        // A loop adds its own units, which are drawn anew.
        (ours.looped, ours.hops) = (theirs.looped, theirs.hops);
        let same = ours == theirs && self.task.vocabulary == made.task.vocabulary;
        (!same).then(|| {
            let sentence = format!(
                "The {what} has a {} of {} layers and width {}, with the vocabulary “{}”: set the network to the same sizes, or start from another.",
                theirs.kind.name(),
                theirs.layers,
                theirs.width,
                made.task.vocabulary.name()
            );
            ("from", sentence)
        })
    }
}
