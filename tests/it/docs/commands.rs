//! Runs every command on the pages, each page in a temporary folder of its own, the pages in parallel.
//!
//! - A line of an `sh` block is a command that must end with 0 or 1 (1 says that something was found).
//! - A `console` block has commands after `$ ` and their output. `…` matches any text on its line; a line that is only `…`
//!   matches any lines. A command may end with another code than 0 or 1 if `$ echo $?` follows.
//! - A block whose fence names a file, such as "```toml baseline.toml", is written to that file.
//! - Other blocks must not look like commands, so that none is left out by mistake.
//!
//! The folder holds the samples and small fixtures ([`prepare`]). Programs that a test must not run have a stub on the
//! PATH ([`STUBS`]); the few commands that cannot run here are listed with the reason ([`NOT_RUN`]).

use super::{Block, Page, pages};
use crate::bundles::{Codec, Folder, pack, zip::zip};
use crate::{not_checked, top};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Programs that are replaced, with the stub's script. Each accepts only what the pages show.
const STUBS: [(&str, &str); 4] = [
    (
        "az",
        "case $* in 'postgres flexible-server migration show '*' -o json') cat samples/contoso-orders/migration-show.json ;; *) exit 64 ;; esac",
    ),
    ("ssh", "case $* in 'worker cat '/*) cat samples/contoso-orders/worker.log ;; *) exit 64 ;; esac"),
    ("man", "[ \"$*\" = '-l -' ] && grep -q '^.TH'"),
    (
        "cargo",
        "case $* in
      'build --release') mkdir -p target/release && ln -s \"$(command -v migsift)\" target/release/migsift ;;
      test | 'test '* | 'install --path .' | 'run --example '* | 'fmt --all' | 'clippy '* | 'doc '* | 'bench --bench stages') ;;
      *) exit 64 ;; esac",
    ),
];

/// Commands that are not run, by how they start, with the reason.
const NOT_RUN: [(&str, &str); 2] =
    [(".ci/run", "runs this test"), ("benches/compare", "takes minutes and gigabytes")];

/// Programs that the commands need besides the shell's; where one is missing, its commands are not checked.
const NEEDED: [&str; 2] = ["jq", "sqlite3"];

/// Languages of blocks that are shown and not run.
const SHOWN: [&str; 5] = ["json", "rust", "sql", "text", "toml"];

/// A command on a page.
struct Step<'p> {
    line: usize,
    command: String,
    /// The lines that it prints, if the page shows them.
    output: Option<Vec<&'p str>>,
    /// Whether the next command prints its exit code.
    shows_code: bool,
}

#[test]
fn every_command_on_the_pages_runs() {
    if Command::new("bash").arg("--version").output().is_err() {
        return not_checked("the commands of the documentation, because bash is missing");
    }
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|name| Command::new(name).arg("--version").output().is_err()).collect();
    for name in &missing {
        not_checked(&format!("commands of the documentation that use {name}, because it is missing"));
    }
    let pages = pages();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let missing = &missing;
        let runs: Vec<_> = pages.iter().map(|page| scope.spawn(move || run_page(page, missing))).collect();
        runs.into_iter().flat_map(|run| run.join().expect("a page")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs the commands of a page; returns what went wrong.
fn run_page(page: &Page, missing: &[&str]) -> Vec<String> {
    let folder = Folder::new();
    prepare(&folder);
    let mut wrong = Vec::new();
    let mut code = 0;
    for block in page.blocks() {
        let place = |line: usize| format!("{}:{line}", page.name);
        if let Some(file) = block.title {
            folder.write(file, block.body.join("\n") + "\n");
            continue;
        }
        let steps = match block.language {
            "sh" => script(&block),
            "console" => transcript(&block),
            language => {
                let shown = SHOWN.contains(&language);
                let command = block.body.iter().any(|line| line.starts_with("$ "));
                assert!(shown && !command, "{}: a block that is neither run nor shown", place(block.line));
                continue;
            }
        };
        assert!(!steps.is_empty(), "{}: no command", place(block.line));
        for step in steps {
            let uses =
                |name: &&&str| step.command.split(|c: char| !c.is_alphanumeric()).any(|word| word == **name);
            let skipped = NOT_RUN.iter().any(|(start, _)| step.command.starts_with(start));
            if skipped || missing.iter().any(|name| uses(&name)) {
                continue;
            }
            let (ended, output) = execute(&folder, &step.command, code);
            code = ended;
            if let Some(reason) = complaint(&step, code, &output) {
                wrong.push(format!(
                    "{}: $ {}\n{reason}\n--- output\n{output}",
                    place(step.line),
                    step.command
                ));
            }
        }
    }
    wrong
}

/// What is wrong with the outcome of a step, if anything.
fn complaint(step: &Step<'_>, code: i32, output: &str) -> Option<String> {
    if !matches!(code, 0 | 1) && !step.shows_code {
        return Some(format!("ended with {code}"));
    }
    let want = step.output.as_ref()?;
    let got: Vec<&str> = output.trim_end().lines().map(str::trim_end).collect();
    (!lines_match(want, &got)).then(|| format!("does not print\n{}", want.join("\n")))
}

/// Runs a command line in the folder; returns its exit code, and what it printed on both streams.
fn execute(folder: &Folder, command: &str, code_before: i32) -> (i32, String) {
    let path = std::env::var("PATH").unwrap_or_default();
    let bin = folder.path().join("bin");
    let script = format!("exec 2>&1; set -o pipefail; (exit {code_before})\n{command}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("HOME", folder.path().join("home"))
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .output()
        .expect("bash runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The commands of an `sh` block, without its comments.
fn script<'p>(block: &Block<'p>) -> Vec<Step<'p>> {
    let mut steps: Vec<Step<'p>> = Vec::new();
    let mut open = false;
    for (number, line) in (block.line + 1..).zip(&block.body) {
        if open {
            let last = steps.last_mut().expect("an open command");
            last.command.push('\n');
            last.command.push_str(line);
            open = goes_on(&last.command);
        } else if !line.is_empty() && !line.starts_with('#') {
            steps.push(Step { line: number, command: line.to_string(), output: None, shows_code: false });
            open = goes_on(line);
        }
    }
    steps
}

/// The commands of a `console` block, with what they print.
fn transcript<'p>(block: &Block<'p>) -> Vec<Step<'p>> {
    let mut steps: Vec<Step<'p>> = Vec::new();
    for (number, line) in (block.line + 1..).zip(&block.body) {
        if let Some(command) = line.strip_prefix("$ ") {
            if let Some(last) = steps.last_mut() {
                last.shows_code = command == "echo $?";
            }
            let output = Some(Vec::new());
            steps.push(Step { line: number, command: command.to_string(), output, shows_code: false });
            continue;
        }
        let last = steps.last_mut().unwrap_or_else(|| panic!("line {number}: output before a command"));
        if goes_on(&last.command) {
            last.command.push('\n');
            last.command.push_str(line);
        } else if let Some(output) = &mut last.output {
            output.push(line);
        }
    }
    steps
}

/// Whether a command continues on the next line: after a backslash or a pipe, and inside of single quotes.
fn goes_on(command: &str) -> bool {
    command.ends_with(['\\', '|']) || command.matches('\'').count() % 2 == 1
}

/// Whether lines match those of a page, where a line `…` is any number of lines.
fn lines_match(want: &[&str], got: &[&str]) -> bool {
    match want {
        [] => got.is_empty(),
        ["…", rest @ ..] => (0..=got.len()).any(|skipped| lines_match(rest, &got[skipped..])),
        [first, rest @ ..] => match got {
            [line, later @ ..] => line_matches(first, line) && lines_match(rest, later),
            [] => false,
        },
    }
}

/// Whether a line matches one of a page, where `…` is any text.
fn line_matches(want: &str, got: &str) -> bool {
    match want.split_once('…') {
        None => want == got,
        Some((start, rest)) => got.strip_prefix(start).is_some_and(|got| {
            let ends = got.char_indices().map(|(at, _)| at).chain([got.len()]);
            ends.into_iter().any(|at| line_matches(rest, &got[at..]))
        }),
    }
}

/// Fills a folder with what the pages name: the samples, logs, a bundle, two attempts, and stubs.
fn prepare(folder: &Folder) {
    let mut logs = Vec::new();
    for item in fs::read_dir(top().join("samples/contoso-orders")).expect("the samples") {
        let path = item.expect("a sample").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let bytes = fs::read(&path).expect("a sample");
        folder.write(&format!("samples/contoso-orders/{name}"), &bytes);
        if !name.ends_with(".expected.json") {
            folder.write(&format!("logs/{name}"), &bytes);
            folder.write(&format!("attempt-1/{name}"), &bytes);
            logs.push((name, bytes));
        }
    }
    logs.sort();
    let members: Vec<(&str, &[u8])> = logs.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
    folder.write("bundle.zip", zip(&members));
    let worker = &logs.iter().find(|(name, _)| name == "worker.log").expect("a worker's log").1;
    let packed = pack(Codec::Gzip, worker);
    folder.write("incoming/cut.gz", &packed[..packed.len() / 2]);
    folder.write("incoming/worker.log", worker);
    folder.write("worker.log.gz", packed);
    // What the next attempt adds: one failure is left, and one is new.
    folder.write("more.log", MORE);
    folder.write("drifted.log", DRIFTED);
    let left = String::from_utf8_lossy(worker);
    let left = left.lines().filter(|line| line.contains("603405"));
    let left: String = left.flat_map(|line| [line, "\n"]).collect();
    folder.write("attempt-2/worker.log", left + MORE);
    folder.write("error-codes.md", fs::read(top().join("tests/data/table.md")).expect("a table"));
    fs::create_dir(folder.path().join("home")).expect("a folder");
    for (name, body) in STUBS {
        let stub = folder.write(&format!("bin/{name}"), format!("#!/bin/sh\n{body}\n"));
        fs::set_permissions(stub, fs::Permissions::from_mode(0o755)).expect("changes");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_migsift"));
    std::os::unix::fs::symlink(program, folder.path().join("bin/migsift")).expect("links");
}

/// A log whose message has other words than the catalogue.
const DRIFTED: &str = "2024-06-06 21:40:12 ERROR 603104: Missing Replication Role. User `repl` lacks the required \
                       replication role on the server `src-1`.\n";
/// A log with one failure that the sample does not have.
const MORE: &str = "2024-06-07 09:12:44.120 UTC [3107] ERROR 603101: Database exists in target. Database `crm` exists on \
                    the target server.\n";

#[test]
fn dots_match_any_text_and_any_lines() {
    assert!(lines_match(&["a", "…", "z"], &["a", "b", "c", "z"]));
    assert!(lines_match(&["a", "…"], &["a"]));
    assert!(!lines_match(&["a", "…", "z"], &["a", "b"]));
    assert!(lines_match(&["at byte … of …"], &["at byte 12 of 99"]));
    assert!(!lines_match(&["at byte …x"], &["at byte 12"]));
}
