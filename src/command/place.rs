//! Where the command line computes.

use crate::config::link::Link;
use crate::config::{EngineChoice, RunConfig};
use crate::engine::burn::Burn;
use crate::engine::cpu::Kernel;
use crate::engine::gpu::{self, Gpu};
use crate::replay::EngineClass;
use crate::train::pool::ThreadPool;
use crate::train::{Direct, Place, Plan};

/// The kernel that reproduces a link's fingerprint, if it carries one, and else this machine's quickest.
pub fn kernel(link: &Link) -> Kernel {
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

/// Where a run computes, and the class of that engine. A graphics card is used only where the link asks for one.
///
/// # Errors
/// Where a graphics card is asked for and no adapter answers.
pub fn place(config: &RunConfig, workers: usize, kernel: Kernel) -> Result<(Place, EngineClass), String> {
    if config.on_burn() {
        return burn(config, config.engine);
    }
    if config.engine == EngineChoice::WebGpu {
        return Ok((Place::Device(card()?), EngineClass::WebGpu));
    }
    let pool = ThreadPool::new(&Plan::new(config), kernel, super::threads(workers));
    Ok((Place::Pool(Box::new(pool), kernel), EngineClass::of(kernel.arithmetic)))
}

fn card() -> Result<Gpu, String> {
    pollster::block_on(gpu::open(|sentence| eprintln!("{sentence}")))
}

/// Burn on the device that is asked for. The update is the CPU engine's, rounded separately, wherever the gradient comes from.
///
/// # Errors
/// As [`place`].
pub fn burn(config: &RunConfig, choice: EngineChoice) -> Result<(Place, EngineClass), String> {
    let (burn, class) = device(choice)?;
    let pool = Direct::new(Plan::new(config), burn);
    Ok((Place::Pool(Box::new(pool), Kernel::separate()), class))
}

fn device(choice: EngineChoice) -> Result<(Burn, EngineClass), String> {
    let on_card = |gpu| (Burn::wgpu(&gpu), EngineClass::BurnWgpu);
    match choice {
        EngineChoice::BurnFlex => Ok((Burn::flex(), EngineClass::BurnFlex)),
        EngineChoice::BurnWgpu => card().map(on_card),
        EngineChoice::Burn | EngineChoice::Auto | EngineChoice::Cpu | EngineChoice::WebGpu => {
            let real = card().ok().filter(|gpu| !gpu.is_software());
            Ok(real.map_or_else(|| (Burn::flex(), EngineClass::BurnFlex), on_card))
        }
    }
}
