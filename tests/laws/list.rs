//! Lists of runs: stopping and parting change nothing in what is found, and a mangled list trains nothing.

use lookahead::config::presets::SMALL_PAPER;
use lookahead::config::{EngineChoice, RunConfig, link};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs that end in no time.
const SMALL: &str = "quick&W=4&T=2&layers=1&d=8&heads=1&ff=8&batch=2&steps=3&evaln=8&every=2&engine=cpu";

/// The page's comparison is of runs whose results are in the repository.
#[test]
fn the_paper_in_small_on_the_page_is_the_one_of_the_documentation() {
    let results = include_str!("../../docs/small-paper.jsonl");
    let runs: Vec<RunConfig> = results
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| link::read(line["link"].as_str().unwrap()).unwrap().config)
        .collect();
    for preset in SMALL_PAPER {
        let config = RunConfig { engine: EngineChoice::Cpu, ..(preset.config)() };
        assert_eq!(config.problems(), []);
        assert!(runs.contains(&config), "{} is not among the results: {}", preset.key, link::write(&config, None));
    }
}

/// A folder of its own for a test, empty.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("lookahead-list-{}-{test}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Five runs, with all that a list may hold besides.
fn list(folder: &Path) -> PathBuf {
    let path = folder.join("runs.links");
    let runs: Vec<String> = (1..=5).map(|seed| format!("  {SMALL}&seed={seed}\t# seed {seed}  ")).collect();
    std::fs::write(&path, format!("# five runs\n\n{}\n#\n", runs.join("\n\n"))).unwrap();
    path
}

fn train(list: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lookahead"));
    command.arg("train").arg(list).arg("--out").arg(out).args(["--workers", "1"]).args(more);
    command.output().unwrap()
}

fn succeed(list: &Path, out: &Path, more: &[&str]) {
    let output = train(list, out, more);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refusal(list: &Path, out: &Path, more: &[&str]) -> String {
    let output = train(list, out, more);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The lines of results, without what no two runs have in common: how long they took.
fn lines(out: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(out).unwrap();
    assert!(text.ends_with('\n'));
    let timeless = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["seconds"] = Value::Null;
        line["measured"].as_array_mut().unwrap().iter_mut().for_each(|measured| measured["seconds"] = Value::Null);
        line
    };
    text.lines().map(timeless).collect()
}

#[test]
fn a_list_stopped_anywhere_goes_on_to_the_same_results() {
    let folder = folder("stopped");
    let (list, whole, other) = (list(&folder), folder.join("whole.jsonl"), folder.join("other.jsonl"));
    succeed(&list, &whole, &[]);
    let found = lines(&whole);
    let labels: Vec<&str> = found.iter().map(|line| line["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["seed 1", "seed 2", "seed 3", "seed 4", "seed 5"]);
    let bytes = std::fs::read(&whole).unwrap();
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in [0, 1, first - 1, first, first + 1, first + 2, bytes.len() / 2, bytes.len() - 1, bytes.len()] {
        std::fs::write(&other, &bytes[..cut]).unwrap();
        succeed(&list, &other, &[]);
        assert_eq!(lines(&other), found, "stopped after {cut} bytes");
        let kept = bytes[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        assert_eq!(std::fs::read(&other).unwrap()[..kept], bytes[..kept], "what was there is not made again");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_parts_together_are_the_whole() {
    let folder = folder("parts");
    let (list, whole, joined) = (list(&folder), folder.join("whole.jsonl"), folder.join("joined.jsonl"));
    succeed(&list, &whole, &["--thin"]);
    for of in [2, 3, 7] {
        let mut text = String::new();
        for part in 1..=of {
            let out = folder.join(format!("{part}.jsonl"));
            let _ = std::fs::remove_file(&out);
            succeed(&list, &out, &["--thin", "--part", &format!("{part}/{of}")]);
            text += &std::fs::read_to_string(&out).unwrap();
        }
        std::fs::write(&joined, &text).unwrap();
        let sorted = |path: &Path| {
            let mut lines: Vec<String> = lines(path).iter().map(Value::to_string).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&joined), sorted(&whole), "{of} parts");
        succeed(&list, &joined, &[]);
        assert_eq!(std::fs::read_to_string(&joined).unwrap(), text, "nothing is left of joined parts");
    }
    for part in ["0/2", "3/2", "1", "x/y"] {
        assert!(refusal(&list, &whole, &["--part", part]).contains("such as 2/4"));
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_line_is_what_one_run_writes() {
    let folder = folder("one");
    let (list, out, one) = (list(&folder), folder.join("out.jsonl"), folder.join("one.json"));
    succeed(&list, &out, &["--part", "3/5"]);
    succeed(Path::new(&format!("{SMALL}&seed=3")), &one, &[]);
    let mut line = lines(&out).remove(0);
    assert_eq!(line.as_object_mut().unwrap().remove("label"), Some("seed 3".into()));
    assert_eq!(line, lines(&one)[0]);
    assert_eq!(line["losses"].as_array().unwrap().len(), 3);
    succeed(&list, &folder.join("thin.jsonl"), &["--part", "3/5", "--thin"]);
    line.as_object_mut().unwrap().remove("losses");
    let mut thin = lines(&folder.join("thin.jsonl")).remove(0);
    thin.as_object_mut().unwrap().remove("label");
    assert_eq!(thin, line, "thin results lack the losses alone");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_failed_run_is_tried_again() {
    let folder = folder("failed");
    let (list, out) = (list(&folder), folder.join("out.jsonl"));
    succeed(&list, &out, &[]);
    let mut found = lines(&out);
    let good = found[1].clone();
    (found[1]["ending"], found[1]["failure"]) = (Value::Null, "The loss of step 2 is not a number: the run has diverged.".into());
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&out, text).unwrap();
    succeed(&list, &out, &[]);
    found.push(good);
    assert_eq!(lines(&out), found, "the failure stays, and its run follows");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_mangled_line_is_told_before_anything_is_trained() {
    let folder = folder("mangled");
    let (path, out) = (folder.join("runs.links"), folder.join("out.jsonl"));
    let text = format!("{SMALL}\n{SMALL}&W=3 # narrow\n\nslow\n#v=1&W=8\nv=1&colour=red&d\n{SMALL} # again\nquick&layers=2#two\n");
    std::fs::write(&path, text).unwrap();
    let told = refusal(&path, &out, &[]);
    for words in [
        "line 2: ",
        "“Cells in a row” (W)",
        "line 4: “slow”",
        "line 5: ",
        "line 6: ",
        "“colour”",
        "“d”",
        "line 7: this is the run of line 1",
        "line 8: ",
    ] {
        assert!(told.contains(words), "{words} is not in: {told}");
    }
    assert!(!told.contains("line 1:") && !told.contains("line 3:"), "{told}");
    std::fs::write(&path, "# nothing\n\n").unwrap();
    assert!(refusal(&path, &out, &[]).contains("names no run"));
    assert!(!out.exists(), "nothing was trained");
    std::fs::write(&path, SMALL).unwrap();
    for other in ["a letter\n", "{\"name\": 1}\n", "{\"name\": 1}", "my only copy"] {
        std::fs::write(&out, other).unwrap();
        assert!(refusal(&path, &out, &[]).contains("give another file"));
        assert_eq!(std::fs::read_to_string(&out).unwrap(), other, "a file that is something else stays as it was");
    }
    assert!(refusal(&path, &out, &["--from", "x"]).contains("one run"));
    assert!(refusal(&folder.join("no.links"), &out, &[]).contains("nor a file"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_list_is_read_in_every_encoding_and_from_a_pipe() {
    let folder = folder("encodings");
    let (plain, out) = (list(&folder), folder.join("plain.jsonl"));
    succeed(&plain, &out, &[]);
    let (text, found) = (std::fs::read_to_string(&plain).unwrap(), lines(&out));
    let utf16 =
        |mark: [u8; 2], unit: fn(u16) -> [u8; 2]| -> Vec<u8> { mark.into_iter().chain(text.encode_utf16().flat_map(unit)).collect() };
    let encodings = [
        ("mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("little", utf16([0xff, 0xfe], u16::to_le_bytes)),
        ("big", utf16([0xfe, 0xff], u16::to_be_bytes)),
    ];
    for (name, bytes) in encodings {
        let (path, out) = (folder.join(name), folder.join(format!("{name}.jsonl")));
        std::fs::write(&path, bytes).unwrap();
        succeed(&path, &out, &[]);
        assert_eq!(lines(&out), found, "{name}");
    }
    let piped = folder.join("piped.jsonl");
    let output = Command::new(env!("CARGO_BIN_EXE_lookahead"))
        .args(["train", "-", "--workers", "1", "--out"])
        .arg(&piped)
        .stdin(std::fs::File::open(&plain).unwrap())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(lines(&piped), found);
    std::fs::write(&plain, b"quick&seed=\xff").unwrap();
    assert!(refusal(&plain, &folder.join("no.jsonl"), &[]).contains("save it as UTF-8"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn older_results_stay_until_the_new_ones_are_whole() {
    let folder = folder("whole");
    let out = folder.join("results.json");
    std::fs::write(&out, "older").unwrap();
    let run = |link: &str, out: &Path| {
        Command::new(env!("CARGO_BIN_EXE_lookahead")).args(["train", link, "--workers", "1", "--out"]).arg(out).output().unwrap()
    };
    // It cannot begin: its weights are not there.
    assert!(!run("quick&engine=burn-wgpu&from=file-0123456789abcdef", &out).status.success());
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "older");
    assert!(run(SMALL, &out).status.success());
    assert_eq!(lines(&out).len(), 1);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    // A full disk: every write to this device fails, and what was found is on standard output.
    let full = folder.join("full.json");
    std::os::unix::fs::symlink("/dev/full", folder.join("full.json.partial")).unwrap();
    let output = run(SMALL, &full);
    assert!(!output.status.success() && !full.exists());
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["steps"], 3);
    assert!(String::from_utf8(output.stderr).unwrap().contains("on standard output"));
    std::fs::remove_dir_all(folder).unwrap();
}
