//! The WebGPU engine's device.
//!
//! burn-wgpu with fusion and without autotune: with it, burn 0.22.1 picks kernels that need `subgroups`, which wgpu's web
//! backend never asks the adapter for, and computes NaN; it also compiles ten times the pipelines before the first step.

use burn_tensor::Device;
use burn_tensor::wgpu::wgpu;
use std::cell::RefCell;
use std::sync::Arc;

/// What befalls a device after it was opened.
pub type OnFault = fn(&str);

thread_local! {
    /// burn's runtime can be initialised once in a thread's life; later runs share its device.
    static OPENED: RefCell<Option<Device>> = const { RefCell::new(None) };
}

/// Opens the browser's high-performance adapter, or gives the device that this thread has opened before.
///
/// `on_fault` is called when the device is lost or reports an error that belongs to no call; the run cannot go on then.
///
/// # Errors
/// A sentence when no adapter or device is to be had.
pub async fn open(on_fault: OnFault) -> Result<Device, String> {
    if let Some(device) = OPENED.with_borrow(Clone::clone) {
        return Ok(device);
    }
    let opened = Device::wgpu_options().init_with_setup_async().await;
    let (device, setup) = opened.map_err(|error| format!("The graphics card could not be opened: {error}"))?;
    setup.device.set_device_lost_callback(move |reason, message| {
        if reason != wgpu::DeviceLostReason::Destroyed || !message.is_empty() {
            on_fault(&format!("The graphics card was lost ({message})."));
        }
    });
    setup
        .device
        .on_uncaptured_error(Arc::new(move |error: wgpu::Error| on_fault(&format!("The graphics card reported an error: {error}"))));
    OPENED.set(Some(device.clone()));
    Ok(device)
}
