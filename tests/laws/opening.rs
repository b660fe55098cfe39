//! Saved models open for the task they were made for, and every wrong file is told in a sentence that says what to do.

use half::{bf16, f16};
use lookahead::config::{ModelKind, RunConfig, presets};
use lookahead::model::weights::initial;
use lookahead::task::Vocabulary;
use lookahead::train::{OpeningError, Plan, checkpoint, opening};
use safetensors::tensor::{Dtype, TensorView};

const KINDS: [ModelKind; 4] = [ModelKind::GptNeox, ModelKind::Lstm, ModelKind::Mamba, ModelKind::Armt];

/// The task that is asked, with the form's own network.
fn asked() -> RunConfig {
    presets::quick()
}

/// A run of another shape than the form's, its weights, and the two files saved of it.
fn saved(kind: ModelKind) -> (RunConfig, Vec<f32>, String, Vec<u8>) {
    let mut config = asked();
    let mut model = config.model.clone();
    (model.kind, model.layers, model.width, model.heads, model.ff) = (kind, 2, 32, 2, 40);
    config.set_model(model);
    let plan = Plan::new(&config);
    let values = initial(&plan.parameters, 3);
    let file = checkpoint::write(&plan.parameters, &values).unwrap();
    (config.clone(), values, checkpoint::config_json(&config), file)
}

#[test]
fn every_network_opens_with_its_own_shape_and_equal_weights() {
    for kind in KINDS {
        let (config, values, json, file) = saved(kind);
        let opened = opening::open(&asked(), &json, &file).unwrap();
        assert_eq!(opened.values, values, "{kind:?}");
        assert_eq!(opened.config.task, config.task, "{kind:?}");
        assert_eq!(Plan::new(&opened.config).parameters, Plan::new(&config).parameters, "{kind:?}");
        assert_eq!(opened.config.training, config.training, "{kind:?}");
    }
}

/// What is said of these files for this task.
fn told(asked: &RunConfig, json: &str, file: &[u8]) -> String {
    let sentence = opening::open(asked, json, file).unwrap_err().to_string();
    assert!(sentence.ends_with('.') && sentence.contains(' '), "a sentence: {sentence}");
    sentence
}

fn holds(sentence: &str, parts: &[&str]) {
    for part in parts {
        assert!(sentence.contains(part), "“{sentence}” says nothing of “{part}”");
    }
}

#[test]
fn a_wrong_weights_file_is_told() {
    for kind in KINDS {
        let (config, values, json, file) = saved(kind);
        holds(&told(&asked(), &json, &file[..file.len() - 10]), &["not whole", "again"]);
        holds(&told(&asked(), &json, &file[..6]), &["not whole", "again"]);
        holds(&told(&asked(), &json, b"PK\x03\x04 a zip archive, not a model"), &["safetensors"]);
        holds(&told(&asked(), &json, &[]), &["not whole"]);

        let mut smaller = config.clone();
        smaller.model.width = 16;
        holds(&told(&asked(), &checkpoint::config_json(&smaller), &file), &["sizes differ", "config.json saved beside"]);
        let mut deeper = config.clone();
        deeper.model.layers = 3;
        holds(&told(&asked(), &checkpoint::config_json(&deeper), &file), &["no tensor", "fewer layers"]);
        let mut flatter = config.clone();
        flatter.model.layers = 1;
        holds(&told(&asked(), &checkpoint::config_json(&flatter), &file), &["more layers", "(1;", "config.json saved beside"]);

        let parameters = Plan::new(&config).parameters;
        let mut broken = values.clone();
        let last = broken.len() - 1;
        broken[last] = f32::NAN;
        let name = &parameters[parameters.len() - 1].name;
        holds(&told(&asked(), &json, &checkpoint::write(&parameters, &broken).unwrap()), &[name, "NaN"]);
    }
    let (_, _, json, _) = saved(ModelKind::Lstm);
    let (_, _, _, other) = saved(ModelKind::Mamba);
    holds(&told(&asked(), &json, &other), &["no tensor", "architecture"]);
}

#[test]
fn weights_of_another_type_are_told() {
    let (_, _, json, file) = saved(ModelKind::Lstm);
    // The header is JSON behind its length: half floats of twice the columns take as many bytes.
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    for (_, tensor) in header.as_object_mut().unwrap().iter_mut().filter(|(name, _)| *name != "__metadata__") {
        tensor["dtype"] = "I32".into();
    }
    let header = header.to_string();
    let mut other = (header.len() as u64).to_le_bytes().to_vec();
    other.extend(header.bytes());
    other.extend(&file[8 + length..]);
    holds(&told(&asked(), &json, &other), &["I32", "float32", "convert"]);
}

#[test]
fn half_precision_widens_exactly() {
    let (config, values, json, _) = saved(ModelKind::GptNeox);
    let parameters = Plan::new(&config).parameters;
    // The bytes of a value, and the float32 that they mean.
    type Half = fn(f32) -> ([u8; 2], f32);
    let cases: [(Dtype, &str, Half); 2] = [
        (Dtype::F16, "float16", |value| (f16::from_f32(value).to_le_bytes(), f16::from_f32(value).to_f32())),
        (Dtype::BF16, "bfloat16", |value| (bf16::from_f32(value).to_le_bytes(), bf16::from_f32(value).to_f32())),
    ];
    for (kind, name, half) in cases {
        let mut rest = &values[..];
        let mut tensors = Vec::new();
        for parameter in parameters.iter() {
            let (own, behind) = rest.split_at(parameter.size());
            rest = behind;
            let bytes: Vec<u8> = own.iter().flat_map(|&value| half(value).0).collect();
            tensors.push((parameter.name.clone(), parameter.shape.clone(), bytes));
        }
        let views = tensors.iter().map(|(name, shape, bytes)| (name.clone(), TensorView::new(kind, shape.clone(), bytes).unwrap()));
        let opened = opening::open(&asked(), &json, &safetensors::serialize(views, None).unwrap()).unwrap();
        assert_eq!(opened.converted, Some(name));
        assert!(opened.values.iter().zip(&values).all(|(found, &value)| found.to_bits() == half(value).1.to_bits()), "{name}");
    }
}

#[test]
fn a_wrong_description_is_told() {
    let (config, _, json, file) = saved(ModelKind::GptNeox);
    holds(&told(&asked(), &json[..json.len() / 2], &file), &["config.json cannot be read", "cut off"]);
    holds(&told(&asked(), "{}", &file), &["unknown", "gpt_neox, lstm, mamba, armt and deltanet"]);
    holds(&told(&asked(), &json.replace("gpt_neox", "llama"), &file), &["“llama”", "gpt_neox, lstm, mamba, armt and deltanet"]);
    let mut paper = config.clone();
    paper.task.vocabulary = Vocabulary::Paper;
    holds(&told(&asked(), &checkpoint::config_json(&paper), &file), &["128 tokens", "has 12", "paper's", "vocab"]);
    holds(&told(&paper, &json, &file), &["12 tokens", "has 128", "compact"]);
    let mut huge = config.clone();
    huge.model.layers = 4_000;
    holds(&told(&asked(), &checkpoint::config_json(&huge), &file), &["cannot train", "Layers", "1 to 16", "4000"]);
    let mut wide = saved(ModelKind::Armt).0;
    wide.task.width = 12;
    let (_, _, _, armt) = saved(ModelKind::Armt);
    holds(&told(&asked(), &checkpoint::config_json(&wide), &armt), &["segments of 26", "18", "(W) to 12"]);
}

#[test]
fn a_file_of_weights_holds_its_description_and_is_the_same_each_time() {
    let config = asked();
    let plan = Plan::new(&config);
    let values = initial(&plan.parameters, 3);
    let file = checkpoint::write_model(&config, &plan.parameters, &values).unwrap();
    assert_eq!(checkpoint::described(&file), Some(checkpoint::config_json(&config)));
    assert_eq!(checkpoint::read_weights(&plan.parameters, &file).unwrap(), values);
    assert_eq!(opening::open(&config, "", &file).unwrap().values, values);
    for _ in 0..4 {
        assert_eq!(checkpoint::write_model(&config, &plan.parameters, &values).unwrap(), file);
    }
    let bare = checkpoint::write(&plan.parameters, &values).unwrap();
    assert_eq!(opening::open(&config, "", &bare), Err(OpeningError::NoDescription));
}
