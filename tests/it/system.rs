//! What the program needs from the system: signals, few descriptors, no network, no other program.

use crate::{files, not_checked, program, stdout, top};
use serde_json::Value;
use std::io::Write;
use std::process::{Child, Command, Output, Stdio};

const LINE: &str = "2024-06-06T21:42:53.039Z ERROR 603101: Database `orders` exists on the target server. Ensure the target server doesn't have the database and retry the migration.\n";
/// Several windows of a stream.
const LINES: usize = 40_000;

/// Starts a scan of a stream that stays open, and that it has read nearly all of.
fn reading(args: &[&str]) -> Child {
    let mut command = program();
    command
        .args(["scan", "-"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("runs");
    let stdin = child.stdin.as_mut().expect("a pipe");
    stdin.write_all(LINE.repeat(LINES).as_bytes()).expect("is read");
    child
}

fn send(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().expect("runs");
    assert!(sent.success());
}

/// Waits for the end, with the stream still open.
fn ended(mut child: Child) -> Output {
    let stdin = child.stdin.take();
    let output = child.wait_with_output().expect("ends");
    drop(stdin);
    output
}

#[test]
fn an_interrupted_scan_reports_what_it_has() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let child = reading(&["-f", "ndjson", "--report", "json=/dev/stderr"]);
        send(&child, signal);
        let output = ended(child);
        assert_eq!(output.status.code(), Some(code), "{signal}");
        let lines: Vec<Value> =
            stdout(&output).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let (summary, input) = (&lines[lines.len() - 1], &lines[lines.len() - 2]);
        assert_eq!(summary["complete"], false);
        assert_eq!((&input["status"], &input["reason"]), (&"partial".into(), &"interrupted".into()));
        let found = lines.iter().filter(|line| line["type"] == "finding").count();
        assert!(found > LINES / 2 && found <= LINES, "{found} of {LINES}");
        assert_eq!(summary["findings"], found);
        // A message may follow the report.
        let mut values = serde_json::Deserializer::from_slice(&output.stderr).into_iter::<Value>();
        let report = values.next().expect("a value").expect("a report");
        assert_eq!((&report["complete"], &report["totals"]["findings"]), (&false.into(), &found.into()));
    }
}

#[test]
fn what_was_not_started_is_listed() {
    let mut child = program();
    let child = child
        .args(["scan", "-", "samples/contoso-orders", "-j", "1", "-f", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = child.spawn().expect("runs");
    child.stdin.as_mut().expect("a pipe").write_all(LINE.repeat(LINES).as_bytes()).expect("is read");
    send(&child, "-INT");
    let output = ended(child);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let inputs = &report["inputs"];
    let asked: u64 = ["scanned", "partial", "failed"].iter().filter_map(|key| inputs[key].as_u64()).sum();
    let files =
        ["md", "json", "log"].map(|ending| files(&top().join("samples/contoso-orders"), ending).len());
    assert_eq!(asked, 1 + files.iter().sum::<usize>() as u64, "each is listed: {inputs}");
    assert!(inputs["partial"] == 1 && output.status.code() == Some(130), "{inputs}");
}

/// `strace`, if it is installed, sees every call: no socket is opened, no other program is started.
#[test]
fn it_makes_no_connection_and_starts_no_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-e", "trace=%network,execve,execveat", "-o"]).arg(&trace);
    traced.arg(env!("CARGO_BIN_EXE_migsift")).args(["scan", "samples", "-f", "html", "--redact"]);
    let output = traced.current_dir(top()).output();
    let calls = std::fs::read_to_string(&trace).unwrap_or_default();
    if output.is_err() || !calls.contains("execve(") {
        return not_checked("connections and programs, because strace is missing or may not trace here");
    }
    assert_eq!(output.expect("ran").status.code(), Some(1));
    let other: Vec<&str> =
        calls.lines().filter(|line| line.contains('(') && !line.contains("exited")).skip(1).collect();
    assert!(other.is_empty(), "{other:?}");
}

/// One scan of far more files than may be open.
#[test]
fn few_descriptors_are_enough() {
    let folder = tempfile::tempdir().expect("a folder");
    for i in 0..600 {
        let text = if i % 3 == 0 { LINE.repeat(2_000) } else { LINE.to_string() };
        std::fs::write(folder.path().join(format!("{i}.log")), text).expect("writes");
    }
    let script = "ulimit -n 24; exec \"$0\" scan \"$1\" -f json";
    let program = env!("CARGO_BIN_EXE_migsift");
    let output = Command::new("sh").args(["-c", script, program]).arg(folder.path()).output().expect("runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&report["complete"], &report["totals"]["findings"]), (&true.into(), &400_400.into()));
}
