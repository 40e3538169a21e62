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

/// A store with a run in it.
fn valid() -> &'static [u8] {
    static VALID: OnceLock<Vec<u8>> = OnceLock::new();
    VALID.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let mut store = Store::open(&path, WhenBusy::Fail).expect("opens");
        store.start_run("2024-06-06T21:42:53Z", &method("a")).expect("starts");
        store.finish_run("2024-06-06T21:42:54Z", &RunTotals::default(), &[]).expect("ends");
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
}

fn read(path: &Path) {
    let Ok(store) = Store::read(path).map_err(refused) else { return };
    if let Err(error) = store.history(&Selection::default(), builtin(), &mut Counter(0)) {
        refused(error);
    }
    let _ = store.run(None).map_err(refused);
}

fn written(path: &Path) {
    let Ok(mut store) = Store::open(path, WhenBusy::Fail).map_err(refused) else { return };
    let _ = store.start_run("2024-06-07T21:42:53Z", &method("b")).map_err(refused);
    let _ = store.finish_run("2024-06-07T21:42:54Z", &RunTotals::default(), &[]).map_err(refused);
}

/// A refusal has a reason.
fn refused(error: Error) {
    assert!(!error.to_string().is_empty());
}
