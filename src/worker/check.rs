//! The first steps of a run on Burn, for “Check with Burn”.

use super::engines::Engines;
use super::failure::WorkerError;
use super::session::Begin;
use crate::config::RunConfig;
use crate::protocol::Report;
use crate::train::Run;
use crate::wire;

/// Performs the first steps of a run on Burn. After each step it reports all losses so far.
///
/// # Errors
/// When this program has no Burn, the run cannot begin, or a step failed.
pub async fn check(config: RunConfig, steps: u64, begin: Begin, engines: Engines) -> Result<(), WorkerError> {
    let (place, engine) = engines.on_burn(&config).await?;
    let start = match begin {
        Begin::Weights(bytes) => Some(bytes),
        Begin::Fresh | Begin::Snapshot(_) => None,
    };
    let mut run = Run::new(&config, place, start.as_deref()).await?;
    let mut losses = Vec::new();
    for _ in 0..steps {
        run.step().await?;
        losses.extend(run.losses().await?);
        wire::post(&Report::Checked { engine: engine.clone(), losses: losses.clone() }, None);
    }
    Ok(())
}
