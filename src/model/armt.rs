//! ARMT, the associative recurrent memory transformer (Rodkin et al., arXiv 2407.04841): GPT-NeoX that reads a sequence segment
//! by segment, with an associative memory in each layer between them.
//!
//! ```text
//! segment s: x ← [embed(tokens of s); memory tokens]           [B, n + M, d], positions from 0; the last segment has no memory tokens
//! each layer: x ← x + recall(φ(W_mq x))                        from the second segment on
//!             x ← block x                                      GPT-NeoX's, see `gpt_neox`
//!             memory ← memorize(φ(W_mk m), W_mv m, W_mb m)     m: the layer's M memory rows
//! logits = LN x · embed_outᵀ                                   [B, S, V], of the tokens' rows
//! ```
//! φ is DPFP-3, `recall` and `memorize` the delta rule; see [`Operators`]. Attention never leaves a segment: what a later one knows of
//! it went through the memory, which is zero at the start of a sequence and trained through all segments.
//! Initial weights: GPT-NeoX's; W_mq, W_mk, W_mb U(±d^-½) as PyTorch's linear maps, W_mv 0, memory tokens N(0, the embedding's deviation).

use super::config_json::Json;
use super::gpt_neox::{self, affine};
use super::weights::{Init, Parameter, Role};
use super::{Model, Shape, looped};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::operators::{Activation, Heads, Linear, MemoryVar};
use crate::engine::{Operators, Shaped, Weight};
use serde_json::Value;

/// The parameters: GPT-NeoX's by their names, the memory tokens after the embedding, and each layer's maps after its block.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let (d, memory) = (config.width, config.memory_width);
    let linear = Init::Uniform(1.0 / (d as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = Vec::new();
    let mut layer = 0;
    for backbone in gpt_neox::parameters(config, vocabulary) {
        let ends_block = backbone.name.ends_with("mlp.dense_4h_to_h.bias");
        all.push(backbone);
        if all.len() == 1 {
            all.push(parameter("memory".into(), &[config.memory_tokens, d], Init::Normal(gpt_neox::DEVIATION), Role::Token));
        }
        if ends_block {
            let mut add = |name: &str, shape: &[usize], init: Init, role: Role| {
                all.push(parameter(format!("gpt_neox.layers.{layer}.{name}"), shape, init, role));
            };
            add("W_mq.weight", &[memory, d], linear, Role::Hidden);
            add("W_mk.weight", &[memory, d], linear, Role::Hidden);
            add("W_mv.weight", &[d, d], Init::Zeros, Role::Hidden);
            add("W_mb.weight", &[1, d], linear, Role::Vector);
            add("W_mb.bias", &[1], linear, Role::Vector);
            layer += 1;
        }
    }
    all
}

/// Logits `[B·(S − from), V]` at positions `from` … of the tokens, the words from `tokens` on.
pub fn logits<O: Operators>(model: &Model, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight("gpt_neox.embed_in.weight");
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let x = ops.chain(shape.sequences, |ops| segments(model, ops, x, shape));
    let last = affine(ops, "gpt_neox.final_layer_norm");
    let [x] = ops.layer_norms(x, [last], gpt_neox::EPSILON);
    let weight = ops.weight("embed_out.weight");
    ops.linear(Linear::plain(x, weight))
}

/// All segments through all layers: x `[B·S, d]`, result `[B·(S − from), d]`.
fn segments<O: Operators>(model: &Model, ops: &mut O, x: O::Var, shape: Shape) -> O::Var {
    let config = &model.config;
    let tokens = ops.weight("memory");
    let mut memories: Vec<Option<MemoryVar<O::Var>>> = vec![None; config.layers];
    let mut parts = Vec::new();
    for index in 0..model.segments {
        let writes = index + 1 < model.segments;
        let start = index * model.segment;
        let positions = start..if writes { start + model.segment } else { shape.length };
        ops.at_positions(positions.clone());
        let part = ops.segment(x, shape.length, positions.clone(), writes.then_some(tokens));
        let (outcome, written) = think(config, ops, part, &memories, shape.sequences);
        for (layer, (memory, from)) in memories.iter_mut().zip(written).enumerate().filter(|_| writes) {
            *memory = Some(write(ops, &layer_name(layer), from, *memory, positions.len(), shape.sequences));
        }
        parts.push((outcome, positions.len()));
    }
    ops.join(&parts, shape.sequences, shape.from)
}

fn layer_name(layer: usize) -> String {
    format!("gpt_neox.layers.{layer}")
}

/// One segment through all layers: what it gives, and for each layer the rows from which its memory is written. Hops of a loop read the
/// same memory; it is written once, from their mean.
fn think<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    x: O::Var,
    memories: &[Option<MemoryVar<O::Var>>],
    sequences: usize,
) -> (O::Var, Vec<O::Var>) {
    let mut given: Vec<Vec<O::Var>> = vec![Vec::new(); config.layers];
    let (outcome, weights) = looped::stack(config, ops, x, |ops, x| {
        memories.iter().enumerate().fold(x, |x, (layer, memory)| {
            let once = |ops: &mut O, x| read_and_think(config, ops, &layer_name(layer), x, *memory, sequences);
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

/// What the memory holds under each row's query is added, then the block.
fn read_and_think<O: Operators>(
    config: &ModelConfig,
    ops: &mut O,
    name: &str,
    x: O::Var,
    memory: Option<MemoryVar<O::Var>>,
    sequences: usize,
) -> O::Var {
    let heads = Heads { length: x.rows() / sequences, heads: config.heads, rotary: config.rotary_dims(), base: config.rotary_base };
    let x = match memory {
        Some(memory) => {
            let queries = map(ops, name, "W_mq", x, None);
            let queries = ops.features(queries);
            ops.recall(x, queries, memory)
        }
        None => x,
    };
    gpt_neox::block(ops, name, x, heads)
}

/// The memory after a segment's memory rows, which follow its first `positions` rows, have written.
fn write<O: Operators>(
    ops: &mut O,
    name: &str,
    x: O::Var,
    old: Option<MemoryVar<O::Var>>,
    positions: usize,
    sequences: usize,
) -> MemoryVar<O::Var> {
    let rows = ops.rows_from(x, x.rows() / sequences, positions);
    let keys = map(ops, name, "W_mk", rows, None);
    let keys = ops.features(keys);
    let values = map(ops, name, "W_mv", rows, None);
    let bias = ops.weight(&format!("{name}.W_mb.bias"));
    let strengths = map(ops, name, "W_mb", rows, Some(bias));
    ops.memorize(keys, values, strengths, old, sequences)
}

fn map<O: Operators>(ops: &mut O, name: &str, part: &str, x: O::Var, bias: Option<Weight>) -> O::Var {
    let weight = ops.weight(&format!("{name}.{part}.weight"));
    ops.linear(Linear { x, weight, bias, activation: Activation::None })
}

/// GPT-NeoX's keys, and the memory's.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize, positions: usize, segment: usize) -> Value {
    let mut value = gpt_neox::config_json(model, vocabulary, positions);
    value["architectures"] = serde_json::json!(["ARMTForCausalLM"]);
    value["model_type"] = serde_json::json!("armt");
    value["num_mem_tokens"] = serde_json::json!(model.memory_tokens);
    value["d_mem"] = serde_json::json!(model.memory_width);
    value["segment_length"] = serde_json::json!(segment);
    value
}

/// Reads those keys.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, String> {
    let backbone = gpt_neox::read_config(json, ModelKind::Armt)?;
    // The settings of the authors' wrapper, and the number of DPFP's rolls.
    let computed =
        [("nu", 3.into()), ("n_heads", 1.into()), ("correction", true.into()), ("use_denom", true.into()), ("gating", false.into())];
    json.only("ARMT", &computed)?;
    let config = ModelConfig { memory_tokens: json.whole("num_mem_tokens")?, memory_width: json.whole("d_mem")?, ..backbone };
    if config.memory_tokens == 0 || config.memory_width == 0 || json.whole("segment_length")? == 0 {
        return Err("config.json describes a memory without tokens or keys, or segments of no length.".into());
    }
    Ok(config)
}
