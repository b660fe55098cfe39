//! Long short-term memory (Hochreiter and Schmidhuber 1997), equal to `torch.nn.Embedding` → `torch.nn.LSTM` → `torch.nn.Linear`.
//!
//! ```text
//! x ← embed(tokens)                         [B, S, d]
//! x ← LSTM_l x                              L layers, d → d; see `Operators::lstm`
//! logits = x headᵀ + b                      [B, S, V]
//! ```
//! There is no norm and no residual. In each layer, a position knows earlier positions only through the vectors h and c of d numbers each.
//! Initial weights are PyTorch's: embedding N(0, 1), everything else U(±d^-½).

use super::error::DescriptionError;
use super::json::Json;
use super::looped;
use super::shape::Shape;
use super::weights::{Init, Parameter, Role, bias_of, weight_of};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::Operators;
use crate::engine::operators::{Linear, LstmWeights};
use serde_json::Value;

/// The names in `state_dict`, without `.weight` and `.bias`.
mod name {
    pub const EMBEDDING: &str = "embedding";
    pub const HEAD: &str = "head";

    /// PyTorch's suffixes for the weights of the input and of the hidden state.
    const SIDES: [&str; 2] = ["ih", "hh"];

    pub fn weights(layer: usize) -> [String; 2] {
        SIDES.map(|side| format!("lstm.weight_{side}_l{layer}"))
    }

    pub fn biases(layer: usize) -> [String; 2] {
        SIDES.map(|side| format!("lstm.bias_{side}_l{layer}"))
    }
}

/// The parameters in `state_dict` order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let d = config.width;
    let uniform = Init::Uniform(1.0 / (d as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = vec![parameter(weight_of(name::EMBEDDING), &[vocabulary, d], Init::Normal(1.0), Role::Token)];
    for layer in 0..config.layers {
        all.extend(name::weights(layer).map(|name| parameter(name, &[4 * d, d], uniform, Role::Hidden)));
        all.extend(name::biases(layer).map(|name| parameter(name, &[4 * d], uniform, Role::Vector)));
    }
    all.push(parameter(weight_of(name::HEAD), &[vocabulary, d], uniform, Role::Token));
    all.push(parameter(bias_of(name::HEAD), &[vocabulary], uniform, Role::Vector));
    all
}

/// Logits `[B·(S − from), V]` at the positions from `from` on. The input tokens begin at word `tokens`.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight(&weight_of(name::EMBEDDING));
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let once = |ops: &mut O, x, layer| {
        let [input, hidden] = name::weights(layer).map(|name| ops.weight(&name));
        let biases = name::biases(layer).map(|name| ops.weight(&name));
        ops.lstm(x, LstmWeights { input, hidden, biases }, shape.length)
    };
    let one = |ops: &mut O, x, layer| looped::layer(config, ops, layer, x, |ops, x| once(ops, x, layer));
    let (x, _) = looped::stack(config, ops, x, |ops, x| (0..config.layers).fold(x, |x, layer| one(ops, x, layer)));
    let x = ops.positions(x, shape.length, shape.from);
    let (weight, bias) = (ops.weight(&weight_of(name::HEAD)), ops.weight(&bias_of(name::HEAD)));
    ops.linear(Linear::with_bias(x, weight, bias))
}

/// The config.json. transformers has no LSTM, so the keys are ours.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize) -> Value {
    serde_json::json!({
        "architectures": ["LSTM"], "model_type": "lstm", "dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers,
    })
}

/// Reads these keys, and refuses options of `torch.nn.LSTM` that this version does not compute.
///
/// # Errors
/// When a key is missing or its value is not supported; the sentence names it.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, DescriptionError> {
    let config = json.network(ModelKind::Lstm)?;
    let computed = [
        ("bidirectional", false.into()),
        ("bias", true.into()),
        ("proj_size", 0.into()),
        ("input_size", config.width.into()),
        ("embedding_size", config.width.into()),
        ("tie_word_embeddings", false.into()),
    ];
    json.only("an LSTM", &computed)?;
    Ok(config)
}
