//! The WebGPU engine: carries out a [`Program`](super::program::Program) with CubeCL kernels, one dispatch an instruction.
//!
//! [`open`] gives the graphics card, [`Resident`] is one run on it. The kernels need neither subgroups nor atomics, at most
//! four storage buffers and 256 threads a workgroup, so every WebGPU adapter can carry them out.

mod chain;
mod hops;
mod jobs;
pub mod kernels;
mod launch;
mod resident;
mod sequences;
mod step;
mod table;

pub use resident::Resident;

use super::program::Program;
use cubecl::client::Client;
use cubecl::wgpu::{AutoGraphicsApi, MemoryConfiguration, RuntimeOptions, WgpuDevice, WgpuInitError, try_init_setup_async, wgpu};
use std::cell::RefCell;
use std::sync::Arc;

/// What befalls a device after it was opened.
pub type OnFault = fn(&str);

/// Dispatches that are encoded before they are handed to the device. More than a training step has: a step is handed over
/// whole, by [`Resident::update`].
const DISPATCHES: usize = 128;

thread_local! {
    static OPENED: RefCell<Option<Gpu>> = const { RefCell::new(None) };
}

/// Rounds of all its loops together after which Mesa's llvmpipe ends a thread's loops, and goes on behind them, is 65,535; with some to spare.
const ROUNDS: usize = 60_000;

/// What of an adapter decides which kernels it gets.
#[derive(Clone, Copy, Debug)]
pub struct Adapter {
    /// Emulated on the CPU, where barriers and many small workgroups cost more than reading a number again.
    pub software: bool,
    /// How many rounds of its loops a thread may make in one launch, where that is limited.
    pub rounds: Option<usize>,
}

/// The graphics card.
#[derive(Clone)]
pub struct Gpu {
    client: Client,
    adapter: Adapter,
}

impl Gpu {
    /// The same device with the kernels that a graphics card gets, so that tests on a software adapter run those too.
    #[must_use]
    pub fn as_hardware(self) -> Self {
        Self { adapter: Adapter { software: false, ..self.adapter }, ..self }
    }

    /// Whether the adapter is emulated on the CPU.
    pub fn is_software(&self) -> bool {
        self.adapter.software
    }

    /// How many numbers one memory may hold.
    pub fn most_numbers(&self) -> usize {
        usize::try_from(self.client.properties().memory.max_page_size / 4).unwrap_or(usize::MAX)
    }
}

/// Dispatches of a program on such an adapter.
pub fn dispatches(program: &Program, adapter: Adapter) -> usize {
    table::write(program, adapter).1.len()
}

/// Opens the browser's high-performance adapter with the adapter's own limits, or gives the device that was opened before:
/// CubeCL's runtime can be initialised once, and later runs share its device.
///
/// `on_fault` is called when the device is lost or reports an error that belongs to no call; the run cannot go on then.
/// That of the first call stays.
///
/// # Errors
/// A sentence when no adapter or device is to be had.
pub async fn open(on_fault: OnFault) -> Result<Gpu, String> {
    if let Some(gpu) = OPENED.with_borrow(Clone::clone) {
        return Ok(gpu);
    }
    let options = RuntimeOptions { tasks_max: DISPATCHES, memory_config: MemoryConfiguration::ExclusivePages };
    let device = WgpuDevice::default();
    let mut software = false;
    match try_init_setup_async::<AutoGraphicsApi>(&device, options).await {
        Ok(setup) => {
            software = setup.adapter.get_info().device_type == wgpu::DeviceType::Cpu;
            watch(&setup.device, on_fault);
        }
        // Another thread of a native program was first.
        Err(WgpuInitError::Registration { .. }) => {}
        Err(error) => return Err(format!("The graphics card could not be opened: {error}")),
    }
    let client = cubecl::Device::Wgpu(device).client();
    let name = client.properties().identity.name.to_lowercase();
    let software = software || ["swiftshader", "llvmpipe", "basic render"].iter().any(|known| name.contains(known));
    let adapter = Adapter { software, rounds: name.contains("llvmpipe").then_some(ROUNDS) };
    let gpu = Gpu { client, adapter };
    OPENED.set(Some(gpu.clone()));
    Ok(gpu)
}

fn watch(device: &wgpu::Device, on_fault: OnFault) {
    device.set_device_lost_callback(move |reason, message| {
        if reason != wgpu::DeviceLostReason::Destroyed || !message.is_empty() {
            on_fault(&format!("The graphics card was lost ({message})."));
        }
    });
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| on_fault(&format!("The graphics card reported an error: {error}"))));
}
