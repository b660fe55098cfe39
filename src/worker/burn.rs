//! Burn as the page's engine: only the program `worker-burn` has it.

use super::session::{Begin, Opened};
use crate::config::RunConfig;
use crate::protocol::Report;
use crate::train::Run;
use crate::wire;

/// Opens Burn on the device that the run asks for.
///
/// # Errors
/// A sentence when no adapter answers where one is asked for, or this program has no Burn.
#[cfg(feature = "burn-wgpu")]
pub async fn open(config: &RunConfig) -> Result<Opened, String> {
    use crate::adapter;
    use crate::config::EngineChoice;
    use crate::engine::burn::Burn;

    let refused = |why: String| format!("{why} The link asks for Burn on WebGPU: choose Burn on the CPU in the form to run it here.");
    let (found, why) = match config.engine {
        EngineChoice::BurnFlex => (None, String::new()),
        EngineChoice::BurnWgpu => (Some(adapter::find().await.map_err(refused)?), String::new()),
        EngineChoice::Burn | EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::WebGpu => match adapter::find().await {
            Ok(adapter) if adapter.software => {
                (None, format!("The graphics adapter ({}) is emulated in software, so Burn computes on the CPU.", adapter.name))
            }
            Ok(adapter) => (Some(adapter), String::new()),
            Err(why) => (None, why),
        },
    };
    let reason = if config.model.kind.has_kernels() {
        String::new()
    } else {
        format!("{} is defined in Burn's tensors and has no kernels of its own yet, so Burn computes it.", config.model.kind.name())
    };
    let note = [reason, why].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match found {
        Some(adapter) => {
            let gpu = crate::engine::gpu::open(super::failed).await?;
            Ok(opened(config, Burn::wgpu(&gpu), crate::replay::EngineClass::BurnWgpu, adapter.name, adapter.software, note))
        }
        None => {
            let name = "burn-flex, WebAssembly SIMD".into();
            Ok(opened(config, Burn::flex(), crate::replay::EngineClass::BurnFlex, name, false, note))
        }
    }
}

#[cfg(feature = "burn-wgpu")]
fn opened(
    config: &RunConfig,
    burn: crate::engine::burn::Burn,
    class: crate::replay::EngineClass,
    name: String,
    software: bool,
    note: String,
) -> Opened {
    use crate::engine::cpu::Kernel;
    use crate::protocol::Engine;
    use crate::train::{Direct, Place, Plan};

    let pool = Box::new(Direct::new(Plan::new(config), burn));
    (Place::Pool(pool, Kernel::separate()), Engine { class, name, software, workers: 1, note })
}

/// This program was built without Burn: the page starts another one for such runs.
///
/// # Errors
/// Always.
#[cfg(not(feature = "burn-wgpu"))]
pub async fn open(_: &RunConfig) -> Result<Opened, String> {
    Err("This part of the page has no Burn, which computes this run: reload the page, its parts are of different versions.".into())
}

/// Makes the first steps of a run on Burn and reports their losses after each.
///
/// # Errors
/// A sentence when the run cannot begin or a step failed.
pub async fn check(config: RunConfig, steps: u64, begin: Begin) -> Result<(), String> {
    let (place, engine) = open(&config).await?;
    let start = match begin {
        Begin::Weights(bytes) => Some(bytes),
        Begin::Anew | Begin::Snapshot(_) => None,
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
