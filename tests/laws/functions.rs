//! The CPU engine's functions of single numbers against the true ones in double precision.

use lookahead::engine::cpu::math::{erf, exp, gelu, gelu_slope, largest, sum};

#[test]
fn functions_are_close_to_the_true_ones() {
    for step in -80_000..=80_000 {
        let x = step as f32 * 1e-3;
        let truth = libm::exp(f64::from(x));
        assert!((f64::from(exp(x)) / truth - 1.0).abs() < 2e-7, "exp {x}");
        assert!(
            (f64::from(erf(x * 0.1)) - libm::erf(f64::from(x * 0.1))).abs() < 2e-7,
            "erf {x}: {:e}",
            f64::from(erf(x * 0.1)) - libm::erf(f64::from(x * 0.1))
        );
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
