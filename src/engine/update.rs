//! The optimisers as plain data that both engines run: clipping, then AdamW on some ranges of the flat weights and Muon on some matrices in
//! them.

use std::ops::Range;

pub const BETA_1: f32 = 0.9;
pub const BETA_2: f32 = 0.999;
/// 1 − β₁ and 1 − β₂. Computed from the rounded constants, the difference would be off by 1e-5.
pub const REST_1: f32 = 0.1;
pub const REST_2: f32 = 0.001;
pub const EPSILON: f32 = 1e-8;
/// Muon's momentum.
pub const MOMENTUM: f32 = 0.95;
/// 1 − μ.
pub const MOMENTUM_REST: f32 = 0.05;
/// Coefficients of Muon's quintic Newton–Schulz iteration. Source: K. Jordan, "Muon", 2024.
pub const NEWTON_SCHULZ: (f32, f32, f32) = (3.4445, -4.7750, 2.0315);
pub const NEWTON_SCHULZ_STEPS: usize = 5;

/// A matrix of the flat weights, `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matrix {
    pub offset: usize,
    pub rows: usize,
    pub columns: usize,
}

/// The update of every step of a run. First and second moments are flat arrays as long as the weights. Muon keeps its momentum in the first and
/// does not use the second.
///
/// ```text
/// clip     g ← clamp(g, ± clip_value), then g ← g · min(1, clip_norm / (‖g‖ + 1e-6)); 0 switches either off
/// AdamW    m ← β₁m + (1 − β₁)g    v ← β₂v + (1 − β₂)g²    w ← w(1 − rate · decay) − rate · (m/c₁) / (√(v/c₂) + ε)
/// Muon     m ← μm + (1 − μ)g      w ← w(1 − rate · decay) − rate · √max(1, rows/columns) · NS(μm + (1 − μ)g)
/// NS       X ← X/(‖X‖ + 1e-7), then five times X ← aX + (bA + cA²)X with A = XXᵀ, on the wide side
/// ```
/// Sources: Loshchilov and Hutter, arXiv 1711.05101, bias correction c as in PyTorch; K. Jordan, "Muon", 2024.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub adamw: Vec<Range<usize>>,
    pub muon: Vec<Matrix>,
    pub weight_decay: f32,
    pub clip_value: f32,
    pub clip_norm: f32,
}

/// The values of an update that change from step to step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    pub adamw: f32,
    pub muon: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ.
    pub corrections: (f32, f32),
}
