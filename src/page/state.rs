//! What the page knows: plain data in signals. [`super::update`] turns reports into it, [`super::actions`] turns what
//! the user does into it, and the parts only read it.

use super::adapter::Adapter;
use super::check::Check;
use super::form::Form;
use super::look::Looks;
use super::pace::Pace;
use super::references::References;
use super::run::{Run, subject};
use super::saved::Saved;
use super::sequel::Sequel;
use super::session::Session;
use super::start::Kept;
use super::sweep::Sweep;
use super::worker_link::WorkerLink;
use crate::config::link::Link;
use crate::config::{RunConfig, presets};
use crate::replay::{self, Verdict};
use crate::task::Task;
use leptos::prelude::*;
use std::time::Duration;

/// Where the run that the worker holds stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Idle,
    Preparing,
    Running,
    Paused,
    Finished,
    Failed,
}

impl Phase {
    /// The name in the body's `data-state`, by which tests and style sheets know it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Idle => "idle",
            Phase::Preparing => "preparing",
            Phase::Running => "running",
            Phase::Paused => "paused",
            Phase::Finished => "finished",
            Phase::Failed => "failed",
        }
    }

    /// Whether the worker is busy with a run, so that another cannot begin.
    pub fn active(self) -> bool {
        match self {
            Phase::Preparing | Phase::Running | Phase::Paused => true,
            Phase::Idle | Phase::Finished | Phase::Failed => false,
        }
    }
}

/// What went wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub sentence: String,
    pub remedy: String,
}

/// A link that could not be read: its text, kept as it came, and every fault found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    pub link: String,
    pub sentences: Vec<String>,
}

/// The one explanation on show, and the style that places it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tip {
    pub text: String,
    pub style: String,
}

/// Every signal of the page. It is a handful of indices: copy it freely.
#[derive(Clone, Copy)]
pub struct Page {
    pub phase: RwSignal<Phase>,
    /// The sentence of the last [`crate::protocol::Report::Preparing`].
    pub preparing: RwSignal<String>,
    /// Stop was pressed and the last measurement is under way.
    pub stopping: RwSignal<bool>,
    /// The worker has been silent for long.
    pub silent: RwSignal<bool>,
    /// The step of the newest snapshot, if there is one.
    pub snapshot_step: RwSignal<Option<u64>>,
    pub form: RwSignal<Form>,
    /// Counts the times the form was filled from elsewhere, so that its inputs take the new values. Typing does not
    /// count: an input that is being typed into must not be rewritten.
    pub filled: RwSignal<u32>,
    /// CPU workers to ask for; 0 leaves it to the engine.
    pub workers: RwSignal<usize>,
    pub runs: RwSignal<Vec<Run>>,
    /// The id of the run that the worker holds or held last.
    pub current: RwSignal<Option<usize>>,
    pub pace: RwSignal<Pace>,
    pub failure: RwSignal<Option<Failure>>,
    pub faults: RwSignal<Option<Faults>>,
    /// The opened link, where it carries a fingerprint.
    pub replay: RwSignal<Option<Link>>,
    pub sweep: RwSignal<Sweep>,
    /// Runs that wait for the current one's weights, the next one last: each starts from the one behind it.
    pub sequels: RwSignal<Vec<Sequel>>,
    /// Weights that a run can start from.
    pub kept: RwSignal<Vec<Kept>>,
    /// The weights that were asked for are to be kept, not downloaded.
    pub keeping: RwSignal<bool>,
    /// A run that an earlier visit left unfinished.
    pub unfinished: RwSignal<Option<Saved>>,
    /// Why the files of a model were refused.
    pub unopened: RwSignal<Option<String>>,
    /// While the worker reads a model: the phase to come back to if it is none.
    pub before_opening: RwSignal<Option<Phase>>,
    /// Whether files are being held over the page.
    pub dragging: RwSignal<bool>,
    pub adapter: RwSignal<Adapter>,
    pub references: RwSignal<References>,
    /// Which of the example questions the picture shows.
    pub example: RwSignal<usize>,
    /// Whether the picture shows the answer before there is a prediction.
    pub reveal: RwSignal<bool>,
    /// How many of the rows that a chain of thought has written the picture holds back, to be shown one by one.
    pub held_back: RwSignal<usize>,
    /// What the network was seen to read.
    pub looks: RwSignal<Looks>,
    /// A run held against Burn.
    pub check: RwSignal<Option<Check>>,
    pub log_loss: RwSignal<bool>,
    /// A short confirmation beside Copy link.
    pub notice: RwSignal<String>,
    pub tip: RwSignal<Option<Tip>>,
    /// The worker and the newest snapshot: JavaScript values, which no signal of plain data can hold.
    pub session: StoredValue<Session, LocalStorage>,
    /// The worker that makes the steps of [`Page::check`].
    pub checker: StoredValue<Option<WorkerLink>, LocalStorage>,
}

impl Page {
    pub fn new() -> Self {
        Self {
            phase: RwSignal::new(Phase::Idle),
            preparing: RwSignal::new(String::new()),
            stopping: RwSignal::new(false),
            silent: RwSignal::new(false),
            snapshot_step: RwSignal::new(None),
            form: RwSignal::new(Form::of(presets::quick())),
            filled: RwSignal::new(0),
            workers: RwSignal::new(0),
            runs: RwSignal::new(Vec::new()),
            current: RwSignal::new(None),
            pace: RwSignal::new(Pace::default()),
            failure: RwSignal::new(None),
            faults: RwSignal::new(None),
            replay: RwSignal::new(None),
            sweep: RwSignal::new(Sweep::default()),
            sequels: RwSignal::new(Vec::new()),
            kept: RwSignal::new(Vec::new()),
            keeping: RwSignal::new(false),
            unfinished: RwSignal::new(None),
            unopened: RwSignal::new(None),
            before_opening: RwSignal::new(None),
            dragging: RwSignal::new(false),
            adapter: RwSignal::new(Adapter::Asking),
            references: RwSignal::new(References::default()),
            example: RwSignal::new(0),
            reveal: RwSignal::new(false),
            held_back: RwSignal::new(0),
            looks: RwSignal::new(Looks::default()),
            check: RwSignal::new(None),
            log_loss: RwSignal::new(true),
            notice: RwSignal::new(String::new()),
            tip: RwSignal::new(None),
            session: StoredValue::new_local(Session::default()),
            checker: StoredValue::new_local(None),
        }
    }

    /// Shows a confirmation for a few seconds.
    pub fn tell(self, sentence: &str) {
        self.notice.set(sentence.into());
        set_timeout(move || self.notice.set(String::new()), Duration::from_secs(6));
    }

    /// Reads the current run, tracked; `None` when there is none.
    pub fn with_current<T>(&self, read: impl FnOnce(&Run) -> T) -> Option<T> {
        let id = self.current.get();
        self.runs.with(|runs| runs.iter().find(|run| Some(run.id) == id).map(read))
    }

    /// Reads a run by its id, tracked.
    pub fn with_run<T>(&self, id: usize, read: impl FnOnce(&Run) -> T) -> Option<T> {
        self.runs.with(|runs| runs.iter().find(|run| run.id == id).map(read))
    }

    /// Changes the current run without telling anybody; [`super::update::pulse`] tells them at its own rate.
    pub fn change_current(&self, change: impl FnOnce(&mut Run)) {
        let id = self.current.get_untracked();
        self.runs.update_untracked(|runs| {
            if let Some(run) = runs.iter_mut().find(|run| Some(run.id) == id) {
                change(run);
            }
        });
    }

    /// What the task picture and the references are about: the run in progress or just made, unless the form has
    /// since been set to another task.
    pub fn subject(&self) -> (Task, u64) {
        let form = self.form.with(|form| subject(&form.config));
        let run = self.with_current(Run::subject);
        match run {
            Some(run) if self.phase.get().active() => run,
            Some(_) | None => form,
        }
    }

    /// Whether the current run is about the subject.
    pub fn current_is_subject(&self) -> bool {
        let subject = self.subject();
        self.with_current(|run| run.subject() == subject).unwrap_or(false)
    }

    /// The run that the pictures are about: the current one where it is about the subject, else the form's.
    pub fn about(&self) -> RunConfig {
        let run = if self.current_is_subject() { self.with_current(|run| run.config.clone()) } else { None };
        run.unwrap_or_else(|| self.form.with(|form| form.config.clone()))
    }

    /// What the opened link's fingerprint says of the newest run of its configuration; `None` while there is none.
    pub fn verdict(&self) -> Option<Verdict> {
        let link = self.replay.get()?;
        self.runs.with(|runs| {
            let run = runs.iter().rev().find(|run| !run.losses.is_empty() && same_numbers(&run.config, &link.config))?;
            replay::verdict(&link, run.engine.as_ref()?.class, &run.losses)
        })
    }
}

/// Whether two configurations draw the same losses as far as both go: the step to reach ends a run but changes none of its numbers, and what the engine
/// changes is what a fingerprint is compared for.
pub fn same_numbers(a: &RunConfig, b: &RunConfig) -> bool {
    let mut b = b.clone();
    b.training.steps = a.training.steps;
    b.engine = a.engine;
    *a == b
}
