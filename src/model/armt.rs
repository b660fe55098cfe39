//! ARMT, the associative recurrent memory transformer (Rodkin et al., arXiv 2407.04841): GPT-NeoX that reads a sequence segment by
//! segment. Each layer has an associative memory, which carries information from one segment to the next.
//!
//! ```text
//! segment s: x ← [embed(tokens of s); memory tokens]           [B, n + M, d], positions from 0; the last segment has no memory tokens
//! each layer: x ← x + recall(φ(W_mq x))                        from the second segment on
//!             x ← block x                                      GPT-NeoX's, see `gpt_neox`
//!             memory ← memorize(φ(W_mk m), W_mv m, W_mb m)     m: the layer's M memory rows
//! logits = LN x · embed_outᵀ                                   [B, S, V], of the tokens' rows
//! ```
//! φ is DPFP-3; `recall` and `memorize` follow the delta rule: see [`Operators`]. Attention stays within a segment, so later segments know
//! earlier ones only through the memory. The memory is zero at the start of a sequence. The gradient passes through all segments.
//! Initial weights: GPT-NeoX's; W_mq, W_mk, W_mb U(±d^-½) as PyTorch's linear maps; W_mv 0; memory tokens N(0, the embedding's deviation).

use super::error::DescriptionError;
use super::gpt_neox::{self, affine};
use super::json::Json;
use super::looped;
use super::shape::Shape;
use super::weights::{Init, Parameter, Role, bias_of, weight_of};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::operators::{Activation, Heads, Linear, MemoryVar};
use crate::engine::{Operators, Shaped, Weight};
use serde_json::Value;

/// The names of the parameters that ARMT adds to GPT-NeoX's. Those of maps within a layer are without `.weight` and `.bias`.
mod name {
    pub use super::gpt_neox::name::*;

    pub const MEMORY_TOKENS: &str = "memory";
    pub const QUERIES: &str = "W_mq";
    pub const KEYS: &str = "W_mk";
    pub const VALUES: &str = "W_mv";
    pub const STRENGTHS: &str = "W_mb";
}

/// GPT-NeoX's parameters with their names. The memory tokens follow the embedding, and the maps of each layer follow its block.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, memory) = (config.width, config.memory_width);
    let linear = Init::Uniform(1.0 / (d as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = Vec::new();
    let mut layer = 0;
    for backbone in gpt_neox::parameters(config, vocabulary) {
        let ends_block = backbone.name.ends_with(&bias_of(name::MLP_DOWN));
        all.push(backbone);
        if all.len() == 1 {
            all.push(parameter(name::MEMORY_TOKENS.into(), &[config.memory_tokens, d], Init::Normal(gpt_neox::DEVIATION), Role::Token));
        }
        if ends_block {
            let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
                all.push(parameter(format!("{}.{name}", name::layer(layer)), shape, init, role));
            };
            add(&weight_of(name::QUERIES), &[memory, d], linear, Role::Hidden);
            add(&weight_of(name::KEYS), &[memory, d], linear, Role::Hidden);
            add(&weight_of(name::VALUES), &[d, d], Init::Zeros, Role::Hidden);
            add(&weight_of(name::STRENGTHS), &[1, d], linear, Role::Vector);
            add(&bias_of(name::STRENGTHS), &[1], linear, Role::Vector);
            layer += 1;
        }
    }
    all
}

/// Logits `[B·(S − from), V]` at the positions from `from` on. The input tokens begin at word `tokens`. `segments` holds the length of a
/// segment and the number of segments.
pub fn logits<O: Operators>(config: &ModelConfig, segments: [usize; 2], ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight(&weight_of(name::EMBEDDING));
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let x = ops.chain(shape.sequences, |ops| through_segments(config, segments, ops, x, shape));
    let last = affine(ops, name::LAST_NORM);
    let [x] = ops.layer_norms(x, [last], gpt_neox::EPSILON);
    let weight = ops.weight(&weight_of(name::HEAD));
    ops.linear(Linear::plain(x, weight))
}

/// Passes all segments through all layers: x `[B·S, d]`, result `[B·(S − from), d]`.
fn through_segments<O: Operators>(config: &ModelConfig, [length, count]: [usize; 2], ops: &mut O, x: O::Var, shape: Shape) -> O::Var {
    let tokens = ops.weight(name::MEMORY_TOKENS);
    let mut memories: Vec<Option<MemoryVar<O::Var>>> = vec![None; config.layers];
    let mut parts = Vec::new();
    for index in 0..count {
        let writes = index + 1 < count;
        let start = index * length;
        let positions = start..if writes { start + length } else { shape.length };
        ops.at_positions(positions.clone());
        let part = ops.segment(x, shape.length, positions.clone(), writes.then_some(tokens));
        let (outcome, written) = apply_layers(config, ops, part, &memories, shape.sequences);
        for (layer, (memory, from)) in memories.iter_mut().zip(written).enumerate().filter(|_| writes) {
            *memory = Some(write(ops, &name::layer(layer), from, *memory, positions.len(), shape.sequences));
        }
        parts.push((outcome, positions.len()));
    }
    ops.join(&parts, shape.sequences, shape.from)
}

/// Passes one segment through all layers. Returns its output, and for each layer the rows from which its memory is written. All hops of a
/// loop read the same memory. The memory is written once, from the weighted mean of the hops.
fn apply_layers<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    x: O::Var,
    memories: &[Option<MemoryVar<O::Var>>],
    sequences: usize,
) -> (O::Var, Vec<O::Var>) {
    let mut given: Vec<Vec<O::Var>> = vec![Vec::new(); config.layers];
    let (outcome, weights) = looped::stack(config, ops, x, |ops, x| {
        memories.iter().enumerate().fold(x, |x, (layer, memory)| {
            let once = |ops: &mut O, x| read_and_apply(config, ops, &name::layer(layer), x, *memory, sequences);
            let x = looped::layer(config, ops, layer, x, once);
            given[layer].push(x);
            x
        })
    });
    let last = config.layers - 1;
    let written = |(layer, hops): (usize, Vec<O::Var>)| match weights {
        Some(_) if layer == last => outcome,
        Some(weights) => ops.mixture(&hops, weights),
        None => hops[0],
    };
    let written = given.into_iter().enumerate().map(written).collect();
    (outcome, written)
}

/// Adds to each row the memory's value under the row's query, then applies the block.
fn read_and_apply<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    layer: &str,
    x: O::Var,
    memory: Option<MemoryVar<O::Var>>,
    sequences: usize,
) -> O::Var {
    let heads = Heads { length: x.rows() / sequences, heads: config.heads, rotary: config.rotary_dims(), base: config.rotary_base };
    let x = match memory {
        Some(memory) => {
            let queries = map(ops, layer, name::QUERIES, x, None);
            let queries = ops.features(queries);
            ops.recall(x, queries, memory)
        }
        None => x,
    };
    gpt_neox::block(ops, layer, x, heads)
}

/// The memory after a segment's memory rows have been written. They follow the segment's first `positions` rows.
fn write<O: Operators>(
    ops: &mut O,
    layer: &str,
    x: O::Var,
    old: Option<MemoryVar<O::Var>>,
    positions: usize,
    sequences: usize,
) -> MemoryVar<O::Var> {
    let rows = ops.rows_from(x, x.rows() / sequences, positions);
    let keys = map(ops, layer, name::KEYS, rows, None);
    let keys = ops.features(keys);
    let values = map(ops, layer, name::VALUES, rows, None);
    let bias = ops.weight(&format!("{layer}.{}", bias_of(name::STRENGTHS)));
    let strengths = map(ops, layer, name::STRENGTHS, rows, Some(bias));
    ops.memorize(keys, values, strengths, old, sequences)
}

fn map<O: Operators>(ops: &mut O, layer: &str, part: &str, x: O::Var, bias: Option<Weight>) -> O::Var {
    let weight = ops.weight(&format!("{layer}.{}", weight_of(part)));
    ops.linear(Linear { x, weight, bias, activation: Activation::None })
}

/// GPT-NeoX's keys and those of the memory.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize, positions: usize, segment: usize) -> Value {
    let mut value = gpt_neox::config_json(model, vocabulary, positions);
    value["architectures"] = serde_json::json!(["ARMTForCausalLM"]);
    value["model_type"] = serde_json::json!("armt");
    value["num_mem_tokens"] = serde_json::json!(model.memory_tokens);
    value["d_mem"] = serde_json::json!(model.memory_width);
    value["segment_length"] = serde_json::json!(segment);
    value
}

/// Reads these keys.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, DescriptionError> {
    let backbone = gpt_neox::read_config(json, ModelKind::Armt)?;
    // Settings of the authors' wrapper, where `nu` is the number of DPFP's rolls.
    let computed =
        [("nu", 3.into()), ("n_heads", 1.into()), ("correction", true.into()), ("use_denom", true.into()), ("gating", false.into())];
    json.only("ARMT", &computed)?;
    let config = ModelConfig { memory_tokens: json.whole("num_mem_tokens")?, memory_width: json.whole("d_mem")?, ..backbone };
    if config.memory_tokens == 0 || config.memory_width == 0 || json.whole("segment_length")? == 0 {
        return Err(DescriptionError::NoMemory);
    }
    Ok(config)
}
