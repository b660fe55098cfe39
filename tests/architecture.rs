//! The repository looked at from outside. The shape of the source, read from its `use` lines and paths: no circle over more than three files,
//! and no arrow upward. The tools that are fetched.
//!
//! An arrow goes from a file to each file of the crate that it names. A folder's `mod.rs` is the folder's own file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "architecture/graph.rs"]
mod graph;
#[path = "architecture/paths.rs"]
mod paths;

use graph::Graph;
use std::path::Path;

/// Files that may know one another: a recursion, or two sides of one thing.
const CIRCLE: usize = 3;

/// The top of the crate, lowest first: a folder or file names only those before it.
const TOP: [&str; 19] = [
    "rng", "stats", "task", "replay", "results", "config", "lesson", "protocol", "class", "engine", "model", "train", "locks", "wire",
    "adapter", "worker", "page", "command", "bin",
];

/// The layers of the page, lowest first.
const PAGE: [&str; 10] = ["browser", "dropped", "former", "slices", "split", "storage", "worker", "state", "commands", "view"];

/// What changes the page, lowest first. Modules of one line do not know each other.
const COMMANDS: [&[&str]; 10] = [
    &["worker", "adapter", "display", "door", "downloads", "references", "tab", "views"],
    &["attribution", "form", "finished_runs", "puzzle"],
    &["kept_weights"],
    &["runs", "check"],
    &["queue"],
    &["class"],
    &["opening", "story", "unfinished_run"],
    &["buttons", "lesson"],
    &["work"],
    &["reports"],
];

fn source() -> Graph {
    Graph::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

#[test]
fn no_circle_has_more_than_three_files() {
    let circles: Vec<String> =
        source().circles().into_iter().filter(|circle| circle.len() > CIRCLE).map(|circle| circle.join(", ")).collect();
    assert!(circles.is_empty(), "these files know one another in a circle:\n{}", circles.join("\n"));
}

#[test]
fn no_arrow_goes_up() {
    let one = |name: &'static str| vec![name];
    let arrows = [
        source().arrows_up("", &TOP.map(one)),
        source().arrows_up("page", &PAGE.map(one)),
        source().arrows_up("page::commands", &COMMANDS.map(<[_]>::to_vec)),
    ];
    assert!(arrows.concat().is_empty(), "these files name something above them:\n{}", arrows.concat().join("\n"));
}

#[test]
fn every_module_of_an_ordered_folder_has_its_place() {
    let graph = source();
    let listed = |list: &[&str]| list.iter().map(ToString::to_string).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(graph.children(""), listed(&TOP));
    assert_eq!(graph.children("page"), listed(&PAGE));
    assert_eq!(graph.children("page::commands"), listed(&COMMANDS.concat()));
}

/// A crate that breaks every law, so that the test is seen to notice.
#[test]
fn what_is_broken_is_noticed() {
    let files = [
        ("", "mod low; mod high;"),
        ("low", "mod a; mod b; mod c; mod d; use crate::high::{self, deep::Thing};"),
        ("low::a", "use super::b::B; // use super::d::D;"),
        ("low::b", "fn f() { let text = \"use super::a::A;\"; super::c::f() }"),
        ("low::c", "mod inner { use super::super::d; }"),
        ("low::d", "use crate::low::{a::A as Other};"),
        ("high", "mod deep;"),
        ("high::deep", ""),
    ];
    let graph = Graph::of(files.iter().map(|(module, text)| (module.to_string(), text.to_string())));
    assert_eq!(graph.circles(), [["low::a", "low::b", "low::c", "low::d"]]);
    assert_eq!(graph.arrows_up("", &[vec!["low"], vec!["high"]]), ["low → high", "low → high::deep"]);
    assert!(graph.arrows_up("", &[vec!["high"], vec!["low"]]).is_empty());
    assert_eq!(graph.arrows_up("low", &[vec!["d", "c", "b"], vec!["a"]]), ["low::b → low::c", "low::c → low::d", "low::d → low::a"]);
}

/// The archives that `.ci/setup.sh` fetches are of the version that the program is linked with, for the four systems that have one.
#[test]
fn the_archive_of_wasm_bindgen_is_of_the_locked_version() {
    let read = |path: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let (lock, archives) = (read("Cargo.lock"), read(".ci/archives"));
    let (_, after) = lock.split_once("name = \"wasm-bindgen\"\nversion = \"").unwrap();
    let version = after.split('"').next().unwrap();
    let listed = archives.lines().filter(|line| line.starts_with(&format!("wasm-bindgen {version} ")));
    assert_eq!(listed.count(), 4, "list the archives of wasm-bindgen {version} with their hashes in .ci/archives");
}

/// A brace that a merge lost would put every rule behind it into the rule before it, and no program would say so.
#[test]
fn the_style_sheet_opens_its_layers_at_the_top() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("static/style.css")).unwrap();
    let mut depth = 0_i32;
    for (number, line) in text.lines().enumerate() {
        let rule = line.strip_prefix("  ").is_some_and(|rest| !rest.starts_with([' ', '@', '/', '}', '*']) && rest.ends_with('{'));
        let expected = if line.starts_with("@layer") { 0 } else { 1 };
        assert!(
            !(line.starts_with("@layer") || rule) || depth == expected,
            "line {} of static/style.css stands at depth {depth}",
            number + 1
        );
        depth += line.matches('{').count() as i32 - line.matches('}').count() as i32;
    }
    assert_eq!(depth, 0);
}
