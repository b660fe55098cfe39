//! Functions of single numbers, of additions, multiplications and divisions only: equal bits on every machine, and without
//! branches, so that loops over them become SIMD.

/// e^x for x in [−87, 88], clamped to it; relative error below 2e-7. Cephes' `expf`: x = n ln 2 + r, e^r by a polynomial.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // 1.5 · 2²³: adding it rounds to a whole number and leaves that in the low bits.
    const MAGIC: f32 = 12_582_912.0;
    // Selections rather than min and max, which WebAssembly's libraries call a function for.
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
    let p = p * r + 5.000_000_1e-1;
    let e = p * r * r + r + 1.0;
    e * f32::from_bits(shifted.to_bits().wrapping_sub(MAGIC.to_bits()).wrapping_add(127) << 23)
}

/// The error function, absolute error below 2e-7. Eigen's rational approximation on [−4, 4].
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let x = if x < -4.0 { -4.0 } else { x };
    let x = if x > 4.0 { 4.0 } else { x };
    let s = x * x;
    let p = -2.726_142_3e-10f32;
    let p = p * s + 2.770_681_4e-8;
    let p = p * s - 2.101_024_0e-6;
    let p = p * s - 5.692_506_4e-5;
    let p = p * s - 7.349_906_3e-4;
    let p = p * s - 2.954_599_8e-3;
    let p = p * s - 1.609_603_3e-2;
    let q = -1.456_607_2e-5f32;
    let q = q * s - 2.133_740_6e-4;
    let q = q * s - 1.682_827e-3;
    let q = q * s - 7.373_329e-3;
    let q = q * s - 1.426_473_9e-2;
    x * p / q
}

/// The normal distribution's Φ(x).
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

/// Partial sums that a reduction keeps: their number and order are part of its result.
const LANES: usize = 8;

/// Σ f(i) over 0 … n − 1 in eight interleaved partial sums.
#[inline(always)]
pub fn sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n / LANES * LANES;
    let mut start = 0;
    while start < whole {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            *sum += f(start + lane);
        }
        start += LANES;
    }
    for (lane, index) in (whole..n).enumerate() {
        lanes[lane] += f(index);
    }
    ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]))
}

/// The largest of `values`, −∞ for none; a NaN is passed over.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_close_to_the_true_ones() {
        for step in -80_000..=80_000 {
            let x = step as f32 * 1e-3;
            let truth = libm::exp(f64::from(x));
            assert!((f64::from(exp(x)) / truth - 1.0).abs() < 2e-7, "exp {x}");
            assert!((f64::from(erf(x * 0.1)) - libm::erf(f64::from(x * 0.1))).abs() < 2e-7, "erf {x}");
            let slope = (f64::from(gelu(x * 0.1 + 5e-3)) - f64::from(gelu(x * 0.1 - 5e-3))) / f64::from((x * 0.1 + 5e-3) - (x * 0.1 - 5e-3));
            assert!((f64::from(gelu_slope(x * 0.1)) - slope).abs() < 2e-4, "gelu {x}: {slope}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-1e30), exp(-87.0));
    }

    #[test]
    fn reductions_take_every_number_once() {
        for n in [0, 1, 7, 8, 9, 31] {
            assert_eq!(sum(n, |index| (index + 1) as f32), (n * (n + 1) / 2) as f32);
            let values: Vec<f32> = (0..n).map(|index| ((index * 7) % n.max(1)) as f32).collect();
            assert_eq!(largest(&values), values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }
}
