//! Opens Burn as the engine of a run. Only the program `worker-burn` calls this module, so the linker leaves Burn out of the other programs.

use super::card;
use super::engines::{Opened, Opening};
use super::failure::WorkerError;
use crate::adapter::{self, AdapterError};
use crate::config::{EngineChoice, RunConfig};
use crate::engine::burn::Burn;
use crate::engine::cpu::Kernel;
use crate::protocol::Engine;
use crate::replay::EngineClass;
use crate::train::{Backend, Direct, Plan};

/// Opens Burn on the device that the run asks for.
///
/// # Errors
/// When the run asks for WebGPU and the browser has no graphics adapter, or the adapter cannot be opened.
pub fn open(config: RunConfig) -> Opening {
    Box::pin(async move { on_device(&config).await })
}

async fn on_device(config: &RunConfig) -> Result<Opened, WorkerError> {
    let refused = |why: AdapterError| WorkerError::BurnOnWebGpuAsked { why: Box::new(why.into()) };
    let (found, why) = match config.engine {
        EngineChoice::BurnFlex => (None, String::new()),
        EngineChoice::BurnWgpu => (Some(adapter::find().await.map_err(refused)?), String::new()),
        EngineChoice::Burn | EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::Portable | EngineChoice::WebGpu => {
            match adapter::find().await {
                Ok(adapter) if adapter.software => {
                    (None, format!("The graphics adapter ({}) is emulated in software, so Burn computes on the CPU.", adapter.name))
                }
                Ok(adapter) => (Some(adapter), String::new()),
                Err(why) => (None, why.to_string()),
            }
        }
    };
    let reason = if config.model.kind.has_kernels() {
        String::new()
    } else {
        format!("{} is defined in Burn's tensors and has no kernels of its own yet, so Burn computes it.", config.model.kind.name())
    };
    let note = [reason, why].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    match found {
        Some(adapter) => {
            let gpu = card::open().await?;
            Ok(opened(config, Burn::wgpu(&gpu), EngineClass::BurnWgpu, adapter.name, adapter.software, note))
        }
        None => {
            let name = "burn-flex, WebAssembly SIMD".into();
            Ok(opened(config, Burn::flex(), EngineClass::BurnFlex, name, false, note))
        }
    }
}

fn opened(config: &RunConfig, burn: Burn, class: EngineClass, name: String, software: bool, note: String) -> Opened {
    let pool = Box::new(Direct::new(Plan::new(config), burn));
    (Backend::Pool(pool, Kernel::separate()), Engine { class, name, software, workers: 1, note })
}
