//! Rules for the sources, checked: sizes, module docs, names and dependencies.

use crate::{files, top};
use std::path::{Path, PathBuf};

/// The most lines of a file without its tests.
const MAX_LINES: usize = 700;

fn sources() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file").replace("\r\n", "\n");
        (path, text)
    };
    files(&top().join("src"), "rs").into_iter().map(read).collect()
}

fn module(path: &Path) -> String {
    let inner = path.strip_prefix(top().join("src")).expect("in src");
    let first = inner.components().next().expect("a part").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_string()
}

fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

#[test]
fn files_are_small() {
    for (path, text) in sources() {
        let lines = without_tests(&text).lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", path.display());
        assert!(
            without_tests(&text).lines().all(|line| line.starts_with("//!") || line.chars().count() <= 140),
            "{}: a line is too long",
            path.display()
        );
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in sources() {
        let doc = text.lines().take_while(|line| line.starts_with("//!")).count();
        assert!(doc >= 1, "{} has no module doc", path.display());
        let first = text.lines().next().unwrap_or_default();
        assert!(first.ends_with(['.', ':', ',']) || doc > 1, "{}: {first}", path.display());
        for name in ["utils", "common", "helpers", "misc"] {
            assert!(!path.to_string_lossy().contains(name), "{}", path.display());
        }
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    for (path, text) in sources() {
        let allowed = path.ends_with("input/mapping.rs");
        assert!(allowed || !without_tests(&text).contains("unsafe {"), "{}", path.display());
        // An attribute that calls a safe function before `main`.
        let attribute = path.ends_with("cli/stdio.rs");
        assert!(attribute || !without_tests(&text).contains("unsafe("), "{}", path.display());
    }
}

#[test]
fn the_map_names_every_module() {
    let map = std::fs::read_to_string(top().join("src/lib.rs")).expect("lib.rs");
    for (path, _) in sources() {
        let module = module(&path);
        assert!(
            ["lib", "main"].contains(&module.as_str()) || map.contains(&format!("`{module}`")),
            "{module}"
        );
    }
}

/// Each crate that is depended on has its features and its reason in DEPENDENCIES.md, and all together keep to the budget.
#[test]
fn every_dependency_has_its_reason() {
    let read = |name: &str| std::fs::read_to_string(top().join(name)).expect("a file").replace("\r\n", "\n");
    let page = read("DEPENDENCIES.md");
    let manifest: toml::Table = read("Cargo.toml").parse().expect("TOML");
    let unix = &manifest["target"]["cfg(unix)"]["dependencies"];
    let mut rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    for table in [&manifest["dependencies"], unix, &manifest["dev-dependencies"]] {
        for (name, given) in table.as_table().expect("a table") {
            let given = given.as_table();
            let get = |key: &str| given.and_then(|given| given.get(key));
            let default = get("default-features").and_then(toml::Value::as_bool).unwrap_or(true);
            let features = get("features").and_then(toml::Value::as_array).into_iter().flatten();
            let features = features.filter_map(toml::Value::as_str);
            let features: Vec<&str> = default.then_some("default").into_iter().chain(features).collect();
            let features = if features.is_empty() { "none".to_string() } else { features.join(", ") };
            let start = format!("| `{name}` | {features} | ");
            let at = rows.iter().position(|row| row.starts_with(&start) && row.len() > start.len() + 8);
            rows.remove(at.unwrap_or_else(|| panic!("DEPENDENCIES.md has no row \"{start}…\"")));
        }
    }
    assert!(rows.is_empty(), "no such dependency: {rows:?}");
    let budget = page.split("at most ").nth(1).and_then(|rest| rest.split(' ').next()).expect("a budget");
    let count = read("Cargo.lock").matches("\n[[package]]\n").count();
    assert!(count <= budget.parse().expect("a number"), "{count} crates, the budget is {budget}");
}
