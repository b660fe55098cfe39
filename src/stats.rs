//! Statistics of a share.

/// Wilson's 95 % interval for `hits` of `samples`, as (low, high) in [0, 1]; (0, 1) for zero samples.
/// Source: Wilson, JASA 22 (1927) 209–212.
pub fn wilson(hits: usize, samples: usize) -> (f64, f64) {
    if samples == 0 {
        return (0.0, 1.0);
    }
    let z = 1.959_963_984_540_054_f64;
    let n = samples as f64;
    let p = hits as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

/// How far `value` is on the way from `floor` to `ceiling`: 0 at the floor, 1 at the ceiling.
pub fn progress(value: f64, floor: f64, ceiling: f64) -> f64 {
    (value - floor) / (ceiling - floor).max(1e-9)
}
