//! Rotary position embedding (Su et al., arXiv 2104.09864) as GPT-NeoX uses it: the first dimensions of each head, halves rotated.

use crate::engine::{Device, Tensor, TensorData};

/// The tables of one sequence length. With P the matrix that takes (a, b) to (−b, a) on the two halves of the rotated
/// dimensions, position t turns x into `x ⊙ cos_t + (x P) ⊙ sin_t`; dimensions past the rotated ones have cos 1 and sin 0.
pub struct Rotary {
    cos: Tensor<4>,
    sin: Tensor<4>,
    turn: Tensor<4>,
}

impl Rotary {
    /// Tables for positions 0 … length − 1 of heads with `head` dimensions, of which the first `dims` (even) rotate;
    /// frequency i is `base^(−2i/dims)`.
    pub fn new(length: usize, head: usize, dims: usize, base: f64, device: &Device) -> Self {
        let half = dims / 2;
        let angle = |position: usize, dim: usize| position as f64 * base.powf(-2.0 * (dim % half) as f64 / dims as f64);
        let table = |rotated: fn(f64) -> f64, still: f32| {
            let values: Vec<f32> = (0..length * head)
                .map(|index| (index / head, index % head))
                .map(|(position, dim)| if dim < dims { rotated(angle(position, dim)) as f32 } else { still })
                .collect();
            Tensor::from_data(TensorData::new(values, [1, 1, length, head]), device)
        };
        let mut turn = vec![0.0f32; head * head];
        for dim in 0..half {
            turn[(dim + half) * head + dim] = -1.0;
            turn[dim * head + dim + half] = 1.0;
        }
        Self {
            cos: table(libm::cos, 1.0),
            sin: table(libm::sin, 0.0),
            turn: Tensor::from_data(TensorData::new(turn, [1, 1, head, head]), device),
        }
    }

    /// Turns `[B, h, S, head]` by position.
    pub fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        x.clone() * self.cos.clone() + x.matmul(self.turn.clone()) * self.sin.clone()
    }
}
