//! Files that change while they are read: none ends the program, and what was missing is reported.

use crate::program;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Output, Stdio};

const LINE: &str = "2024-06-06T21:42:53.039Z ERROR 603101: Database `orders` exists on the target server. Ensure the target server doesn't have the database and retry the migration.\n";
/// Lines at the start of the file.
const LINES: u64 = 100;

/// Starts a scan of `path`, without knowing how far it gets.
fn scanning(path: &std::path::Path, args: &[&str]) -> Child {
    let mut command = program();
    command.arg("scan").arg(path).args(["-f", "json"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs")
}

fn large(path: &std::path::Path, bytes: u64) {
    let mut file = File::create(path).expect("creates");
    for _ in 0..LINES {
        file.write_all(LINE.as_bytes()).expect("writes");
    }
    file.set_len(bytes).expect("grows");
}

fn report(output: &Output) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {:?} {stderr}", output.status))
}

/// Whenever a file is truncated, the scan reports what was there, and whether that was all.
#[test]
fn a_file_that_shrinks_is_partial() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    for i in 0..50u64 {
        let bytes = 64 << 20;
        large(&path, bytes);
        let child = scanning(&path, if i % 4 == 3 { &["--no-mmap"] } else { &[] });
        // A different moment each time.
        std::thread::sleep(std::time::Duration::from_micros(600 * i));
        OpenOptions::new()
            .write(true)
            .open(&path)
            .expect("opens")
            .set_len(4096 + i * 80_000)
            .expect("truncates");
        let output = child.wait_with_output().expect("ends");
        let report = report(&output);
        let (complete, code) = (report["complete"] == true, output.status.code());
        assert_eq!(code, Some(if complete { 1 } else { 3 }), "{report}");
        if !complete {
            let problem = &report["inputs"]["problems"][0];
            let reason = problem["reason"].as_str().expect("text");
            assert!(reason.starts_with("the file shrank from 67108864 to"), "{reason}");
            assert_eq!(problem["status"], "partial");
        }
        let found = report["totals"]["findings"].as_u64().expect("a number");
        assert!(found <= LINES && (i < 2 || found == LINES), "{found} of {LINES} with {i}");
    }
}

/// Regression: bytes that were checked are read again, and a mapped file shows what others write to it meanwhile. A file
/// that was cut within milliseconds once ended in an internal error. Whatever it is overwritten with, the scan ends well.
#[test]
fn a_file_that_is_rewritten_in_place_is_read_to_its_end() {
    use std::io::{Seek, SeekFrom};
    let json = |i: usize| {
        format!("{{\"databaseName\":\"d{i}é\",\"message\":\"{}\"}}", LINE.trim().replace('`', "\\\""))
    };
    let texts = [
        LINE.repeat(4_000).into_bytes(),
        [b"[".to_vec(), (0..3_000).map(json).collect::<Vec<_>>().join(",").into_bytes(), b"]".to_vec()]
            .concat(),
        "can't won’t \\u0027 &#x27; \"\"603101\"\" ;;&;&; {} ".repeat(14_000).into_bytes(),
        vec![0; 700_000],
        vec![0xe2; 700_000],
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    for i in 0..40 {
        // One size, so that nothing is cut: only the bytes change.
        let text = |i: usize| {
            texts[i % texts.len()].iter().copied().cycle().skip(i).take(3 << 20).collect::<Vec<u8>>()
        };
        std::fs::write(&path, text(i)).expect("writes");
        let child = scanning(&path, &["-C", "2"]);
        let mut file = OpenOptions::new().write(true).open(&path).expect("opens");
        for round in 1..8 {
            let text = text(i + round * (1 + i / texts.len()));
            for (number, part) in text.chunks(64 << 10).enumerate() {
                file.seek(SeekFrom::Start((number * (64 << 10)) as u64)).expect("seeks");
                file.write_all(part).expect("writes");
            }
        }
        let output = child.wait_with_output().expect("ends");
        let report = report(&output);
        assert_eq!(report["complete"], true, "{report}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{report}");
    }
}

#[test]
fn a_file_that_grows_or_goes_is_read_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.log");
    for i in 0..30u64 {
        large(&path, 32 << 20);
        let child = scanning(&path, &[]);
        std::thread::sleep(std::time::Duration::from_micros(400 * i));
        if i % 3 == 0 {
            let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
            file.write_all(LINE.as_bytes()).expect("writes");
        } else if i % 3 == 1 {
            std::fs::remove_file(&path).expect("removes");
        } else {
            std::fs::rename(&path, folder.path().join("a.log.1")).expect("renames");
        }
        let output = child.wait_with_output().expect("ends");
        let report = report(&output);
        let found = report["totals"]["findings"].as_u64().expect("a number");
        // Before it was opened, it may have been removed, or have got one more line.
        let gone = report["inputs"]["failed"] == 1 || report["inputs"]["scanned"] == 0;
        assert!(found == LINES || found == LINES + 1 || gone && found == 0, "{report}");
        assert_eq!(output.status.code(), Some(if gone { 3 } else { 1 }), "{report}");
    }
}
