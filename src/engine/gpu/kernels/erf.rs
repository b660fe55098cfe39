//! The error function and the exact GELU, which WGSL does not have.
//!
//! The polynomials are those of the CPU engine (`crate::engine::cpu::math`), by N. Juffa: in x near zero, `1 − e^{polynomial}` elsewhere. The
//! absolute error is below 2e-7.

use cubecl::prelude::*;

/// erf(x).
#[cube]
pub fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let far = (-1.728_534_7e-5f32 * t + 3.831_971_3e-4f32) * s + (-3.883_964_4e-3f32 * t + 2.425_462_2e-2f32);
    let far = far * t - 1.067_778_8e-1f32;
    let far = far * t - 6.348_467e-1f32;
    let far = far * t - 1.287_175_1e-1f32;
    // Above 4 erf is 1 to the last bit, and the polynomial no longer approximates it.
    let far = select(t > 4.0f32, 1.0f32, 1.0f32 - (far * t - t).exp());
    let near = -5.967_617e-4f32 * s + 4.991_194_2e-3f32;
    let near = near * s - 2.676_813_5e-2f32;
    let near = near * s + 1.128_199_3e-1f32;
    let near = near * s - 3.761_253_4e-1f32;
    let near = near * s + 1.283_791_7e-1f32;
    let near = near * x + x;
    select(t > 0.921_875f32, select(x < 0.0f32, -far, far), near)
}

/// Φ(z), the standard normal distribution function: `½ (1 + erf(z / √2))`.
#[cube]
pub fn normal(z: f32) -> f32 {
    0.5f32 * (1.0f32 + erf(z * std::f32::consts::FRAC_1_SQRT_2))
}

/// `z Φ(z)`.
#[cube]
pub fn gelu(z: f32) -> f32 {
    z * normal(z)
}

/// `Φ(z) + z φ(z)`, the derivative of [`gelu`]; φ is the standard normal density.
#[cube]
pub fn gelu_slope(z: f32) -> f32 {
    normal(z) + z * 0.398_942_3f32 * (-0.5f32 * z * z).exp()
}
