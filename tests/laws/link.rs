//! Links keep their meaning for ever; a mangled one is told, never replaced.

use lookahead::config::fields::{FIELDS, FieldKind};
use lookahead::config::link::{Link, LinkNotes, Mangling};
use lookahead::config::presets::{self, PRESETS};
use lookahead::config::{ModelKind, RunConfig, SentScore, Start, link};
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
            FieldKind::Integer { min, max } => {
                let below = if min == 0 { "-1".to_string() } else { (min - 1).to_string() };
                (vec![min.to_string(), max.to_string()], vec![below, (max + 1).to_string(), "1.5".into(), "x".into(), String::new()])
            }
            FieldKind::Real { min, max } => {
                (vec![min.to_string(), max.to_string()], vec![(max * 2.0).to_string(), "NaN".into(), "inf".into(), "x".into(), "-1".into()])
            }
            FieldKind::Choice(choices) => (choices.iter().map(|choice| choice.0.to_string()).collect(), vec!["x".into(), String::new()]),
        };
        for text in good {
            field.set(&mut config, &text).unwrap();
            assert_eq!((field.get)(&config), text, "{}", field.key);
        }
        let before = config.clone();
        for text in bad {
            let sentence = field.set(&mut config, &text).unwrap_err().to_string();
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
        ("#v=1&sum=12", "cut off"),
        ("#v=1&sum=00000000&seed=1", "not as it was copied"),
        ("#v=1&seed=12…", "shortened"),
        ("#v=1&d=30&heads=4", "multiple of the heads"),
        ("#v=1&d=48&heads=4&rope=0.25", "even number"),
        ("#v=1&W=64&T=32&d=512&ff=2048&layers=16", "too long"),
        ("#v=1&em=1.2", "DEPTH.RIGHT.ASKED"),
        ("#v=1&em=1.3.2", "DEPTH.RIGHT.ASKED"),
        ("#v=1&em=0.1.2", "DEPTH.RIGHT.ASKED"),
        ("#v=1&em=1.1.2.3", "DEPTH.RIGHT.ASKED"),
        ("#v=1&em=", "DEPTH.RIGHT.ASKED"),
        ("#v=1&fp=cpu-5-00", "fingerprint"),
        ("#v=1&fp=cpu-2-00000000-7fc00000.00000000", "fingerprint"),
    ];
    for (text, words) in cases {
        let faults = link::read(text).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert!(faults.contains(words), "{text}: {faults}");
    }
    assert_eq!(link::read("#v=1&W=3&T=1&k=99&who=me").unwrap_err().len(), 4, "every fault is told");
    for cut in 0..PAPER.len() {
        let _ = link::read(&PAPER[..cut]);
    }
}

/// The sealed links of runs of all kinds, with and without a fingerprint.
fn sealed() -> Vec<(RunConfig, Option<Fingerprint>, String)> {
    let fingerprint = Fingerprint::of(EngineClass::Fused, &[1.5, 0.25, 0.125]);
    let started = |config: &RunConfig| RunConfig { start: Start::from_run(config), ..config.clone() };
    let configs = PRESETS.iter().flat_map(|preset| [(preset.config)(), started(&(preset.config)())]);
    let both = |config: RunConfig| [(config.clone(), None), (config, fingerprint.clone())];
    configs
        .flat_map(both)
        .map(|(config, fingerprint)| (config.clone(), fingerprint.clone(), link::seal(&config, fingerprint.as_ref())))
        .collect()
}

fn same(text: &str, config: &RunConfig, fingerprint: Option<&Fingerprint>) -> LinkNotes {
    let (read, notes) = link::read_with_notes(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    assert_eq!((&read.config, read.fingerprint.as_ref()), (config, fingerprint), "{text}");
    notes
}

#[test]
fn a_sealed_link_that_was_cut_or_changed_is_refused() {
    // Pinned: the sum of a link never changes its meaning.
    assert!(
        link::seal(&RunConfig::version_1(), None).starts_with("v=1&sum=68636c41&r=2&W=20&"),
        "{}",
        link::seal(&RunConfig::version_1(), None)
    );
    for (config, fingerprint, text) in sealed() {
        assert_eq!(same(&text, &config, fingerprint.as_ref()), LinkNotes::default());
        for cut in 1..text.len() {
            // What is left names its version and perhaps a part of the sum, and nothing else.
            match link::read(&text[..cut]) {
                Ok(_) => assert_eq!(&text[..cut].trim_end_matches('&'), &"v=1"),
                Err(faults) => assert!(faults.len() <= 6, "{faults:?}"),
            }
            assert!(link::read(&text[cut..]).is_err(), "{}", &text[cut..]);
        }
        for (at, letter) in text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
            let other = if letter == '1' { '2' } else { '1' };
            let changed: String = text.char_indices().map(|(place, letter)| if place == at { other } else { letter }).collect();
            assert!(link::read(&changed).is_err(), "{changed}");
        }
    }
}

#[test]
fn known_manglings_are_undone_and_told() {
    let percent = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    for (config, fingerprint, text) in sealed() {
        let same = |text: &str| same(text, &config, fingerprint.as_ref()).undone;
        for quiet in [
            format!("#{text}"),
            format!("https://example.org/a/?workers=1#{text}"),
            format!("  <{text}>.\n"),
            format!("“{text}”,"),
            format!("(https://example.org/#{text})"),
        ] {
            assert_eq!(same(&quiet), [], "{quiet}");
        }
        assert_eq!(same(&text.replace('(', "%28").replace(')', "%29")), []);
        assert_eq!(same(&percent(&text)), [Mangling::Percent]);
        assert_eq!(same(&percent(&percent(&text))), [Mangling::Percent]);
        assert_eq!(same(&text.replace('&', "&amp;")), [Mangling::Entity]);
        assert_eq!(same(&text.replace('&', "&amp;amp;")), [Mangling::Entity]);
        let middle = text.len() / 2;
        for blank in ["\u{200b}", "%E2%80%8B", "%20", " ", "\n", "\u{feff}", "%0D%0A", "\u{ad}"] {
            assert_eq!(same(&format!("{}{blank}{}", &text[..middle], &text[middle..])), [Mangling::Blank], "{blank:?}");
            assert_eq!(same(&format!("{text}{blank}")), [], "{blank:?}");
        }
        for double in
            [format!("{text}{text}"), format!("{text}#{text}"), format!("{text}#v=1"), format!("{text}&{text}"), format!("{text}…")]
        {
            let faults = link::read(&double).unwrap_err();
            assert!(faults.len() <= 6 && faults.iter().all(|fault| fault.to_string().chars().count() < 260), "{faults:?}");
        }
    }
    let quick = link::write(&presets::quick(), None);
    let inner = same(
        &format!("{quick}&from=(#{quick})").replace("&engine=auto)", ")"),
        &RunConfig { start: Start::from_run(&presets::quick()), ..presets::quick() },
        None,
    );
    assert_eq!(inner, LinkNotes::default(), "a # within the parentheses");
}

#[test]
fn a_link_that_names_some_settings_says_what_it_leaves_open() {
    let note = |text: &str| link::read_with_notes(text).map(|(link, notes)| notes.sentence(&link.config, 2)).unwrap();
    assert_eq!(note(PAPER), None, "old links name every setting");
    for words in ["names 2 of 29", "paper", "40000 steps of 256", "hours"] {
        assert!(note("v=1&r=1&W=8").unwrap().contains(words), "{:?}", note("v=1&r=1&W=8"));
    }
    assert!(note("v=1").unwrap().contains("names 0 of 29"));
}

#[test]
fn the_links_of_the_readme_are_whole() {
    let readme = include_str!("../../README.md");
    assert!(readme.contains(&format!("/lookahead/?embed=depth#{}\"", link::seal(&presets::quick(), None))));
}

#[test]
fn a_number_has_a_point_or_a_comma() {
    let field = |key: &str| FIELDS.iter().find(|field| field.key == key).unwrap();
    let mut config = RunConfig::version_1();
    for (text, value) in [("0,001", 0.001), ("0.001", 0.001), (",5", 0.5), ("1e-3", 0.001)] {
        field("lr").set(&mut config, text).unwrap();
        assert_eq!(config.training.learning_rate, value, "{text}");
    }
    for text in ["0,001,5", "1.000,5", "0,,1", "", ",", "1 000"] {
        let sentence = field("lr").set(&mut config, text).unwrap_err().to_string();
        assert!(sentence.contains(&format!("not “{text}”")), "{sentence}");
    }
    assert!(field("seed").set(&mut config, "1,000").unwrap_err().to_string().contains("not “1,000”"));
}

/// A link tells its sender's scores, behind everything that it always told.
#[test]
fn a_link_tells_the_result_of_its_run() {
    let config = presets::quick();
    let fingerprint = Fingerprint::of(EngineClass::Fused, &[1.5, 0.25, 0.125]);
    let scores = vec![SentScore { depth: 1, exact: 251, samples: 256 }, SentScore { depth: 2, exact: 0, samples: 256 }];
    let told = Link { config: config.clone(), fingerprint: fingerprint.clone(), scores };
    assert!(told.seal().ends_with("&em=1.251.256-2.0.256"));
    assert_eq!(link::read(&told.seal()).unwrap(), told);
    let silent = Link { scores: Vec::new(), ..told };
    assert_eq!(silent.seal(), link::seal(&config, fingerprint.as_ref()));
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
    // At a loss of a tenth of the first, 4 % is a small part of the way.
    let mut parted = trace.clone();
    parted[63] *= 1.5;
    for class in [EngineClass::WebGpu, EngineClass::Separate, EngineClass::BurnFlex] {
        assert_eq!(fingerprint.compare(class, &parted), Verdict::Parted { step: 64 });
        assert_eq!(fingerprint.compare(class, &parted[..80]), Verdict::Parted { step: 64 }, "also before the end");
    }
    assert!(matches!(fingerprint.compare(EngineClass::Fused, &parted), Verdict::Differs { step: 64, .. }), "the same engine promises bits");
    parted[63] = 0.2;
    assert!(matches!(fingerprint.compare(EngineClass::WebGpu, &parted), Verdict::Differs { step: 64, .. }), "another course");
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

#[test]
fn every_way_out_sets_a_field_to_a_value_that_it_takes() {
    let ways: Vec<_> = FIELDS.iter().flat_map(|field| field.ways_out).collect();
    assert!(ways.len() >= 5);
    for way in ways {
        let field = FIELDS.iter().find(|field| field.key == way.sets.0).unwrap();
        let mut config = RunConfig::version_1();
        field.set(&mut config, way.sets.1).unwrap();
        assert_eq!((field.get)(&config), way.sets.1, "{}", way.label);
    }
}

#[test]
fn a_field_without_an_effect_is_hidden_or_disabled_but_never_both() {
    let (mut hidden, mut disabled) = (0, 0);
    for config in presets::all().map(|preset| (preset.config)()) {
        for field in FIELDS {
            let found = (field.hidden(&config), field.disabled(&config).is_some());
            assert_eq!(found.0 || found.1, !field.applies(&config), "{}", field.key);
            assert!(!(found.0 && found.1));
            hidden += usize::from(found.0);
            disabled += usize::from(found.1);
        }
    }
    assert!(hidden > 0 && disabled > 0);
}
