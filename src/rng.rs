//! The only source of random numbers.
//!
//! Every random number in the project comes from `stream(seed, purpose, index)`. This is a ChaCha8 generator: its key is
//! the run's seed and the purpose, and the index is ChaCha's stream id. The generator is counter based, so item `i`
//! depends only on `i`, and not on which other items were drawn or in which order.
//! The values are part of the meaning of a link, so they never change (a test pins them).

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// The purpose of a stream. Streams of different purposes are independent. The numbers are part of the meaning of a
/// link: add new ones, but never renumber them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Purpose {
    /// Rule and initial state of a training sample, by sample index.
    TrainExample = 1,
    /// Rule and initial state of a validation sample, by sample index.
    ValidationExample = 2,
    /// Rule and initial state of a test sample, by sample index.
    TestExample = 3,
    /// Initial weights, by parameter index.
    Weights = 4,
    /// Depth of a multi-horizon sample, by sample index.
    Depth = 5,
    /// Monte Carlo completions in the ceiling of a sample, by sample index.
    Estimate = 6,
    /// Tokens that a policy draws, by sample index: see `train::grpo`.
    Rollout = 7,
}

/// A value-stable sequence of random numbers.
#[derive(Debug)]
pub struct Stream(ChaCha8Rng);

/// The stream of item `index` of `purpose` in the run `seed`.
///
/// ChaCha8 with key = `seed` (8 bytes, little endian) ‖ `purpose` (8 bytes, little endian) ‖ 16 zero bytes, and
/// stream id = `index`.
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Stream {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(index);
    Stream(generator)
}

impl Stream {
    /// 64 fair coins.
    pub fn bits64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// One fair coin, 0 or 1. It uses 64 bits, so that draws of every kind stay aligned.
    pub fn bit(&mut self) -> u8 {
        (self.bits64() >> 63) as u8
    }

    /// A uniform integer in `0 .. n`, without bias; 0 for `n = 0`.
    ///
    /// Source: Lemire, "Fast Random Integer Generation in an Interval", 2019, arXiv 1805.10941.
    pub fn below(&mut self, n: u64) -> u64 {
        loop {
            let product = u128::from(self.bits64()) * u128::from(n);
            let low = product as u64;
            // `low < n` is checked first, because it is almost never true and then the division is not needed.
            if low < n && low < n.wrapping_neg() % n {
                continue;
            }
            return (product >> 64) as u64;
        }
    }

    /// A uniform number in `[0, 1)`, a multiple of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A standard normal number, `√(−2 ln(1−u)) · cos(2πv)` for uniform `u`, `v` (Box and Muller, 1958).
    ///
    /// The functions are from libm instead of the platform, so that wasm and native give equal bits.
    pub fn normal(&mut self) -> f64 {
        let u = self.uniform();
        let v = self.uniform();
        // 1 − u lies in (0, 1], so the logarithm is finite.
        libm::sqrt(-2.0 * libm::log(1.0 - u)) * libm::cos(2.0 * core::f64::consts::PI * v)
    }
}
