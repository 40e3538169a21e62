//! Golden cases: a command line, and all that the program then prints and says.
//!
//! A case is a file `tests/golden/NAME.case`: lines `$ ARGS` (one run each), optionally `< FILE` for standard input, and
//! what came of it; a printed line that reads like one of the case's own stands behind a backslash. `BLESS=1 cargo test` writes what the program does now; read the difference before you commit it.

use crate::{compare, files, program, stderr, stdout, top};
use std::fs::File;
use std::process::Stdio;

#[test]
fn the_program_says_what_the_golden_cases_say() {
    let cases = files(&top().join("tests/golden"), "case");
    assert!(cases.len() >= 10, "the cases are there");
    for case in cases {
        let text = std::fs::read_to_string(&case).expect("a case").replace("\r\n", "\n");
        let mut got = String::new();
        for line in text.lines().filter(|line| line.starts_with("$ ") || line.starts_with('#')) {
            got.push_str(line);
            got.push('\n');
            let Some(line) = line.strip_prefix("$ ") else { continue };
            let (args, stdin) =
                line.split_once(" < ").map_or((line, None), |(args, file)| (args, Some(file)));
            let stdin =
                stdin.map_or_else(Stdio::null, |file| File::open(top().join(file)).expect("input").into());
            let output = program().args(words(args)).stdin(stdin).output().expect("the program runs");
            let code = output.status.code().unwrap_or(-1);
            got.push_str(&format!("exit {code}\n"));
            for (name, printed) in [("stdout", stdout(&output)), ("stderr", stderr(&output))] {
                if !printed.is_empty() {
                    got.push_str(&format!("--- {name}\n{}", steady(&printed)));
                }
            }
        }
        compare(&case, &got);
    }
}

/// The words of a command line; single quotes hold blanks together.
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

/// Without what changes with every release or catalogue.
fn steady(text: &str) -> String {
    let own = |line: &str| line.starts_with('#') || line.starts_with("$ ");
    let text: String = text
        .split_inclusive('\n')
        .map(|line| if own(line) { format!("\\{line}") } else { line.to_string() })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let fingerprint = migsift::catalog::builtin().fingerprint();
    // CSV ends its lines with both marks; the golden files show the first.
    text.replace("\r\n", "␍\n")
        .replace(&format!("\"{version}\""), "\"VERSION\"")
        .replace(&format!("migsift {version}"), "migsift VERSION")
        .replace(&fingerprint, "FINGERPRINT")
}
