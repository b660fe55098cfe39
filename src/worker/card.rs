//! Opens the graphics card and checks it. A driver that hangs gives no answer, so the waiting has an end; one that computes wrong is found out
//! by its first losses.

use super::failure::{WorkerError, engine_failed};
use super::pool::HelperPool;
use crate::adapter::within;
use crate::config::{Objective, RunConfig, Start};
use crate::engine::cpu::Kernel;
use crate::engine::gpu::{self, Gpu};
use crate::replay::TOLERANCE;
use crate::train::{Backend, Plan, Run, TrainError};

/// How long a graphics card may take to give a device, in seconds. A slow phone takes some seconds.
const PATIENCE: i32 = 20;

/// Opens the graphics card.
///
/// # Errors
/// When it gives no device, or does not answer.
pub async fn open() -> Result<Gpu, WorkerError> {
    within(1000 * PATIENCE, gpu::open(engine_failed)).await.map_or(Err(WorkerError::SilentCard(PATIENCE)), |opened| Ok(opened?))
}

/// Steps of the check. The second one shows whether the gradient and the update of the first are right.
const STEPS: u64 = 2;
/// Sequences in a step of the check.
const BATCH: usize = 2;

/// Trains two small steps of the run's network on the card and on the CPU. Their losses must agree within [`TOLERANCE`].
///
/// # Errors
/// When a loss differs, or an engine failed.
pub async fn check(gpu: &Gpu, name: &str, config: &RunConfig, kernel: Kernel) -> Result<(), WorkerError> {
    let mut small = RunConfig { start: Start::Scratch, ..config.clone() };
    let training = &mut small.training;
    (training.steps, training.batch, training.objective, training.warmup, training.stop_at) = (STEPS, BATCH, Objective::Examples, 0, 0.0);
    let (pool, _) = HelperPool::start(Plan::new(&small), 1, kernel).await;
    let expected = losses(&small, Backend::Pool(Box::new(pool), kernel)).await?;
    let found = losses(&small, Backend::Device(gpu.clone())).await?;
    // A run that diverges on the CPU says nothing about the card.
    let wrong =
        |(found, expected): &(f32, f32)| expected.is_finite() && (found.is_nan() || (found - expected).abs() > TOLERANCE * expected.abs());
    let pairs: Vec<(f32, f32)> = found.into_iter().zip(expected).collect();
    match pairs.iter().position(wrong) {
        Some(at) => Err(WorkerError::WrongCard { name: name.into(), step: at + 1, found: pairs[at].0, expected: pairs[at].1 }),
        None => Ok(()),
    }
}

/// The losses of a run's steps; NaN for those that are not finite.
async fn losses(config: &RunConfig, place: Backend) -> Result<Vec<f32>, WorkerError> {
    let mut run = Run::new(config, place, None).await?;
    let mut losses = Vec::new();
    for _ in 0..config.training.steps {
        run.step().await?;
        match run.losses().await {
            Ok(read) => losses.extend(read),
            Err(TrainError::Diverged(_)) => losses.push(f32::NAN),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(losses)
}
