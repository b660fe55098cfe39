//! Layers that are applied again and again: adaptive computation time (Graves, arXiv 1603.08983) and its fixed control.
//!
//! ```text
//! h_0 = x     p_t = σ(w · h_t + b)     h_{t+1} = f(h_t)     t = 0 … M − 1, by row
//! T = the first t with p_0 + … + p_t ≥ 0.9, or M − 1        R = 1 − Σ_{t<T} p_t
//! y = Σ_{t<T} p_t h_{t+1} + R h_{T+1}
//! ```
//! f is one layer or the whole stack. The states of a row that has halted go on, so that other rows can look at them; what it gives does
//! not change any more. The last hop spends the remainder (the authors' code drops it). Initial b is 1. The fixed control applies f
//! M times and gives h_M.

use super::weights::{Init, Parameter, Role};
use crate::config::{Looped, ModelConfig};
use crate::engine::Operators;
use crate::engine::operators::Linear;

/// Before the names of the halting units' parameters.
pub const UNITS: &str = "halting.";

/// The halting units' parameters, which stand behind the network's own.
pub fn parameters(config: &ModelConfig) -> Vec<Parameter> {
    let linear = Init::Uniform(1.0 / (config.width as f64).sqrt());
    let unit = |unit: usize| {
        let parameter = |name: &str, shape: &[usize], init: Init| Parameter {
            name: format!("{UNITS}{unit}.{name}"),
            shape: shape.to_vec(),
            init,
            role: Role::Vector,
        };
        [parameter("weight", &[1, config.width], linear), parameter("bias", &[1], Init::Ones)]
    };
    (0..config.halting_units()).flat_map(unit).collect()
}

/// Layer `index`, looped if each layer is: x and result `[N, d]`.
pub fn layer<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    index: usize,
    x: O::Var,
    mut f: impl FnMut(&mut O, O::Var) -> O::Var,
) -> O::Var {
    match config.looped {
        Looped::None | Looped::Stack => f(ops, x),
        Looped::Layer => adaptive(config, ops, index, x, f).0,
        Looped::Fixed => (0..config.hops).fold(x, |h, _| f(ops, h)),
    }
}

/// The whole stack, looped if it is: x and result `[N, d]`, and the weights of the hops, if there were several.
pub fn stack<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    x: O::Var,
    mut f: impl FnMut(&mut O, O::Var) -> O::Var,
) -> (O::Var, Option<O::Var>) {
    match config.looped {
        Looped::None | Looped::Layer | Looped::Fixed => (f(ops, x), None),
        Looped::Stack => {
            let (y, weights) = adaptive(config, ops, 0, x, f);
            (y, Some(weights))
        }
    }
}

/// y, and the weights `[N, M]`.
fn adaptive<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    unit: usize,
    x: O::Var,
    mut f: impl FnMut(&mut O, O::Var) -> O::Var,
) -> (O::Var, O::Var) {
    let [weight, bias] = ["weight", "bias"].map(|part| ops.weight(&format!("{UNITS}{unit}.{part}")));
    let (mut h, mut scores, mut states) = (x, Vec::new(), Vec::new());
    for hop in 0..config.hops {
        if hop + 1 < config.hops {
            scores.push(ops.linear(Linear::with_bias(h, weight, bias)));
        }
        h = f(ops, h);
        states.push(h);
    }
    let weights = ops.halting(unit, &scores);
    (ops.mixture(&states, weights), weights)
}
