//! Where tensors live: the only module that names a backend.
//!
//! Two engines: the CPU (burn-flex, SIMD128 in wasm) and WebGPU (burn-wgpu with fusion, without autotune). Both hand out a
//! [`Device`]; everything above works on any device. Here too belong operators that must differ between engines.

pub mod ops;
#[cfg(feature = "webgpu")]
pub mod webgpu;

pub use burn_tensor::{Device, Int, Tensor, TensorData};

/// The CPU engine's device.
pub fn cpu() -> Device {
    Device::flex()
}

/// A rank-1 tensor from host memory.
pub fn upload(values: &[f32], device: &Device) -> Tensor<1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// Reads a tensor back, row-major. On WebGPU this waits for all work that leads to it, so it is done seldom.
///
/// # Errors
/// A sentence when the device was lost or ran out of memory.
pub async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    // The CPU engine has nothing to wait for and cannot fail here; burn's own text is a list of causes without a remedy.
    let data = tensor
        .into_data_async()
        .await
        .map_err(|_| "The graphics card does not give its numbers back: the device was lost, reset or ran out of memory.".to_string())?;
    data.try_into_vec::<f32>().map_err(|error| format!("The engine gave back numbers of another type: {error:?}"))
}
