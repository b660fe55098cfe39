//! A run in the worker: opens its engine, and decides when to report, measure and save snapshots.

use super::card;
use super::engines::{Engines, Opened};
use super::failure::WorkerError;
use super::inbox::Inbox;
use super::pool::HelperPool;
use super::scope::{now, scope};
use super::turn::next_turn;
use crate::adapter::{self, BrowserAdapter};
use crate::config::{EngineChoice, RunConfig};
use crate::engine::cpu::{Arithmetic, Kernel};
use crate::model::weights;
use crate::protocol::{Bytes, Command, Engine, Report, Which};
use crate::replay::EngineClass;
use crate::results::Ending;
use crate::task::Split;
use crate::train::rollouts::Rollouts;
use crate::train::{self, Backend, Plan, Run, attribution, checkpoint};
use crate::wire::{self, Incoming};
use js_sys::Uint8Array;

/// Between measurements, losses are sent to the page at most this often.
const REPORT_MILLISECONDS: f64 = 100.0;
/// Most steps to queue on the graphics card before their losses are read.
const PENDING_LIMIT: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Running,
    Paused,
    /// The run has ended, for this reason.
    Over(Ending),
}

/// The starting point of a run.
pub enum Begin {
    Fresh,
    /// The weights of this safetensors file, at step 0.
    Weights(Vec<u8>),
    /// This snapshot, at its step.
    Snapshot(Vec<u8>),
}

impl Begin {
    /// The starting point in a command's bytes.
    pub fn of(kind: Bytes, bytes: Option<Uint8Array>) -> Self {
        match (kind, bytes) {
            (Bytes::Weights, Some(bytes)) => Self::Weights(bytes.to_vec()),
            (Bytes::Snapshot, Some(bytes)) => Self::Snapshot(bytes.to_vec()),
            // If a run needs a file that did not arrive, `Run::new` returns the error.
            (Bytes::None, _) | (Bytes::Weights | Bytes::Snapshot, None) => Self::Fresh,
        }
    }
}

/// A run with its clock and its queue of losses.
pub struct Session {
    run: Run,
    class: EngineClass,
    state: Phase,
    /// Milliseconds spent training.
    trained: f64,
    /// Losses read and not yet sent.
    losses: Vec<f32>,
    /// The rollouts of those steps; empty without GRPO.
    rollouts: Vec<Rollouts>,
    sent: f64,
    /// Steps to queue before the next read-back; always 1 except on WebGPU.
    stride: u64,
    queued: u64,
    /// Commands that the worker has not obeyed yet.
    commands: Inbox<Incoming<Command>>,
}

impl Session {
    /// Opens the engine of a run, and begins the run or resumes it.
    ///
    /// # Errors
    /// When the settings do not fit together, the engine cannot be opened, or the run cannot begin or go on.
    pub async fn start(
        config: RunConfig,
        workers: usize,
        begin: Begin,
        engines: Engines,
        commands: Inbox<Incoming<Command>>,
    ) -> Result<Self, WorkerError> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(WorkerError::Settings(problems.into_iter().map(|problem| problem.sentence).collect()));
        }
        let (place, mut engine) = open(&config, workers, engines).await?;
        let class = engine.class;
        if class == EngineClass::WebGpu {
            prepare("Compiling the graphics card's programs.");
        }
        let run = match begin {
            Begin::Snapshot(bytes) => Run::resume(&config, place, &bytes).await?,
            Begin::Weights(bytes) => Run::new(&config, place, Some(&bytes)).await?,
            Begin::Fresh => Run::new(&config, place, None).await?,
        };
        engine.workers = run.workers();
        let step = run.step_count();
        wire::post(&Report::Started { engine, parameters: weights::count(run.plan.trained_parameters()), step }, None);
        Ok(Self {
            run,
            class,
            state: Phase::Running,
            trained: 0.0,
            losses: Vec::new(),
            rollouts: Vec::new(),
            sent: now(),
            stride: 1,
            queued: 0,
            commands,
        })
    }

    /// Opens an engine for the opened weights and measures them. They can be saved again like those of a run.
    ///
    /// # Errors
    /// When the engine cannot be opened or the measurement failed.
    pub async fn open(
        opened: train::Opened,
        workers: usize,
        engines: Engines,
        commands: Inbox<Incoming<Command>>,
    ) -> Result<Self, WorkerError> {
        let (config, converted) = (opened.config.clone(), opened.converted.map(String::from));
        let (place, mut engine) = open(&config, workers, engines).await?;
        let class = engine.class;
        let run = Run::opened(opened, place).await?;
        engine.workers = run.workers();
        let parameters = weights::count(&run.plan.parameters);
        wire::post(&Report::Opened { config: Box::new(config), engine, parameters, converted }, None);
        prepare("Measuring the opened model on rules it has never met…");
        let state = Phase::Over(Ending::Opened);
        let mut session =
            Self { run, class, state, trained: 0.0, losses: Vec::new(), rollouts: Vec::new(), sent: now(), stride: 1, queued: 0, commands };
        session.measure(Split::Test).await?;
        wire::post(&Report::Finished { step: 0, seconds: 0.0, why: Ending::Opened }, None);
        Ok(session)
    }

    /// Whether the run has ended.
    pub fn over(&self) -> bool {
        matches!(self.state, Phase::Over(_))
    }

    pub fn running(&self) -> bool {
        self.state == Phase::Running
    }

    /// Performs one step, then a measurement and a snapshot if they are due. Finishes the run if it has ended.
    ///
    /// # Errors
    /// When the run cannot go on.
    pub async fn advance(&mut self) -> Result<(), WorkerError> {
        if let Some(ending) = self.run.ended() {
            return self.finish(ending).await;
        }
        self.step().await?;
        if self.run.measurement_due() {
            self.measure(Split::Validation).await?;
            self.snapshot().await?;
        }
        Ok(())
    }

    async fn step(&mut self) -> Result<(), WorkerError> {
        let start = now();
        self.run.step().await?;
        self.queued += 1;
        if self.queued >= self.stride {
            self.read_losses(start).await?;
        } else {
            self.trained += now() - start;
        }
        if now() - self.sent > REPORT_MILLISECONDS {
            self.send_losses();
        }
        Ok(())
    }

    /// Reads the losses of the queued steps. On WebGPU it adapts the stride to the time they took, so that reports stay frequent.
    async fn read_losses(&mut self, since: f64) -> Result<(), WorkerError> {
        self.losses.extend(self.run.losses().await?);
        self.rollouts.extend(self.run.rollouts());
        self.queued = 0;
        let took = now() - since;
        self.trained += took;
        if self.class == EngineClass::WebGpu {
            self.stride = if took > 2.0 * REPORT_MILLISECONDS { (self.stride / 2).max(1) } else { (self.stride * 2).min(PENDING_LIMIT) };
        }
        Ok(())
    }

    fn send_losses(&mut self) {
        self.sent = now();
        if self.losses.is_empty() {
            return;
        }
        let losses = std::mem::take(&mut self.losses);
        let first = self.run.step_count() - self.queued + 1 - losses.len() as u64;
        wire::post(&Report::Losses { first, losses, seconds: self.trained / 1e3 }, None);
        let rollouts = std::mem::take(&mut self.rollouts);
        if let Some(last) = rollouts.last() {
            let (steps, group) = (rollouts.iter().map(Rollouts::summary).collect(), last.group.clone());
            wire::post(&Report::Rewarded { first, steps, group }, None);
        }
    }

    async fn flush(&mut self) -> Result<(), WorkerError> {
        self.read_losses(now()).await?;
        self.send_losses();
        Ok(())
    }

    /// Measures, unless the user presses Stop meanwhile.
    async fn measure(&mut self, split: Split) -> Result<(), WorkerError> {
        self.flush().await?;
        let commands = self.commands.clone();
        let go_on = async || {
            next_turn().await;
            !commands.any(|command| matches!(command.message, Command::Stop))
        };
        let Some((measured, best)) = self.run.measure_while(split, go_on).await? else { return Ok(()) };
        let report = Report::Measured {
            step: self.run.step_count(),
            seconds: self.trained / 1e3,
            split,
            depths: measured.depths,
            predictions: measured.predictions,
            best,
        };
        wire::post(&report, None);
        Ok(())
    }

    async fn snapshot(&mut self) -> Result<(), WorkerError> {
        let bytes = self.run.snapshot().await?;
        wire::post(&Report::Snapshot { step: self.run.step_count() }, Some(&bytes));
        Ok(())
    }

    pub async fn pause(&mut self) -> Result<(), WorkerError> {
        if self.state == Phase::Running {
            self.flush().await?;
            self.snapshot().await?;
            self.state = Phase::Paused;
            wire::post(&Report::Paused { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    pub fn resume(&mut self) -> Result<(), WorkerError> {
        if self.state == Phase::Paused {
            self.state = Phase::Running;
            wire::post(&Report::Resumed { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    pub async fn single_step(&mut self) -> Result<(), WorkerError> {
        if self.state != Phase::Paused {
            return Ok(());
        }
        self.advance().await?;
        self.flush().await?;
        if self.state == Phase::Paused {
            wire::post(&Report::Paused { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    /// Changes the step count at which the run ends. A run that ended by its step count goes on.
    pub fn reach(&mut self, steps: u64) -> Result<(), WorkerError> {
        self.run.reach(steps.max(self.run.step_count()));
        if self.state == Phase::Over(Ending::Reached) && self.run.ended().is_none() {
            self.state = Phase::Running;
            wire::post(&Report::Resumed { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    /// Ends the run. The last measurement is on test rules, which neither training nor the choice of the best weights has used.
    pub async fn finish(&mut self, why: Ending) -> Result<(), WorkerError> {
        if matches!(self.state, Phase::Over(_)) {
            return Ok(());
        }
        self.state = Phase::Over(why);
        // The last weights may be the best ones.
        if !self.run.measurement_due() {
            self.measure(Split::Validation).await?;
        }
        self.measure(Split::Test).await?;
        self.snapshot().await?;
        wire::post(&Report::Finished { step: self.run.step_count(), seconds: self.trained / 1e3, why }, None);
        Ok(())
    }

    /// Computes the attribution of a question and reports it. The time does not count as training time.
    pub async fn attribute(&mut self, kernel: Kernel, split: Split, index: u64, depth: usize) -> Result<(), WorkerError> {
        self.flush().await?;
        let (step, weights) = self.run.values(false).await?;
        let layers = attribution::of_question(&self.run.plan, &weights, kernel, (split, index, depth)).await?;
        wire::post(&Report::Attributed { step, split, index, depth, layers }, None);
        Ok(())
    }

    pub async fn save(&mut self, which: Which) -> Result<(), WorkerError> {
        let (step, values) = self.run.values(which == Which::Best).await?;
        let plan = &self.run.plan;
        let config_json = checkpoint::config_json(&plan.config);
        let bytes = checkpoint::write_model(&plan.config, plan.trained_parameters(), &values)?;
        wire::post(&Report::Weights { which, step, config_json }, Some(&bytes));
        Ok(())
    }
}

fn prepare(sentence: &str) {
    wire::post(&Report::Preparing { sentence: sentence.into() }, None);
}

/// Opens the engine that the configuration asks for.
async fn open(config: &RunConfig, workers: usize, engines: Engines) -> Result<Opened, WorkerError> {
    match config.engine {
        EngineChoice::Burn | EngineChoice::BurnFlex | EngineChoice::BurnWgpu => engines.on_burn(config).await,
        EngineChoice::Auto if config.on_burn() => engines.on_burn(config).await,
        EngineChoice::Portable if engines.kernel.arithmetic != Arithmetic::Separate => Err(WorkerError::NotPortable),
        EngineChoice::Cpu | EngineChoice::Portable => Ok(open_cpu(config, workers, engines.kernel, String::new()).await),
        EngineChoice::WebGpu => {
            let refused = |why: WorkerError| WorkerError::WebGpuAsked { why: Box::new(why) };
            let adapter = adapter::find().await.map_err(|why| refused(why.into()))?;
            open_webgpu(adapter, config, engines.kernel).await.map_err(refused)
        }
        EngineChoice::Auto => {
            let why = match adapter::find().await {
                Ok(adapter) if adapter.software => {
                    format!("The graphics adapter ({}) is emulated in software, so the CPU computes.", adapter.name)
                }
                Ok(adapter) => match open_webgpu(adapter, config, engines.kernel).await {
                    Ok(opened) => return Ok(opened),
                    Err(why) => why.to_string(),
                },
                Err(why) => why.to_string(),
            };
            Ok(open_cpu(config, workers, engines.kernel, why).await)
        }
    }
}

async fn open_webgpu(adapter: BrowserAdapter, config: &RunConfig, kernel: Kernel) -> Result<Opened, WorkerError> {
    prepare("Opening the graphics card.");
    let gpu = card::open().await?;
    prepare("Checking the graphics card's first steps against the CPU's.");
    card::check(&gpu, &adapter.name, config, kernel).await?;
    let engine = Engine { class: EngineClass::WebGpu, name: adapter.name, software: adapter.software, workers: 1, note: String::new() };
    Ok((Backend::Device(gpu), engine))
}

async fn open_cpu(config: &RunConfig, workers: usize, kernel: Kernel, note: String) -> Opened {
    let plan = Plan::new(config);
    let cores = scope().navigator().hardware_concurrency() as usize;
    let asked = if workers > 0 { workers } else { cores.max(1) };
    let workers = asked.min(plan.shards().len());
    if workers > 1 {
        prepare("Starting the CPU's helper workers.");
    }
    let (pool, trouble) = HelperPool::start(plan, workers, kernel).await;
    let note = [note, trouble].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    let name = match kernel.arithmetic {
        Arithmetic::Fused => "WebAssembly SIMD, fused multiply-add",
        Arithmetic::Separate => "WebAssembly SIMD",
    };
    let engine = Engine { class: EngineClass::from(kernel.arithmetic), name: name.into(), software: false, workers: 0, note };
    (Backend::Pool(Box::new(pool), kernel), engine)
}
