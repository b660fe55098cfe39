//! `train` that is killed, or asked to end, goes on from what it kept: the same bits as a run that was never interrupted.
#![cfg(unix)]

use lookahead::rng::{Purpose, Stream, stream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// About two seconds, with measurements and best weights on the way.
const RUN: &str = "quick&steps=150&every=20&evaln=32&batch=8&engine=cpu";
/// A reward, from a run that is made first, from a checkpoint.
const CHAIN: &str = "grpo&steps=12&every=4&evaln=16&batch=2&group=4&engine=cpu&from=(quick&W=10&T=4&loss=all&opt=adamw&lr=0.001&steps=60&every=20&evaln=16&batch=8&from=small-k1)";

/// A folder of its own for a test, empty.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lookahead-unfinished-{}-{test}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn begin(arguments: &[&str], folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookahead"));
    command.args(["train"]).args(arguments).args(["--workers", "1"]).current_dir(folder);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn whole(arguments: &[&str], folder: &Path) -> ExitStatus {
    begin(arguments, folder).wait().unwrap()
}

/// Runs a command until it ends by itself, with a signal after each random while. Returns how often it was interrupted.
fn interrupted(arguments: &[&str], folder: &Path, signal: &str, mut random: Stream) -> usize {
    for interruptions in 0..200 {
        let mut child = begin(arguments, folder);
        std::thread::sleep(Duration::from_millis(60 + (random.uniform() * 500.0) as u64));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return interruptions;
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let status = child.wait().unwrap();
        // It may have ended by itself meanwhile, or not have listened to signals yet.
        assert!(status.success() || [None, Some(75)].contains(&status.code()), "{status}");
        if status.success() {
            return interruptions;
        }
    }
    panic!("it does not end");
}

/// The text of a file of results, without what depends on time. Numbers are not read: that could hide a difference in their last bit.
fn lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let mut parts = text.split("\"seconds\":");
    let first = parts.next().unwrap().to_string();
    parts.fold(first, |text, part| text + part.trim_start_matches(|letter: char| letter.is_ascii_digit() || ".e-".contains(letter)))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_that_is_killed_anywhere_goes_on_with_the_same_bits() {
    let place = folder("killed");
    assert!(whole(&[RUN, "--out", "whole.json", "--save", "whole"], &place).success());
    for (seed, signal) in [(1, "-KILL"), (2, "-KILL"), (3, "-TERM"), (4, "-INT"), (5, "-USR1")] {
        let (out, save) = (format!("{seed}.json"), seed.to_string());
        let often =
            interrupted(&[RUN, "--out", &out, "--save", &save, "--keep-every", "0.05"], &place, signal, stream(seed, Purpose::Rollout, 0));
        assert!(often > 0, "{signal} came too late");
        assert_eq!(lines(&place.join(&out)), lines(&place.join("whole.json")), "{signal}");
        assert_eq!(names(&place.join(&save)), ["config.json", "model.safetensors"], "{signal}");
        let weights = |folder: &str| std::fs::read(place.join(folder).join("model.safetensors")).unwrap();
        assert!(weights(&save) == weights("whole"), "{signal}");
    }
    std::fs::remove_dir_all(place).unwrap();
}

/// A list without --save keeps its runs beside the results; the run that another starts from is kept too.
#[test]
fn a_list_that_is_interrupted_goes_on_and_leaves_nothing() {
    let place = folder("list");
    std::fs::write(place.join("runs.links"), format!("{CHAIN} # reward\n{RUN}&seed=3 # other\n{CHAIN}&seed=2\n")).unwrap();
    assert!(whole(&["runs.links", "--out", "whole.jsonl"], &place).success());
    for (seed, signal) in [(6, "-KILL"), (7, "-TERM")] {
        let out = format!("{seed}.jsonl");
        let often = interrupted(&["runs.links", "--out", &out, "--keep-every", "0"], &place, signal, stream(seed, Purpose::Rollout, 0));
        assert!(often > 0, "{signal} came too late");
        assert_eq!(lines(&place.join(&out)), lines(&place.join("whole.jsonl")), "{signal}");
    }
    assert_eq!(names(&place), ["6.jsonl", "7.jsonl", "runs.links", "whole.jsonl"]);
    // With --save each run has a folder of its own.
    assert!(whole(&["runs.links", "--out", "saved.jsonl", "--save", "saved"], &place).success());
    let saved = names(&place.join("saved"));
    assert!(
        saved.len() == 3 && saved[0].starts_with("other-") && saved[1].starts_with("reward-") && saved[2].starts_with("run-"),
        "{saved:?}"
    );
    std::fs::remove_dir_all(place).unwrap();
}

/// What cannot be written or gone on with is told before a step, and nothing is lost.
#[test]
fn what_cannot_be_kept_is_told_at_once() {
    let place = folder("told");
    let told = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lookahead")).arg("train").args(arguments).current_dir(&place).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    std::fs::write(place.join("file"), "").unwrap();
    assert!(told(&[RUN, "--save", "file"]).contains("file cannot be created"));
    assert!(told(&[RUN, "--save", "ok", "--out", "no/run.json"]).contains("cannot be created"));
    std::fs::write(place.join("runs.links"), RUN).unwrap();
    assert!(told(&["runs.links", "--save", "ok"]).contains("needs --out"));
    // Interrupted at once, then damaged, then of another arithmetic.
    let mut child = begin(&[RUN, "--save", "run", "--keep-every", "0"], &place);
    while names(&place).iter().all(|name| name != "run") || names(&place.join("run")).iter().all(|name| !name.ends_with(".unfinished")) {
        assert_eq!(child.try_wait().unwrap(), None, "it has kept nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = names(&place.join("run")).into_iter().find(|name| name.ends_with(".unfinished")).unwrap();
    let path = place.join("run").join(&kept);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(told(&[RUN, "--save", "run"]).contains("unfinished"));
    // Of another arithmetic: it is left alone and told, and the run starts again.
    let class = kept.split(['-', '.']).nth(1).unwrap();
    let other = place.join("run").join(kept.replace(class, "other"));
    std::fs::rename(&path, &other).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lookahead")).args(["train", RUN, "--save", "run"]).current_dir(&place).output().unwrap();
    assert!(output.status.success() && String::from_utf8(output.stderr).unwrap().contains("another arithmetic"));
    std::fs::remove_dir_all(place).unwrap();
}
