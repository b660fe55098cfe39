//! Scalar functions built from additions, multiplications and divisions only, so that bits are equal on every machine. They have no branches,
//! so that loops over them become SIMD.

/// e^x; x is clamped to [−87, 88]. Relative error below 2e-7. Cephes' `expf`: x = n ln 2 + r, e^r by a polynomial.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // 1.5 · 2²³: adding it rounds to an integer and puts that integer in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    // Selections replace `min` and `max`, because WebAssembly would call a library function for those.
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4f32;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 0.5;
    let e = p * r * r + r + 1.0;
    e * f32::from_bits(shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23)
}

/// The error function, absolute error below 2e-7: a polynomial in x near zero, `1 − e^{polynomial}` elsewhere. Coefficients: N. Juffa.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let (t, s) = (x.abs(), x * x);
    let far = (-1.728_534_7e-5 * t + 3.831_971_3e-4) * s + (-3.883_964_4e-3 * t + 2.425_462_2e-2);
    let far = far * t - 1.067_778_8e-1;
    let far = far * t - 6.348_467e-1;
    let far = far * t - 1.287_175_1e-1;
    let far = 1.0 - exp(far * t - t);
    let near = -5.967_617e-4 * s + 4.991_194_2e-3;
    let near = near * s - 2.676_813_5e-2;
    let near = near * s + 1.128_199_3e-1;
    let near = near * s - 3.761_253_4e-1;
    let near = near * s + 1.283_791_7e-1;
    let near = near * x + x;
    if t > 0.921_875 { far.copysign(x) } else { near }
}

/// The normal distribution function Φ(x).
#[inline(always)]
fn phi(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * std::f32::consts::FRAC_1_SQRT_2)
}

/// Exact GELU, x Φ(x).
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    x * phi(x)
}

/// GELU's derivative, Φ(x) + x φ(x).
#[inline(always)]
pub fn gelu_slope(x: f32) -> f32 {
    const DENSITY: f32 = 0.398_942_3;
    phi(x) + x * DENSITY * exp(-0.5 * x * x)
}

/// The logistic function, 1 / (1 + e^{−x}).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, relative error below 4e-7: a rational function for |x| ≤ 7.9; beyond, tanh is 1 to the last bit. Coefficients:
/// Eigen's `ptanh`.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    const END: f32 = 7.905_311;
    let x = if x < -END { -END } else { x };
    let x = if x > END { END } else { x };
    let s = x * x;
    let p = -2.760_768_5e-16 * s + 2.000_188e-13;
    let p = p * s - 8.604_672e-11;
    let p = p * s + 5.122_297_1e-8;
    let p = p * s + 1.485_722_4e-5;
    let p = p * s + 6.372_619_3e-4;
    let p = p * s + 4.893_524_6e-3;
    let q = 1.198_258_4e-6 * s + 1.185_347_1e-4;
    let q = q * s + 2.268_434_6e-3;
    let q = q * s + 4.893_525e-3;
    x * p / q
}

/// The derivative of x σ(x): σ(x) (1 + x (1 − σ(x))).
#[inline(always)]
pub fn silu_slope(x: f32) -> f32 {
    let s = sigmoid(x);
    s * (1.0 + x * (1.0 - s))
}

/// ln(1 + e^x) = max(x, 0) + ln(1 + e^{−|x|}). The logarithm of a number from 1 to 2 is computed by the series of atanh.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let small = exp(-x.abs());
    // ln(1 + s) = 2 atanh(s / (2 + s)); the argument is at most 1/3.
    let r = small / (2.0 + small);
    let q = r * r;
    let p = q * (1.0 / 13.0) + 1.0 / 11.0;
    let p = p * q + 1.0 / 9.0;
    let p = p * q + 1.0 / 7.0;
    let p = p * q + 1.0 / 5.0;
    let p = p * q + 1.0 / 3.0;
    let rest = 2.0 * r * (p * q + 1.0);
    if x > 0.0 { x + rest } else { rest }
}

/// Replaces a number whose magnitude is below 1e-30 by 0. A gradient that fades further would become denormal, and processors compute a hundred
/// times slower with denormal numbers (measured: an LSTM step took ten times as long).
#[inline(always)]
pub fn not_tiny(x: f32) -> f32 {
    if x.abs() < 1e-30 { 0.0 } else { x }
}

/// Partial sums of a reduction. Their number and order change the result's bits.
const LANES: usize = 8;

/// Σ f(i) for i = 0 … n − 1, in eight interleaved partial sums.
#[inline(always)]
pub fn sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n / LANES * LANES;
    let mut start = 0;
    while start < whole {
        let values: [f32; LANES] = std::array::from_fn(|lane| f(start + lane));
        lanes = std::array::from_fn(|lane| lanes[lane] + values[lane]);
        start += LANES;
    }
    for (lane, index) in (whole..n).enumerate() {
        lanes[lane] += f(index);
    }
    let [a, b, c, d]: [f32; LANES / 2] = std::array::from_fn(|lane| lanes[lane] + lanes[lane + LANES / 2]);
    (a + c) + (b + d)
}

/// The largest of `values`, −∞ if there are none; a NaN is ignored.
#[inline(always)]
pub fn largest(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = values.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.iter().chain(chunks.remainder()).fold(f32::NEG_INFINITY, |largest, &value| if value > largest { value } else { largest })
}
