//! One run in the worker: which engine, how often to report, when to measure.

use super::pool::HelperPool;
use super::{now, wire};
use crate::adapter::{self, Adapter};
use crate::config::{EngineChoice, RunConfig};
use crate::engine::cpu::{Arithmetic, Kernel};
use crate::engine::gpu;
use crate::model::weights;
use crate::protocol::{Bytes, Ending, Engine, Report, Which};
use crate::replay::EngineClass;
use crate::task::Split;
use crate::train::grpo::Rollouts;
use crate::train::{self, Place, Plan, Run, checkpoint, reads};
use js_sys::Uint8Array;

/// Losses are sent to the page at most this often.
const REPORT_MILLISECONDS: f64 = 100.0;
/// Steps that may wait on the graphics card before their losses are read.
const PENDING_LIMIT: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Paused,
    /// Ended, and why.
    Over(Ending),
}

/// What a run begins with.
pub enum Begin {
    Anew,
    /// From the weights of this safetensors file.
    Weights(Vec<u8>),
    /// From this snapshot on.
    Snapshot(Vec<u8>),
}

impl Begin {
    /// What a start's bytes are.
    pub fn of(kind: Bytes, bytes: Option<Uint8Array>) -> Self {
        match (kind, bytes) {
            (Bytes::Weights, Some(bytes)) => Self::Weights(bytes.to_vec()),
            (Bytes::Snapshot, Some(bytes)) => Self::Snapshot(bytes.to_vec()),
            // Whoever needs bytes that did not arrive says so itself.
            (Bytes::None, _) | (Bytes::Weights | Bytes::Snapshot, None) => Self::Anew,
        }
    }
}

/// An engine before a run lives on it, and what is said of it.
pub type Opened = (Place, Engine);

/// A run and its clock.
pub struct Session {
    run: Run,
    class: EngineClass,
    state: State,
    /// Milliseconds spent training.
    trained: f64,
    /// Losses read and not yet sent.
    losses: Vec<f32>,
    /// What a policy drew in those steps.
    rollouts: Vec<Rollouts>,
    sent: f64,
    /// Steps to queue before the next read-back (1 on the CPU).
    stride: u64,
    queued: u64,
}

impl Session {
    /// Opens an engine and begins or goes on with a run.
    ///
    /// # Errors
    /// A sentence for the page.
    pub async fn start(config: RunConfig, workers: usize, begin: Begin, kernel: Kernel) -> Result<Self, String> {
        let problems = config.problems();
        if !problems.is_empty() {
            return Err(problems.into_iter().map(|problem| problem.sentence).collect::<Vec<_>>().join(" "));
        }
        let (place, mut engine) = open(&config, workers, kernel).await?;
        let class = engine.class;
        if class == EngineClass::WebGpu {
            prepare("Compiling the graphics card's programs.");
        }
        let run = match begin {
            Begin::Snapshot(bytes) => Run::resume(&config, place, &bytes).await?,
            Begin::Weights(bytes) => Run::new(&config, place, Some(&bytes)).await?,
            Begin::Anew => Run::new(&config, place, None).await?,
        };
        engine.workers = run.workers();
        let step = run.step_count();
        wire::post(&Report::Started { engine, parameters: weights::count(run.plan.own()), step }, None);
        Ok(Self {
            run,
            class,
            state: State::Running,
            trained: 0.0,
            losses: Vec::new(),
            rollouts: Vec::new(),
            sent: now(),
            stride: 1,
            queued: 0,
        })
    }

    /// Takes opened weights to an engine and measures them; they can be saved again like those of a run.
    ///
    /// # Errors
    /// A sentence for the page.
    pub async fn open(opened: train::Opened, workers: usize, kernel: Kernel) -> Result<Self, String> {
        let config = opened.config.clone();
        let (place, mut engine) = open(&config, workers, kernel).await?;
        let class = engine.class;
        let run = Run::opened(opened, place).await?;
        engine.workers = run.workers();
        let parameters = weights::count(&run.plan.parameters);
        wire::post(&Report::Opened { config: Box::new(config), engine, parameters }, None);
        prepare("Measuring the opened model on rules it has never met…");
        let state = State::Over(Ending::Opened);
        let mut session =
            Self { run, class, state, trained: 0.0, losses: Vec::new(), rollouts: Vec::new(), sent: now(), stride: 1, queued: 0 };
        session.measure(Split::Test).await?;
        wire::post(&Report::Finished { step: 0, seconds: 0.0, why: Ending::Opened }, None);
        Ok(session)
    }

    /// Whether the run has ended.
    pub fn over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// Whether the run has come to numbers that are none: to go on from the last snapshot would end the same way.
    pub fn diverged(&self) -> bool {
        self.run.diverged()
    }

    pub fn running(&self) -> bool {
        self.state == State::Running
    }

    /// A step, and what is due after it.
    ///
    /// # Errors
    /// A sentence for the page.
    pub async fn advance(&mut self) -> Result<(), String> {
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

    async fn step(&mut self) -> Result<(), String> {
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

    /// Reads the losses of the queued steps; on the graphics card the stride between read-backs follows how long they take.
    async fn read_losses(&mut self, since: f64) -> Result<(), String> {
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

    async fn flush(&mut self) -> Result<(), String> {
        self.read_losses(now()).await?;
        self.send_losses();
        Ok(())
    }

    async fn measure(&mut self, split: Split) -> Result<(), String> {
        self.flush().await?;
        let (measured, best) = self.run.measure(split).await?;
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

    async fn snapshot(&mut self) -> Result<(), String> {
        let bytes = self.run.snapshot().await?;
        wire::post(&Report::Snapshot { step: self.run.step_count() }, Some(&bytes));
        Ok(())
    }

    pub async fn pause(&mut self) -> Result<(), String> {
        if self.state == State::Running {
            self.flush().await?;
            self.snapshot().await?;
            self.state = State::Paused;
            wire::post(&Report::Paused { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    pub fn resume(&mut self) -> Result<(), String> {
        if self.state == State::Paused {
            self.state = State::Running;
            wire::post(&Report::Resumed { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    pub async fn single_step(&mut self) -> Result<(), String> {
        if self.state != State::Paused {
            return Ok(());
        }
        self.advance().await?;
        self.flush().await?;
        if self.state == State::Paused {
            wire::post(&Report::Paused { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    /// Changes the step count to reach; a run that had reached its own goes on.
    pub fn reach(&mut self, steps: u64) -> Result<(), String> {
        self.run.reach(steps.max(self.run.step_count()));
        if self.state == State::Over(Ending::Reached) && self.run.ended().is_none() {
            self.state = State::Running;
            wire::post(&Report::Resumed { step: self.run.step_count() }, None);
        }
        Ok(())
    }

    /// The last measurement, of the last step's weights on test rules that neither training nor the choice of the best
    /// weights has seen.
    pub async fn finish(&mut self, why: Ending) -> Result<(), String> {
        if matches!(self.state, State::Over(_)) {
            return Ok(());
        }
        self.state = State::Over(why);
        // The last weights compete for the best ones too.
        if !self.run.measurement_due() {
            self.measure(Split::Validation).await?;
        }
        self.measure(Split::Test).await?;
        self.snapshot().await?;
        wire::post(&Report::Finished { step: self.run.step_count(), seconds: self.trained / 1e3, why }, None);
        Ok(())
    }

    /// Says what the network reads at a question. Its own clock stands meanwhile: this is no training.
    pub async fn look(&mut self, kernel: Kernel, split: Split, index: u64, depth: usize) -> Result<(), String> {
        self.flush().await?;
        let (step, weights) = self.run.values(false).await?;
        let layers = reads::look(&self.run.plan, &weights, kernel, (split, index, depth)).await?;
        wire::post(&Report::Looked { step, split, index, depth, layers }, None);
        Ok(())
    }

    pub async fn save(&mut self, which: Which) -> Result<(), String> {
        let (step, values) = self.run.values(which == Which::Best).await?;
        let plan = &self.run.plan;
        let config_json = checkpoint::config_json(&plan.config);
        let bytes = checkpoint::write(plan.own(), &values)?;
        wire::post(&Report::Weights { which, step, config_json }, Some(&bytes));
        Ok(())
    }
}

fn prepare(sentence: &str) {
    wire::post(&Report::Preparing { sentence: sentence.into() }, None);
}

/// The engine that the configuration asks for, or says why not.
async fn open(config: &RunConfig, workers: usize, kernel: Kernel) -> Result<Opened, String> {
    match config.engine {
        EngineChoice::Burn | EngineChoice::BurnFlex | EngineChoice::BurnWgpu => super::burn::open(config).await,
        EngineChoice::Auto if config.on_burn() => super::burn::open(config).await,
        EngineChoice::Cpu => Ok(open_cpu(config, workers, kernel, String::new()).await),
        EngineChoice::WebGpu => {
            let refused =
                |why: String| format!("{why} The link asks for WebGPU: choose the CPU or automatic engine in the form to run it here.");
            let adapter = adapter::find().await.map_err(refused)?;
            open_webgpu(adapter).await.map_err(refused)
        }
        EngineChoice::Auto => {
            let why = match adapter::find().await {
                Ok(adapter) if adapter.software => {
                    format!("The graphics adapter ({}) is emulated in software, so the CPU computes.", adapter.name)
                }
                Ok(adapter) => match open_webgpu(adapter).await {
                    Ok(opened) => return Ok(opened),
                    Err(why) => why,
                },
                Err(why) => why,
            };
            Ok(open_cpu(config, workers, kernel, why).await)
        }
    }
}

async fn open_webgpu(adapter: Adapter) -> Result<Opened, String> {
    prepare("Opening the graphics card.");
    let gpu = gpu::open(super::failed).await?;
    let engine = Engine { class: EngineClass::WebGpu, name: adapter.name, software: adapter.software, workers: 1, note: String::new() };
    Ok((Place::Device(gpu), engine))
}

async fn open_cpu(config: &RunConfig, workers: usize, kernel: Kernel, note: String) -> Opened {
    let plan = Plan::new(config);
    let cores = super::scope().navigator().hardware_concurrency() as usize;
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
    let engine = Engine { class: EngineClass::of(kernel.arithmetic), name: name.into(), software: false, workers: 0, note };
    (Place::Pool(Box::new(pool), kernel), engine)
}
