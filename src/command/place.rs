//! The engines of the command line.

use super::error::CommandError;
use crate::config::link::Link;
use crate::config::{EngineChoice, RunConfig};
use crate::engine::burn::Burn;
use crate::engine::cpu::Kernel;
use crate::engine::gpu::{self, Gpu};
use crate::replay::EngineClass;
use crate::train::pool::ThreadPool;
use crate::train::{Backend, Direct, Plan};

/// The kernel of a link with the portable engine; else the one that reproduces the link's fingerprint, if it has one; else this machine's fastest.
pub fn kernel(link: &Link) -> Kernel {
    if link.config.engine == EngineChoice::Portable {
        return Kernel::separate();
    }
    match link.fingerprint.as_ref().map(|fingerprint| fingerprint.engine) {
        Some(EngineClass::Separate) => Kernel::separate(),
        Some(
            EngineClass::Fused
            | EngineClass::WebGpu
            | EngineClass::Cpu
            | EngineClass::Native
            | EngineClass::BurnFlex
            | EngineClass::BurnWgpu,
        )
        | None => Kernel::best(),
    }
}

/// The engine of a run, and its class. A graphics card is used only if the link asks for one.
///
/// # Errors
/// If the link asks for a graphics card and no adapter answers.
pub fn place(config: &RunConfig, workers: usize, kernel: Kernel) -> Result<(Backend, EngineClass), CommandError> {
    if config.on_burn() {
        return burn(config, config.engine);
    }
    if config.engine == EngineChoice::WebGpu {
        return Ok((Backend::Device(card()?), EngineClass::WebGpu));
    }
    let pool = ThreadPool::new(&Plan::new(config), kernel, super::threads(workers));
    Ok((Backend::Pool(Box::new(pool), kernel), EngineClass::from(kernel.arithmetic)))
}

fn card() -> Result<Gpu, CommandError> {
    Ok(pollster::block_on(gpu::open(|sentence| eprintln!("{sentence}")))?)
}

/// Burn on the chosen device. The CPU engine computes the update, with separate rounding, on every device.
///
/// # Errors
/// As [`place`].
pub fn burn(config: &RunConfig, choice: EngineChoice) -> Result<(Backend, EngineClass), CommandError> {
    let (burn, class) = device(choice)?;
    let pool = Direct::new(Plan::new(config), burn);
    Ok((Backend::Pool(Box::new(pool), Kernel::separate()), class))
}

fn device(choice: EngineChoice) -> Result<(Burn, EngineClass), CommandError> {
    let on_card = |gpu| (Burn::wgpu(&gpu), EngineClass::BurnWgpu);
    match choice {
        EngineChoice::BurnFlex => Ok((Burn::flex(), EngineClass::BurnFlex)),
        EngineChoice::BurnWgpu => card().map(on_card),
        EngineChoice::Burn | EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::Portable | EngineChoice::WebGpu => {
            let real = card().ok().filter(|gpu| !gpu.is_software());
            Ok(real.map_or_else(|| (Burn::flex(), EngineClass::BurnFlex), on_card))
        }
    }
}
