//! Sigmoid, hyperbolic tangent, SiLU and softplus. They do not overflow for large arguments and stay accurate for small results. WGSL's own
//! `tanh` may overflow, and its `log` is off by 5e-7 near 1.

use cubecl::prelude::*;

/// `e^{−|x|}`, at least 1e-35.
#[cube]
fn fading(x: f32) -> f32 {
    (-x.abs()).max(-80.0f32).exp()
}

/// `1 / (1 + e^{−x})`.
#[cube]
pub fn sigmoid(x: f32) -> f32 {
    let e = fading(x);
    select(x < 0.0f32, e, 1.0f32) / (1.0f32 + e)
}

/// tanh x: its series near zero, `(1 − e^{−2|x|}) / (1 + e^{−2|x|})` elsewhere.
#[cube]
pub fn tanh(x: f32) -> f32 {
    let e = fading(2.0f32 * x);
    let far = (1.0f32 - e) / (1.0f32 + e);
    let s = x * x;
    let near = 2.186_949e-2f32 * s - 5.396_825_4e-2f32;
    let near = near * s + 1.333_333_4e-1f32;
    let near = near * s - 3.333_333_4e-1f32;
    let near = near * s * x + x;
    select(x.abs() < 0.25f32, near, select(x < 0.0f32, -far, far))
}

/// `x σ(x)`.
#[cube]
pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// The derivative of [`silu`].
#[cube]
pub fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s * (1.0f32 + x * (1.0f32 - s))
}

/// `x` above 20, else `ln(1 + e^x) = max(x, 0) + 2 artanh(e / (2 + e))`, `e = e^{−|x|}`, with the series of artanh.
#[cube]
pub fn softplus(x: f32) -> f32 {
    let e = fading(x);
    let r = e / (2.0f32 + e);
    let s = r * r;
    let sum = 7.692_308e-2f32 * s + 9.090_909e-2f32;
    let sum = sum * s + 1.111_111_1e-1f32;
    let sum = sum * s + 1.428_571_4e-1f32;
    let sum = sum * s + 0.2f32;
    let sum = sum * s + 3.333_333_4e-1f32;
    let logarithm = 2.0f32 * (sum * s * r + r);
    select(x > 20.0f32, x, x.max(0.0f32) + logarithm)
}
