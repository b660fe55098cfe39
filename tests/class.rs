//! Laws of what a class hands in: lines are read as they were meant, every fault is found and told, and the numbers of a group are exact.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use lookahead::class::{Again, DepthStatistics, Fault, Handed, Line, Lines, Reader, compare, groups, invitation, people, seat};
use lookahead::config::{EngineChoice, RunConfig, link, presets};
use lookahead::replay::{EngineClass, Fingerprint};
use lookahead::results::{DepthScore, Ending, Measured, OwnScore, Record, Unread};
use lookahead::stats::wilson;
use lookahead::task::Split;

const STEPS: usize = 8;
/// Cells of a row in these runs.
const WIDTH: usize = 8;

/// As the page's reader, but with serde_json.
fn parse(text: &str) -> Result<Record, Unread> {
    serde_json::from_str(text).map_err(|error| if error.is_data() { Unread::Shape(error.to_string()) } else { Unread::NotJson })
}

fn losses(seed: u64) -> Vec<f32> {
    (0..STEPS).map(|step| 1.0 / (step as f32 + seed as f32)).collect()
}

fn config(seed: u64) -> RunConfig {
    let mut config = presets::quick();
    (config.seed, config.engine, config.training.steps) = (seed, EngineChoice::Portable, STEPS as u64);
    (config.training.eval_samples, config.task.width) = (100, WIDTH);
    config
}

/// The score of `exact` right rows of 100, all other rows with one wrong cell.
fn score(depth: usize, exact: usize) -> DepthScore {
    let bits = 1.0 - (100 - exact) as f64 / (100 * WIDTH) as f64;
    DepthScore {
        depth,
        samples: 100,
        exact,
        bits_teacher_forced: bits,
        bits_free_running: 1.0,
        exact_free_running: 10,
        free_samples: 10,
        hops: None,
        rule_bits: None,
    }
}

fn record(seed: u64, exact: usize) -> Record {
    let fingerprint = Fingerprint::of(EngineClass::Separate, &losses(seed)).unwrap();
    Record {
        label: None,
        link: link::seal(&config(seed), Some(&fingerprint)),
        engine: "simd".into(),
        workers: 1,
        parameters: 1,
        steps: STEPS as u64,
        ending: Some(Ending::Reached),
        failure: None,
        seconds: 1.0,
        fingerprint: Some(fingerprint.to_string()),
        replay: None,
        losses: None,
        rewards: Vec::new(),
        you: Vec::new(),
        measured: vec![Measured { step: STEPS as u64, seconds: 1.0, split: Split::Test, best: false, depths: vec![score(1, exact)] }],
    }
}

fn json(record: &Record) -> String {
    serde_json::to_string(record).unwrap()
}

fn read(text: &str) -> Vec<Line> {
    let mut reader = Reader::default();
    Lines::of(text).map(|item| reader.read(parse, "", &item)).collect()
}

fn good(text: &str) -> Vec<Handed> {
    read(text).into_iter().map(|line| *line.read.unwrap_or_else(|fault| panic!("{}: {fault}", line.place))).collect()
}

#[test]
fn a_line_is_read_whatever_a_mailer_did_around_it() {
    let line = json(&record(3, 40));
    let pretty = serde_json::to_string_pretty(&record(3, 40)).unwrap();
    let quoted = serde_json::to_string(&line).unwrap();
    let (half, rest) = line.split_at(line.find("steps").unwrap() + 2);
    let curly = line.replace("{\"", "{“").replace('"', "”");
    let changed = [
        line.clone(),
        format!("\u{feff}{line}\r\n\r\n"),
        format!("> {line}"),
        format!(">> {line}"),
        format!("  • {line}"),
        format!("12. {line}"),
        format!("`{line}`"),
        format!("'{line}'"),
        format!("\"{line}\""),
        quoted,
        format!("\"{}\"", line.replace('"', "\"\"")),
        line.replace('"', "&quot;"),
        curly,
        format!("> {half}\n> {rest}"),
        pretty.clone(),
        format!("[{line}]"),
        format!("[\n{pretty}\n]"),
    ];
    for text in &changed {
        let read = good(text);
        assert_eq!(read.len(), 1, "{text}");
        assert_eq!(read[0].record, record(3, 40), "{text}");
        assert_eq!(read[0].config, config(3));
    }
    let (one, two) = (json(&record(1, 10)), json(&record(2, 20)));
    for text in [format!("{one}\n{two}"), format!("[{one},{two}]"), format!("[\n{one},\n\n{two}\n]"), format!("{one}{two}")] {
        assert_eq!(good(&text).iter().map(|line| line.config.seed).collect::<Vec<_>>(), [1, 2], "{text}");
    }
}

#[test]
fn every_line_keeps_its_place() {
    let one = json(&record(1, 10));
    let text = format!("\n{}\nhello\n\n{one}\n{}\n", json(&record(2, 20)), &one[..200]);
    let lines = read(&text);
    assert_eq!(lines.iter().map(|line| line.place.as_str()).collect::<Vec<_>>(), ["line 2", "line 3", "line 5", "line 6"]);
    assert!(lines[0].read.is_ok() && lines[2].read.is_ok());
    assert_eq!(lines[1].read, Err(Fault::NotJson));
    assert_eq!(lines[3].read, Err(Fault::NotJson), "a line that was cut off");
    // A line that was cut off does not take the next one with it.
    let lines = read(&format!("{}\n{one}", &json(&record(2, 20))[..300]));
    assert!(lines[0].read.is_err() && lines[1].read.is_ok());
}

/// A record after a change, as its fault.
fn fault(change: impl FnOnce(&mut Record)) -> Fault {
    let mut record = record(5, 50);
    change(&mut record);
    read(&json(&record)).remove(0).read.expect_err("the line is not right")
}

fn scored(change: impl FnOnce(&mut DepthScore)) -> Fault {
    fault(|record| change(&mut record.measured[0].depths[0]))
}

#[test]
fn every_fault_is_found() {
    assert!(matches!(fault(|record| record.link = "nonsense".into()), Fault::Unreadable(_)));
    assert!(matches!(fault(|record| record.link.truncate(100)), Fault::Unreadable(_)));
    assert_eq!(fault(|record| record.failure = Some("NaN".into())), Fault::Failed("NaN".into()));
    assert_eq!(fault(|record| record.ending = Some(Ending::Stopped)), Fault::Stopped);
    assert_eq!(fault(|record| record.measured.clear()), Fault::NoScore);
    assert_eq!(fault(|record| record.measured[0].split = Split::Validation), Fault::NoScore);
    assert_eq!(fault(|record| record.measured[0].step = 4), Fault::NoScore);
    assert_eq!(fault(|record| record.steps = 9), Fault::Steps { told: 9, counted: 8 });
    assert_eq!(fault(|record| record.measured[0].depths.clear()), Fault::Missing(1));
    assert_eq!(fault(|record| record.measured[0].depths.push(score(1, 50))), Fault::Missing(1));
    assert_eq!(fault(|record| record.measured[0].depths.push(score(3, 50))), Fault::Unasked(3));
    let other = Fingerprint::of(EngineClass::Separate, &losses(6)).unwrap();
    assert_eq!(fault(|record| record.fingerprint = Some(other.to_string())), Fault::TwoFingerprints);
    assert_eq!(fault(|record| (record.link, record.fingerprint) = (link::seal(&config(5), None), None)), Fault::NoFingerprint);
    let longer = RunConfig { training: lookahead::config::TrainingConfig { steps: 9, ..config(5).training }, ..config(5) };
    let fingerprint = Fingerprint::of(EngineClass::Separate, &losses(5));
    assert_eq!(fault(|record| record.link = link::seal(&longer, fingerprint.as_ref())), Fault::Steps { told: 9, counted: 8 });
    assert_eq!(scored(|score| score.samples = 64), Fault::Samples { depth: 1, samples: 64, asked: 100 });
    assert_eq!(scored(|score| score.exact = 101), Fault::Above { depth: 1, exact: 101, samples: 100 });
    assert_eq!(scored(|score| score.exact_free_running = 11), Fault::Above { depth: 1, exact: 50, samples: 100 });
    assert_eq!(scored(|score| score.bits_teacher_forced = 1.5), Fault::Share(1));
    assert_eq!(scored(|score| score.exact = 100), Fault::Contradiction(1), "all rows right, but not all cells");
    assert_eq!(scored(|score| score.bits_teacher_forced = 1.0), Fault::Contradiction(1), "all cells right, but not all rows");
    assert_eq!(scored(|score| score.bits_teacher_forced = 0.4), Fault::Contradiction(1), "fewer right cells than right rows have");
    let line = json(&record(5, 50));
    assert_eq!(read(&line.replace("\"seconds\":1.0", "\"seconds\":NaN")).remove(0).read, Err(Fault::NotFinite));
    assert_eq!(read("{\"measured\":[]}").remove(0).read, Err(Fault::NoLink));
    assert!(matches!(read("{\"link\":\"v=1\"}").remove(0).read, Err(Fault::Foreign(_))));
    assert_eq!(read(&format!("{line}\n{line}")).remove(1).read, Err(Fault::Twice("line 1".into())));
}

/// The results that ship with the site are right, and are grouped by what the study compares.
#[test]
fn the_published_results_are_right() {
    for file in ["small-paper", "paper-scale"] {
        let path = format!("{}/docs/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
        let read = good(&std::fs::read_to_string(path).unwrap());
        let found = groups(&read.iter().collect::<Vec<_>>());
        assert!(found.iter().all(|group| group.depths.iter().all(|depth| depth.seeds == found[0].depths[0].seeds)), "{file}");
    }
}

#[test]
fn a_group_is_a_run_without_its_seed() {
    let lines: Vec<String> = (1..=30).map(|seed| json(&record(seed, 40 + seed as usize))).collect();
    let mut other = record(31, 5);
    let longer = RunConfig { training: lookahead::config::TrainingConfig { batch: 7, ..config(31).training }, ..config(31) };
    other.link = link::seal(&longer, Fingerprint::of(EngineClass::Separate, &losses(31)).as_ref());
    let read = good(&format!("{}\n{}", lines.join("\n"), json(&other)));
    let found = groups(&read.iter().collect::<Vec<_>>());
    assert_eq!(found.iter().map(|group| group.depths[0].seeds).collect::<Vec<_>>(), [30, 1]);
    let depth = &found[0].depths[0];
    assert!((depth.mean - 0.555).abs() < 1e-12 && (depth.lowest, depth.highest) == (0.41, 0.70));
    // The variance of 1 … n with n − 1 is n (n + 1) / 12.
    assert!((depth.deviation.unwrap() - (30.0 * 31.0 / 12.0_f64).sqrt() / 100.0).abs() < 1e-12);
    assert_eq!(depth.interval, wilson(1665, 3000));
    assert_eq!(found[1].depths[0].deviation, None);
}

#[test]
fn the_people_of_a_class_are_a_curve_and_count_once() {
    let own = |depth: usize, exact: usize, asked: usize| OwnScore { depth, asked, exact, seconds: 2.0 };
    let person = |seed: u64, you: Vec<OwnScore>| Record { you, ..record(seed, 50) };
    let mut again = person(1, vec![own(1, 2, 4), own(2, 1, 4)]);
    let another = RunConfig { training: lookahead::config::TrainingConfig { batch: 7, ..config(1).training }, ..config(1) };
    again.link = link::seal(&another, Fingerprint::of(EngineClass::Separate, &losses(1)).as_ref());
    let records = [
        person(1, vec![own(1, 1, 1)]),
        again,
        person(2, vec![own(1, 4, 4)]),
        person(3, Vec::new()),
        // More right than asked, and a depth that nobody asks: a line's own words are not trusted.
        person(4, vec![own(1, 9, 4), own(9, 1, 1)]),
    ];
    let read = good(&records.iter().map(json).collect::<Vec<_>>().join("\n"));
    let found = people(&read.iter().collect::<Vec<_>>());
    assert_eq!(found.iter().map(|depth| (depth.depth, depth.seeds, depth.mean)).collect::<Vec<_>>(), [(1, 2, 0.75), (2, 1, 0.25)]);
    assert_eq!(people(&[]), []);
}

#[test]
fn the_statistics_are_exact() {
    assert_eq!(DepthStatistics::of(1, &[]), None);
    let one = DepthStatistics::of(2, &[(3, 4)]).unwrap();
    assert_eq!((one.mean, one.deviation, one.lowest, one.highest), (0.75, None, 0.75, 0.75));
    let two = DepthStatistics::of(2, &[(0, 4), (4, 4)]).unwrap();
    assert_eq!((two.mean, two.deviation), (0.5, Some(0.5_f64.sqrt())));
    // The order of the seeds changes nothing, and a shift moves the mean only.
    let scores = [(10, 64), (20, 64), (33, 64), (40, 64)];
    let (mut turned, up) = (scores, scores.map(|(right, asked)| (right + 16, asked)));
    turned.reverse();
    let [a, b, c] = [scores, turned, up].map(|scores| DepthStatistics::of(1, &scores).unwrap());
    assert_eq!(a, b);
    assert!((c.mean - a.mean - 0.25).abs() < 1e-12 && (c.deviation.unwrap() - a.deviation.unwrap()).abs() < 1e-12);
}

#[test]
fn a_run_made_again_tells_true_lines_from_false_ones() {
    let line = good(&json(&record(7, 60))).remove(0);
    let again = |losses: &[f32], exact: usize| compare(&line, EngineClass::Separate, losses, &[score(1, exact)]);
    assert_eq!(line.again().engine, EngineChoice::Portable);
    assert_eq!(again(&losses(7), 60), Again::Same);
    assert_eq!(again(&losses(7), 59), Again::OtherScore { depth: 1, told: 60, found: 59 });
    assert_eq!(again(&losses(8), 60), Again::OtherLosses(Some(1)));
    let mut between = losses(7);
    between[2] = 0.5;
    assert_eq!(again(&between, 60), Again::OtherLosses(None));
    assert_eq!(again(&losses(7)[..5], 60), Again::OtherLosses(Some(6)));
    let mut on = losses(7);
    on.push(0.1);
    assert_eq!(again(&on, 60), Again::OtherLosses(Some(9)), "the line ends before its run");
    // An engine that rounds differently.
    let near: Vec<f32> = losses(7).iter().map(|loss| loss * 1.001).collect();
    assert_eq!(compare(&line, EngineClass::Fused, &near, &[score(1, 58)]), Again::Near);
    assert_eq!(compare(&line, EngineClass::Fused, &near, &[score(1, 5)]), Again::OtherScore { depth: 1, told: 60, found: 5 });
    // What was written and read is still the same.
    let third = DepthScore { bits_teacher_forced: 0.1 + 0.2 + 0.6, ..score(1, 60) };
    let mut record = record(7, 60);
    record.measured[0].depths = vec![third.clone()];
    assert_eq!(compare(&good(&json(&record))[0], EngineClass::Separate, &losses(7), &[third]), Again::Same);
}

#[test]
fn an_invitation_opens_as_the_same_run_on_the_portable_engine() {
    let cpu = RunConfig { engine: EngineChoice::Cpu, ..config(1) };
    let address = invitation("https://host/lookahead/", "one-ahead", "show=story", &cpu);
    assert!(address.starts_with("https://host/lookahead/?seat=&lesson=one-ahead&show=story#v=1&sum="), "{address}");
    assert_eq!(link::read(&address).unwrap().config, config(1));
    assert!(invitation("x/", "", "", &cpu).starts_with("x/?seat=#v=1"));
    assert_eq!(["7", " 99 ", "0", "100", "-1", "1.5", "", "seven"].map(seat), [Some(7), Some(99), None, None, None, None, None, None]);
}
