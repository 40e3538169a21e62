//! The history: reading in pieces equals reading at once, whatever happens to the files and to the runs.

use crate::{program, stderr, stdout};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

/// A folder of logs, and a store beside it.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(place.logs()).expect("a folder");
        place
    }

    pub fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.folder.path().join("history.db")
    }

    pub fn run(&self, more: &[&str]) -> Output {
        let mut command = program();
        command
            .arg("scan")
            .arg("--store")
            .arg(self.store())
            .arg(self.logs())
            .args(["-f", "ndjson", "-j", "2"]);
        command.args(more).stdin(Stdio::null()).output().expect("the program runs")
    }

    /// Scans the logs as a scheduler does: without a format and without a terminal.
    pub fn job(&self, more: &[&str]) -> Output {
        let mut command = program();
        command.arg("scan").arg(self.logs()).arg("--store").arg(self.store()).args(more);
        command.stdin(Stdio::null()).output().expect("the program runs")
    }

    /// Runs `report` on the store.
    pub fn report(&self, more: &[&str]) -> Output {
        let mut command = program();
        command.args(["report", "--store"]).arg(self.store()).args(more);
        command.stdin(Stdio::null()).output().expect("the program runs")
    }

    /// The numbers of all findings in the history, sorted.
    pub fn history(&self) -> Vec<u64> {
        numbers(&self.report(&["-f", "ndjson"]))
    }

    /// Executes SQL in the store, which accepts the rows as they are then.
    pub fn execute(&self, sql: &str) {
        let store = rusqlite::Connection::open(self.store()).expect("the store");
        store.execute_batch(sql).expect("SQL that succeeds");
        store.execute_batch("DELETE FROM checksum").expect("SQL that succeeds");
    }

    /// Reads a value from the store.
    pub fn query<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let store = rusqlite::Connection::open(self.store()).expect("the store");
        store.query_row(sql, [], |row| row.get(0)).expect("a row")
    }
}

/// A record that is identified by its number, which is also its time.
pub fn record(number: u64) -> String {
    let time = jiff::Timestamp::from_second(1_700_000_000 + number as i64).expect("a time");
    format!(
        "{time} ERROR 603405: Unsupported extension(s). The migration service does not support the migration of databases \
         with 'ext{number}' extension(s) on the source server.\n"
    )
}

/// The numbers of the printed findings, sorted.
pub fn numbers(output: &Output) -> Vec<u64> {
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

pub fn append(path: &Path, text: &str) {
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
    /// The last record is written without its end.
    Partial,
    /// The log is renamed, and a new one starts.
    Rotate,
    /// An old log gets another name.
    Rename,
    /// The log is copied and emptied.
    CopyTruncate,
    /// An old log is compressed.
    Gzip,
    /// An old log is deleted.
    Delete,
    /// An old log is copied.
    Copy,
    /// A run.
    Run,
    /// A run that reads everything again.
    Rescan,
    /// A run that is killed after this many milliseconds.
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

/// The state of the logs, and what the history must hold.
#[derive(Default)]
struct Model {
    next: u64,
    /// The records in the open log.
    open: Vec<u64>,
    /// The end of its last record, if that is not written yet.
    rest: Option<String>,
    /// Old logs: names and records.
    old: Vec<(String, Vec<u64>)>,
    names: u64,
    /// The records that runs have read.
    seen: BTreeSet<u64>,
}

impl Model {
    fn name(&mut self) -> String {
        self.names += 1;
        // Before and after the open log in the order of the walk.
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
                // The cut is after the code and the number.
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
            Event::Run => self.run(place, &["--new-only"]),
            Event::Rescan => self.run(place, &["--rescan", "--new-only"]),
            Event::Kill(milliseconds) => {
                kill_a_run(place, Duration::from_millis(milliseconds.into()));
                self.killed(place);
            }
            _ => {}
        }
    }

    /// Runs, and checks what is new and what the history holds.
    fn run(&mut self, place: &Place, more: &[&str]) {
        let before = self.seen.clone();
        self.ran();
        let new: Vec<u64> = self.seen.difference(&before).copied().collect();
        let got = numbers(&place.run(more));
        // What a killed run has recorded is not new, although it was never printed.
        assert!(got.iter().all(|number| new.contains(number)), "{got:?} of {new:?}");
        let history: Vec<u64> = self.seen.iter().copied().collect();
        assert_eq!(place.history(), history);
    }

    /// A killed run has seen all or nothing of its one batch, and the store is whole.
    fn killed(&mut self, place: &Place) {
        if !place.store().exists() || fs::metadata(place.store()).is_ok_and(|store| store.len() == 0) {
            return;
        }
        let report = place.report(&["-f", "ndjson"]);
        // No run has ended yet, or no table has been created.
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

/// Starts a run and kills it after some time.
fn kill_a_run(place: &Place, after: Duration) {
    let mut command = program();
    command.arg("scan").arg("--store").arg(place.store()).arg(place.logs());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the program runs");
    std::thread::sleep(after);
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn a_store_in_use_ends_the_run_at_once_and_wait_waits() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    assert_eq!(numbers(&place.run(&[])), [1]);
    let lock = rusqlite::Connection::open(place.store()).expect("the store");
    lock.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("history.db: the store is in use by another run"),
        "{}",
        stderr(&output)
    );
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| place.run(&["--wait"]));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!waits.is_finished());
        lock.execute_batch("ROLLBACK").expect("unlocked");
        assert_eq!(waits.join().expect("no panic").status.code(), Some(0));
    });
}

/// Regression: each kept the shared lock of a reader, so that none could write, and all waited until their
/// timeout.
#[test]
fn runs_that_wait_for_a_new_store_take_turns() {
    for _ in 0..5 {
        let place = Place::new();
        append(&place.log("a.log"), &record(1));
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| place.run(&["--wait"]).status.code())).collect();
            for run in runs {
                assert!(matches!(run.join().expect("no panic"), Some(0 | 1)));
            }
        });
        assert_eq!(place.history(), [1]);
    }
}

/// Any page of the store may be overwritten: the run never reports "nothing new", and its error names the
/// file and how to recover.
#[test]
fn a_damaged_store_is_reported() {
    let place = Place::new();
    for number in 0..40 {
        append(&place.log(&format!("{number}.log")), &record(number));
    }
    assert_eq!(numbers(&place.run(&[])).len(), 40);
    let whole = fs::read(place.store()).expect("the store");
    let mut damages: Vec<Vec<u8>> = Vec::new();
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..][..64].fill(0xa5);
        damages.push(bytes);
    }
    damages.push(whole[..whole.len() / 2].to_vec());
    damages.push(b"not a store".to_vec());
    for (i, bytes) in damages.iter().enumerate() {
        fs::write(place.store(), bytes).expect("written");
        let output = place.run(&[]);
        assert_eq!(output.status.code(), Some(2), "{i}: {}", stderr(&output));
        assert!(stderr(&output).contains("history.db: "), "{}", stderr(&output));
        assert!(stderr(&output).contains("away"), "{}", stderr(&output));
        assert_eq!(fs::read(place.store()).expect("the store"), *bytes, "{i}: it is not written to");
    }
}

#[test]
fn an_input_that_breaks_loses_nothing_and_is_tried_again() {
    let place = Place::new();
    let (plain, packed) = (place.log("app.log"), place.log("app.log.gz"));
    (0..400).for_each(|number| append(&plain, &record(number)));
    gzip(&plain, &packed);
    let whole = fs::read(&packed).expect("packed");
    assert_eq!(numbers(&place.run(&[])).len(), 400);
    fs::write(&packed, &whole[..whole.len() / 2]).expect("written");
    for _ in 0..2 {
        assert_eq!(place.run(&[]).status.code(), Some(3), "each run reports it");
    }
    fs::write(&packed, &whole).expect("written");
    assert_eq!(place.run(&["--new-only"]).status.code(), Some(0));
    assert_eq!(place.history().into_iter().collect::<BTreeSet<_>>().len(), 400);
}

/// Members with the same name and bytes are counted separately, and a store in the scanned folder is not read
/// as a log.
#[test]
fn members_of_one_name_count_each_and_the_store_is_not_scanned() {
    let place = Place::new();
    let mut builder = tar::Builder::new(Vec::new());
    for _ in 0..2 {
        let mut header = tar::Header::new_gnu();
        header.set_size(record(7).len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, "a.log", record(7).as_bytes()).expect("a member");
    }
    fs::write(place.log("a.tar"), builder.into_inner().expect("an archive")).expect("written");
    let run = || {
        let mut command = program();
        command.arg("scan").arg("--store").arg(place.store()).arg(place.folder.path()).args(["-f", "ndjson"]);
        command.stdin(Stdio::null()).output().expect("the program runs")
    };
    assert_eq!(numbers(&run()), [7, 7]);
    let again = run();
    assert!(stdout(&again).contains("the store itself"), "{}", stdout(&again));
    assert_eq!((numbers(&again), place.history()), (vec![], vec![7, 7]));
}

/// A store of the version before this one has the options of its methods in another text. Its files are read
/// again, and the history goes on.
#[test]
fn a_method_in_another_text_rereads_and_keeps_the_history() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    assert_eq!(numbers(&place.run(&[])), [1]);
    place.execute("UPDATE method SET options = 'UTC [] [] 0 Limits { nesting: 8, members: 100000 }'");
    let output = place.run(&["--new-only"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let reason = "store: 1 inputs are read again: options that change findings have changed";
    assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    assert_eq!((numbers(&output), place.history()), (vec![], vec![1]));
    assert!(!stderr(&place.run(&[])).contains("read again"), "the new text is remembered");
}

#[test]
fn another_time_zone_reads_again_and_runs_are_compared() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    assert_eq!(numbers(&place.run(&[])), [1]);
    assert_eq!(numbers(&place.run(&["--timezone", "+02:00"])), [1], "other times may be found");
    assert_eq!(place.history(), [1]);
    append(&place.log("app.log"), &record(2));
    assert_eq!(numbers(&place.run(&["--timezone", "+02:00", "--new-only"])), [2]);
    let diff = |old: &str, new: &str| {
        let mut command = program();
        command.args(["diff", "-f", "json", old, new, "--store"]).arg(place.store());
        let output = command.output().expect("the program runs");
        (output.status.code(), stdout(&output).contains("ext2"))
    };
    assert_eq!((diff("1", "3"), diff("3", "3").0), ((Some(1), true), Some(0)));
    assert_eq!(diff("1", "9").0, Some(2), "no such run");
}

/// A common first page proves nothing; only all bytes that were read do.
#[test]
fn logs_with_the_same_head_are_not_confused() {
    let place = Place::new();
    let banner = "# banner\n".repeat(500);
    for number in 0..3 {
        append(&place.log(&format!("{number}.log")), &(banner.clone() + &record(number)));
    }
    assert_eq!(numbers(&place.run(&[])), [0, 1, 2]);
    append(&place.log("1.log"), &record(9));
    assert_eq!(numbers(&place.run(&["--new-only"])), [9]);
    assert_eq!(place.history(), [0, 1, 2, 9]);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("MIGSIFT_STORE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(60),
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// The sum of all runs is what the logs hold.
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
