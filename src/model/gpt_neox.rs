//! GPT-NeoX (Black et al., arXiv 2204.06745), equal to transformers' `GPTNeoXForCausalLM`.
//!
//! ```text
//! x ← embed(tokens)                                        [B, S, d]
//! x ← x + Attention(LN1 x) + MLP(LN2 x)                    L blocks; both branches read the same x
//! logits = LN x · embed_outᵀ                               [B, S, V], head without bias, untied
//! Attention: q, k, v = split(x Wᵀ + b) by head; softmax(rot(q) rot(k)ᵀ / √head, causal) v, then dense
//! MLP:       dense_4h_to_h(gelu(dense_h_to_4h x)), exact GELU
//! ```
//! Initial weights: matrices N(0, 0.02), biases 0, layer norms 1 and 0.

use super::error::DescriptionError;
use super::json::Json;
use super::looped;
use super::shape::Shape;
use super::weights::{Init, Parameter, Role, bias_of, weight_of};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::Operators;
use crate::engine::operators::{Activation, Affine, Heads, Linear};
use serde_json::Value;

/// The layer norms' ε.
pub const EPSILON: f64 = 1e-5;
/// The standard deviation of the matrices' initial values.
pub const DEVIATION: f64 = 0.02;

/// The names in `state_dict`, without `.weight` and `.bias`.
pub(super) mod name {
    pub const EMBEDDING: &str = "gpt_neox.embed_in";
    /// Within a layer: the norm before attention and the norm before the MLP.
    pub const NORMS: [&str; 2] = ["input_layernorm", "post_attention_layernorm"];
    pub const QUERY_KEY_VALUE: &str = "attention.query_key_value";
    pub const ATTENTION_OUT: &str = "attention.dense";
    pub const MLP_UP: &str = "mlp.dense_h_to_4h";
    pub const MLP_DOWN: &str = "mlp.dense_4h_to_h";
    pub const LAST_NORM: &str = "gpt_neox.final_layer_norm";
    pub const HEAD: &str = "embed_out";

    pub fn layer(index: usize) -> String {
        format!("gpt_neox.layers.{index}")
    }
}

/// The parameters in `state_dict` order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, ff) = (config.width, config.ff);
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let normal = Init::Normal(DEVIATION);
    let mut all = vec![parameter(weight_of(name::EMBEDDING), &[vocabulary, d], normal, Role::Token)];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
            all.push(parameter(format!("{}.{name}", name::layer(layer)), shape, init, role));
        };
        for norm in name::NORMS {
            add(&weight_of(norm), &[d], Init::Ones, Role::Vector);
            add(&bias_of(norm), &[d], Init::Zeros, Role::Vector);
        }
        let linears = [(name::QUERY_KEY_VALUE, 3 * d, d), (name::ATTENTION_OUT, d, d), (name::MLP_UP, ff, d), (name::MLP_DOWN, d, ff)];
        for (linear, out, input) in linears {
            add(&weight_of(linear), &[out, input], normal, Role::Hidden);
            add(&bias_of(linear), &[out], Init::Zeros, Role::Vector);
        }
    }
    all.push(parameter(weight_of(name::LAST_NORM), &[d], Init::Ones, Role::Vector));
    all.push(parameter(bias_of(name::LAST_NORM), &[d], Init::Zeros, Role::Vector));
    all.push(parameter(weight_of(name::HEAD), &[vocabulary, d], normal, Role::Token));
    all
}

/// Logits `[B·(S − from), V]` at the positions from `from` on. The input tokens begin at word `tokens`.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight(&weight_of(name::EMBEDDING));
    let heads = Heads { length: shape.length, heads: config.heads, rotary: config.rotary_dims(), base: config.rotary_base };
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let one = |ops: &mut O, x, layer| looped::layer(config, ops, layer, x, |ops, x| block(ops, &name::layer(layer), x, heads));
    let (x, _) = looped::stack(config, ops, x, |ops, x| (0..config.layers).fold(x, |x, layer| one(ops, x, layer)));
    let x = ops.positions(x, shape.length, shape.from);
    let last = affine(ops, name::LAST_NORM);
    let [x] = ops.layer_norms(x, [last], EPSILON);
    let weight = ops.weight(&weight_of(name::HEAD));
    ops.linear(Linear::plain(x, weight))
}

/// One block, `[B·S, d]` → `[B·S, d]`. Both branches read the same x, so their norms run together, and so do their first maps.
pub(super) fn block<O: Operators>(ops: &mut O, layer: &str, x: O::Var, heads: Heads) -> O::Var {
    let norms = name::NORMS.map(|norm| affine(ops, &format!("{layer}.{norm}")));
    let [for_attention, for_mlp] = ops.layer_norms(x, norms, EPSILON);
    let map = |ops: &O, part: &str, x: O::Var, activation: Activation| {
        let part = format!("{layer}.{part}");
        let (weight, bias) = (ops.weight(&weight_of(&part)), ops.weight(&bias_of(&part)));
        Linear { x, weight, bias: Some(bias), activation }
    };
    let qkv = map(ops, name::QUERY_KEY_VALUE, for_attention, Activation::None);
    let up = map(ops, name::MLP_UP, for_mlp, Activation::Gelu);
    let [qkv, hidden] = ops.linears([qkv, up]);
    let attended = ops.causal_attention(qkv, heads);
    let branch = |ops: &O, part: &str, x: O::Var| {
        let Linear { weight, bias, .. } = map(ops, part, x, Activation::None);
        (x, weight, bias)
    };
    let branches = [branch(ops, name::ATTENTION_OUT, attended), branch(ops, name::MLP_DOWN, hidden)];
    ops.residual(x, branches)
}

/// Gain γ and shift β of the norm `name`.
pub(super) fn affine<O: Operators>(ops: &O, name: &str) -> Affine {
    Affine { gamma: ops.weight(&weight_of(name)), beta: Some(ops.weight(&bias_of(name))) }
}

/// The keys of transformers' `GPTNeoXConfig`. transformers 4 and 5 name the rotary settings differently, and each silently ignores the
/// other's names. So the file has both.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize, positions: usize) -> Value {
    serde_json::json!({
        "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "dtype": "float32", "torch_dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads, "intermediate_size": model.ff, "hidden_act": "gelu",
        "rotary_pct": model.rotary_fraction, "rotary_emb_base": model.rotary_base,
        "rope_parameters": { "rope_type": "default", "rope_theta": model.rotary_base, "partial_rotary_factor": model.rotary_fraction },
        "max_position_embeddings": positions, "layer_norm_eps": EPSILON, "use_parallel_residual": true, "attention_bias": true,
        "attention_dropout": 0.0, "hidden_dropout": 0.0, "initializer_range": DEVIATION, "tie_word_embeddings": false,
        "bos_token_id": null, "eos_token_id": null, "pad_token_id": null, "use_cache": true,
    })
}

/// Reads these keys, for a network of kind `kind`.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub(super) fn read_config(json: &Json, kind: ModelKind) -> Result<ModelConfig, DescriptionError> {
    let computed = [
        ("use_parallel_residual", true.into()),
        ("hidden_act", "gelu".into()),
        ("attention_bias", true.into()),
        ("layer_norm_eps", EPSILON.into()),
        ("tie_word_embeddings", false.into()),
    ];
    json.only("GPT-NeoX", &computed)?;
    let config = ModelConfig {
        heads: json.whole("num_attention_heads")?,
        ff: json.whole("intermediate_size")?,
        rotary_fraction: rotary(json, "partial_rotary_factor", "rotary_pct")?,
        rotary_base: rotary(json, "rope_theta", "rotary_emb_base")?,
        ..json.network(kind)?
    };
    if config.heads == 0
        || config.ff == 0
        || !config.width.is_multiple_of(config.heads)
        || config.rotary_fraction > 1.0
        || config.rotary_base <= 0.0
        || config.rotary_dims() < 2
        || !config.rotary_dims().is_multiple_of(2)
    {
        return Err(DescriptionError::Heads);
    }
    Ok(config)
}

/// A rotary setting, under the name `new` of transformers 5 or the name `old` of transformers 4. Scaled rotary positions are an error.
fn rotary(json: &Json, new: &str, old: &str) -> Result<f64, DescriptionError> {
    for place in ["rope_parameters", "rope_scaling"] {
        let found = json.get(place);
        let kind = if found["rope_type"].is_null() { &found["type"] } else { &found["rope_type"] };
        if !found.is_null() && !kind.is_null() && kind != "default" {
            return Err(DescriptionError::RotaryType { place: place.into(), kind: kind.clone() });
        }
    }
    match (json.get("rope_parameters")[new].as_f64(), json.get(old).as_f64()) {
        (Some(new_value), Some(old_value)) if new_value != old_value => {
            Err(DescriptionError::Contradiction { new: new.into(), new_value, old: old.into(), old_value })
        }
        (Some(value), Some(_) | None) | (None, Some(value)) => Ok(value),
        (None, None) => Err(DescriptionError::Missing(old.into())),
    }
}
