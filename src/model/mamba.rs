//! Mamba (Gu and Dao, arXiv 2312.00752), equal to transformers' `MambaForCausalLM`.
//!
//! ```text
//! h ← embed(tokens)                                            [B, S, d]
//! x, g  = in_proj(RMSNorm h)                                   [B, S, C] each, C = 2d
//! u     = silu(causal convolution of 4 taps, x)                see `Operators::causal_convolution`
//! Δ,B,C = x_proj u                                             R = ⌈d / 16⌉ numbers for Δ, 16 each for B and C
//! y     = scan(u, Δ, B, C) ⊙ silu(g)                           see `Operators::selective_scan`
//! h ← h + out_proj y                                           L blocks
//! logits = RMSNorm h · embedᵀ                                  [B, S, V], head tied to the embedding
//! ```
//! Initial weights: embedding, in_proj and x_proj N(0, 0.1); A = −1 … −16 in every channel, D = 1; dt_proj U(±R^-½), its bias
//! softplus⁻¹ of a step drawn log-uniformly in [0.001, 0.1]; convolution and out_proj U(±fan_in^-½) (Kaiming with a = √5),
//! convolution's bias 0, norms 1.

use super::error::DescriptionError;
use super::json::Json;
use super::looped;
use super::shape::Shape;
use super::weights::{Init, Parameter, Role};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::Operators;
use crate::engine::operators::{Linear, STATE, ScanWeights, TAPS};
use serde_json::Value;

/// The norms' ε.
pub const EPSILON: f64 = 1e-5;
/// Channels of a block for each number of the residual stream.
pub const EXPAND: usize = 2;
const DEVIATION: f64 = 0.1;

/// R, the number of values from which `dt_proj` computes the steps Δ of all channels.
pub fn rank(width: usize) -> usize {
    width.div_ceil(16)
}

/// The names in `state_dict`.
mod name {
    pub const EMBEDDING: &str = "backbone.embeddings.weight";
    pub const LAST_NORM: &str = "backbone.norm_f.weight";
    // Within a layer.
    pub const NORM: &str = "norm.weight";
    pub const A_LOG: &str = "mixer.A_log";
    pub const SKIP: &str = "mixer.D";
    pub const TAPS: &str = "mixer.conv1d.weight";
    pub const TAPS_BIAS: &str = "mixer.conv1d.bias";
    pub const IN: &str = "mixer.in_proj.weight";
    pub const PROJECTED: &str = "mixer.x_proj.weight";
    pub const STEP: &str = "mixer.dt_proj.weight";
    pub const STEP_BIAS: &str = "mixer.dt_proj.bias";
    pub const OUT: &str = "mixer.out_proj.weight";

    pub fn layer(index: usize) -> String {
        format!("backbone.layers.{index}")
    }
}

/// The parameters in `state_dict` order. The head is tied to the embedding, so it has no parameter of its own.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, channels, rank) = (config.width, EXPAND * config.width, rank(config.width));
    let normal = Init::Normal(DEVIATION);
    let fan_in = |count: usize| Init::Uniform(1.0 / (count as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = vec![parameter(name::EMBEDDING.into(), &[vocabulary, d], normal, Role::Token)];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
            all.push(parameter(format!("{}.{name}", name::layer(layer)), shape, init, role));
        };
        add(name::NORM, &[d], Init::Ones, Role::Vector);
        add(name::A_LOG, &[channels, STATE], Init::LogCounts, Role::Vector);
        add(name::SKIP, &[channels], Init::Ones, Role::Vector);
        add(name::TAPS, &[channels, 1, TAPS], fan_in(TAPS), Role::Vector);
        add(name::TAPS_BIAS, &[channels], Init::Zeros, Role::Vector);
        add(name::IN, &[2 * channels, d], normal, Role::Hidden);
        add(name::PROJECTED, &[rank + 2 * STATE, channels], normal, Role::Hidden);
        add(name::STEP, &[channels, rank], fan_in(rank), Role::Hidden);
        add(name::STEP_BIAS, &[channels], Init::Step, Role::Vector);
        add(name::OUT, &[d, channels], fan_in(channels), Role::Hidden);
    }
    all.push(parameter(name::LAST_NORM.into(), &[d], Init::Ones, Role::Vector));
    all
}

/// Logits `[B·(S − from), V]` at the positions from `from` on. The input tokens begin at word `tokens`.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight(name::EMBEDDING);
    let h = ops.embedding(table, tokens, shape.sequences * shape.length);
    let one = |ops: &mut O, h, layer| looped::layer(config, ops, layer, h, |ops, h| block(ops, &name::layer(layer), h, shape.length));
    let (h, _) = looped::stack(config, ops, h, |ops, h| (0..config.layers).fold(h, |h, layer| one(ops, h, layer)));
    let h = ops.positions(h, shape.length, shape.from);
    let gamma = ops.weight(name::LAST_NORM);
    let x = ops.rms_norm(h, gamma, EPSILON);
    ops.linear(Linear::plain(x, table))
}

/// One block, `[B·S, d]` → `[B·S, d]`.
fn block<O: Operators>(ops: &mut O, layer: &str, h: O::Var, length: usize) -> O::Var {
    let weight = |ops: &O, part: &str| ops.weight(&format!("{layer}.{part}"));
    let gamma = weight(ops, name::NORM);
    let normed = ops.rms_norm(h, gamma, EPSILON);
    let map = |ops: &O, x: O::Var, part: &str| Linear::plain(x, weight(ops, part));
    let doubled = map(ops, normed, name::IN);
    let doubled = ops.linear(doubled);
    let [taps, shift] = [name::TAPS, name::TAPS_BIAS].map(|part| weight(ops, part));
    let u = ops.causal_convolution(doubled, taps, shift, length);
    let projected = map(ops, u, name::PROJECTED);
    let projected = ops.linear(projected);
    let [step, step_bias, a_log, skip] = [name::STEP, name::STEP_BIAS, name::A_LOG, name::SKIP].map(|part| weight(ops, part));
    let y = ops.selective_scan(u, projected, doubled, ScanWeights { step, step_bias, a_log, skip }, length);
    let out = weight(ops, name::OUT);
    ops.residual(h, [(y, out, None)])
}

/// The keys of transformers' `MambaConfig`.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize) -> Value {
    serde_json::json!({
        "architectures": ["MambaForCausalLM"], "model_type": "mamba", "dtype": "float32", "torch_dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers, "state_size": STATE,
        "expand": EXPAND, "intermediate_size": EXPAND * model.width, "conv_kernel": TAPS, "use_conv_bias": true, "use_bias": false,
        "time_step_rank": rank(model.width), "layer_norm_epsilon": EPSILON, "hidden_act": "silu", "residual_in_fp32": true,
        "initializer_range": DEVIATION, "tie_word_embeddings": true,
        "bos_token_id": null, "eos_token_id": null, "pad_token_id": null, "use_cache": true,
    })
}

/// Reads these keys.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, DescriptionError> {
    let config = json.network(ModelKind::Mamba)?;
    let mut computed = vec![
        ("state_size", STATE.into()),
        ("conv_kernel", TAPS.into()),
        ("expand", EXPAND.into()),
        ("intermediate_size", (EXPAND * config.width).into()),
        ("use_bias", false.into()),
        ("use_conv_bias", true.into()),
        ("hidden_act", "silu".into()),
        ("layer_norm_epsilon", EPSILON.into()),
        ("tie_word_embeddings", true.into()),
    ];
    if json.get("time_step_rank") != "auto" {
        computed.push(("time_step_rank", rank(config.width).into()));
    }
    json.only("Mamba", &computed)?;
    Ok(config)
}
