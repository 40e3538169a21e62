//! The command line beyond golden cases: streams, outputs that fail, inputs that are missing, special or
//! hostile.

use crate::{program, run, scan, stderr, stdout};
use serde_json::Value;
use std::io::{Read, Write};
use std::process::Stdio;

const LINE: &str = "2024-06-06T21:42:53.039Z ERROR 603104: Missing Replication Role. User `repl` doesn't have the \
                    replication role on server `src-1`. Grant the replication role before retrying migration.\n";

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn ndjson(text: &str) -> Vec<Value> {
    text.lines().map(json).collect()
}

#[test]
fn standard_input_is_a_source() {
    for args in [&["scan", "-", "-f", "ndjson"][..], &["scan", "-f", "jsonl"]] {
        let mut child =
            program().args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
        child.stdin.take().expect("a pipe").write_all(LINE.repeat(3).as_bytes()).expect("writes");
        let output = child.wait_with_output().expect("ends");
        assert_eq!(output.status.code(), Some(1));
        let records = ndjson(&stdout(&output));
        assert_eq!(records.len(), 5);
        let lines: Vec<&Value> = records[1..4].iter().map(|record| &record["line"]).collect();
        assert_eq!(lines, [1, 2, 3]);
        assert_eq!(records[1]["path"], "-");
        assert_eq!(records[4]["failures"], 1);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("many.log");
    std::fs::write(&log, LINE.repeat(20_000)).expect("writes");
    let mut child = program()
        .args(["scan", "-f", "ndjson"])
        .arg(&log)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("runs");
    let mut first = [0; 100];
    child.stdout.take().expect("a pipe").read_exact(&mut first).expect("reads");
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[test]
fn an_output_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("report.json");
    std::fs::write(&target, "old").expect("writes");
    let output = run(&["scan", "samples", "-f", "json", "-o", &target.to_string_lossy()]);
    assert_eq!((output.status.code(), stdout(&output)), (Some(1), String::new()));
    assert_eq!(json(&std::fs::read_to_string(&target).expect("reads"))["totals"]["findings"], 17);
    let missing = folder.path().join("no/such/report.json");
    let output = run(&["scan", "samples", "-f", "json", "-o", &missing.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("report.json: No such file"), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "no temporary file is left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_output_error() {
    for format in ["human", "json", "ndjson", "csv", "markdown", "junit", "prometheus"] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let output = program().args(["scan", "samples", "-f", format]).stdout(full).output().expect("runs");
        assert_eq!(output.status.code(), Some(4), "{format}");
        assert!(
            stderr(&output).contains("cannot write standard output: No space left"),
            "{}",
            stderr(&output)
        );
    }
}

/// A device as `--output` is written to, never replaced by a file.
#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_a_device_stays_one() {
    use std::os::unix::fs::FileTypeExt;
    let output = run(&["scan", "samples", "-o", "/dev/full"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(std::fs::metadata("/dev/full").expect("/dev/full").file_type().is_char_device());
    let output = run(&["scan", "samples", "-f", "json", "-o", "/dev/stdout"]);
    assert_eq!((output.status.code(), &json(&stdout(&output))["totals"]["findings"]), (Some(1), &17.into()));
}

#[cfg(unix)]
#[test]
fn special_files_are_skipped_and_named_pipes_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    std::fs::write(folder.path().join("a.log"), LINE).expect("writes");
    std::os::unix::fs::symlink("a.log", folder.path().join("link")).expect("links");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let output = scan(folder.path(), &["-f", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let report = json(&stdout(&output));
    let reasons: Vec<&Value> = report["inputs"]["problems"]
        .as_array()
        .expect("problems")
        .iter()
        .map(|problem| &problem["reason"])
        .collect();
    assert_eq!(reasons, ["symbolic link, not followed", "named pipe"]);
    assert_eq!(report["complete"], true);

    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, LINE.repeat(2)).expect("writes")
    });
    let output = scan(&pipe, &["-f", "json"]);
    writer.join().expect("the writer ends");
    assert_eq!(json(&stdout(&output))["totals"]["findings"], 2);
}

#[test]
fn a_missing_input_is_reported_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.log");
    std::fs::write(&good, LINE).expect("writes");
    let missing = folder.path().join("missing.log");
    let output = scan(&good, &[&missing.to_string_lossy(), "-f", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let report = json(&stdout(&output));
    assert_eq!((&report["complete"], &report["totals"]["findings"]), (&Value::Bool(false), &1.into()));
    assert_eq!(report["inputs"]["problems"][0]["status"], "failed");
    assert!(stderr(&output).contains("missing.log: failed: No such file"), "{}", stderr(&output));
}

/// `hostile` checks that outputs escape it; here JSON keeps the argument, and reports that its bytes were not
/// UTF-8.
#[test]
fn bytes_that_are_not_utf8_make_a_finding_lossy() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("h.log");
    let mut text = b"2024-06-06 21:42:53.039 ERROR 603104: Missing Replication Role. User `a\x1b]0;t\x07\xff\xe2\x80\xae`".to_vec();
    text.extend(b" doesn't have the replication role on server `=cmd|' /C calc'!A0`.\0\n");
    std::fs::write(&log, &text).expect("writes");
    let output = scan(&log, &["-f", "ndjson"]);
    assert_eq!(output.status.code(), Some(1));
    let finding = ndjson(&stdout(&output))[1].clone();
    assert_eq!(finding["lossy"], true);
    assert_eq!(finding["args"]["user"], "a\u{1b}]0;t\u{7}\u{fffd}\u{202e}");
}

#[test]
fn the_same_bytes_for_any_threads_mapped_or_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for i in 0..40 {
        let lines = format!("noise {i}\n").repeat(i * 7) + &LINE.repeat(i % 5);
        std::fs::write(folder.path().join(format!("{i:02}.log")), lines).expect("writes");
    }
    for format in ["human", "json", "ndjson", "csv", "markdown", "junit", "prometheus"] {
        let want = scan(folder.path(), &["-f", format, "-j", "1"]).stdout;
        for more in [&["-j", "2"][..], &["-j", "3", "--no-mmap"], &["-j", "8"]] {
            let args = [&["-f", format][..], more].concat();
            assert!(scan(folder.path(), &args).stdout == want, "{format} {more:?}");
        }
    }
}
