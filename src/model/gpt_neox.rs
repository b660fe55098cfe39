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

use super::rotary::Rotary;
use super::weights::{Init, Parameter, Role, Weights};
use crate::config::ModelConfig;
use crate::engine::{Device, Int, Tensor, ops};

/// The layer norms' ε.
pub const EPSILON: f64 = 1e-5;
const DEVIATION: f64 = 0.02;

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

/// Logits `[B, S − from, V]` at positions `from` … of `tokens` `[B, S]`.
pub fn logits(config: &ModelConfig, weights: &Weights, tokens: Tensor<2, Int>, from: usize) -> Tensor<3> {
    let [batch, length] = tokens.dims();
    let d = config.width;
    let device = tokens.device();
    let attention = Attention::new(config, batch, length, &device);
    let embedding = weights.matrix("gpt_neox.embed_in.weight");
    let vocabulary = embedding.dims()[0];
    let mut x = embedding.select(0, tokens.reshape([batch * length]));
    for layer in 0..config.layers {
        let at = |name: &str| format!("gpt_neox.layers.{layer}.{name}");
        let attended = attention.forward(weights, &at("attention"), norm(weights, &at("input_layernorm"), x.clone()));
        let normed = norm(weights, &at("post_attention_layernorm"), x.clone());
        let hidden = ops::gelu(linear(weights, &at("mlp.dense_h_to_4h"), normed));
        x = x + attended + linear(weights, &at("mlp.dense_4h_to_h"), hidden);
    }
    let asked = length - from;
    let x = x.reshape([batch, length, d]).narrow(1, from, asked).reshape([batch * asked, d]);
    let x = norm(weights, "gpt_neox.final_layer_norm", x);
    ops::linear(x, weights.matrix("embed_out.weight"), None).reshape([batch, asked, vocabulary])
}

fn norm(weights: &Weights, name: &str, x: Tensor<2>) -> Tensor<2> {
    ops::layer_norm(x, weights.vector(&format!("{name}.weight")), weights.vector(&format!("{name}.bias")), EPSILON)
}

fn linear(weights: &Weights, name: &str, x: Tensor<2>) -> Tensor<2> {
    ops::linear(x, weights.matrix(&format!("{name}.weight")), Some(weights.vector(&format!("{name}.bias"))))
}

/// What every layer's attention shares for one batch shape.
struct Attention {
    batch: usize,
    length: usize,
    heads: usize,
    head: usize,
    rotary: Rotary,
    causal: ops::Causal,
}

impl Attention {
    fn new(config: &ModelConfig, batch: usize, length: usize, device: &Device) -> Self {
        let head = config.width / config.heads;
        Self {
            batch,
            length,
            heads: config.heads,
            head,
            rotary: Rotary::new(length, head, config.rotary_dims(), config.rotary_base, device),
            causal: ops::Causal::new(length, device),
        }
    }

    /// x `[B·S, d]` → `[B·S, d]`.
    fn forward(&self, weights: &Weights, name: &str, x: Tensor<2>) -> Tensor<2> {
        let d = self.heads * self.head;
        let [q, k, v] = self.projections(weights, name, x);
        let scores = self.rotary.apply(q).matmul(self.rotary.apply(k).swap_dims(2, 3)) * (self.head as f64).powf(-0.5);
        let mixed = self.causal.softmax(scores).matmul(v);
        linear(weights, &format!("{name}.dense"), mixed.swap_dims(1, 2).reshape([self.batch * self.length, d]))
    }

    /// q, k and v, each `[B, h, S, head]`. The fused weight is cut by head into three matrices rather than its output,
    /// which is the same product and leaves far less to copy, forwards and back.
    fn projections(&self, weights: &Weights, name: &str, x: Tensor<2>) -> [Tensor<4>; 3] {
        let (heads, head) = (self.heads, self.head);
        let d = heads * head;
        let weight = weights.matrix(&format!("{name}.query_key_value.weight")).reshape([heads, 3, head, d]);
        let bias = weights.vector(&format!("{name}.query_key_value.bias")).reshape([heads, 3, head]);
        std::array::from_fn(|part| {
            let weight = weight.clone().narrow(1, part, 1).reshape([d, d]);
            let bias = bias.clone().narrow(1, part, 1).reshape([d]);
            ops::linear(x.clone(), weight, Some(bias)).reshape([self.batch, self.length, heads, head]).swap_dims(1, 2)
        })
    }
}
