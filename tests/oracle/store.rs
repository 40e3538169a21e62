//! Stores: a file of any bytes is opened and read as a store, or refused with a reason; nothing panics.

use super::generated::Choices;
use migsift::catalog::builtin;
use migsift::error::Error;
use migsift::finding::Finding;
use migsift::scan::Sink;
use migsift::store::{Method, RunTotals, Selection, Store, WhenBusy};
use std::path::Path;
use std::sync::OnceLock;

/// Counts findings.
struct Counter(usize);

impl Sink for Counter {
    fn finding(&mut self, _: &Finding) -> Result<(), Error> {
        self.0 += 1;
        Ok(())
    }
}

fn method(options: &str) -> Method {
    Method { version: "0.1.0".into(), catalog: "2025-02".into(), options: options.into() }
}

/// Rows of two findings.
const FINDINGS: &str = r#"
INSERT INTO stream VALUES (1, 'log', 200, x'00000000000000000000000000000000', 7, NULL, 1, 1, '/logs/a.log', 1, 1);
INSERT INTO input VALUES ('/logs/a.log', 1, 200, 5, 5, 5, 1, NULL);
INSERT INTO name VALUES (1, '603405'), (2, 'a.log');
INSERT INTO part VALUES
  (1, NULL, NULL, NULL, '"type":"finding","id":"603405","code":"603405","known":true,"severity":"error","title":"A","code_in_log":true,"wording":"exact",'),
  (2, NULL, NULL, NULL, '{"extensions":["ext1"]}'), (3, 2, 19, 3, '2'), (4, NULL, NULL, NULL, '{}'),
  (5, NULL, NULL, NULL, ',"text":"Unsupported Extension(s): ext1"}'), (6, 5, 37, 2, '2');
INSERT INTO occurrence VALUES (1, 0, 9, 1, 0, 1700000000, 627, 1, 50, 2, 1, 2, 4, 5, 1, 1);
INSERT INTO occurrence VALUES (1, 0, 99, 1, 0, NULL, NULL, 2, 50, 2, 1, 3, 4, 6, 1, 1);
DELETE FROM checksum;
"#;

/// A store with a run and findings in it, and no checksums yet.
fn valid() -> &'static [u8] {
    static VALID: OnceLock<Vec<u8>> = OnceLock::new();
    VALID.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let mut store = Store::open(&path, WhenBusy::Fail).expect("opens");
        store.start_run("2024-06-06T21:42:53Z", &method("a")).expect("starts");
        store.finish_run("2024-06-06T21:42:54Z", &RunTotals::default(), &[]).expect("ends");
        drop(store);
        execute(&path, FINDINGS).expect("valid SQL");
        let mut counter = Counter(0);
        let store = Store::read(&path).expect("opens");
        store.history(&Selection::default(), builtin(), &mut counter).expect("reads");
        assert_eq!(counter.0, 2);
        drop(store);
        std::fs::read(&path).expect("reads")
    })
}

/// The first byte decides whether the rest is the file, or a list of changes to a valid one: two bytes of
/// place and one of value each.
pub fn check(data: &[u8]) {
    let mut choices = Choices(data);
    let file = if choices.byte() % 4 == 0 {
        choices.0.to_vec()
    } else {
        let mut file = valid().to_vec();
        while let [page, at, value] = *choices.take(3) {
            // The first bytes of a page decide most.
            let at = (usize::from(page) * 1024 + usize::from(at)) % file.len();
            file[at] = value;
        }
        file
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    std::fs::write(&path, &file).expect("writes");
    read(&path);
    written(&path);
    // Without checksums a store is accepted as it is, and what its rows hold is met later.
    if execute(&path, "DELETE FROM checksum").is_ok() {
        read(&path);
        written(&path);
    }
}

fn execute(path: &Path, sql: &str) -> rusqlite::Result<()> {
    rusqlite::Connection::open(path)?.execute_batch(sql)
}

fn read(path: &Path) {
    let Ok(store) = Store::read(path).map_err(refused) else { return };
    if let Err(error) = store.history(&Selection::default(), builtin(), &mut Counter(0)) {
        refused(error);
    }
    let _ = store.run(None).map_err(refused);
}

fn written(path: &Path) {
    let opened = Store::open(path, WhenBusy::Fail).and_then(Store::load);
    let Ok(mut store) = opened.map_err(refused) else { return };
    let _ = store.start_run("2024-06-07T21:42:53Z", &method("b")).map_err(refused);
    let _ = store.prune_before("2024-06-07T00:00:00Z").map_err(refused);
    let _ = store.finish_run("2024-06-07T21:42:54Z", &RunTotals::default(), &[]).map_err(refused);
}

/// A refusal has a reason.
fn refused(error: Error) {
    assert!(!error.to_string().is_empty());
}
