//! GPT-NeoX (Black et al., arXiv 2204.06745), equal to transformers' `GPTNeoXForCausalLM`.
//!
//! ```text
//! x ← embed(tokens)                                        [B, S, d]
//! x ← x + Attention(LN1 x) + MLP(LN2 x)                    L blocks, both branches read the same x
//! logits = LN x · embed_outᵀ                               [B, S, V], head without bias, untied
//! Attention: q, k, v = split(x Wᵀ + b) by head; softmax(rot(q) rot(k)ᵀ / √head, causal) v, then dense
//! MLP:       dense_4h_to_h(gelu(dense_h_to_4h x)), exact GELU
//! ```
//! Initial weights: matrices N(0, 0.02), biases 0, layer norms 1 and 0.

use super::config_json::Json;
use super::weights::{Init, Parameter, Role};
use super::{Shape, looped};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::Operators;
use crate::engine::operators::{Activation, Affine, Heads, Linear};
use serde_json::Value;

/// The layer norms' ε.
pub const EPSILON: f64 = 1e-5;
/// Of the matrices' initial values.
pub const DEVIATION: f64 = 0.02;

/// The parameters in `state_dict` order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, ff) = (config.width, config.ff);
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let normal = Init::Normal(DEVIATION);
    let mut all = vec![parameter("gpt_neox.embed_in.weight".into(), &[vocabulary, d], normal, Role::Token)];
    for layer in 0..config.layers {
        let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
            all.push(parameter(format!("gpt_neox.layers.{layer}.{name}"), shape, init, role));
        };
        for norm in ["input_layernorm", "post_attention_layernorm"] {
            add(&format!("{norm}.weight"), &[d], Init::Ones, Role::Vector);
            add(&format!("{norm}.bias"), &[d], Init::Zeros, Role::Vector);
        }
        let linears = [
            ("attention.query_key_value", 3 * d, d),
            ("attention.dense", d, d),
            ("mlp.dense_h_to_4h", ff, d),
            ("mlp.dense_4h_to_h", d, ff),
        ];
        for (name, out, input) in linears {
            add(&format!("{name}.weight"), &[out, input], normal, Role::Hidden);
            add(&format!("{name}.bias"), &[out], Init::Zeros, Role::Vector);
        }
    }
    all.push(parameter("gpt_neox.final_layer_norm.weight".into(), &[d], Init::Ones, Role::Vector));
    all.push(parameter("gpt_neox.final_layer_norm.bias".into(), &[d], Init::Zeros, Role::Vector));
    all.push(parameter("embed_out.weight".into(), &[vocabulary, d], normal, Role::Token));
    all
}

/// Logits `[B·(S − from), V]` at positions `from` … of the tokens, the words from `tokens` on.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight("gpt_neox.embed_in.weight");
    let heads = Heads { length: shape.length, heads: config.heads, rotary: config.rotary_dims(), base: config.rotary_base };
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let one =
        |ops: &mut O, x, layer| looped::layer(config, ops, layer, x, |ops, x| block(ops, &format!("gpt_neox.layers.{layer}"), x, heads));
    let (x, _) = looped::stack(config, ops, x, |ops, x| (0..config.layers).fold(x, |x, layer| one(ops, x, layer)));
    let x = ops.positions(x, shape.length, shape.from);
    let last = affine(ops, "gpt_neox.final_layer_norm");
    let [x] = ops.layer_norms(x, [last], EPSILON);
    let weight = ops.weight("embed_out.weight");
    ops.linear(Linear::plain(x, weight))
}

/// One block, `[B·S, d]` → `[B·S, d]`. Both branches read the same x, so their norms and their first maps go together.
pub(super) fn block<O: Operators>(ops: &mut O, name: &str, x: O::Var, heads: Heads) -> O::Var {
    let norms = ["input_layernorm", "post_attention_layernorm"].map(|norm| affine(ops, &format!("{name}.{norm}")));
    let [for_attention, for_mlp] = ops.layer_norms(x, norms, EPSILON);
    let map = |ops: &O, part: &str, x: O::Var, activation: Activation| {
        let [weight, bias] = ["weight", "bias"].map(|kind| ops.weight(&format!("{name}.{part}.{kind}")));
        Linear { x, weight, bias: Some(bias), activation }
    };
    let qkv = map(ops, "attention.query_key_value", for_attention, Activation::None);
    let up = map(ops, "mlp.dense_h_to_4h", for_mlp, Activation::Gelu);
    let [qkv, hidden] = ops.linears([qkv, up]);
    let attended = ops.causal_attention(qkv, heads);
    let branch = |ops: &O, part: &str, x: O::Var| {
        let Linear { weight, bias, .. } = map(ops, part, x, Activation::None);
        (x, weight, bias)
    };
    let branches = [branch(ops, "attention.dense", attended), branch(ops, "mlp.dense_4h_to_h", hidden)];
    ops.residual(x, branches)
}

/// Gain and shift of the norm of this name.
pub(super) fn affine<O: Operators>(ops: &O, name: &str) -> Affine {
    Affine { gamma: ops.weight(&format!("{name}.weight")), beta: Some(ops.weight(&format!("{name}.bias"))) }
}

/// The keys of transformers' `GPTNeoXConfig`. Rotary settings are written in the form of transformers 4 and of 5: each ignores the
/// other's silently.
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

/// Reads those keys, of this kind of network.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub(super) fn read_config(json: &Json, kind: ModelKind) -> Result<ModelConfig, String> {
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
        return Err(
            "config.json has a width that its heads cannot share, no MLP, or rotary dimensions that are not an even number of a head's."
                .into(),
        );
    }
    Ok(config)
}

/// A rotary setting, by the name that transformers 5 gives it or the one that transformers 4 does, of positions that are not stretched.
fn rotary(json: &Json, new: &str, old: &str) -> Result<f64, String> {
    for place in ["rope_parameters", "rope_scaling"] {
        let found = json.get(place);
        let kind = if found["rope_type"].is_null() { &found["type"] } else { &found["rope_type"] };
        if !found.is_null() && !kind.is_null() && kind != "default" {
            return Err(format!(
                "config.json says “{place}” is of type {kind}: this version computes rotary positions only as they are, “default”."
            ));
        }
    }
    match (json.get("rope_parameters")[new].as_f64(), json.get(old).as_f64()) {
        (Some(new_value), Some(old_value)) if new_value != old_value => Err(format!(
            "config.json says “{new}” is {new_value} and “{old}” is {old_value}, which are two names of one thing: leave the right one."
        )),
        (Some(value), Some(_) | None) | (None, Some(value)) => Ok(value),
        (None, None) => Err(format!("config.json does not say “{old}”.")),
    }
}
