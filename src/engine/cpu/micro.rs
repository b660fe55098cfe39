//! The innermost loop of every product: a small tile of C kept in registers while A and B stream by.
//!
//! Each number of C is one chain `c ← c + a·b` over k in rising order, whatever the width of a register: so a class of
//! arithmetic gives equal bits on every machine, in a browser and natively. There are two classes, [`Arithmetic`].

use serde::{Deserialize, Serialize};

/// How a multiplication and an addition are rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arithmetic {
    /// Once, as one fused operation: natively FMA, in a browser relaxed SIMD where it is found to fuse.
    Fused,
    /// Each on its own: every machine can.
    Separate,
}

/// Rows of a tile.
pub const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };
/// Columns of a tile, and width of B's packed panels. V8 has fifteen registers of four numbers: 4 × 8 is the largest tile
/// that it does not spill (measured: 57 GFLOP/s, 6 × 8 and 4 × 12 reach 41).
pub const COLUMNS: usize = if cfg!(target_arch = "wasm32") { 8 } else { 16 };

/// A's part of some tiles: the address of row i of tile t at step k is `start + t · tile + i · row + k · step`.
#[derive(Clone, Copy)]
pub struct Left {
    pub start: *const f32,
    pub tile: usize,
    pub row: usize,
    pub step: usize,
}

/// C's part: rows of a tile are `stride` apart, tiles ROWS rows; what is there is added to if `accumulate`.
#[derive(Clone, Copy)]
pub struct Right {
    pub start: *mut f32,
    pub stride: usize,
    pub accumulate: bool,
}

/// `c[i, j] (+)= Σ_k a[i, k] panel[k, j]` for `tiles` whole tiles below each other; `panel` is `[k, COLUMNS]`.
///
/// Safety: `a` must be readable for all rows and `k` steps, `panel` for `k · COLUMNS` numbers, and `c` writable for the tiles.
type Strip = unsafe fn(tiles: usize, k: usize, a: Left, panel: *const f32, c: Right);

/// The chosen micro-kernel.
#[derive(Clone, Copy)]
pub struct Kernel {
    pub arithmetic: Arithmetic,
    pub(super) strip: Strip,
}

impl Kernel {
    /// Separate rounding: runs anywhere.
    pub const fn separate() -> Self {
        Self { arithmetic: Arithmetic::Separate, strip: strip_separate }
    }

    /// Fused rounding, in a browser that has relaxed SIMD (a program that names this function does not load elsewhere).
    #[cfg(target_arch = "wasm32")]
    pub const fn fused() -> Self {
        Self { arithmetic: Arithmetic::Fused, strip: strip_fused }
    }

    /// Fused rounding, if this machine has it.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn fused() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        let found = std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2");
        #[cfg(not(target_arch = "x86_64"))]
        let found = cfg!(target_arch = "aarch64");
        found.then_some(Self { arithmetic: Arithmetic::Fused, strip: strip_fused })
    }

    /// The quickest one of this machine.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn best() -> Self {
        Self::fused().unwrap_or(Self::separate())
    }
}

#[cfg(target_arch = "wasm32")]
mod wasm {
    use super::{COLUMNS, Left, ROWS, Right};
    use std::arch::wasm32::*;

    const VECTORS: usize = COLUMNS / 4;

    macro_rules! strip {
        ($name:ident, $features:literal, $multiply_add:expr) => {
            #[target_feature(enable = $features)]
            pub unsafe fn $name(tiles: usize, k: usize, a: Left, panel: *const f32, c: Right) {
                for tile in 0..tiles {
                    // Safety: the caller promises that every address touched below lies within its array.
                    unsafe {
                        let start = c.start.add(tile * ROWS * c.stride);
                        let mut sums = [[f32x4_splat(0.0); VECTORS]; ROWS];
                        if c.accumulate {
                            for i in 0..ROWS {
                                for j in 0..VECTORS {
                                    sums[i][j] = v128_load(start.add(i * c.stride + j * 4).cast());
                                }
                            }
                        }
                        let rows: [*const f32; ROWS] = std::array::from_fn(|i| a.start.add(tile * a.tile + i * a.row));
                        let (mut panel, mut offset) = (panel, 0);
                        for _ in 0..k {
                            let b: [v128; VECTORS] = std::array::from_fn(|j| v128_load(panel.add(j * 4).cast()));
                            for i in 0..ROWS {
                                let a = v128_load32_splat(rows[i].add(offset).cast());
                                for j in 0..VECTORS {
                                    sums[i][j] = $multiply_add(a, b[j], sums[i][j]);
                                }
                            }
                            offset += a.step;
                            panel = panel.add(COLUMNS);
                        }
                        for i in 0..ROWS {
                            for j in 0..VECTORS {
                                v128_store(start.add(i * c.stride + j * 4).cast(), sums[i][j]);
                            }
                        }
                    }
                }
            }
        };
    }

    fn apart(a: v128, b: v128, c: v128) -> v128 {
        f32x4_add(f32x4_mul(a, b), c)
    }

    strip!(strip_separate, "simd128", apart);
    strip!(strip_fused, "simd128,relaxed-simd", f32x4_relaxed_madd);
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
                    // Safety: the caller promises that every address touched below lies within its array.
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

#[cfg(not(target_arch = "wasm32"))]
use native::{strip_fused, strip_separate};
#[cfg(target_arch = "wasm32")]
use wasm::{strip_fused, strip_separate};
