//! Golden cases: command lines, and everything that the program prints for them.
//!
//! A case is a file `tests/golden/NAME.case` and a test of that name. A line `$ ARGS` is one run, with the
//! file after ` < ` as standard input if there is one; the exit code and the output follow. Lines with `#`
//! are comments. A printed line that starts like a line of the case has a backslash before it. `BLESS=1 cargo
//! test golden` writes what the program prints now; read the difference before you commit it.

use crate::{compare, files, program, stderr, stdout, top};
use std::fs::File;
use std::process::Stdio;

/// Makes a test of each case. A name in Rust has `_` where the file's name has `-`.
macro_rules! cases {
    ($($name:ident,)*) => {
        const CASES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*
    };
}

cases! {
    baseline,
    catalog_bad,
    catalog_check,
    catalog_diff,
    catalog_import,
    catalog_list,
    catalog_own,
    drift,
    exit_codes,
    explain,
    help,
    reports,
    scan_around,
    scan_csv,
    scan_human,
    scan_json,
    scan_junit,
    scan_markdown,
    scan_ndjson,
    scan_plan,
    scan_prometheus,
    times,
}

#[test]
fn every_case_has_a_test() {
    let names = files(&top().join("tests/golden"), "case").into_iter().map(|path| {
        let name = path.file_stem().expect("a name").to_string_lossy().replace('-', "_");
        assert!(
            path.parent().expect("a folder").ends_with("tests/golden"),
            "{} is in a folder",
            path.display()
        );
        name
    });
    assert_eq!(names.collect::<Vec<_>>(), CASES, "tests/golden and the list in tests/it/golden.rs");
}

/// Runs the command lines of a case and compares what they print.
fn check(name: &str) {
    let path = top().join("tests/golden").join(name.replace('_', "-")).with_extension("case");
    let text = std::fs::read_to_string(&path).expect("a case").replace("\r\n", "\n");
    let mut got = String::new();
    for line in text.lines().filter(|line| line.starts_with("$ ") || line.starts_with('#')) {
        got.push_str(line);
        got.push('\n');
        if let Some(line) = line.strip_prefix("$ ") {
            got.push_str(&transcript(line));
        }
    }
    compare(&path, &got);
}

/// Runs a command line; returns exit code and output.
fn transcript(line: &str) -> String {
    let (args, stdin) = line.split_once(" < ").map_or((line, None), |(args, file)| (args, Some(file)));
    let stdin = stdin.map_or_else(Stdio::null, |file| File::open(top().join(file)).expect("input").into());
    let output = program().args(words(args)).stdin(stdin).output().expect("the program runs");
    let mut transcript = format!("exit {}\n", output.status.code().unwrap_or(-1));
    for (name, printed) in [("stdout", stdout(&output)), ("stderr", stderr(&output))] {
        if !printed.is_empty() {
            transcript.push_str(&format!("--- {name}\n{}", steady(&printed)));
        }
    }
    transcript
}

/// Splits a command line into words; single quotes enclose blanks.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (i, part) in line.split('\'').enumerate() {
        if i % 2 == 1 {
            words.last_mut().expect("one").push_str(part);
            continue;
        }
        for (j, word) in part.split(' ').enumerate() {
            if j > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("one").push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Replaces what changes with every release or catalogue.
fn steady(text: &str) -> String {
    let is_like_a_case = |line: &str| line.starts_with('#') || line.starts_with("$ ");
    let text: String = text
        .split_inclusive('\n')
        .map(|line| if is_like_a_case(line) { format!("\\{line}") } else { line.to_string() })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let fingerprint = migsift::catalog::builtin().fingerprint();
    // CSV ends its lines with CR LF; the golden files show the CR.
    text.replace("\r\n", "␍\n")
        .replace(&format!("\"{version}\""), "\"VERSION\"")
        .replace(&format!("migsift {version}"), "migsift VERSION")
        .replace(&fingerprint, "FINGERPRINT")
}
