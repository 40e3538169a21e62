//! Signals while a run waits: for a writer of a pipe, for its bytes, for a list of paths, for a store. The
//! first signal ends it with a valid partial result.

use crate::bundles::{Folder, line};
use crate::{program, stderr, stdout};
use serde_json::Value;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long a run may take before a test gives up. It ends within a second on a machine that is not loaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a run, and waits until it handles SIGTERM.
fn start(args: &[&str], stdin: Stdio) -> Child {
    let mut command = program();
    command.args(args).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("runs");
    let status = format!("/proc/{}/status", child.id());
    let handles = || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
        u64::from_str_radix(caught.trim(), 16).is_ok_and(|caught| caught & (1 << 14) != 0)
    };
    let started = Instant::now();
    while !handles() && started.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Until it waits. A signal before that must end it just as well.
    std::thread::sleep(Duration::from_millis(200));
    child
}

/// Sends SIGTERM as often as `times` says, at once.
fn terminate(child: &Child, times: usize) {
    let process = child.id().to_string();
    let sent = Command::new("kill").arg("-TERM").args(vec![process; times]).status().expect("runs");
    assert!(sent.success());
}

fn has_ended(child: &mut Child, within: Duration) -> bool {
    let started = Instant::now();
    while started.elapsed() < within {
        if child.try_wait().expect("a state").is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

/// Waits for the end of a run that was started with an open standard input, which stays open.
fn ended(mut child: Child) -> Output {
    let stdin = child.stdin.take();
    if !has_ended(&mut child, PATIENCE) {
        child.kill().expect("killed");
        panic!("it does not end");
    }
    let output = child.wait_with_output().expect("ends");
    drop(stdin);
    output
}

fn pipe(folder: &Folder, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().expect("runs").success());
    path
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Sends a signal to a waiting run; returns its report, which is partial and lists an interruption.
fn partial(args: &[&str], stdin: Stdio) -> Value {
    let child = start(&[args, &["-f", "json"]].concat(), stdin);
    terminate(&child, 1);
    let output = ended(child);
    assert_eq!(output.status.code(), Some(143), "{args:?}: {}", stderr(&output));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["complete"], false, "{args:?}");
    let problems = report["inputs"]["problems"].as_array().expect("problems");
    assert!(problems.iter().any(|problem| problem["reason"] == "interrupted"), "{args:?}: {problems:?}");
    report
}

#[test]
fn a_run_that_waits_for_a_pipe_ends_at_the_first_signal() {
    let folder = Folder::new();
    let path = pipe(&folder, "pipe");
    let log = text(&folder.write("a.log", line("a")));
    // Nobody opens it for writing.
    for more in [&[][..], &[&*log], &["-o", "/dev/stdout"], &["-j", "1"]] {
        let report = partial(&[&["scan", &*text(&path)], more].concat(), Stdio::null());
        assert!(report["totals"]["findings"].as_u64() <= Some(1));
    }
    // Somebody has, and writes a line and then nothing.
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = File::options().write(true).open(path).expect("opens");
            pipe.write_all(line("b").as_bytes()).expect("writes");
            pipe
        }
    });
    let report = partial(&["scan", &text(&path)], Stdio::null());
    assert_eq!(report["totals"]["findings"], 1);
    drop(writer.join());
    partial(&["scan", "-"], Stdio::piped());
}

#[test]
fn a_run_that_waits_for_a_list_ends_at_the_first_signal() {
    let folder = Folder::new();
    let path = pipe(&folder, "list");
    let log = text(&folder.write("a.log", line("a")));
    for more in [&[][..], &[&*log], &["-0"], &["--last-attempt"]] {
        partial(&[&["scan", "--files-from", &*text(&path)], more].concat(), Stdio::null());
        partial(&[&["scan", "--files-from", "-"], more].concat(), Stdio::piped());
    }
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(format!("{log}\n{log}").as_bytes()).expect("writes");
    partial(&["scan", "--files-from", "-"], reader.into());
    drop(writer);
}

#[test]
fn a_run_that_waits_for_a_store_ends_at_the_first_signal() {
    let folder = Folder::new();
    let log = text(&folder.write("a.log", line("a")));
    let store = folder.path().join("history.db");
    let args = ["scan", &log, "--store", &text(&store)];
    assert_eq!(crate::run(&args).status.code(), Some(1));
    let lock = rusqlite::Connection::open(&store).expect("the store");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    for more in [&["--wait"][..], &["--wait", "--rescan"], &["--wait", "--new-only"]] {
        let report = partial(&[&args, more].concat(), Stdio::null());
        assert_eq!(report["inputs"]["failed"], 1, "{more:?}");
    }
    // Without a format, it says so on standard error.
    let child = start(&[&args[..], &["--wait"]].concat(), Stdio::null());
    terminate(&child, 1);
    let output = ended(child);
    assert_eq!((output.status.code(), stdout(&output)), (Some(143), String::new()));
    assert!(stderr(&output).contains("history.db: interrupted"), "{}", stderr(&output));
    lock.execute_batch("ROLLBACK").expect("unlocked");
    drop(lock);
    assert_eq!(crate::run(&[&args[..], &["--new-only", "-f", "json"]].concat()).status.code(), Some(0));
}

/// Without its catalogue or baseline a run has no result, not even a partial one.
#[test]
fn a_run_that_waits_for_a_file_of_its_own_ends_at_the_first_signal() {
    let folder = Folder::new();
    let path = text(&pipe(&folder, "pipe"));
    for flag in ["--catalog", "--baseline"] {
        let child = start(&["scan", "samples", flag, &path], Stdio::null());
        terminate(&child, 1);
        let output = ended(child);
        assert_eq!((output.status.code(), stdout(&output)), (Some(143), String::new()));
        assert!(stderr(&output).contains("pipe: interrupted"), "{flag}: {}", stderr(&output));
    }
}

/// A pipe that nobody reads gets no result; the run ends nevertheless.
#[test]
fn a_run_that_waits_for_the_reader_of_its_output_ends_at_the_first_signal() {
    let folder = Folder::new();
    let path = text(&pipe(&folder, "pipe"));
    for args in [&["-o", &*path][..], &["--report", &format!("json={path}")]] {
        let child = start(&[&["scan", "samples"], args].concat(), Stdio::null());
        terminate(&child, 1);
        let output = ended(child);
        assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
        assert!(stderr(&output).contains("pipe: interrupted"), "{}", stderr(&output));
    }
}

/// Hashing what the store may know already is interrupted within a file, and nothing wrong is recorded.
#[test]
fn a_run_that_compares_files_with_a_store_ends_at_the_first_signal() {
    let folder = Folder::new();
    let head = line("a") + &"\n".repeat(2_000);
    let log = folder.write("logs/a.log", &head);
    let store = text(&folder.path().join("history.db"));
    let logs = text(&folder.path().join("logs"));
    let args = ["scan", &*logs, "--store", &*store];
    assert_eq!(crate::run(&args).status.code(), Some(1));
    // The same head, and a hole that takes seconds to hash.
    let large = folder.write("logs/b.log", &head);
    File::options().write(true).open(&large).expect("opens").set_len(16 << 30).expect("a hole");
    let report = partial(&args, Stdio::null());
    assert_eq!((&report["inputs"]["failed"], &report["totals"]["findings"]), (&1.into(), &0.into()));
    std::fs::remove_file(large).expect("removes");
    std::fs::write(&log, head + &line("b")).expect("writes");
    let output = crate::run(&[&args[..], &["--new-only", "-f", "json"]].concat());
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((output.status.code(), &report["totals"]["findings"]), (Some(1), &1.into()));
}

/// More than a pipe holds, so that a run that prints it waits for its reader.
fn printing(folder: &Folder) -> Child {
    let log = text(&folder.write("many.log", line("a").repeat(20_000)));
    start(&["scan", &log, "-f", "ndjson"], Stdio::null())
}

/// Regression: `timeout` sends its signal twice, to the process and to its group, and the second one ended the
/// run without a result.
#[test]
fn signals_within_a_second_are_one() {
    let folder = Folder::new();
    let mut child = printing(&folder);
    terminate(&child, 3);
    assert!(!has_ended(&mut child, Duration::from_millis(300)), "it waits for its reader");
    let mut printed = String::new();
    child.stdout.take().expect("a pipe").read_to_string(&mut printed).expect("reads");
    let last: Value = serde_json::from_str(printed.lines().last().expect("a line")).expect("JSON");
    assert_eq!((&last["type"], ended(child).status.code()), (&"summary".into(), Some(143)));
}

#[test]
fn a_later_signal_ends_the_run_at_once() {
    let folder = Folder::new();
    let mut child = printing(&folder);
    let started = Instant::now();
    while !has_ended(&mut child, Duration::from_millis(100)) && started.elapsed() < PATIENCE {
        terminate(&child, 1);
    }
    assert_eq!(ended(child).status.signal(), Some(15));
}
