//! Long short-term memory (Hochreiter and Schmidhuber 1997), equal to `torch.nn.Embedding` → `torch.nn.LSTM` → `torch.nn.Linear`.
//!
//! ```text
//! x ← embed(tokens)                         [B, S, d]
//! x ← LSTM_l x                              L layers, d → d; see `Operators::lstm`
//! logits = x headᵀ + b                      [B, S, V]
//! ```
//! No norm and no residual. All that a position knows of those before it went through one vector h and one c of d numbers a layer.
//! Initial weights: PyTorch's: embedding N(0, 1), everything else U(±d^-½).

use super::config_json::Json;
use super::weights::{Init, Parameter, Role};
use super::{Shape, looped};
use crate::config::{ModelConfig, ModelKind};
use crate::engine::Operators;
use crate::engine::operators::{Linear, LstmWeights};
use serde_json::Value;

/// The parameters in `state_dict` order.
pub fn parameters(config: &ModelConfig, vocabulary: usize) -> Vec<Parameter> {
    let d = config.width;
    let uniform = Init::Uniform(1.0 / (d as f64).sqrt());
    let parameter = |name: String, shape: &[usize], init: Init, role: Role| Parameter { name, shape: shape.to_vec(), init, role };
    let mut all = vec![parameter("embedding.weight".into(), &[vocabulary, d], Init::Normal(1.0), Role::Token)];
    for layer in 0..config.layers {
        for kind in ["ih", "hh"] {
            all.push(parameter(format!("lstm.weight_{kind}_l{layer}"), &[4 * d, d], uniform, Role::Hidden));
        }
        for kind in ["ih", "hh"] {
            all.push(parameter(format!("lstm.bias_{kind}_l{layer}"), &[4 * d], uniform, Role::Vector));
        }
    }
    all.push(parameter("head.weight".into(), &[vocabulary, d], uniform, Role::Token));
    all.push(parameter("head.bias".into(), &[vocabulary], uniform, Role::Vector));
    all
}

/// Logits `[B·(S − from), V]` at positions `from` … of the tokens, the words from `tokens` on.
pub fn logits<O: Operators>(config: &ModelConfig, ops: &mut O, tokens: usize, shape: Shape) -> O::Var {
    let table = ops.weight("embedding.weight");
    let x = ops.embedding(table, tokens, shape.sequences * shape.length);
    let once = |ops: &mut O, x, layer| {
        let [input, hidden] = ["ih", "hh"].map(|kind| ops.weight(&format!("lstm.weight_{kind}_l{layer}")));
        let biases = ["ih", "hh"].map(|kind| ops.weight(&format!("lstm.bias_{kind}_l{layer}")));
        ops.lstm(x, LstmWeights { input, hidden, biases }, shape.length)
    };
    let one = |ops: &mut O, x, layer| looped::layer(config, ops, layer, x, |ops, x| once(ops, x, layer));
    let (x, _) = looped::stack(config, ops, x, |ops, x| (0..config.layers).fold(x, |x, layer| one(ops, x, layer)));
    let x = ops.positions(x, shape.length, shape.from);
    let [weight, bias] = ["weight", "bias"].map(|kind| ops.weight(&format!("head.{kind}")));
    ops.linear(Linear::with_bias(x, weight, bias))
}

/// The keys of a file that stands beside `torch.nn` weights; transformers has no LSTM.
pub(super) fn config_json(model: &ModelConfig, vocabulary: usize) -> Value {
    serde_json::json!({
        "architectures": ["LSTM"], "model_type": "lstm", "dtype": "float32",
        "vocab_size": vocabulary, "hidden_size": model.width, "num_hidden_layers": model.layers,
    })
}

/// Reads those keys, and refuses what `torch.nn.LSTM` can be asked beyond them.
///
/// # Errors
/// A sentence naming what is missing or not supported.
pub(super) fn read_config(json: &Json) -> Result<ModelConfig, String> {
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
