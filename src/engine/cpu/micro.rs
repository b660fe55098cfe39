//! The innermost loop of every product: keeps a small tile of C in registers and streams A and B.
//!
//! Each element of C is one chain `c ← c + a·b` over k in rising order, for any register width. So one class of arithmetic gives equal bits on
//! every machine, in a browser and natively. There are two classes, [`Arithmetic`].

use crate::replay::EngineClass;
pub use lookahead_fused::{COLUMNS, Left, ROWS, Right};
use serde::{Deserialize, Serialize};

/// How a multiplication followed by an addition is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arithmetic {
    /// Once, as one fused operation: natively FMA, in a browser relaxed SIMD if it is found to fuse.
    Fused,
    /// Twice, after each operation: every machine can do this.
    Separate,
}

impl From<Arithmetic> for EngineClass {
    fn from(arithmetic: Arithmetic) -> Self {
        match arithmetic {
            Arithmetic::Fused => EngineClass::Fused,
            Arithmetic::Separate => EngineClass::Separate,
        }
    }
}

/// `c[i, j] (+)= Σ_k a[i, k] panel[k, j]` for `tiles` whole tiles, one below another; `panel` is `[k, COLUMNS]`.
///
/// Safety: `a` must be readable for all rows and `k` steps, `panel` for `k · COLUMNS` elements, and `c` writable for the tiles.
type Strip = unsafe fn(tiles: usize, k: usize, a: Left, panel: *const f32, c: Right);

/// The chosen micro-kernel.
#[derive(Clone, Copy)]
pub struct Kernel {
    pub arithmetic: Arithmetic,
    pub(super) strip: Strip,
}

impl Kernel {
    /// Separate rounding: runs on every machine.
    pub const fn separate() -> Self {
        Self { arithmetic: Arithmetic::Separate, strip: strip_separate }
    }

    /// Fused rounding, in a browser with relaxed SIMD. A module that contains this function does not load in other browsers.
    #[cfg(target_arch = "wasm32")]
    pub const fn fused() -> Self {
        Self { arithmetic: Arithmetic::Fused, strip: strip_fused }
    }

    /// Fused rounding; `None` if this machine does not support it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fused() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let found = std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let found = cfg!(target_arch = "aarch64");
        found.then_some(Self { arithmetic: Arithmetic::Fused, strip: strip_fused })
    }

    /// The fastest kernel of this machine.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn best() -> Self {
        Self::fused().unwrap_or(Self::separate())
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use std::arch::wasm32::*;

    fn apart(a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    lookahead_fused::strip!(strip_separate, "simd128", apart);
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::{COLUMNS, Left, ROWS, Right};

    macro_rules! strip {
        ($(#[$attribute:meta])* $name:ident, $multiply_add:expr) => {
            $(#[$attribute])*
            pub unsafe fn $name(tiles: usize, k: usize, a: Left, panel: *const f32, c: Right) {
                for tile in 0..tiles {
                    let mut sums = [[0.0f32; COLUMNS]; ROWS];
                    // Safety: the caller guarantees that every address used below lies within its array.
                    unsafe {
                        let start = c.start.add(tile * ROWS * c.stride);
                        if c.accumulate {
                            for i in 0..ROWS {
                                sums[i] = start.add(i * c.stride).cast::<[f32; COLUMNS]>().read_unaligned();
                            }
                        }
                        let from = a.start.add(tile * a.tile);
                        for step in 0..k {
                            let b = panel.add(step * COLUMNS).cast::<[f32; COLUMNS]>().read_unaligned();
                            for i in 0..ROWS {
                                let a = *from.add(i * a.row + step * a.step);
                                for j in 0..COLUMNS {
                                    sums[i][j] = $multiply_add(a, b[j], sums[i][j]);
                                }
                            }
                        }
                        for i in 0..ROWS {
                            start.add(i * c.stride).cast::<[f32; COLUMNS]>().write_unaligned(sums[i]);
                        }
                    }
                }
            }
        };
    }

    strip!(strip_separate, |a: f32, b: f32, c: f32| a * b + c);
    strip!(
        #[cfg_attr(target_arch = "x86_64", target_feature(enable = "avx2,fma"))]
        strip_fused,
        |a: f32, b: f32, c: f32| a.mul_add(b, c)
    );
}

#[cfg(target_arch = "wasm32")]
use lookahead_fused::strip_fused;
#[cfg(not(target_arch = "wasm32"))]
use native::{strip_fused, strip_separate};
#[cfg(target_arch = "wasm32")]
use wasm::strip_separate;
