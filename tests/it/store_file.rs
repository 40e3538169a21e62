//! The file of the history: checks of its rows, its name, mode and size, and its upgrade from version 1.

use crate::store::{Place, append, numbers, record};
use crate::{program, stderr, stdout};
use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

/// The tables of version 1.
const VERSION_1: &str = "
PRAGMA application_id = 1835496294;
PRAGMA user_version = 1;
CREATE TABLE method (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, catalog TEXT NOT NULL, options TEXT NOT NULL,
  UNIQUE (version, catalog, options)
) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method INTEGER NOT NULL REFERENCES method,
  started TEXT NOT NULL, ended TEXT, complete INTEGER,
  scanned INTEGER, partial INTEGER, skipped INTEGER, failed INTEGER,
  unchanged INTEGER, known INTEGER, bytes INTEGER, findings INTEGER, new_findings INTEGER
) STRICT;
CREATE TABLE problem (
  run INTEGER NOT NULL REFERENCES run, path ANY NOT NULL, member TEXT,
  status TEXT NOT NULL CHECK (status IN ('partial', 'failed', 'skipped')), reason TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX problem_run ON problem (run);
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('log', 'archive', 'pipe')),
  length INTEGER NOT NULL, hash BLOB NOT NULL, head INTEGER NOT NULL, read_on BLOB,
  complete INTEGER NOT NULL, method INTEGER NOT NULL REFERENCES method, path ANY NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run
) STRICT;
CREATE TABLE input (
  path ANY PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,
  settled INTEGER NOT NULL, gone INTEGER REFERENCES run
) STRICT, WITHOUT ROWID;
CREATE TABLE finding (
  stream INTEGER NOT NULL REFERENCES stream,
  member TEXT NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, nth INTEGER NOT NULL,
  time TEXT, record TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (stream, member, offset, id, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_run ON finding (first_run);
CREATE VIEW failure AS
  SELECT id, json_extract(record, '$.severity') AS severity, json_extract(record, '$.args') AS args,
         json_extract(record, '$.context.database') AS database, count(*) AS count,
         min(time) AS first_time, max(time) AS last_time, min(first_run) AS first_run, max(last_run) AS last_run
  FROM finding GROUP BY id, args, database;
";

/// A place with some logs whose times are settled, and a store that knows them.
fn scanned(logs: u64, records: u64) -> Place {
    let place = Place::new();
    for number in 0..logs {
        let log = place.log(&format!("{number}.log"));
        (0..records).for_each(|nth| append(&log, &record(number * records + nth)));
        settle(&log);
    }
    assert_eq!(numbers(&place.run(&[])).len() as u64, logs * records);
    place
}

/// Makes a log older than the clock of any file system is coarse.
fn settle(log: &Path) {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().append(true).open(log).and_then(|log| log.set_modified(hour_ago)).expect("a time");
}

/// What users see of a store: a report, and what is new.
fn seen(place: &Place) -> [Output; 2] {
    [place.report(&["-f", "ndjson"]), place.run(&["--new-only"])]
}

fn is_same(got: &Output, wanted: &Output) -> bool {
    (got.status.code(), &got.stdout) == (wanted.status.code(), &wanted.stdout)
}

/// Flips each of the bits of the store, one at a time. A command reports it and names the file, or prints what it prints for the whole
/// store. Returns how many bits are reported by both commands.
fn flip(place: &Place, whole: &[u8], bits: impl Iterator<Item = usize>) -> usize {
    fs::write(place.store(), whole).expect("written");
    let wanted = seen(place);
    let mut reported = 0;
    for bit in bits {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.store(), &bytes).expect("written");
        let got = seen(place);
        for (got, wanted) in got.iter().zip(&wanted) {
            // 4 is the exit code of a store that, by its header, may not be written to.
            let is_reported =
                matches!(got.status.code(), Some(2 | 4)) && stderr(got).contains("history.db: ");
            let what = format!("bit {} of byte {}: {}", bit % 8, bit / 8, stderr(got));
            assert!(is_reported || is_same(got, wanted), "{what}");
        }
        reported += usize::from(got.iter().all(|output| output.status.code() == Some(2)));
    }
    reported
}

/// Numbers that depend on nothing else.
fn random(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |last| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1))
    })
    .map(|number| number >> 16)
    .skip(1)
}

/// Regression: of 150 flipped bits, 120 went unnoticed, and findings were new again or lost.
#[test]
fn a_flipped_bit_is_reported_or_changes_nothing() {
    let place = scanned(30, 4);
    // Also with rows that a later run has changed and removed.
    append(&place.log("0.log"), &record(1_000));
    settle(&place.log("0.log"));
    place.run(&["--retention", "30d"]);
    let whole = fs::read(place.store()).expect("the store");
    let bits = random(7).map(|number| number as usize % (whole.len() * 8)).take(150);
    let reported = flip(&place, &whole, bits);
    assert!(reported > 50, "{reported}");
    // The fields of the file's header that change how the rest is read.
    let header = [16, 18, 19, 20, 21, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 92, 96, 100, 103, 105];
    flip(&place, &whole, header.into_iter().flat_map(|byte| [byte * 8, byte * 8 + 25]));
}

/// Rows that are not what a run wrote are reported, whatever the column, until somebody accepts them.
#[test]
fn a_changed_value_is_reported() {
    let place = scanned(1, 2);
    let changes = [
        "UPDATE input SET size = size + 1",
        "UPDATE stream SET hash = randomblob(16)",
        "UPDATE stream SET complete = 0",
        "UPDATE occurrence SET second = second + 1 WHERE line = 1",
        "UPDATE name SET text = '603406' WHERE text = '603405'",
        "UPDATE part SET text = replace(text, 'source', 'sourze')",
        "UPDATE method SET options = '{}'",
        "UPDATE run SET bytes = 0",
        "DELETE FROM occurrence WHERE line = 1",
        "INSERT INTO problem VALUES (1, 'a', NULL, 'failed', '', 0)",
        "DELETE FROM checksum WHERE name = 'run'",
        "UPDATE checksum SET count = 0",
    ];
    let whole = fs::read(place.store()).expect("the store");
    for change in changes {
        fs::write(place.store(), &whole).expect("written");
        let store = rusqlite::Connection::open(place.store()).expect("the store");
        store.execute_batch(change).expect("SQL that succeeds");
        drop(store);
        for output in seen(&place) {
            assert_eq!(output.status.code(), Some(2), "{change}: {}", stderr(&output));
            let error = stderr(&output);
            assert!(
                error.contains("the store is damaged (") && error.contains("restore a copy"),
                "{change}: {error}"
            );
        }
        // The documented way to accept what is there.
        let store = rusqlite::Connection::open(place.store()).expect("the store");
        store.execute_batch("DELETE FROM checksum").expect("SQL that succeeds");
        drop(store);
        for output in seen(&place) {
            assert!(matches!(output.status.code(), Some(0 | 1)), "{change}: {}", stderr(&output));
        }
        assert_eq!(place.query::<i64>("SELECT count(*) FROM checksum"), 8, "{change}: sums are stored again");
    }
}

/// A definition that has changed could make a query return something else.
#[test]
fn a_changed_definition_is_reported_and_an_added_one_is_not() {
    let place = scanned(1, 1);
    place.execute("CREATE INDEX mine ON stream (hash); CREATE VIEW my_view AS SELECT * FROM finding");
    assert!(seen(&place).iter().all(|output| matches!(output.status.code(), Some(0 | 1))));
    place.execute("DROP VIEW failure; CREATE VIEW failure AS SELECT 1 AS id");
    for output in seen(&place) {
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("the definition of failure has changed"), "{}", stderr(&output));
    }
}

/// The lines of NDJSON that the view has are those that the scan has printed, byte for byte.
#[test]
fn records_are_the_lines_that_were_printed() {
    for input in ["samples", "tests/golden"] {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().join("history.db");
        let mut command = program();
        command.args(["scan", input, "-f", "ndjson", "-C", "2", "--store"]).arg(&store);
        let output = command.stdin(Stdio::null()).output().expect("the program runs");
        let printed = stdout(&output);
        let mut printed: Vec<&str> =
            printed.lines().filter(|line| line.starts_with("{\"type\":\"finding\"")).collect();
        let db = rusqlite::Connection::open(&store).expect("the store");
        let mut statement = db.prepare("SELECT record, time, id FROM finding").expect("valid SQL");
        let rows = statement.query_map([], |row| {
            let row: (String, Option<String>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let parsed: serde_json::Value = serde_json::from_str(&row.0).expect("JSON");
            assert_eq!((parsed["time"].as_str(), parsed["id"].as_str()), (row.1.as_deref(), Some(&*row.2)));
            Ok(row.0)
        });
        let mut stored: Vec<String> = rows.expect("rows").map(|row| row.expect("a record")).collect();
        printed.sort_unstable();
        stored.sort_unstable();
        assert!(printed.len() > 5, "{input}");
        assert_eq!(printed, stored, "{input}");
    }
}

/// A store is at most 1.5 times as large as the texts of its findings, also if all of them differ.
#[test]
fn a_store_is_small() {
    let place = Place::new();
    let log = place.log("dense.log");
    append(&log, &(0..20_000).map(record).collect::<String>());
    let printed = stdout(&place.run(&[]));
    let findings = printed.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let texts: usize =
        findings.map(|line: serde_json::Value| line["text"].as_str().map_or(0, str::len)).sum();
    let size = fs::metadata(place.store()).expect("the store").len() as usize;
    assert!(size * 2 <= texts * 3, "{size} bytes for {texts} bytes of texts");
}

#[test]
fn a_store_of_version_1_is_upgraded_once_and_knows_the_same() {
    let place = scanned(3, 5);
    let wanted = seen(&place);
    let (new, old) = (place.store().with_file_name("new.db"), place.store());
    fs::rename(&old, &new).expect("renamed");
    let db = rusqlite::Connection::open(&old).expect("a store");
    db.execute_batch(VERSION_1).expect("tables");
    db.execute("ATTACH ?1 AS new", [new.to_string_lossy()]).expect("attached");
    for table in ["method", "run", "problem", "stream", "input", "finding"] {
        db.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM new.{table}")).expect("copied");
    }
    drop(db);
    #[cfg(unix)]
    fs::set_permissions(&old, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("a mode");
    let before = fs::metadata(&old).expect("the store").len();
    let report = place.report(&[]);
    assert_eq!(report.status.code(), Some(2));
    let error = stderr(&report);
    assert!(error.contains("version 1; the next `scan --store` upgrades it to version 2"), "{error}");
    let scan = place.run(&["--new-only"]);
    assert!(is_same(&scan, &wanted[1]), "{}", stderr(&scan));
    assert!(stderr(&scan).contains("store: upgraded to the tables of this version"), "{}", stderr(&scan));
    #[cfg(unix)]
    assert!(stderr(&scan).contains("`chmod 600` makes it private"), "{}", stderr(&scan));
    let findings = |report: &Output| -> Vec<String> {
        let text = stdout(report);
        text.lines().filter(|line| line.contains("\"finding\"")).map(str::to_string).collect()
    };
    let report = place.report(&["-f", "ndjson"]);
    assert_eq!(findings(&report), findings(&wanted[0]), "{}", stderr(&report));
    assert_eq!(findings(&report).len(), 15);
    assert_eq!(place.query::<String>("PRAGMA integrity_check"), "ok");
    assert_eq!(place.query::<i64>("PRAGMA freelist_count"), 0);
    assert!(fs::metadata(&old).expect("the store").len() <= before);
    assert!(seen(&place)[1].stdout == wanted[1].stdout, "it is a store as any other");
}

/// What runs with a retention remove makes the file smaller, and no text is kept that nothing refers to.
#[test]
fn the_space_of_removed_rows_is_given_back() {
    let place = scanned(2, 3_000);
    let full = fs::metadata(place.store()).expect("the store").len();
    fs::remove_file(place.log("0.log")).expect("removed");
    place.run(&["--retention", "30d"]);
    place.execute("UPDATE run SET started = '2001-01-01T00:00:00Z'");
    let output = place.run(&["--retention", "30d"]);
    assert!(stderr(&output).contains("3000 findings in them"), "{}", stderr(&output));
    let left = fs::metadata(place.store()).expect("the store").len();
    assert!(left * 10 < full * 7, "{left} of {full} bytes are left");
    assert_eq!(place.query::<i64>("PRAGMA freelist_count"), 0);
    assert_eq!(place.query::<String>("PRAGMA integrity_check"), "ok");
    assert_eq!(place.history(), (3_000..6_000).collect::<Vec<_>>());
    let unused = "SELECT count(*) FROM part WHERE base IS NOT NULL AND id NOT IN \
                  (SELECT args FROM occurrence UNION SELECT rest FROM occurrence)";
    assert_eq!(place.query::<i64>(unused), 0);
}

/// A store holds what logs say, so only its owner may read a new one, and its journal. One that exists keeps its mode.
#[cfg(unix)]
#[test]
fn a_new_store_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = scanned(1, 1);
    let mode = || fs::metadata(place.store()).expect("the store").permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(place.store(), fs::Permissions::from_mode(0o640)).expect("a mode");
    place.run(&["--rescan"]);
    assert_eq!(mode(), 0o640);
    // A link to a file that does not exist yet.
    let (link, to) = (place.store().with_file_name("link.db"), place.store().with_file_name("to.db"));
    std::os::unix::fs::symlink(&to, &link).expect("a link");
    let output = scan_to(&place, link.as_os_str());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(fs::metadata(&to).expect("the store").permissions().mode() & 0o777, 0o600);
}

/// Scans the logs of a place from its folder, with a store of this name.
fn scan_to(place: &Place, name: &std::ffi::OsStr) -> Output {
    let mut store = std::ffi::OsString::from("--store=");
    store.push(name);
    let mut command = program();
    command.current_dir(place.store().parent().expect("a folder"));
    command.args(["scan", "logs", "-f", "ndjson"]).arg(store);
    command.stdin(Stdio::null()).output().expect("the program runs")
}

/// Regression: `:memory:` and `file:h.db?mode=memory` were no files, and each run found everything new.
#[cfg(unix)]
#[test]
fn any_name_is_the_name_of_a_file() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    append(&place.log("app.log"), &record(1));
    let names: [&[u8]; 12] = [
        b":memory:",
        b"file:h.db?mode=memory",
        b"file::memory:?cache=shared",
        b"file:h%2edb",
        b"-x",
        b"--store",
        b"a b\tc.db",
        b"100%.db",
        b"what?.db",
        b"#1.db",
        b"\xff\xfe.db",
        b"'\";.db",
    ];
    for name in names {
        let name = std::ffi::OsStr::from_bytes(name);
        let file = place.store().with_file_name(name);
        assert_eq!(numbers(&scan_to(&place, name)), [1], "{name:?}");
        assert!(fs::metadata(&file).is_ok_and(|store| store.len() > 0), "{name:?}");
        assert_eq!(numbers(&scan_to(&place, name)), Vec::<u64>::new(), "{name:?}: the second run knows it");
        fs::remove_file(file).expect("removed");
    }
    let left: Vec<_> = fs::read_dir(place.store().parent().expect("a folder")).expect("a folder").collect();
    assert_eq!(left.len(), 1, "no other files: {left:?}");
    let refused = [
        ("", "a value is required"),
        (".", "a folder, device or pipe"),
        ("/dev/null", "a folder, device or pipe"),
        ("missing/h.db", "cannot be opened"),
    ];
    for (name, what) in refused {
        let output = scan_to(&place, name.as_ref());
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
        assert!(stderr(&output).contains(what), "{name}: {}", stderr(&output));
    }
}
