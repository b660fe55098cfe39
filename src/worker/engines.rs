//! The engines that are part of a worker's program.

use super::failure::WorkerError;
use crate::config::RunConfig;
use crate::engine::cpu::Kernel;
use crate::protocol::Engine;
use crate::train::Backend;
use std::pin::Pin;

/// An engine that has no run yet, and its description for the page.
pub type Opened = (Backend, Engine);

/// The future of an engine that is being opened.
pub type Opening = Pin<Box<dyn Future<Output = Result<Opened, WorkerError>>>>;

/// The engines of a program: our CPU kernels and WebGPU in every program, Burn only in `worker-burn`.
#[derive(Clone, Copy)]
pub struct Engines {
    pub kernel: Kernel,
    pub burn: Option<fn(RunConfig) -> Opening>,
}

impl Engines {
    pub async fn on_burn(self, config: &RunConfig) -> Result<Opened, WorkerError> {
        self.burn.ok_or(WorkerError::NoBurn)?(config.clone()).await
    }
}
