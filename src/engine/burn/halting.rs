//! The definition of adaptive computation time.

use crate::engine::operators::HALTED;
use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

/// The results of adaptive computation time for each row.
pub struct Halted {
    /// `[N, hops]`.
    pub weights: Tensor<2>,
    /// R, `[N, 1]`.
    pub remainder: Tensor<2>,
    /// Number of hops, `[N, 1]`.
    pub hops: Tensor<2>,
}

/// Weights (p before T, R at T, 0 after), remainder and hops, from the scores of every hop except the last, `[N, 1]` each. A row runs another
/// hop after hop t while `p_0 + … + p_t < 0.9`; this condition is a constant in the gradient.
pub fn halting(scores: Vec<Tensor<2>>) -> Halted {
    let probabilities: Vec<Tensor<2>> = scores.into_iter().map(sigmoid).collect();
    let nothing = probabilities[0].clone().detach().zeros_like();
    let mut reached = nothing.clone();
    let mut running = vec![nothing.ones_like()];
    for probability in &probabilities {
        reached = reached + probability.clone().detach();
        running.push(reached.clone().lower_elem(HALTED).float());
    }
    // Rows that still run at the last hop halt there.
    running.push(nothing.clone());
    let spent: Vec<Tensor<2>> =
        probabilities.into_iter().zip(&running[1..]).map(|(probability, runs)| probability * runs.clone()).collect();
    let remainder = spent.iter().cloned().fold(nothing.clone(), |sum, part| sum + part).neg().add_scalar(1.0);
    let weight = |hop: usize| {
        let halts = running[hop].clone() - running[hop + 1].clone();
        let own = remainder.clone() * halts;
        match spent.get(hop) {
            Some(spent) => spent.clone() + own,
            None => own,
        }
    };
    let weights = Tensor::cat((0..=spent.len()).map(weight).collect(), 1);
    let hops = running[..=spent.len()].iter().cloned().fold(nothing, |sum, runs| sum + runs);
    Halted { weights, remainder, hops }
}

/// `Σ_t weights[·, t] parts[t]`; `None` if there are no parts.
pub fn mixture(parts: Vec<Tensor<2>>, weights: &Tensor<2>) -> Option<Tensor<2>> {
    let weighed = parts.into_iter().enumerate().map(|(hop, part)| part * weights.clone().narrow(1, hop, 1));
    weighed.reduce(|sum, part| sum + part)
}
