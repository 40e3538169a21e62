//! Bounds of a run: threads, lists without an end, clocks and zones out of range, closed streams.

use crate::bundles::{Folder, line};
use crate::{program, run, stderr, stdout};
use migsift::scan::MAX_THREADS;
use std::io::Write;
use std::process::{Command, Stdio};

/// Regression: `-j 1000000` started so many threads that the machine was unusable.
#[test]
fn threads_are_limited() {
    for wrong in ["1025", "1000000", "18446744073709551615", "18446744073709551616", "-1", "x"] {
        let output = run(&["scan", "samples", "-j", wrong]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{wrong}");
        assert!(stderr(&output).contains(wrong), "{}", stderr(&output));
    }
    let want = run(&["scan", "samples", "-f", "json", "-j", "1"]);
    assert_eq!(want.status.code(), Some(1));
    for many in ["0", "8", &MAX_THREADS.to_string()] {
        assert!(run(&["scan", "samples", "-f", "json", "-j", many]).stdout == want.stdout, "{many}");
    }
}

/// No more threads are started than there are pieces of work, so a limit that allows few of them is enough.
#[cfg(target_os = "linux")]
#[test]
fn threads_are_not_started_without_work() {
    let folder = Folder::new();
    folder.write("in.log", line("orders"));
    for kind in ["file", "folder"] {
        let path = if kind == "file" { folder.path().join("in.log") } else { folder.path().to_path_buf() };
        let trace = Folder::new();
        let log = trace.path().join("trace");
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-e", "trace=clone,clone3", "-o"]).arg(&log);
        traced.arg(env!("CARGO_BIN_EXE_migsift")).arg("scan").arg(&path).args(["-j", "1000", "-f", "json"]);
        let output = traced.stdin(Stdio::null()).output();
        let calls = std::fs::read_to_string(&log).unwrap_or_default();
        if output.is_err() || !calls.contains("clone") {
            return crate::not_checked(
                "the number of threads, because strace is missing or may not trace here",
            );
        }
        assert_eq!(output.expect("ran").status.code(), Some(1));
        let started =
            calls.lines().filter(|call| call.contains("clone") && !call.contains("resumed")).count();
        // A thread for signals, a worker for the file, and one that finds that there is nothing else.
        assert!(started <= 3, "{kind}: {started} threads\n{calls}");
    }
}

/// Regression: a list without an end was read until memory was exhausted.
#[cfg(target_os = "linux")]
#[test]
fn lists_without_an_end_are_refused() {
    let refused = |mut command: Command, why: &str| {
        // In KiB: far less than an endless list would take.
        let output = command.output().expect("runs");
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{}", stderr(&output));
        assert!(stderr(&output).contains(why), "{why}: {}", stderr(&output));
    };
    let limited = |args: &str| {
        let mut command = Command::new("sh");
        let script = format!("ulimit -d 400000; {args}");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_migsift")]).stdin(Stdio::null());
        command
    };
    for (args, why) in [
        ("exec \"$0\" scan --files-from /dev/zero", "use --null"),
        ("exec \"$0\" scan --files-from /dev/zero -0", "is it a list of paths?"),
        ("exec \"$0\" scan --files-from /dev/urandom", "use --null"),
        ("exec \"$0\" scan --files-from /dev/urandom -0", "is it a list of paths?"),
        ("yes | \"$0\" scan --files-from -", "is it a list of paths?"),
        ("tr '\\0' x < /dev/zero | \"$0\" scan --files-from -", "is it a list of paths?"),
        ("exec \"$0\" scan --files-from - < /dev/zero", "use --null"),
    ] {
        refused(limited(args), why);
    }
}

/// Regression: an offset out of range was taken as UTC.
#[test]
fn offsets_out_of_range_are_refused() {
    for wrong in
        ["+99:99", "-99:99", "+24:00", "+02:60", "+2", "+02:0", "+02:00x", "+02:00 ", "+", "-", "+0200:00"]
    {
        let output = run(&["scan", "samples", "--timezone", wrong]);
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{wrong}");
        assert!(stderr(&output).contains("-23:59 to +23:59"), "{}", stderr(&output));
    }
    for right in ["+02:00", "-0530", "+02", "-00:00", "+23:59", "-23:59", "Europe/Berlin"] {
        assert_eq!(run(&["scan", "samples", "--timezone", right, "-q"]).status.code(), Some(1), "{right}");
    }
}

/// A shell runs the program with a closed stream.
#[cfg(unix)]
fn shell(script: &str) -> std::process::Output {
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_migsift")]).current_dir(crate::top());
    command.output().expect("runs")
}

/// Regression: with a closed standard output the report was lost and the exit code said that all was well.
#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn a_closed_standard_output_is_an_output_error() {
    for args in [
        "scan samples",
        "scan samples -f ndjson",
        "scan samples -f json --report csv=/dev/null",
        "explain 603101",
        "catalog list",
        "man",
        "completions bash",
        "schema report",
        "--version",
        "--help",
        "scan -h",
    ] {
        let output = shell(&format!("exec \"$0\" {args} < /dev/null >&-"));
        assert_eq!(output.status.code(), Some(4), "{args}: {}", stderr(&output));
        assert_eq!(stderr(&output), "migsift: cannot write standard output: it is closed\n", "{args}");
    }
    // Who needs none may close it, and `/dev/null` is as good as any.
    for rest in ["-o /dev/null >&-", "> /dev/null", "<> /dev/null >&0"] {
        assert_eq!(shell(&format!("exec \"$0\" scan samples {rest}")).status.code(), Some(1), "{rest}");
    }
}

/// A full disk, also for what clap prints.
#[cfg(target_os = "linux")]
#[test]
fn help_that_cannot_be_written_is_an_output_error() {
    for args in ["--help", "--version", "scan --help"] {
        assert_eq!(shell(&format!("exec \"$0\" {args} > /dev/full")).status.code(), Some(4), "{args}");
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
#[test]
fn a_closed_standard_input_is_not_an_empty_log() {
    for args in ["scan -", "scan", "scan samples --files-from -", "merge -", "diff - x"] {
        let output = shell(&format!("exec \"$0\" {args} <&-"));
        assert_eq!(output.status.code(), Some(2), "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains("standard input is closed"), "{}", stderr(&output));
    }
    assert_eq!(shell("exec \"$0\" scan samples <&-").status.code(), Some(1));
}

/// A list through a pipe still works, whatever its pieces are.
#[test]
fn lists_arrive_in_pieces() {
    let mut child = program()
        .args(["scan", "--files-from", "-", "-f", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    for piece in ["sam", "ples\n\n", "tests/data/", "mixed.log"] {
        stdin.write_all(piece.as_bytes()).expect("writes");
    }
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((output.status.code(), &report["totals"]["findings"]), (Some(1), &22.into()));
}
