//! config.json: what each network writes is read back, and what this version does not compute is refused in a sentence that names it.

use lookahead::config::{ModelConfig, ModelKind, RunConfig, presets};
use lookahead::model::DescriptionError;
use lookahead::model::config_json::{self, Described};
use lookahead::train::checkpoint;
use serde_json::{Value, json};

fn run(kind: ModelKind) -> RunConfig {
    let mut run = presets::quick();
    run.set_model(ModelConfig { kind, layers: 3, width: 48, heads: 4, ff: 40, memory_tokens: 5, memory_width: 9, ..run.model.clone() });
    run
}

fn written(kind: ModelKind) -> Value {
    serde_json::from_str(&checkpoint::config_json(&run(kind))).unwrap()
}

/// What is made of our config.json with some keys changed, or taken out where the value is `null`.
fn read(kind: ModelKind, changes: &Value) -> Result<Described, DescriptionError> {
    let mut json = written(kind);
    for (key, value) in changes.as_object().unwrap() {
        json[key] = value.clone();
    }
    json.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    config_json::read(&json.to_string())
}

#[test]
fn a_description_without_what_has_one_meaning_is_the_same() {
    let cases = [
        (ModelKind::GptNeox, json!({ "rope_parameters": null, "hidden_act": null, "layer_norm_eps": null, "tie_word_embeddings": null })),
        (ModelKind::GptNeox, json!({ "rotary_pct": null, "rotary_emb_base": null, "attention_bias": null, "use_parallel_residual": null })),
        (ModelKind::GptNeox, json!({ "rope_scaling": { "type": "default" }, "layer_norm_eps": 1.0000000001e-5 })),
        (ModelKind::Lstm, json!({ "architectures": null, "dtype": null, "bidirectional": false, "proj_size": 0, "input_size": 48 })),
        (
            ModelKind::Mamba,
            json!({ "state_size": null, "conv_kernel": null, "expand": null, "intermediate_size": null, "hidden_act": null }),
        ),
        (ModelKind::Mamba, json!({ "time_step_rank": "auto", "use_bias": null, "use_conv_bias": null, "tie_word_embeddings": null })),
        (ModelKind::Armt, json!({ "nu": 3, "n_heads": 1, "correction": true, "rope_parameters": null })),
    ];
    for (kind, changes) in cases {
        let described = read(kind, &changes).unwrap();
        assert_eq!(described, read(kind, &json!({})).unwrap(), "{kind:?} with {changes}");
        assert_eq!(described.config.width, 48);
    }
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    let rope = |kind: &str| json!({ "rope_type": kind, "rope_theta": 100.0, "partial_rotary_factor": 1.0, "factor": 2.0 });
    let neox = [
        ("use_parallel_residual", json!(false)),
        ("hidden_act", json!("gelu_new")),
        ("hidden_act", json!("relu")),
        ("attention_bias", json!(false)),
        ("layer_norm_eps", json!(1e-6)),
        ("tie_word_embeddings", json!(true)),
        ("rope_scaling", json!({ "type": "linear", "factor": 2.0 })),
        ("rope_scaling", json!({ "rope_type": "yarn", "factor": 2.0 })),
        ("rope_parameters", rope("dynamic")),
        ("rotary_pct", json!(0.25)),
        ("rotary_emb_base", json!(12_345)),
    ];
    let lstm = [
        ("bidirectional", json!(true)),
        ("bias", json!(false)),
        ("proj_size", json!(7)),
        ("input_size", json!(47)),
        ("embedding_size", json!(12)),
        ("tie_word_embeddings", json!(true)),
    ];
    let mamba = [
        ("state_size", json!(32)),
        ("conv_kernel", json!(3)),
        ("expand", json!(1)),
        ("intermediate_size", json!(95)),
        ("time_step_rank", json!(4)),
        ("use_bias", json!(true)),
        ("use_conv_bias", json!(false)),
        ("hidden_act", json!("gelu")),
        ("layer_norm_epsilon", json!(1e-6)),
        ("tie_word_embeddings", json!(false)),
    ];
    let armt =
        [("nu", json!(2)), ("n_heads", json!(2)), ("correction", json!(false)), ("use_denom", json!(false)), ("gating", json!(true))];
    let all = [
        (ModelKind::GptNeox, &neox[..]),
        (ModelKind::Armt, &neox[..]),
        (ModelKind::Lstm, &lstm[..]),
        (ModelKind::Mamba, &mamba[..]),
        (ModelKind::Armt, &armt[..]),
    ];
    for (kind, changes) in all {
        for (key, value) in changes {
            let told = read(kind, &json!({ *key: value })).expect_err(&format!("{kind:?} opens although “{key}” is {value}")).to_string();
            assert!(told.contains(&format!("“{key}”")) && told.ends_with('.'), "{kind:?}, {key} {value}: {told}");
        }
    }
}

#[test]
fn missing_and_impossible_sizes_are_refused() {
    let sizes: [(ModelKind, &[&str]); 4] = [
        (ModelKind::GptNeox, &["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"]),
        (ModelKind::Lstm, &["vocab_size", "hidden_size", "num_hidden_layers"]),
        (ModelKind::Mamba, &["vocab_size", "hidden_size", "num_hidden_layers"]),
        (ModelKind::Armt, &["vocab_size", "intermediate_size", "num_mem_tokens", "d_mem", "segment_length"]),
    ];
    for (kind, keys) in sizes {
        for key in keys {
            let told = read(kind, &json!({ *key: null })).unwrap_err().to_string();
            assert!(told.contains("does not say") && told.contains(&format!("“{key}”")), "{kind:?} without {key}: {told}");
            read(kind, &json!({ *key: 0 })).expect_err(&format!("{kind:?} opens although “{key}” is 0"));
            for value in [json!(-1), json!(1.5), json!("8"), json!([8]), json!(1e30)] {
                let told = read(kind, &json!({ *key: value })).unwrap_err().to_string();
                assert!(told.contains(&format!("“{key}”")), "{kind:?}, {key} {value}: {told}");
            }
        }
    }
    // Heads that do not share the width, rotary dimensions that are odd, more than a head's, or turned by no angle.
    let plain = |changes: Value| read(ModelKind::GptNeox, &changes);
    let rotary = |fraction: f64, base: f64| plain(json!({ "rope_parameters": null, "rotary_pct": fraction, "rotary_emb_base": base }));
    assert!(rotary(0.5, 100.0).is_ok());
    for told in [plain(json!({ "num_attention_heads": 5 })), rotary(0.3, 100.0), rotary(1.5, 100.0), rotary(-0.5, 100.0), rotary(0.5, 0.0)]
    {
        assert!(told.unwrap_err().to_string().contains("rotary"));
    }
    for text in ["", "[]", "7", "null", "{\"model_type\": 3}", "{\"model_type\": \"mamba2\"}"] {
        let told = config_json::read(text).unwrap_err().to_string();
        assert!(told.contains("config.json") && told.ends_with('.'), "{text}: {told}");
    }
}
