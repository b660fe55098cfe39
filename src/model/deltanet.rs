//! DeltaNet (Yang et al., arXiv 2406.06484), equal to our reference in torch, `tests/reference/deltanet.py`.
//!
//! ```text
//! h ← embed(tokens)                                            [B, S, d]
//! q, k, v = silu(causal convolution of 4 taps, W RMSNorm h)    [B, S, d] each, see `Operators::causal_convolution`
//! o     = delta rule of q, k, v, β = range σ(W_b RMSNorm h)    by head, normed; see `Operators::delta_rule`
//! h ← h + W_o o
//! h ← h + W_down gelu(W_up RMSNorm h)                          exact GELU; L layers of both
//! logits = RMSNorm h · headᵀ                                   [B, S, V], untied
//! ```
//! Its state is a matrix a head, `[d/h, d/h]`: each token erases what stood under its key and writes its value there. With a range of 2
//! (arXiv 2411.12537) a token may write the opposite of what it erases, so that the state's transition can have eigenvalue −1: a state
//! that flips. With decay (arXiv 2412.06464) all that is held fades, by `α = exp(−exp(A_log) softplus(W_a RMSNorm h + dt_bias))`.
//! Initial weights: matrices N(0, 0.02), convolutions U(±½) with bias 0, norms 1, A_log = log 1, log 2, …, dt_bias as Mamba's.
//!
//! The delta rule has a definition and no kernels yet, which `ModelKind::has_kernels` says: `docs/new-network.md`.

use super::config_json::Json;
use super::weights::{Init, Parameter, Role};
use super::{Shape, looped};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::operators::{Activation, Decay, Delta, Linear, TAPS};
use crate::engine::{Missing, Operators};
use serde_json::Value;

const EPSILON: f64 = 1e-5;
const DEVIATION: f64 = 0.02;

/// The parameters in the checkpoint's order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, heads, ff) = (config.width, config.heads, config.ff);
    let normal = Init::Normal(DEVIATION);
    let taps = Init::Uniform(1.0 / (TAPS as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = vec![parameter("embed.weight".into(), &[vocabulary, d], normal, Role::Token)];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
            all.push(parameter(format!("layers.{layer}.{name}"), shape, init, role));
        };
        add("norm.weight", &[d], Init::Ones, Role::Vector);
        for part in ["q", "k", "v"] {
            add(&format!("{part}_proj.weight"), &[d, d], normal, Role::Hidden);
        }
        for part in ["q", "k", "v"] {
            add(&format!("{part}_conv1d.weight"), &[d, 1, TAPS], taps, Role::Vector);
            add(&format!("{part}_conv1d.bias"), &[d], Init::Zeros, Role::Vector);
        }
        add("b_proj.weight", &[heads, d], normal, Role::Hidden);
        if config.decay {
            add("a_proj.weight", &[heads, d], normal, Role::Hidden);
            add("A_log", &[heads], Init::LogCounts, Role::Vector);
            add("dt_bias", &[heads], Init::Step, Role::Vector);
        }
        add("o_norm.weight", &[d / heads], Init::Ones, Role::Vector);
        add("o_proj.weight", &[d, d], normal, Role::Hidden);
        add("mlp_norm.weight", &[d], Init::Ones, Role::Vector);
        add("up_proj.weight", &[ff, d], normal, Role::Hidden);
        add("down_proj.weight", &[d, ff], normal, Role::Hidden);
    }
    all.push(parameter("norm.weight".into(), &[d], Init::Ones, Role::Vector));
    all.push(parameter("head.weight".into(), &[vocabulary, d], normal, Role::Token));
    all
}

/// Logits `[B·(S − from), V]` at positions `from` … of the tokens, the words from `tokens` on.
///
/// # Errors
/// On an engine without the delta rule.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> Result<O::Var, Missing> {
    let table = ops.weight("embed.weight");
    let h = ops.embedding(table, tokens, shape.sequences * shape.length);
    let mut missing = None;
    let mut one = |ops: &mut O, h, layer: usize| {
        looped::layer(config, ops, layer, h, |ops, h| {
            block(config, ops, &format!("layers.{layer}"), h, shape.length).unwrap_or_else(|lacked| {
                missing = Some(lacked);
                h
            })
        })
    };
    let (h, _) = looped::stack(config, ops, h, |ops, h| (0..config.layers).fold(h, |h, layer| one(ops, h, layer)));
    if let Some(missing) = missing {
        return Err(missing);
    }
    let h = ops.positions(h, shape.length, shape.from);
    let (gamma, head) = (ops.weight("norm.weight"), ops.weight("head.weight"));
    let x = ops.rms_norm(h, gamma, EPSILON);
    Ok(ops.linear(Linear::plain(x, head)))
}

/// One layer, `[B·S, d]` → `[B·S, d]`.
fn block<O: Operators>(config: &ModelConfig, ops: &mut O, name: &str, h: O::Var, length: usize) -> Result<O::Var, Missing> {
    let weight = |ops: &O, part: &str| ops.weight(&format!("{name}.{part}"));
    let gamma = weight(ops, "norm.weight");
    let x = ops.rms_norm(h, gamma, EPSILON);
    let maps = ["q", "k", "v"].map(|part| Linear::plain(x, weight(ops, &format!("{part}_proj.weight"))));
    let mapped = ops.linears(maps);
    let mut convolved = |index: usize, part: &str| {
        let [taps, bias] = ["weight", "bias"].map(|kind| weight(ops, &format!("{part}_conv1d.{kind}")));
        ops.causal_convolution(mapped[index], taps, bias, length)
    };
    let (queries, keys, values) = (convolved(0, "q"), convolved(1, "k"), convolved(2, "v"));
    let strengths = weight(ops, "b_proj.weight");
    let strengths = ops.linear(Linear::plain(x, strengths));
    let decay = config.decay.then(|| {
        let [map, a_log, bias] = ["a_proj.weight", "A_log", "dt_bias"].map(|part| weight(ops, part));
        Decay { x: ops.linear(Linear::plain(x, map)), a_log, bias }
    });
    let (gain, heads, range) = (weight(ops, "o_norm.weight"), config.heads, if config.reflects { 2.0 } else { 1.0 });
    let o = ops.delta_rule(Delta { queries, keys, values, strengths, decay, gain, heads, length, range })?;
    let [out, norm, up, down] = ["o_proj.weight", "mlp_norm.weight", "up_proj.weight", "down_proj.weight"].map(|part| weight(ops, part));
    let h = ops.residual(h, [(o, out, None)]);
    let x = ops.rms_norm(h, norm, EPSILON);
    let hidden = ops.linear(Linear { activation: Activation::Gelu, ..Linear::plain(x, up) });
    Ok(ops.residual(h, [(hidden, down, None)]))
}

/// The keys of a file that stands beside our reference's weights; transformers has no DeltaNet.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize) -> Value {
    serde_json::json!({
        "architectures": ["DeltaNet"], "model_type": "deltanet", "dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers, "num_attention_heads": model.heads,
        "intermediate_size": model.ff, "conv_kernel": TAPS, "use_decay": model.decay, "allow_neg_eigval": model.reflects,
        "norm_eps": EPSILON, "hidden_act": "gelu", "tie_word_embeddings": false,
    })
}

/// Reads those keys.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, String> {
    let computed =
        [("conv_kernel", TAPS.into()), ("norm_eps", EPSILON.into()), ("hidden_act", "gelu".into()), ("tie_word_embeddings", false.into())];
    json.only("DeltaNet", &computed)?;
    let flag = |key: &str| json.get(key).as_bool().ok_or_else(|| format!("config.json does not say “{key}”: it must be true or false."));
    let config = ModelConfig {
        heads: json.whole("num_attention_heads")?,
        ff: json.whole("intermediate_size")?,
        decay: flag("use_decay")?,
        reflects: flag("allow_neg_eigval")?,
        ..json.network(ModelKind::DeltaNet)?
    };
    if config.heads == 0 || config.ff == 0 || !config.width.is_multiple_of(config.heads) {
        return Err("config.json has a width that its heads cannot share, or no MLP.".into());
    }
    Ok(config)
}
