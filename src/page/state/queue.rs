//! The queue of runs. A run that starts from another run's weights waits behind that run.

use super::run::name_of;
use super::sweep::Axis;
use crate::config::RunConfig;

/// A waiting run.
#[derive(Clone, Debug, PartialEq)]
pub struct Queued {
    pub name: String,
    pub config: RunConfig,
    /// Whether it is in the list that the page shows. A run that the user started with Train is not.
    pub listed: bool,
    /// Whether it starts from the weights of the run before it in the queue. For the first run of the queue, that is the run in progress.
    pub dependent: bool,
}

impl Queued {
    /// A run that the user started with Train.
    pub fn unlisted(config: RunConfig) -> Self {
        Self { name: name_of(&config), config, listed: false, dependent: false }
    }

    /// A run for the list.
    pub fn listed(config: RunConfig) -> Self {
        Self { listed: true, ..Self::unlisted(config) }
    }

    /// A run of a sweep. Its name always contains the swept value.
    pub fn swept(axis: Axis, config: RunConfig) -> Self {
        let value = format!("{}={}", axis.key(), axis.of(&config));
        let queued = Self::listed(config);
        let name = if queued.name.contains(&value) { queued.name } else { format!("{}, {value}", queued.name) };
        Self { name, ..queued }
    }
}

/// The waiting runs, and the results of runs that the queue began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// The waiting runs, next first: runs that depend on the run in progress, then the list.
    runs: Vec<Queued>,
    /// The id of the last run begun for the list, or of a run begun for its weights.
    begun: Option<usize>,
    /// Whether the list is paused until the user presses Go on.
    pub held: bool,
    /// One sentence for each failed run of the list.
    pub failed: Vec<String>,
}

impl Queue {
    /// The runs that depend on the run in progress, each on the one before it.
    pub fn dependents(&self) -> impl DoubleEndedIterator<Item = &Queued> {
        self.runs.iter().filter(|queued| queued.dependent)
    }

    /// The runs of the list.
    pub fn list(&self) -> impl Iterator<Item = &Queued> {
        self.runs.iter().filter(|queued| !queued.dependent)
    }

    /// Adds a run at the end of the list, unless the list contains it.
    pub fn push(&mut self, queued: Queued) {
        if !self.runs.contains(&queued) {
            self.runs.push(queued);
        }
    }

    /// Removes and returns the next run of the list.
    pub fn next(&mut self) -> Option<Queued> {
        let position = self.runs.iter().position(|queued| !queued.dependent)?;
        Some(self.runs.remove(position))
    }

    /// Removes the run at this position of the list.
    pub fn remove(&mut self, position: usize) {
        let at = self.runs.iter().enumerate().filter(|(_, queued)| !queued.dependent).map(|(at, _)| at).nth(position);
        if let Some(at) = at {
            self.runs.remove(at);
        }
    }

    /// Empties the list.
    pub fn clear(&mut self) {
        self.runs.retain(|queued| queued.dependent);
        self.held = false;
    }

    /// Adds runs that depend on the run in progress, ahead of the list, the next one first.
    pub fn depend(&mut self, chain: impl IntoIterator<Item = Queued>) {
        let dependents = chain.into_iter().map(|queued| Queued { dependent: true, ..queued });
        self.runs.splice(0..0, dependents);
    }

    /// Removes and returns the run that depends on the run in progress.
    pub fn next_dependent(&mut self) -> Option<Queued> {
        let ready = self.runs.first().is_some_and(|queued| queued.dependent);
        ready.then(|| self.runs.remove(0))
    }

    /// Drops the runs that depend on the run in progress.
    pub fn drop_dependents(&mut self) {
        self.runs.retain(|queued| !queued.dependent);
    }

    /// Notes that this queued run has begun under this id.
    pub fn began(&mut self, queued: &Queued, id: Option<usize>) {
        self.begun = id.filter(|_| queued.listed);
    }

    /// Whether the run of this id began for the list.
    pub fn began_run(&self, id: Option<usize>) -> bool {
        id.is_some() && self.begun == id
    }

    /// Notes that the run of this id failed. Returns whether it belongs to the list.
    pub fn fail(&mut self, id: Option<usize>) -> bool {
        let listed = self.began_run(id);
        self.begun = self.begun.filter(|_| !listed);
        listed
    }
}
