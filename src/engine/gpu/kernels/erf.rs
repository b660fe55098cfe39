//! The error function and the exact GELU, which WGSL lacks.
//!
//! `erf x ≈ x P(x²) / Q(x²)` with x held to ±4, the rational minimax approximation of Eigen and XLA
//! (`Eigen/src/Core/MathFunctionsImpl.h`); the CPU engine uses the same coefficients.

use cubecl::prelude::*;

/// erf(x), to 2e-7.
#[cube]
#[allow(clippy::excessive_precision)]
pub fn erf(x: f32) -> f32 {
    let x = x.max(-4.0f32).min(4.0f32);
    let s = x * x;
    let p = -2.72614225801306e-10f32 * s + 2.77068142495902e-08f32;
    let p = p * s - 2.10102402082508e-06f32;
    let p = p * s - 5.69250639462346e-05f32;
    let p = p * s - 7.34990630326855e-04f32;
    let p = p * s - 2.954_599_8e-03f32;
    let p = p * s - 1.609_603_3e-02f32;
    let q = -1.45660718464996e-05f32 * s - 2.13374055278905e-04f32;
    let q = q * s - 1.68282697438203e-03f32;
    let q = q * s - 7.37332916720468e-03f32;
    let q = q * s - 1.42647390514189e-02f32;
    x * p / q
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
