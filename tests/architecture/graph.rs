//! Modules of a crate, and which of them name which.

use crate::paths::{Named, named};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Modules by their paths, `""` for the crate's root, each with the modules that its file names.
pub struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// The crate whose root is `lib.rs` in this folder.
    pub fn read(folder: &Path) -> Self {
        let mut files = Vec::new();
        collect(folder, "", &mut files);
        Self::of(files.into_iter())
    }

    /// A crate of these modules and the texts of their files.
    pub fn of(files: impl Iterator<Item = (String, String)>) -> Self {
        let files: BTreeMap<String, String> = files.collect();
        let known = |path: &[String]| {
            let longest = (0..=path.len()).rev().map(|length| path[..length].join("::")).find(|module| files.contains_key(module));
            longest.unwrap_or_default()
        };
        let arrows = |(module, text): (&String, &String)| {
            let to = named(text).into_iter().filter_map(|named| resolve(module, &named, &files)).map(|path| known(&path));
            let others = to.filter(|to| to != module && !to.is_empty()).collect();
            (module.clone(), others)
        };
        Self(files.iter().map(arrows).collect())
    }

    /// The modules directly within one.
    pub fn children(&self, folder: &str) -> BTreeSet<String> {
        let inside = self.0.keys().filter_map(|module| within(folder, module));
        inside.map(|rest| rest.split("::").next().unwrap_or_default().to_string()).filter(|name| !name.is_empty()).collect()
    }

    /// Sets of modules that reach one another.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let reached: BTreeMap<&String, BTreeSet<&String>> = self.0.keys().map(|module| (module, self.reach(module))).collect();
        let mut circles: Vec<Vec<String>> = Vec::new();
        for module in self.0.keys() {
            let mutual = reached[module].iter().filter(|other| reached[**other].contains(module));
            let circle: Vec<String> = mutual.map(ToString::to_string).collect();
            if circle.len() > 1 && circle.first() == Some(module) {
                circles.push(circle);
            }
        }
        circles
    }

    /// What can be reached from a module by at least one arrow.
    fn reach<'a>(&'a self, module: &'a String) -> BTreeSet<&'a String> {
        let (mut reached, mut waiting) = (BTreeSet::new(), vec![module]);
        while let Some(module) = waiting.pop() {
            waiting.extend(self.0.get(module).into_iter().flatten().filter(|to| reached.insert(*to)));
        }
        reached
    }

    /// Arrows within a folder that do not go to an earlier one of these ranks, though both ends have one.
    pub fn arrows_up(&self, folder: &str, ranks: &[Vec<&str>]) -> Vec<String> {
        let place = |module: &String| {
            let name = within(folder, module)?.split("::").next()?;
            let rank = ranks.iter().position(|names| names.contains(&name))?;
            Some((rank, name.to_string()))
        };
        let mut found = Vec::new();
        for (from, all) in &self.0 {
            for to in all {
                let up = place(from).zip(place(to)).is_some_and(|(from, to)| from.1 != to.1 && to.0 >= from.0);
                if up {
                    found.push(format!("{from} → {to}"));
                }
            }
        }
        found
    }
}

/// The rest of a module's path within a folder.
fn within<'a>(folder: &str, module: &'a str) -> Option<&'a str> {
    if folder.is_empty() { Some(module) } else { module.strip_prefix(folder)?.strip_prefix("::") }
}

/// The path from the crate's root; `None` for a path into another crate.
fn resolve(module: &str, named: &Named, files: &BTreeMap<String, String>) -> Option<Vec<String>> {
    let own: Vec<String> = module.split("::").filter(|name| !name.is_empty()).map(String::from).collect();
    let first = named.path.first()?;
    let child = |name: &String| own.iter().chain([name]).cloned().collect::<Vec<_>>().join("::");
    match first.as_str() {
        "crate" | "lookahead" => Some(named.path[1..].to_vec()),
        "self" => Some([&own[..], &named.path[1..]].concat()),
        "super" => {
            let ups = named.path.iter().take_while(|name| *name == "super").count();
            // Within an inline module the first ones lead to the file itself.
            let up = ups.saturating_sub(named.depth).min(own.len());
            Some([&own[..own.len() - up], &named.path[ups..]].concat())
        }
        _ if files.contains_key(&child(first)) => Some([&own[..], &named.path[..]].concat()),
        _ => None,
    }
}

/// All source files below a folder as modules. The programs in `bin` name the library as `lookahead`.
fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("src/ can be read").flatten() {
        let path = entry.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let joined = if prefix.is_empty() { name.clone() } else { format!("{prefix}::{name}") };
        if path.is_dir() {
            collect(&path, &joined, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = if name == "mod" || (name == "lib" && prefix.is_empty()) { prefix.to_string() } else { joined };
            files.push((module, std::fs::read_to_string(&path).expect("a source file can be read")));
        }
    }
}
