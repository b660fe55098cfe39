//! Looped layers: adaptive computation time (Graves, arXiv 1603.08983), and a fixed number of hops as its control.
//!
//! ```text
//! h_0 = x     p_t = σ(w · h_t + b)     h_{t+1} = f(h_t)     t = 0 … M − 1, by row
//! T = the first t with p_0 + … + p_t ≥ 0.9, or M − 1        R = 1 − Σ_{t<T} p_t
//! y = Σ_{t<T} p_t h_{t+1} + R h_{T+1}
//! ```
//! f is one layer or the whole stack. After a row has halted, its states h are still computed, because other rows may read them; its
//! output y stays the same. The last hop gets the remainder R (the authors' code leaves R out). The initial b is 1. The fixed control
//! applies f M times and returns h_M.

use super::weights::{Init, Parameter, Role};
use crate::config::{Looped, ModelConfig};
use crate::engine::Operators;
use crate::engine::operators::Linear;

/// Prefix in the names of the halting units' parameters.
pub const UNITS: &str = "halting.";

/// The names of a halting unit's weight and bias.
fn names(unit: usize) -> [String; 2] {
    ["weight", "bias"].map(|part| format!("{UNITS}{unit}.{part}"))
}

/// The halting units' parameters. They follow the network's own.
pub fn parameters(config: &ModelConfig) -> Vec<Parameter> {
    let linear = Init::Uniform(1.0 / (config.width as f64).sqrt());
    let unit = |unit: usize| {
        let parameter = |name: String, shape: &[usize], init: Init| Parameter { name, shape: shape.to_vec(), init, role: Role::Vector };
        let [weight, bias] = names(unit);
        [parameter(weight, &[1, config.width], linear), parameter(bias, &[1], Init::Ones)]
    };
    (0..config.halting_units()).flat_map(unit).collect()
}

/// Applies layer `index`, with a loop if the configuration loops single layers. x and result are `[N, d]`.
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

/// Applies the whole stack, with a loop if the configuration loops the stack. x and result are `[N, d]`. Also returns the weights of the
/// hops, `[N, M]`, if the stack is looped.
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

/// Adaptive computation time: returns y `[N, d]` and the weights of the hops `[N, M]`.
fn adaptive<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    unit: usize,
    x: O::Var,
    mut f: impl FnMut(&mut O, O::Var) -> O::Var,
) -> (O::Var, O::Var) {
    let [weight, bias] = names(unit).map(|name| ops.weight(&name));
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
