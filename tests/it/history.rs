//! The history as a nightly job: its messages, its reports, retention, and the store after a crash or on a
//! full disk.

use crate::metrics::{assert_metrics, metrics as metrics_of};
use crate::store::{Place, append, numbers, record};
use crate::{stderr, stdout};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output, Stdio};

const OWN: &str = r#"
format = 1
edition = "own"

[[entry]]
id = "own-error"
title = "An error of our own"
severity = "error"
scope = "server"
side = "source"
actor = "customer"
wordings = ["The own thing failed on the server."]
"#;

/// The findings of the history, as lines of NDJSON.
fn findings(place: &Place) -> Vec<String> {
    let text = stdout(&place.report(&["-f", "ndjson"]));
    text.lines().filter(|line| line.starts_with("{\"type\":\"finding\"")).map(str::to_string).collect()
}

#[test]
fn a_job_reports_one_line_and_prints_only_what_was_asked_for() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    let first = place.job(&[]);
    let line = "migsift: store: run 1: 1 inputs read, 0 partly read, 0 not read; 0 unchanged, 0 known by content; 1 findings, 1 new\n";
    assert_eq!(
        (first.status.code(), stdout(&first), stderr(&first)),
        (Some(1), String::new(), line.to_string())
    );
    let quiet = place.job(&["-q"]);
    assert_eq!(
        (quiet.status.code(), stdout(&quiet), stderr(&quiet)),
        (Some(0), String::new(), String::new())
    );
    let asked = place.job(&["-q", "--rescan", "-f", "human"]);
    assert!(stdout(&asked).contains("ext1"), "{}", stdout(&asked));
    let again = place.job(&["--timezone", "+02:00"]);
    let why = "migsift: store: 1 inputs are read again: options that change findings have changed\n";
    assert!(stderr(&again).starts_with(why), "{}", stderr(&again));
    let own = place.store().with_file_name("own.toml");
    fs::write(&own, OWN).expect("a catalogue");
    let again = place.job(&["--timezone", "+02:00", "--catalog", &own.to_string_lossy()]);
    let why = "store: 1 inputs are read again: the catalogue has changed\n";
    assert!(stderr(&again).contains(why), "{}", stderr(&again));
    assert_eq!(findings(&place).len(), 1, "nothing counts twice");
}

#[test]
fn reports_of_the_last_run_and_by_day() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    place.job(&[]);
    append(&place.log("app.log"), &record(200_000));
    place.job(&[]);
    assert_eq!(numbers(&place.report(&["-f", "ndjson", "--run", "last"])), [200_000]);
    assert_eq!(place.report(&["--run", "latest"]).status.code(), Some(2));
    let html = stdout(&place.report(&["-f", "html"]));
    let (_, trend) = html.split_once("id=\"trend\"").expect("a trend");
    let trend = trend.split("</section>").next().expect("its section");
    assert_eq!(trend.matches("<rect").count(), 2, "{trend}");
    assert!(
        trend.contains("603405: 2 findings on 2 days")
            && trend.contains("<title>2023-11-14 00:00:00 to 2023-11-15")
    );
    assert!(
        !stdout(&place.job(&["--rescan", "-f", "html"])).contains("id=\"trend\""),
        "a scan has no trend by day"
    );
}

/// The file for a textfile collector, read by a parser of the format.
#[test]
fn metrics_of_a_run() {
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    fs::write(place.log("broken.gz"), b"\x1f\x8b\x08\x00nothing that can be read").expect("written");
    let metrics = place.store().with_file_name("migsift.prom");
    let asked = format!("prometheus={}", metrics.display());
    let read = || {
        let text = fs::read_to_string(&metrics).expect("the metrics");
        assert_metrics(&text);
        let mut samples = BTreeMap::new();
        for (name, values) in metrics_of(&text) {
            for (labels, value) in values {
                let labels: Vec<String> =
                    labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
                samples.insert(format!("{name}{{{}}}", labels.join(",")), value);
            }
        }
        samples
    };
    assert_eq!(place.job(&["--report", &asked]).status.code(), Some(3));
    let first = read();
    let inputs = |samples: &BTreeMap<String, f64>| {
        ["scanned", "partial", "failed", "unchanged", "known"]
            .map(|status| samples[&format!("migsift_inputs{{status={status}}}")])
    };
    assert_eq!(inputs(&first)[0], 1.0, "{first:?}");
    assert_eq!(inputs(&first)[1] + inputs(&first)[2], 1.0, "{first:?}");
    assert_eq!((first["migsift_new_findings{}"], first["migsift_last_run{}"]), (1.0, 1.0));
    assert!(
        first["migsift_last_run_timestamp_seconds{}"] > 1.7e9
            && first["migsift_last_run_duration_seconds{}"] >= 0.0
    );
    assert_eq!(first["migsift_code_findings{code=603405,severity=error}"], 1.0);
    fs::remove_file(place.log("broken.gz")).expect("removed");
    fs::write(place.log("copy.log"), record(1)).expect("written");
    place.job(&["--new-only", "--report", &asked]);
    let second = read();
    assert_eq!((second["migsift_new_findings{}"], second["migsift_last_run{}"]), (0.0, 2.0));
    assert_eq!(inputs(&second)[3..], [0.0, 2.0], "younger than three seconds, but known: {second:?}");
    assert_eq!(second["migsift_complete{}"], 1.0);
}

#[test]
fn files_that_are_gone_long_ago_are_removed() {
    let place = Place::new();
    for number in 0..3 {
        append(&place.log(&format!("{number}.log")), &record(number));
    }
    let run = |more: &[&str]| numbers(&place.run(&[&["--retention", "30d", "--new-only"], more].concat()));
    assert_eq!(run(&[]), [0, 1, 2]);
    fs::remove_file(place.log("0.log")).expect("removed");
    assert_eq!((run(&[]), place.history()), (vec![], vec![0, 1, 2]), "it is gone only since this run");
    let age = |run: u64| {
        place.execute(&format!("UPDATE run SET started = '2001-01-01T00:00:00Z' WHERE id = {run}"));
    };
    age(1);
    assert_eq!((run(&[]), place.history()), (vec![], vec![0, 1, 2]), "it has not been missing for so long");
    assert_eq!(place.query::<i64>("SELECT count(*) FROM run WHERE id = 1"), 0, "the run is removed");
    age(2);
    let output = place.run(&["--retention", "30d"]);
    let line = "store: removed 1 old runs, 1 files that are gone, 1 findings in them";
    assert!(stderr(&output).contains(line), "{}", stderr(&output));
    assert_eq!(place.history(), [1, 2], "what exists is kept, however old it is");
    assert_eq!(run(&["--rescan"]), Vec::<u64>::new(), "and it is not new");
    assert_eq!(place.job(&["--retention", "-3d"]).status.code(), Some(2));
    assert_eq!(place.job(&["--retention", "soon"]).status.code(), Some(2));
}

/// Parts of messages, so that appended text may belong to text before it.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => (0..1000_u64).prop_map(record),
        1 => Just("603405\n".to_string()),
        1 => Just("Error 603104: ".to_string()),
        1 => Just("\n".to_string()),
        2 => Just("2024-06-06 21:42:53.039 80 LOG  checkpoint complete: wrote 44 buffers\n".to_string()),
        1 => Just("Unsupported extension(s). The migration service does not support the migration of databases with ".to_string()),
        1 => Just("{\"databaseName\": \"orders\", \"message\": \"603000: Connection failed".to_string()),
        1 => (1..3000_usize).prop_map(|length| "x".repeat(length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 40, ..ProptestConfig::default() })]

    /// A large log that has grown is read from near its old end; the history is byte for byte that of reading
    /// it at once.
    #[test]
    fn a_large_log_is_resumed(
        // More than 16 MiB, and every place of the end within a window of 4 MiB.
        filler in 17_000_000..21_200_000_usize,
        parts in proptest::collection::vec(part(), 40..120),
        cuts in proptest::collection::vec(0.0..1.0_f64, 1..4),
    ) {
        let place = Place::new();
        let line = "2024-06-06 21:42:53.039 80 LOG  nothing happens here, as on most days of a migration\n";
        let start = record(0) + &line.repeat(filler / line.len()) + &record(1);
        let end = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| (cut * end.len() as f64) as usize).collect();
        cuts.sort_unstable();
        cuts.push(end.len());
        let log = place.log("app.log");
        append(&log, &start);
        place.run(&[]);
        let mut from = 0;
        for cut in cuts {
            let text = &end.as_bytes()[from..cut];
            let grown = !text.is_empty();
            append(&log, &String::from_utf8_lossy(text));
            from = cut;
            place.run(&[]);
            let bytes: i64 = place.query("SELECT bytes FROM run ORDER BY id DESC LIMIT 1");
            let most = if grown { 9 << 20 } else { 0 };
            prop_assert!(bytes <= most, "{bytes} bytes were read");
        }
        let got = findings(&place);
        fs::remove_file(place.store()).expect("removed");
        place.run(&[]);
        prop_assert_eq!(got, findings(&place));
    }
}

/// A log that was overwritten, and only looks as if it had grown, is read from its start.
#[test]
fn a_large_log_that_was_overwritten_is_not_resumed() {
    let place = Place::new();
    let line = "2024-06-06 21:42:53.039 80 LOG  nothing happens here, as on most days of a migration\n";
    let text = |number: u64, lines: usize| line.repeat(20) + &record(number) + &line.repeat(lines);
    let log = place.log("app.log");
    append(&log, &text(1, 210_000));
    place.run(&[]);
    // The same inode and the same first page, but another text before the old end.
    let mut other = text(2, 210_000);
    let near = other.len() - 2_000;
    other.replace_range(near..near + 5, "other");
    fs::write(&log, other + &record(3)).expect("written");
    assert_eq!(numbers(&place.run(&["--new-only"])), [2, 3]);
    assert_eq!(place.history(), [1, 2, 3], "what was overwritten stays in the history");
}

/// Runs the program under `strace`; `None` if that is not installed.
#[cfg(target_os = "linux")]
fn traced(place: &Place, inject: &str) -> Option<Output> {
    let mut command = Command::new("strace");
    let trace = inject.split(':').next().unwrap_or_default();
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("trace={trace}"),
        "-e",
        &format!("inject={inject}"),
    ]);
    command.arg(env!("CARGO_BIN_EXE_migsift")).args(["scan", "-q", "-j", "1", "--store"]).arg(place.store());
    command.arg(place.logs()).stdin(Stdio::null()).output().ok()
}

/// The run is killed before each call that changes the disk; the next run has exact totals.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_is_killed_at_any_write_loses_nothing() {
    let probe = Place::new();
    append(&probe.log("app.log"), &record(1));
    let ran = traced(&probe, "pwrite64:error=EIO:when=60000");
    if ran.is_none_or(|output| output.status.code() != Some(1)) {
        crate::not_checked("runs killed at every write, because strace is missing or not allowed");
        return;
    }
    let mut killed = 0;
    for call in ["pwrite64", "write", "fsync", "fdatasync", "unlink", "ftruncate"] {
        for nth in 1..200_usize {
            let place = Place::new();
            (0..3).for_each(|number| append(&place.log(&format!("{number}.log")), &record(number)));
            if nth % 2 == 0 {
                place.run(&[]);
                append(&place.log("0.log"), &record(7));
                fs::rename(place.log("1.log"), place.log("9.log")).expect("renamed");
            }
            let wanted: &[u64] = if nth % 2 == 0 { &[0, 1, 2, 7] } else { &[0, 1, 2] };
            let ended =
                traced(&place, &format!("{call}:signal=KILL:when={}", nth.div_ceil(2))).expect("strace runs");
            let whole = ended.status.code().is_some();
            let next = place.run(&[]);
            assert!(matches!(next.status.code(), Some(0 | 1)), "{call} {nth}: {}", stderr(&next));
            assert_eq!(place.history(), wanted, "{call} {nth}");
            assert_eq!(place.query::<String>("PRAGMA integrity_check"), "ok", "{call} {nth}");
            killed += usize::from(!whole);
            if whole && nth % 2 == 0 {
                break;
            }
        }
    }
    assert!(killed >= 20, "only {killed} runs were killed");
}

/// A full disk, simulated by a limit of the file size, ends the run with 4, and the store is unchanged.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_the_store_unchanged() {
    let place = Place::new();
    append(&place.log("app.log"), &record(0));
    assert_eq!(numbers(&place.run(&[])), [0]);
    let before = fs::read(place.store()).expect("the store");
    append(&place.log("more.log"), &(1..9_000).map(record).collect::<String>());
    let script = "trap '' XFSZ; ulimit -f 200; exec \"$0\" scan --store \"$1\" \"$2\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_migsift")]).arg(place.store()).arg(place.logs());
    let output = command.stdin(Stdio::null()).output().expect("a shell");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stderr(&output).contains("history.db"), "{}", stderr(&output));
    assert_eq!(place.history(), [0]);
    assert_eq!(place.query::<String>("PRAGMA integrity_check"), "ok");
    assert!(fs::read(place.store()).expect("the store") == before, "it is unchanged");
    assert_eq!(numbers(&place.run(&["--new-only"])).len(), 8_999);
}

/// Jobs at the same time: one of them reads the files, and nothing counts twice.
#[test]
fn runs_at_the_same_time_take_turns() {
    let place = Place::new();
    (0..200).for_each(|number| append(&place.log(&format!("{number}.log")), &record(number)));
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4)
            .map(|i| {
                scope.spawn({
                    let place = &place;
                    move || place.job(if i % 2 == 0 { &["--wait"] } else { &[] }).status.code()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 1 | 5))), "{codes:?}");
    assert!(codes.contains(&Some(1)), "{codes:?}");
    assert_eq!(place.history(), (0..200).collect::<Vec<_>>());
}
