//! The state of the page: plain data in signals. [`super::commands`] changes it, [`super::view`] reads it.

pub mod adapter;
pub mod attribution;
pub mod check;
pub mod class;
pub mod comparison;
pub mod door;
pub mod form;
pub mod kept_weights;
pub mod lesson;
pub mod pace;
pub mod puzzle;
pub mod queue;
pub mod record;
pub mod references;
pub mod run;
pub mod story;
pub mod sweep;
pub mod sweep_table;
pub mod unfinished_run;
pub mod views;

use crate::config::link::Link;
use crate::config::{RunConfig, presets};
use crate::page::worker::link::WorkerLink;
use crate::page::worker::session::Session;
use crate::protocol::Command;
use crate::replay::Verdict;
use crate::task::Task;
use adapter::AdapterStatus;
use attribution::Attributions;
use check::Check;
use class::{Class, Seat};
use door::Door;
use form::Form;
use js_sys::Uint8Array;
use kept_weights::KeptWeights;
use leptos::prelude::*;
use lesson::{Lessons, Work};
use pace::Pace;
use puzzle::Puzzle;
use queue::Queue;
use references::References;
use run::{Run, subject};
use std::time::Duration;
use story::Story;
use sweep::{Axis, Sweep};
use unfinished_run::UnfinishedRun;
use views::Views;

/// The phase of the run that the worker holds.
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
    /// The name in the body's `data-state`. Tests and style sheets use it.
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

    /// Whether the worker is busy with a run. No other run can begin then.
    pub fn active(self) -> bool {
        match self {
            Phase::Preparing | Phase::Running | Phase::Paused => true,
            Phase::Idle | Phase::Finished | Phase::Failed => false,
        }
    }
}

/// An error: what went wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub sentence: String,
    pub remedy: String,
}

/// A link that could not be read: its unchanged text, and every fault found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    pub link: String,
    pub sentences: Vec<String>,
}

/// The displayed explanation, and the CSS that places it.
#[derive(Clone, Debug, PartialEq)]
pub struct Tip {
    pub text: String,
    pub style: String,
}

/// Why the page asked the worker for weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsFor {
    /// A file to save.
    Download,
    /// Only their description is saved.
    Description,
    /// The next run of the queue starts from them.
    Queue,
    /// The form's next run starts from them.
    Form,
}

/// A snapshot, from which a new worker can continue a run.
#[derive(Clone)]
pub struct Snapshot {
    /// The id of its run.
    pub run: usize,
    pub bytes: Uint8Array,
}

/// Data that no view tracks: files, which are JavaScript values, and times.
#[derive(Default)]
pub struct Held {
    /// The newest snapshot.
    pub snapshot: Option<Snapshot>,
    /// The model that the worker is reading: the command and the weights.
    pub opening: Option<(Command, Uint8Array)>,
    /// Weights that runs can start from, by their hashes.
    pub weights: Vec<(u64, Uint8Array)>,
    /// The name of this tab, and that of the tab whose record holds the run in progress: another tab's after its run was continued here.
    /// Empty until the tab has its name.
    pub tab: String,
    pub run_record: String,
    /// Whether the unfinished run is being stored, and the time of the last write, in milliseconds.
    pub writing: bool,
    pub written: f64,
    /// The lesson that is stored soon.
    pub lesson_due: Option<&'static str>,
    /// Runs that were begun in a lesson: (lesson, id, run).
    pub lesson_runs: Vec<(&'static str, String, RunConfig)>,
    /// Whether the browser has refused to store something, and the user was told.
    pub storage_refused: bool,
    /// Whether a redraw of the charts is scheduled.
    pub pulse_due: bool,
    /// The time of the worker's last report, in milliseconds.
    pub heard: f64,
}

/// All signals of the page. They are indices, so this is cheap to copy.
#[derive(Clone, Copy)]
pub struct Page {
    pub door: RwSignal<Door>,
    /// Whether the story is shown: not to a visitor who opened a run's link.
    pub story_open: RwSignal<bool>,
    /// What the address shows and hides. It stays as it was when the page opened.
    pub views: RwSignal<Views>,
    /// Whether the page is shown large, without what stands aside.
    pub projector: RwSignal<bool>,
    /// The curves that ship with the site.
    pub story: RwSignal<Story>,
    /// The question that the visitor answers, and her answers so far.
    pub puzzle: RwSignal<Puzzle>,
    /// The student's number in the class.
    pub seat: RwSignal<Seat>,
    /// What a class has handed in.
    pub class: RwSignal<Class>,
    /// While lines are read: how many so far.
    pub class_reading: RwSignal<Option<usize>>,
    pub lessons: RwSignal<Lessons>,
    /// What the visitor has given to the lessons.
    pub work: RwSignal<Work>,
    pub phase: RwSignal<Phase>,
    /// The sentence of the last [`crate::protocol::Report::Preparing`].
    pub preparing: RwSignal<String>,
    /// The user pressed Stop, and the last measurement is in progress.
    pub stopping: RwSignal<bool>,
    /// The worker has not reported for a long time.
    pub silent: RwSignal<bool>,
    /// The step of the newest snapshot, if there is one.
    pub snapshot_step: RwSignal<Option<u64>>,
    pub form: RwSignal<Form>,
    /// Counts how often something other than typing filled the form. The inputs then take the new values. Typing does not count, because an
    /// input must not be rewritten while the user types into it.
    pub filled: RwSignal<u32>,
    /// Number of CPU workers to ask for; 0 means that the engine chooses.
    pub workers: RwSignal<usize>,
    pub runs: RwSignal<Vec<Run>>,
    /// The id of the run that the worker holds or held last.
    pub current: RwSignal<Option<usize>>,
    pub pace: RwSignal<Pace>,
    pub failure: RwSignal<Option<Failure>>,
    pub faults: RwSignal<Option<Faults>>,
    /// What the opened link left open, or what was undone in it.
    pub link_note: RwSignal<Option<String>>,
    /// The opened link, if it has a fingerprint.
    pub replay: RwSignal<Option<Link>>,
    pub sweep: RwSignal<Sweep>,
    pub queue: RwSignal<Queue>,
    /// Weights that a run can start from.
    pub kept_weights: RwSignal<Vec<KeptWeights>>,
    pub weights_for: RwSignal<WeightsFor>,
    pub unfinished_run: RwSignal<Option<UnfinishedRun>>,
    /// Why the model's files were refused.
    pub unopened: RwSignal<Option<String>>,
    /// While the worker reads a model: the phase to return to if the model is refused.
    pub before_opening: RwSignal<Option<Phase>>,
    /// Whether the user is dragging files over the page.
    pub dragging: RwSignal<bool>,
    pub adapter: RwSignal<AdapterStatus>,
    pub references: RwSignal<References>,
    /// Which of the example questions the picture shows.
    pub example: RwSignal<usize>,
    /// Whether the picture shows the true answer before the run has ended, and the rule.
    pub reveal: RwSignal<bool>,
    pub rule_shown: RwSignal<bool>,
    /// Number of a chain of thought's last rows that the picture hides, so that the user can show them one by one.
    pub held_back: RwSignal<usize>,
    pub attributions: RwSignal<Attributions>,
    /// The run that is compared with Burn.
    pub check: RwSignal<Option<Check>>,
    pub log_loss: RwSignal<bool>,
    /// What came of saving or opening the visitor's work.
    pub work_said: RwSignal<String>,
    /// A short confirmation next to Copy link.
    pub notice: RwSignal<String>,
    pub tip: RwSignal<Option<Tip>>,
    pub held: StoredValue<Held, LocalStorage>,
    pub worker: Session,
    /// The worker that computes [`Page::check`].
    pub checker: StoredValue<Option<WorkerLink>, LocalStorage>,
}

impl Page {
    pub fn new() -> Self {
        Self {
            door: RwSignal::new(Door::default()),
            story_open: RwSignal::new(true),
            views: RwSignal::new(Views::default()),
            projector: RwSignal::new(false),
            story: RwSignal::new(Story::default()),
            puzzle: RwSignal::new(Puzzle::new(1, 0)),
            seat: RwSignal::new(Seat::None),
            class: RwSignal::new(Class::default()),
            class_reading: RwSignal::new(None),
            lessons: RwSignal::new(Lessons::default()),
            work: RwSignal::new(Work::default()),
            phase: RwSignal::new(Phase::Idle),
            preparing: RwSignal::new(String::new()),
            stopping: RwSignal::new(false),
            silent: RwSignal::new(false),
            snapshot_step: RwSignal::new(None),
            form: RwSignal::new(Form::of(presets::one())),
            filled: RwSignal::new(0),
            workers: RwSignal::new(0),
            runs: RwSignal::new(Vec::new()),
            current: RwSignal::new(None),
            pace: RwSignal::new(Pace::default()),
            failure: RwSignal::new(None),
            faults: RwSignal::new(None),
            link_note: RwSignal::new(None),
            replay: RwSignal::new(None),
            sweep: RwSignal::new(Sweep::over(Axis::Layers)),
            queue: RwSignal::new(Queue::default()),
            kept_weights: RwSignal::new(Vec::new()),
            weights_for: RwSignal::new(WeightsFor::Download),
            unfinished_run: RwSignal::new(None),
            unopened: RwSignal::new(None),
            before_opening: RwSignal::new(None),
            dragging: RwSignal::new(false),
            adapter: RwSignal::new(AdapterStatus::Asking),
            references: RwSignal::new(References::default()),
            example: RwSignal::new(0),
            reveal: RwSignal::new(false),
            rule_shown: RwSignal::new(false),
            held_back: RwSignal::new(0),
            attributions: RwSignal::new(Attributions::default()),
            check: RwSignal::new(None),
            log_loss: RwSignal::new(true),
            work_said: RwSignal::new(String::new()),
            notice: RwSignal::new(String::new()),
            tip: RwSignal::new(None),
            held: StoredValue::new_local(Held::default()),
            worker: Session::default(),
            checker: StoredValue::new_local(None),
        }
    }

    /// Shows a confirmation for a few seconds.
    pub fn tell(self, sentence: &str) {
        self.notice.set(sentence.into());
        set_timeout(move || self.notice.set(String::new()), Duration::from_secs(6));
    }

    /// Reads the current run, tracked; `None` if there is no run.
    pub fn with_current<T>(&self, read: impl FnOnce(&Run) -> T) -> Option<T> {
        let id = self.current.get();
        self.runs.with(|runs| runs.iter().find(|run| Some(run.id) == id).map(read))
    }

    /// Reads a run by its id, tracked.
    pub fn with_run<T>(&self, id: usize, read: impl FnOnce(&Run) -> T) -> Option<T> {
        self.runs.with(|runs| runs.iter().find(|run| run.id == id).map(read))
    }

    /// Changes the current run without a notification; `commands::reports` notifies at its own rate.
    pub fn change_current(&self, change: impl FnOnce(&mut Run)) {
        let id = self.current.get_untracked();
        self.runs.update_untracked(|runs| {
            if let Some(run) = runs.iter_mut().find(|run| Some(run.id) == id) {
                change(run);
            }
        });
    }

    /// The task and seed of the task picture and the references: those of the run in progress, else those of the form.
    pub fn subject(&self) -> (Task, u64) {
        let form = self.form.with(|form| subject(&form.config));
        let run = self.with_current(Run::subject);
        match run {
            Some(run) if self.phase.get().active() => run,
            Some(_) | None => form,
        }
    }

    /// Whether the current run has the subject's task and seed.
    pub fn current_is_subject(&self) -> bool {
        let subject = self.subject();
        self.with_current(|run| run.subject() == subject).unwrap_or(false)
    }

    /// The displayed configuration: the current run's if it has the subject's task and seed, else the form's.
    pub fn about(&self) -> RunConfig {
        let run = if self.current_is_subject() { self.with_current(|run| run.config.clone()) } else { None };
        run.unwrap_or_else(|| self.form.with(|form| form.config.clone()))
    }

    /// The phase as far as the form's run is concerned: a run with other settings that has ended says nothing about the one to begin.
    pub fn phase_of_form(&self) -> Phase {
        let phase = self.phase.get();
        let ended = match phase {
            Phase::Finished | Phase::Failed => true,
            Phase::Idle | Phase::Preparing | Phase::Running | Phase::Paused => false,
        };
        let alike = || self.with_current(|run| run.opened || self.form.with(|form| run.config == form.config)).unwrap_or(false);
        if ended && !alike() { Phase::Idle } else { phase }
    }

    /// Compares the opened link's fingerprint with the newest run of its configuration; `None` while there is no such run.
    pub fn verdict(&self) -> Option<Verdict> {
        let link = self.replay.get()?;
        self.runs.with(|runs| {
            let run = runs.iter().rev().find(|run| !run.losses.is_empty() && same_numbers(&run.config, &link.config))?;
            link.verdict(run.engine.as_ref()?.class, &run.losses)
        })
    }
}

/// Whether two configurations should give the same losses, up to the shorter run. The number of steps is ignored, because it changes no loss.
/// The engine is ignored too, because the fingerprint comparison handles it.
pub fn same_numbers(a: &RunConfig, b: &RunConfig) -> bool {
    let mut b = b.clone();
    b.training.steps = a.training.steps;
    b.engine = a.engine;
    *a == b
}
