//! Extremes, smaller than those that are tried by hand (`benches/results`) but above every cap: totals stay
//! exact, the report says what is capped, and memory stays below 300 MiB and 8 MiB for each thread.

use crate::bundles::{Codec, Folder, line, pack};
use crate::top;
use serde_json::Value;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const THREADS: u64 = 2;
/// Bytes that a scan may hold.
const MAX_MEMORY_BYTES: u64 = (300 << 20) + THREADS * (8 << 20);

/// Scans with limited memory, if the system supports that, and returns what was printed.
fn scan(path: &Path, args: &[&str]) -> String {
    let folder = Folder::new();
    let out = folder.path().join("out");
    // In KiB. Mapped files are not counted: their pages are dropped when memory is short.
    let script = format!("ulimit -d {}; exec \"$0\" \"$@\"", MAX_MEMORY_BYTES >> 10);
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_migsift"), "scan"]).arg(path);
    command.args(["-j", &THREADS.to_string()]).args(args).current_dir(top());
    let output = command.stdin(Stdio::null()).stdout(File::create(&out).expect("creates")).output();
    let output = output.expect("runs");
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", crate::stderr(&output));
    std::fs::read_to_string(&out).expect("UTF-8")
}

fn report(path: &Path) -> Value {
    serde_json::from_str(&scan(path, &["-f", "json"])).expect("JSON")
}

#[test]
fn a_line_larger_than_any_window_is_read_whole() {
    let folder = Folder::new();
    let filler = "x y z 603 Database exis ".repeat(1 << 20);
    let text =
        ["first", "second", "third"].map(|name| format!("{} {filler}", line(name).trim_end())).concat();
    for path in [folder.write("a.log", &text), folder.write("a.gz", pack(Codec::Gzip, text.as_bytes()))] {
        let report = report(&path);
        assert_eq!((&report["complete"], &report["totals"]["failures"]), (&true.into(), &3.into()));
    }
}

#[test]
fn arguments_beyond_the_cap_are_counted_and_the_cap_is_reported() {
    let folder = Folder::new();
    let text: String = (0..60_000).map(|i| line(&format!("db{i:06}"))).collect();
    let path = folder.write("a.log", text);
    let report = report(&path);
    let code = &report["codes"][0];
    assert_eq!(
        (&report["totals"]["findings"], &report["totals"]["failures"]),
        (&60_000.into(), &60_000.into())
    );
    assert_eq!((&code["args_distinct"], &code["args_truncated"]), (&60_000.into(), &true.into()));
    assert_eq!(code["args"].as_array().map(Vec::len), Some(10_000));
    assert!(scan(&path, &["-f", "human"]).contains("60,000 findings"));
    assert_eq!(scan(&path, &["-f", "ndjson"]).lines().count(), 60_002);
    assert_eq!(scan(&path, &["-f", "csv"]).lines().count(), 60_001);
}

#[test]
fn many_findings_need_no_memory() {
    let folder = Folder::new();
    let path = folder.write("a.log", line("orders").repeat(400_000));
    assert_eq!(report(&path)["totals"]["findings"], 400_000);
    assert_eq!(scan(&path, &["-f", "ndjson", "-C", "1"]).lines().count(), 400_002);
    assert!(scan(&path, &["-f", "human"]).contains("400,000 findings"));
}

/// A gibibyte of zeros between three lines.
#[test]
fn holes_are_read_through() {
    let folder = Folder::new();
    let path = folder.path().join("a.log");
    let mut file = File::create(&path).expect("creates");
    for at in [0, (512 << 20) - 40, 1 << 30] {
        file.seek(SeekFrom::Start(at)).expect("seeks");
        file.write_all(line("orders").as_bytes()).expect("writes");
    }
    drop(file);
    let report = report(&path);
    assert_eq!((&report["complete"], &report["totals"]["findings"]), (&true.into(), &3.into()));
    assert_eq!(report["inputs"]["bytes"], (1u64 << 30) + line("orders").len() as u64);
}
