//! Tests of what a scan costs and of how it ends: work grows with the input and not faster, and a scan that is to end does
//! not finish its window first.

use super::*;
use crate::catalog::builtin;
use crate::context::ContextReader;
use crate::finding::{Builder, Finding, Sanitizer};
use crate::input::{WalkOptions, Window};
use crate::matcher::work;
use crate::source::Origin;
use crate::summary::Summary;
use jiff::tz::TimeZone;
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

#[path = "../../benches/generator/shapes.rs"]
mod shapes;

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new(builtin()));

/// What was done to find everything in some bytes.
struct Done {
    steps: u64,
    findings: usize,
    /// The most steps between two times that it was asked whether to end.
    longest: u64,
}

/// Finds everything in `bytes` and adds it up, as a scan does.
fn done(bytes: &[u8]) -> Done {
    let start = work::done();
    let (asked, longest) = (Cell::new(start), Cell::new(0));
    let stop = || {
        let now = work::done();
        longest.set(longest.get().max(now - asked.replace(now)));
        false
    };
    let (window, utc) = (Window::whole(bytes), TimeZone::UTC);
    let (matches, breaks) = MATCHER.scan_until(&window, &stop).expect("is not stopped");
    let reader = ContextReader::new(&window, &utc);
    let builder = Builder { matcher: &MATCHER, origin: Arc::new(Origin::path(Path::new("a.log"))) };
    let (mut sanitizer, mut summary) = (Sanitizer::new(None), Summary::default());
    let (mut counted, findings) = (0, matches.len());
    for found in matches {
        stop();
        breaks.between(bytes, counted, found.range.start);
        counted = found.range.start;
        let mut finding = builder.build(&found, &window, &reader, 1);
        let entry = builder.entry(found.id);
        sanitizer.sanitize(&mut finding, entry);
        summary.add(&finding, entry, 1);
    }
    stop();
    Done { steps: work::done() - start, findings, longest: longest.get() }
}

/// The bytes of the smaller input of each shape.
const BYTES: usize = 48 << 10;
/// The most that the work may grow if the input is twice as large.
const MAX_RATIO: f64 = 2.3;

/// Per-finding work does not depend on the size of the object, line or document around it: twice the input takes twice the
/// steps. And the scan is asked often whether it is to end: after no more steps than it takes to read a document.
#[test]
fn work_grows_as_the_input_does() {
    let (mut failed, mut with_findings) = (Vec::new(), 0);
    for shape in shapes::SHAPES {
        let (once, twice) = (done(&(shape.make)(BYTES)), done(&(shape.make)(2 * BYTES)));
        if twice.steps as f64 > MAX_RATIO * once.steps as f64 {
            failed.push(format!("{}: {} and {} steps", shape.name, once.steps, twice.steps));
        }
        if twice.longest > 4 * 2 * BYTES as u64 {
            failed.push(format!("{}: {} steps without a question", shape.name, twice.longest));
        }
        with_findings += usize::from(twice.findings > 0);
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(shapes::SHAPES.len() >= 56 && with_findings > 80, "{with_findings}");
}

/// Whenever it is asked and the answer is yes, a window ends without a result.
#[test]
fn a_window_ends_where_it_is_stopped() {
    let bytes = [LINE.repeat(20), "2024-06-06 21:42:53.039 603107 GUC Settings Error\n".repeat(5)].concat();
    let window = Window::whole(bytes.as_bytes());
    let asked = Cell::new(0);
    let count = || {
        asked.set(asked.get() + 1);
        false
    };
    let (matches, _) = MATCHER.scan_until(&window, &count).expect("is not stopped");
    assert_eq!(matches.len(), 25);
    assert!(asked.get() > 25);
    for last in 0..asked.get() {
        let left = Cell::new(last);
        let stop = || match left.get() {
            0 => true,
            more => {
                left.set(more - 1);
                false
            }
        };
        assert!(MATCHER.scan_until(&window, &stop).is_none(), "after {last} of {}", asked.get());
    }
}

const LINE: &str = "2024-06-06T21:42:53.039Z ERROR 603101: Database `orders` exists on the target server.\n";

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static ENCODED: AtomicU64 = AtomicU64::new(0);
/// After so many findings the scan is to end.
const ENOUGH: u64 = 100;

/// Writes an empty row, and sets the flag after some findings.
fn encode(_: &Finding, rows: &mut Vec<u8>) -> usize {
    if ENCODED.fetch_add(1, Ordering::Relaxed) + 1 == ENOUGH {
        STOP.store(true, Ordering::Relaxed);
    }
    rows.push(b'\n');
    rows.len() - 1
}

/// Receives rows only.
#[derive(Default)]
struct Rows(Vec<u8>);

impl Sink for Rows {
    fn finding(&mut self, _: &Finding) -> Result<(), Error> {
        unreachable!("it wants rows")
    }

    fn wants_findings(&self) -> bool {
        false
    }

    fn row_sink(&mut self) -> Option<&mut dyn RowSink> {
        Some(self)
    }
}

impl RowSink for Rows {
    fn encoder(&self) -> Encode {
        encode
    }

    fn rows(&mut self, rows: &[u8]) -> Result<(), Error> {
        self.0.extend_from_slice(rows);
        Ok(())
    }
}

/// Signals are looked at between findings: those that are done count, and the input is partial from there on.
#[test]
fn a_scan_ends_between_two_findings() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), LINE.repeat(1_000)).expect("writes");
    let walk = crate::input::walk(&[file.path().to_path_buf()], &WalkOptions::default());
    let mut rows = Rows::default();
    let progress = Progress::without_time_to_end(STOP.clone());
    let options = Options::default().with(|options| (options.threads, options.identify) = (1, true));
    let outcome = scan(&MATCHER, &walk, &options, Some(&mut rows), &progress).expect("scans");
    assert_eq!(outcome.summary.findings(), ENOUGH);
    let lines: String = (1..=ENOUGH).map(|line| format!("{line}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&rows.0), lines);
    let [problem] = &outcome.inputs.problems[..] else { panic!("{:?}", outcome.inputs.problems) };
    let read = ENOUGH * LINE.len() as u64 + LINE.find("603101").expect("present") as u64;
    assert_eq!((problem.status, &*problem.reason, problem.bytes), (Status::Partial, "interrupted", read));
    assert_eq!((outcome.inputs.bytes, outcome.inputs.complete()), (read, false));
    assert_eq!(progress.bytes.load(Ordering::Relaxed), read);
}
