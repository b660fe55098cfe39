//! The innermost loop of the products with fused multiply-add in WebAssembly.
//!
//! It is a crate of its own because LLVM gives all functions of a module the features of any of them: beside this loop, every `max` of the engine
//! became a `f32x4.relaxed_max`, also in the program for browsers without relaxed SIMD, which then could not load it. A program has relaxed SIMD
//! exactly if it calls [`strip_fused`] (`tests/browser/site.test.mjs`).

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::*;

/// Rows of a tile.
pub const ROWS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 6 };
/// Columns of a tile, and width of B's packed panels. V8 has fifteen registers of four numbers: 4 × 8 is the largest tile that it does not
/// spill (measured: 57 GFLOP/s; 6 × 8 and 4 × 12 reach 41).
pub const COLUMNS: usize = if cfg!(target_arch = "wasm32") { 8 } else { 16 };

/// Number of vectors in a row of a tile.
pub const VECTORS: usize = COLUMNS / 4;

/// Defines `fn $name(tiles, k, a, panel, c)` for WebAssembly: `c[i, j] (+)= Σ_k a[i, k] panel[k, j]` for `tiles` whole tiles, one below another,
/// with `$multiply_add(a, b, c)` for `a · b + c`. `panel` is `[k, COLUMNS]`.
#[macro_export]
macro_rules! strip {
    ($name:ident, $features:literal, $multiply_add:expr) => {
        /// # Safety
        /// A must be readable for all rows and `k` steps, `panel` for `k · COLUMNS` elements, and C writable for the tiles.
        #[target_feature(enable = $features)]
        pub unsafe fn $name(tiles: usize, k: usize, a: $crate::Left, panel: *const f32, c: $crate::Right) {
            use $crate::{COLUMNS, ROWS, VECTORS};
            for tile in 0..tiles {
                // Safety: the caller guarantees that every address used below lies within its array.
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

/// The rows of A for some tiles: row i of tile t at step k is at `start + t · tile + i · row + k · step`.
#[derive(Clone, Copy)]
pub struct Left {
    pub start: *const f32,
    pub tile: usize,
    pub row: usize,
    pub step: usize,
}

/// The rows of C: rows are `stride` apart, tiles are ROWS rows apart. With `accumulate`, the products are added to C.
#[derive(Clone, Copy)]
pub struct Right {
    pub start: *mut f32,
    pub stride: usize,
    pub accumulate: bool,
}

#[cfg(target_arch = "wasm32")]
strip!(strip_fused, "simd128,relaxed-simd", f32x4_relaxed_madd);
