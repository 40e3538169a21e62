//! Words that this project's prose and names do without: plain English and the field's terms have better ones.
//!
//! A word counts wherever it is a word of a comment, a text or a name (`strip_begin`, `TellMe`). Words in capitals are
//! none: `BEGIN` is SQL's and PEM's. Texts that are not ours (messages of catalogues, logs) are not looked at.

use crate::{files, top};
use std::path::PathBuf;

/// Words to avoid, each with what to write instead.
const AVOIDED: [(&str, &str); 24] = [
    ("behind", "after"),
    ("told", "reported, identified"),
    ("untold", "without its text, not listed"),
    ("begin", "start"),
    ("begins", "starts"),
    ("began", "started"),
    ("begun", "started"),
    ("stand", "be, appear"),
    ("stands", "is, appears"),
    ("stood", "was"),
    ("heed", "apply, follow"),
    ("heeds", "applies, follows"),
    ("heeded", "applied, followed"),
    ("mend", "fix, repair"),
    ("mends", "fixes, repairs"),
    ("mended", "fixed, repaired"),
    ("mending", "fixing, repair"),
    ("nowhere", "without a database"),
    ("evened", "normalized"),
    ("hears", "receives"),
    ("thereof", "of it"),
    ("hereby", "so"),
    ("whilst", "while"),
    ("amongst", "among"),
];
/// Lines that may hold such a word: the ending of the file's path, and a part of the line.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("tests/it/prose.rs", ""),
    // Methods of another crate's trait.
    ("src/print/safe.rs", "begin_"),
    // Texts of made-up logs and messages.
    ("benches/generator/catalogue.rs", "sampling began"),
    ("benches/generator/noise.rs", "began at"),
];

/// The files whose prose and names are this project's own.
fn own_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for (folder, ending) in [
        ("src", "rs"),
        ("tests", "rs"),
        ("benches", "rs"),
        ("examples", "rs"),
        ("docs", "md"),
        ("samples", "md"),
    ] {
        let folder = top().join(folder);
        if folder.is_dir() {
            found.extend(files(&folder, ending));
        }
    }
    found.extend(files(&top().join("patterns"), "md"));
    let pages =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "DEPENDENCIES.md", "SECURITY.md", "Cargo.toml"];
    found.extend(pages.iter().map(|name| top().join(name)).filter(|path| path.is_file()));
    found.push(top().join("src/cli/man.1"));
    found
}

/// The words of a line in lower case: `TellMe` and `tell_me` are two each. Words in capitals are left out.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in line.split(|c: char| !c.is_ascii_alphabetic()).filter(|run| !run.is_empty()) {
        if run.len() > 1 && run.bytes().all(|byte| byte.is_ascii_uppercase()) {
            continue;
        }
        let mut start = 0;
        for at in 1..=run.len() {
            let bytes = run.as_bytes();
            let hump = at < run.len() && bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase();
            if hump || at == run.len() {
                words.push(run[start..at].to_ascii_lowercase());
                start = at;
            }
        }
    }
    words
}

#[test]
fn no_word_needs_a_dictionary() {
    let mut found = Vec::new();
    for path in own_files() {
        let text = std::fs::read_to_string(&path).expect("a file of text");
        let name = path.strip_prefix(top()).expect("in the repository").to_string_lossy().replace('\\', "/");
        for (number, line) in text.lines().enumerate() {
            let excepted = |(file, part): &(&str, &str)| name.ends_with(file) && line.contains(part);
            if EXCEPTIONS.iter().any(excepted) {
                continue;
            }
            for word in words(line) {
                if let Some((word, better)) = AVOIDED.iter().find(|(avoided, _)| *avoided == word) {
                    found.push(format!("{name}:{}: {word} (write {better}): {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{} words to replace:\n{}", found.len(), found.join("\n"));
}

#[test]
fn words_are_parts_of_names() {
    assert_eq!(
        words("let strip_begin = TellMe::new(BEGIN); // 'Told.'"),
        ["let", "strip", "begin", "tell", "me", "new", "told"]
    );
}
