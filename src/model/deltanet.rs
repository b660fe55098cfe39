//! DeltaNet (Yang et al., arXiv 2406.06484), equal to our torch reference `tests/reference/deltanet.py`.
//!
//! ```text
//! h ← embed(tokens)                                            [B, S, d]
//! q, k, v = silu(causal convolution of 4 taps, W RMSNorm h)    [B, S, d] each, see `Operators::causal_convolution`
//! o     = delta rule of q, k, v, β = range σ(W_b RMSNorm h)    for each head, then normed; see `Operators::delta_rule`
//! h ← h + W_o o
//! h ← h + W_down gelu(W_up RMSNorm h)                          exact GELU; L layers of both residual steps
//! logits = RMSNorm h · headᵀ                                   [B, S, V], untied
//! ```
//! The state of each head is a matrix `[d/h, d/h]`. Each token erases the value under its key and writes its own value there.
//! With a range of 2 (arXiv 2411.12537), a token may write the opposite of the value that it erases. The state's transition can then have
//! eigenvalue −1, so that the state flips.
//! With decay (arXiv 2412.06464), the whole state is multiplied by `α = exp(−exp(A_log) softplus(W_a RMSNorm h + dt_bias))`.
//! Initial weights: matrices N(0, 0.02), convolutions U(±½) with bias 0, norms 1, A_log = log 1, log 2, …, dt_bias as Mamba's.
//!
//! The delta rule has no kernels yet, only its definition in Burn's tensors: see `ModelKind::has_kernels` and `docs/new-network.md`.

use super::error::DescriptionError;
use super::json::Json;
use super::looped;
use super::shape::Shape;
use super::weights::{Init, Parameter, Role};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::operators::{Activation, Decay, Delta, Linear, TAPS};
use crate::engine::{Missing, Operators};
use serde_json::Value;

const EPSILON: f64 = 1e-5;
const DEVIATION: f64 = 0.02;

/// The names in the checkpoint.
mod name {
    pub const EMBEDDING: &str = "embed.weight";
    pub const LAST_NORM: &str = "norm.weight";
    pub const HEAD: &str = "head.weight";
    // Within a layer. Queries, keys and values each have a map, taps and the taps' bias.
    pub const PARTS: [&str; 3] = ["q", "k", "v"];
    pub const NORM: &str = "norm.weight";
    pub const STRENGTH: &str = "b_proj.weight";
    pub const DECAY: &str = "a_proj.weight";
    pub const A_LOG: &str = "A_log";
    pub const DECAY_BIAS: &str = "dt_bias";
    pub const OUT_NORM: &str = "o_norm.weight";
    pub const OUT: &str = "o_proj.weight";
    pub const MLP_NORM: &str = "mlp_norm.weight";
    pub const MLP_UP: &str = "up_proj.weight";
    pub const MLP_DOWN: &str = "down_proj.weight";

    pub fn layer(index: usize) -> String {
        format!("layers.{index}")
    }

    pub fn map(part: &str) -> String {
        format!("{part}_proj.weight")
    }

    pub fn taps(part: &str) -> String {
        format!("{part}_conv1d.weight")
    }

    pub fn taps_bias(part: &str) -> String {
        format!("{part}_conv1d.bias")
    }
}

/// The parameters in the checkpoint's order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, heads, ff) = (config.width, config.heads, config.ff);
    let normal = Init::Normal(DEVIATION);
    let taps = Init::Uniform(1.0 / (TAPS as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = vec![parameter(name::EMBEDDING.into(), &[vocabulary, d], normal, Role::Token)];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
            all.push(parameter(format!("{}.{name}", name::layer(layer)), shape, init, role));
        };
        add(name::NORM, &[d], Init::Ones, Role::Vector);
        for part in name::PARTS {
            add(&name::map(part), &[d, d], normal, Role::Hidden);
        }
        for part in name::PARTS {
            add(&name::taps(part), &[d, 1, TAPS], taps, Role::Vector);
            add(&name::taps_bias(part), &[d], Init::Zeros, Role::Vector);
        }
        add(name::STRENGTH, &[heads, d], normal, Role::Hidden);
        if config.decay {
            add(name::DECAY, &[heads, d], normal, Role::Hidden);
            add(name::A_LOG, &[heads], Init::LogCounts, Role::Vector);
            add(name::DECAY_BIAS, &[heads], Init::Step, Role::Vector);
        }
        add(name::OUT_NORM, &[d / heads], Init::Ones, Role::Vector);
        add(name::OUT, &[d, d], normal, Role::Hidden);
        add(name::MLP_NORM, &[d], Init::Ones, Role::Vector);
        add(name::MLP_UP, &[ff, d], normal, Role::Hidden);
        add(name::MLP_DOWN, &[d, ff], normal, Role::Hidden);
    }
    all.push(parameter(name::LAST_NORM.into(), &[d], Init::Ones, Role::Vector));
    all.push(parameter(name::HEAD.into(), &[vocabulary, d], normal, Role::Token));
    all
}

/// Logits `[B·(S − from), V]` at the positions from `from` on. The input tokens begin at word `tokens`.
///
/// # Errors
/// When the engine has no delta rule.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> Result<O::Var, Missing> {
    let table = ops.weight(name::EMBEDDING);
    let h = ops.embedding(table, tokens, shape.sequences * shape.length);
    let mut missing = None;
    let mut one = |ops: &mut O, h, layer: usize| {
        looped::layer(config, ops, layer, h, |ops, h| {
            block(config, ops, &name::layer(layer), h, shape.length).unwrap_or_else(|lacked| {
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
    let (gamma, head) = (ops.weight(name::LAST_NORM), ops.weight(name::HEAD));
    let x = ops.rms_norm(h, gamma, EPSILON);
    Ok(ops.linear(Linear::plain(x, head)))
}

/// One layer, `[B·S, d]` → `[B·S, d]`.
fn block<O: Operators>(config: &ModelConfig, ops: &mut O, layer: &str, h: O::Var, length: usize) -> Result<O::Var, Missing> {
    let weight = |ops: &O, part: &str| ops.weight(&format!("{layer}.{part}"));
    let gamma = weight(ops, name::NORM);
    let x = ops.rms_norm(h, gamma, EPSILON);
    let maps = name::PARTS.map(|part| Linear::plain(x, weight(ops, &name::map(part))));
    let mapped = ops.linears(maps);
    let mut convolved = |index: usize| {
        let part = name::PARTS[index];
        let (taps, bias) = (weight(ops, &name::taps(part)), weight(ops, &name::taps_bias(part)));
        ops.causal_convolution(mapped[index], taps, bias, length)
    };
    let (queries, keys, values) = (convolved(0), convolved(1), convolved(2));
    let strengths = weight(ops, name::STRENGTH);
    let strengths = ops.linear(Linear::plain(x, strengths));
    let decay = config.decay.then(|| {
        let [map, a_log, bias] = [name::DECAY, name::A_LOG, name::DECAY_BIAS].map(|part| weight(ops, part));
        Decay { x: ops.linear(Linear::plain(x, map)), a_log, bias }
    });
    let (gain, heads, range) = (weight(ops, name::OUT_NORM), config.heads, if config.reflects { 2.0 } else { 1.0 });
    let o = ops.delta_rule(Delta { queries, keys, values, strengths, decay, gain, heads, length, range })?;
    let [out, norm, up, down] = [name::OUT, name::MLP_NORM, name::MLP_UP, name::MLP_DOWN].map(|part| weight(ops, part));
    let h = ops.residual(h, [(o, out, None)]);
    let x = ops.rms_norm(h, norm, EPSILON);
    let hidden = ops.linear(Linear { activation: Activation::Gelu, ..Linear::plain(x, up) });
    Ok(ops.residual(h, [(hidden, down, None)]))
}

/// The config.json. transformers has no DeltaNet, so the keys are those of our torch reference.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize) -> Value {
    serde_json::json!({
        "architectures": ["DeltaNet"], "model_type": "deltanet", "dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers, "num_attention_heads": model.heads,
        "intermediate_size": model.ff, "conv_kernel": TAPS, "use_decay": model.decay, "allow_neg_eigval": model.reflects,
        "norm_eps": EPSILON, "hidden_act": "gelu", "tie_word_embeddings": false,
    })
}

/// Reads these keys.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, DescriptionError> {
    let computed =
        [("conv_kernel", TAPS.into()), ("norm_eps", EPSILON.into()), ("hidden_act", "gelu".into()), ("tie_word_embeddings", false.into())];
    json.only("DeltaNet", &computed)?;
    let flag = |key: &str| json.get(key).as_bool().ok_or_else(|| DescriptionError::NotBoolean(key.into()));
    let config = ModelConfig {
        heads: json.whole("num_attention_heads")?,
        ff: json.whole("intermediate_size")?,
        decay: flag("use_decay")?,
        reflects: flag("allow_neg_eigval")?,
        ..json.network(ModelKind::DeltaNet)?
    };
    if config.heads == 0 || config.ff == 0 || !config.width.is_multiple_of(config.heads) {
        return Err(DescriptionError::HeadsOrMlp);
    }
    Ok(config)
}
