//! Links keep their meaning for ever; a mangled one is told, never replaced.

use lookahead::config::fields::{FIELDS, Kind};
use lookahead::config::presets::{self, PRESETS};
use lookahead::config::{ModelKind, RunConfig, link};
use lookahead::replay::{EngineClass, Fingerprint, Verdict};
use lookahead::task::{Horizon, LossOn, Radius, Task, Vocabulary};

/// Old links, as they were once copied. Never change a line here: add lines.
const PAPER: &str = "v=1&r=2&W=20&T=10&horizon=one&k=1&loss=target&vocab=paper&model=neox&layers=4&d=128&heads=4&ff=128&rope=0.25&base=10000&opt=adamw&lr=0.0003&wd=0.01&warmup=1000&decay=80000&clipv=0.5&clipn=0&batch=256&examples=950000&steps=40000&every=500&evaln=512&stop=0&seed=1&engine=auto";

#[test]
fn old_links_mean_what_they_meant() {
    assert_eq!(link::write(&RunConfig::version_1(), None), PAPER);
    assert_eq!(link::read(PAPER).unwrap().config, RunConfig::version_1());
    let bare = link::read("https://example.org/lookahead/#v=1").unwrap();
    assert_eq!(bare.config, RunConfig::version_1(), "what a link of version 1 leaves out is frozen");
    let config = link::read("#v=1&r=1&W=8&T=6&horizon=multi&loss=rows&vocab=compact&seed=7").unwrap().config;
    assert_eq!((config.task.radius, config.task.width, config.task.shown, config.task.horizon), (Radius::One, 8, 6, Horizon::Multi));
    assert_eq!((config.loss_on, config.task.vocabulary, config.seed), (LossOn::Rows, Vocabulary::Compact, 7));
}

#[test]
fn every_preset_crosses_a_link_unchanged() {
    for preset in PRESETS {
        let config = (preset.config)();
        assert_eq!(config.problems(), []);
        let fingerprint = Fingerprint::of(EngineClass::Cpu, &[1.5, 0.25, 0.125]);
        let text = link::write(&config, fingerprint.as_ref());
        let read = link::read(&text).unwrap();
        assert_eq!((read.config, read.fingerprint), (config, fingerprint));
    }
}

#[test]
fn the_quick_presets_can_be_laid_over_one_another() {
    let quick = presets::quick();
    let config = |key: &str| (PRESETS.iter().find(|preset| preset.key == key).unwrap().config)();
    for (key, kind) in [("quick", ModelKind::GptNeox), ("mamba", ModelKind::Mamba), ("armt", ModelKind::Armt), ("lstm", ModelKind::Lstm)] {
        let other = config(key);
        assert_eq!(other.model.kind, kind);
        assert_eq!(other.task.segmented, kind.segmented(), "{key} writes its sequences as its network reads them");
        let task = Task { segmented: false, ..other.task };
        assert_eq!((task, other.loss_on, other.seed), (quick.task, quick.loss_on, quick.seed), "{key} asks the same questions");
        let steps = (other.training.batch, other.training.eval_samples);
        assert_eq!(steps, (quick.training.batch, quick.training.eval_samples), "{key} has steps and measurements of the same size");
    }
}

#[test]
fn every_field_takes_its_range_and_nothing_past_it() {
    for field in FIELDS {
        let mut config = RunConfig::version_1();
        let (good, bad): (Vec<String>, Vec<String>) = match field.kind {
            Kind::Integer { min, max } => {
                let below = if min == 0 { "-1".to_string() } else { (min - 1).to_string() };
                (vec![min.to_string(), max.to_string()], vec![below, (max + 1).to_string(), "1.5".into(), "x".into(), String::new()])
            }
            Kind::Real { min, max } => {
                (vec![min.to_string(), max.to_string()], vec![(max * 2.0).to_string(), "NaN".into(), "inf".into(), "x".into(), "-1".into()])
            }
            Kind::Choice(choices) => (choices.iter().map(|choice| choice.0.to_string()).collect(), vec!["x".into(), String::new()]),
        };
        for text in good {
            field.set(&mut config, &text).unwrap();
            assert_eq!((field.get)(&config), text, "{}", field.key);
        }
        let before = config.clone();
        for text in bad {
            let sentence = field.set(&mut config, &text).unwrap_err();
            assert!(sentence.contains(field.key) && sentence.contains(field.label), "{sentence}");
        }
        assert_eq!(before, config);
    }
}

#[test]
fn a_mangled_link_says_what_is_wrong() {
    let cases = [
        ("", "version"),
        ("#r=1", "version"),
        ("#v=2", "newer"),
        ("#v=zero", "not a version"),
        ("#v=1&W=3", "from 4 to 64"),
        ("#v=1&W=8&W=9", "twice"),
        ("#v=1&colour=red", "“colour”"),
        ("#v=1&lr", "no value"),
        ("#v=1&lr=%zz", "hexadecimal"),
        ("#v=1&d=30&heads=4", "multiple of the heads"),
        ("#v=1&d=48&heads=4&rope=0.25", "even number"),
        ("#v=1&W=64&T=32&d=512&ff=2048&layers=16", "too long"),
        ("#v=1&fp=cpu-5-00", "fingerprint"),
        ("#v=1&fp=cpu-2-00000000-7fc00000.00000000", "fingerprint"),
    ];
    for (text, words) in cases {
        let faults = link::read(text).unwrap_err().join(" ");
        assert!(faults.contains(words), "{text}: {faults}");
    }
    assert_eq!(link::read("#v=1&W=3&T=1&k=99&who=me").unwrap_err().len(), 4, "every fault is told");
    for cut in 0..PAPER.len() {
        let _ = link::read(&PAPER[..cut]);
    }
}

#[test]
fn a_fingerprint_tells_same_from_other() {
    let trace: Vec<f32> = (1..=100).map(|step| 1.0 / step as f32).collect();
    let fingerprint = Fingerprint::of(EngineClass::Fused, &trace).unwrap();
    assert_eq!(fingerprint.to_string().parse::<Fingerprint>().unwrap(), fingerprint);
    assert_eq!(fingerprint.compare(EngineClass::Fused, &trace), Verdict::Identical);
    assert_eq!(fingerprint.compare(EngineClass::Fused, &trace[..50]), Verdict::Agreeing { steps: 50 });
    let mut other = trace.clone();
    other[15] = f32::from_bits(other[15].to_bits() + 1);
    assert!(matches!(fingerprint.compare(EngineClass::Fused, &other), Verdict::Differs { step: 16, .. }));
    assert_eq!(fingerprint.compare(EngineClass::WebGpu, &other), Verdict::Reproduced);
    let mut unmarked = trace.clone();
    unmarked[20] *= 1.5;
    assert_eq!(
        fingerprint.compare(EngineClass::Fused, &unmarked),
        Verdict::DiffersBetween,
        "a difference between marks is seen by the hash"
    );
    assert_eq!(fingerprint.compare(EngineClass::Native, &other), Verdict::Reproduced, "the first command line promised no bits");
    let far: Vec<f32> = trace.iter().map(|loss| loss * 1.1).collect();
    assert!(matches!(fingerprint.compare(EngineClass::WebGpu, &far), Verdict::Differs { step: 1, .. }));
    for class in [EngineClass::Separate, EngineClass::Cpu] {
        assert_eq!(fingerprint.compare(class, &other), Verdict::Reproduced, "another arithmetic has other last bits");
        assert!(matches!(Fingerprint::of(class, &trace).unwrap().compare(class, &other), Verdict::Differs { step: 16, .. }));
    }
}

/// Fingerprints as they were once copied. Never change a line here: add lines.
#[test]
fn old_fingerprints_are_still_read() {
    let cases = [
        ("cpu-2-0a0b0c0d-3f800000.3f000000", EngineClass::Cpu),
        ("native-2-0a0b0c0d-3f800000.3f000000", EngineClass::Native),
        ("webgpu-2-0a0b0c0d-3f800000.3f000000", EngineClass::WebGpu),
        ("fma-2-0a0b0c0d-3f800000.3f000000", EngineClass::Fused),
        ("simd-2-0a0b0c0d-3f800000.3f000000", EngineClass::Separate),
    ];
    for (text, engine) in cases {
        let read = text.parse::<Fingerprint>().unwrap();
        assert_eq!(read, Fingerprint { engine, steps: 2, hash: 0x0a0b_0c0d, losses: vec![1.0, 0.5] });
        assert_eq!(read.to_string(), text);
    }
}
