//! The history: reading in pieces equals reading at once, whatever happens to the files and to the runs.

use crate::{program, stderr, stdout};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// A folder with logs and a store beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(place.logs()).expect("a folder");
        place
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    fn run(&self, more: &[&str]) -> Output {
        let mut command = program();
        command
            .arg("scan")
            .arg("--store")
            .arg(self.store())
            .arg(self.logs())
            .args(["-f", "ndjson", "-j", "2"]);
        command.args(more).stdin(Stdio::null()).output().expect("the program runs")
    }

    /// What the history holds: the number of each finding, sorted.
    fn history(&self) -> Vec<u64> {
        let mut command = program();
        let output = command.args(["report", "-f", "ndjson", "--store"]).arg(self.store()).output();
        numbers(&output.expect("the program runs"))
    }
}

/// A record with a number of its own, which is its time.
fn record(number: u64) -> String {
    let time = jiff::Timestamp::from_second(1_700_000_000 + number as i64).expect("a time");
    format!(
        "{time} ERROR 603405: Unsupported extension(s). The migration service does not support the migration of databases \
         with 'ext{number}' extension(s) on the source server.\n"
    )
}

fn numbers(output: &Output) -> Vec<u64> {
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?} {}", output.status, stderr(output));
    let text = stdout(output);
    let findings = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let findings = findings.filter(|line: &serde_json::Value| line["type"] == "finding");
    let number = |finding: serde_json::Value| {
        let time: jiff::Timestamp =
            finding["time"].as_str().and_then(|time| time.parse().ok()).expect("a time");
        (time.as_second() - 1_700_000_000) as u64
    };
    let mut numbers: Vec<u64> = findings.map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn append(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path).expect("a log");
    file.write_all(text.as_bytes()).expect("written");
}

fn gzip(from: &Path, to: &Path) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&fs::read(from).expect("a log")).expect("compressed");
    fs::write(to, encoder.finish().expect("compressed")).expect("written");
    fs::remove_file(from).expect("removed");
}

/// What may happen between two runs.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// Records are written whole.
    Append(u8),
    /// The last record is written but for its end.
    Partial,
    /// The log is renamed, and a new one begins.
    Rotate,
    /// An old log gets another name.
    Rename,
    /// The log is copied and emptied.
    CopyTruncate,
    /// An old log is compressed.
    Gzip,
    /// An old log goes.
    Delete,
    /// An old log is copied.
    Copy,
    /// A run.
    Run,
    /// A run that reads everything again.
    Rescan,
    /// A run that is killed after as many milliseconds.
    Kill(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..4_u8).prop_map(Event::Append),
        2 => Just(Event::Partial),
        2 => Just(Event::Rotate),
        1 => Just(Event::Rename),
        1 => Just(Event::CopyTruncate),
        1 => Just(Event::Gzip),
        1 => Just(Event::Delete),
        1 => Just(Event::Copy),
        4 => Just(Event::Run),
        1 => Just(Event::Rescan),
        1 => (0..40_u8).prop_map(Event::Kill),
    ]
}

/// What the logs are, and what a history must hold.
#[derive(Default)]
struct Model {
    next: u64,
    /// What is in the open log; the end of its last record, if that is not written yet.
    open: Vec<u64>,
    rest: Option<String>,
    /// Old logs by name.
    old: Vec<(String, Vec<u64>)>,
    names: u64,
    /// What runs have seen.
    seen: BTreeSet<u64>,
}

impl Model {
    fn name(&mut self) -> String {
        self.names += 1;
        // Before and behind the open log in the order of the walk.
        format!("{}.{}", if self.names.is_multiple_of(2) { "app.log" } else { "a" }, self.names)
    }

    /// Writes the end of the last record.
    fn complete(&mut self, log: &Path) {
        if let Some(rest) = self.rest.take() {
            append(log, &rest);
        }
    }

    fn ran(&mut self) {
        self.seen.extend(&self.open);
        self.seen.extend(self.old.iter().flat_map(|(_, numbers)| numbers));
    }

    fn apply(&mut self, event: Event, place: &Place) {
        let log = place.log("app.log");
        match event {
            Event::Append(count) => {
                self.complete(&log);
                for _ in 0..count {
                    append(&log, &record(self.next));
                    self.open.push(self.next);
                    self.next += 1;
                }
            }
            Event::Partial => {
                self.complete(&log);
                let text = record(self.next);
                // The code and the number are there.
                let (now, rest) = text.split_at(text.len() - 20);
                append(&log, now);
                self.rest = Some(rest.to_string());
                self.open.push(self.next);
                self.next += 1;
            }
            Event::Rotate | Event::CopyTruncate if log.exists() => {
                self.complete(&log);
                let name = self.name();
                if matches!(event, Event::Rotate) {
                    fs::rename(&log, place.log(&name)).expect("renamed");
                } else {
                    fs::copy(&log, place.log(&name)).expect("copied");
                    fs::write(&log, "").expect("emptied");
                }
                self.old.push((name, std::mem::take(&mut self.open)));
            }
            Event::Rename | Event::Gzip if !self.old.is_empty() => {
                let (old, numbers) = self.old.remove(0);
                let gz = matches!(event, Event::Gzip) && !old.ends_with(".gz");
                let name = self.name() + if gz || old.ends_with(".gz") { ".gz" } else { "" };
                let (from, to) = (place.log(&old), place.log(&name));
                if gz {
                    gzip(&from, &to)
                } else {
                    fs::rename(from, to).expect("renamed")
                }
                self.old.push((name, numbers));
            }
            Event::Delete if !self.old.is_empty() => {
                fs::remove_file(place.log(&self.old.remove(0).0)).expect("removed");
            }
            Event::Copy if !self.old.is_empty() => {
                let (old, numbers) = self.old[0].clone();
                let name = self.name() + if old.ends_with(".gz") { ".gz" } else { "" };
                fs::copy(place.log(&old), place.log(&name)).expect("copied");
                self.old.push((name, numbers));
            }
            Event::Run | Event::Rescan => {
                let before = self.seen.clone();
                self.ran();
                let more: &[&str] = if matches!(event, Event::Rescan) {
                    &["--rescan", "--new-only"]
                } else {
                    &["--new-only"]
                };
                let new: Vec<u64> = self.seen.difference(&before).copied().collect();
                let got = numbers(&place.run(more));
                // What a killed run has kept is not new any more, though nobody was told.
                assert!(got.iter().all(|number| new.contains(number)), "{got:?} of {new:?}");
                let history: Vec<u64> = self.seen.iter().copied().collect();
                assert_eq!(place.history(), history);
            }
            Event::Kill(milliseconds) => {
                let mut command = program();
                command.arg("scan").arg("--store").arg(place.store()).arg(place.logs());
                command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                let mut child = command.spawn().expect("the program runs");
                std::thread::sleep(std::time::Duration::from_millis(milliseconds.into()));
                child.kill().expect("killed");
                child.wait().expect("ended");
                self.killed(place);
            }
            _ => {}
        }
    }

    /// A killed run has seen all or nothing of its one batch, and the store is whole.
    fn killed(&mut self, place: &Place) {
        if !place.store().exists() || fs::metadata(place.store()).is_ok_and(|store| store.len() == 0) {
            return;
        }
        let mut command = program();
        let report = command.args(["report", "-f", "ndjson", "--store"]).arg(place.store()).output();
        let report = report.expect("the program runs");
        // No run has ended yet, or no table has been made.
        if report.status.code() == Some(2) {
            return;
        }
        let got: BTreeSet<u64> = numbers(&report).into_iter().collect();
        let before = self.seen.clone();
        self.ran();
        assert!(got == before || got == self.seen, "{got:?} is neither {before:?} nor {:?}", self.seen);
        self.seen = got;
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("MIGSIFT_STORE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// The sum over all runs is the truth.
    #[test]
    fn reading_in_pieces_equals_reading_at_once(events in proptest::collection::vec(event(), 1..24)) {
        let place = Place::new();
        let mut model = Model::default();
        for event in events {
            model.apply(event, &place);
        }
        model.apply(Event::Run, &place);
    }
}
