//! The GPU device, opened once.

use super::adapter::{AdapterTraits, MAX_ITERATIONS};
use crate::engine::error::EngineError;
use cubecl::client::Client;
use cubecl::wgpu::{AutoGraphicsApi, MemoryConfiguration, RuntimeOptions, WgpuDevice, WgpuInitError, try_init_setup_async, wgpu};
use std::cell::RefCell;
use std::sync::Arc;

/// Called when a device is lost or reports an error after it was opened.
pub type OnFault = fn(&str);

/// Dispatches that are encoded before they are submitted to the device. It exceeds the dispatches of a training step, because
/// [`super::Resident::update`] submits a step as a whole.
const DISPATCHES: usize = 128;

thread_local! {
    static OPENED: RefCell<Option<Gpu>> = const { RefCell::new(None) };
}

/// The GPU.
#[derive(Clone)]
pub struct Gpu {
    pub(super) client: Client,
    pub(super) adapter: AdapterTraits,
}

impl Gpu {
    /// The same device with the kernels of a hardware GPU, so that tests on a software adapter run those kernels too.
    #[must_use]
    pub fn as_hardware(self) -> Self {
        Self { adapter: AdapterTraits { software: false, ..self.adapter }, ..self }
    }

    /// Whether the adapter is emulated on the CPU.
    pub fn is_software(&self) -> bool {
        self.adapter.software
    }

    /// The most elements of one memory.
    pub fn most_numbers(&self) -> usize {
        usize::try_from(self.client.properties().memory.max_page_size / 4).unwrap_or(usize::MAX)
    }
}

/// Opens the browser's high-performance adapter with the adapter's own limits. Later calls return the same device, because CubeCL's runtime can
/// be initialised only once.
///
/// `on_fault` is called when the device is lost or reports an error outside any call. The run cannot continue then. Only the first call sets
/// `on_fault`.
///
/// # Errors
/// When there is no adapter or no device.
pub async fn open(on_fault: OnFault) -> Result<Gpu, EngineError> {
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
        // Another thread of a native program has opened the device already.
        Err(WgpuInitError::Registration { .. }) => {}
        Err(error) => return Err(EngineError::Unopened(error.to_string())),
    }
    let client = cubecl::Device::Wgpu(device).client();
    let name = client.properties().identity.name.to_lowercase();
    let software = software || ["swiftshader", "llvmpipe", "basic render"].iter().any(|known| name.contains(known));
    let adapter = AdapterTraits { software, iterations: name.contains("llvmpipe").then_some(MAX_ITERATIONS) };
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
