//! Pending streams: rows of new streams and of their inputs, buffered on their way into the file.
//!
//! A first run inserts two rows for each file of a large folder. Single rows come in; statements with
//! [`BATCH_ROWS`] rows go out, which takes half as long. The buffer is invisible: every other statement, and
//! every commit, flushes it first, so the order of effects is that of the calls.

use super::known::{Mtime, StreamKind};
use super::sql::{continuation_value, path_value};
use crate::input::Stat;
use crate::scan::Content;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, params_from_iter};
use std::sync::LazyLock;

/// Rows of one statement.
const BATCH_ROWS: usize = 32;
/// The values of one row of each table.
const STREAM_VALUES: usize = 11;
const INPUT_VALUES: usize = 7;

/// A stream that this run has created, and the input that holds it.
#[derive(Debug)]
pub struct PendingStream {
    pub stream: i64,
    /// The path key of the input.
    pub key: Box<[u8]>,
    pub content: Content,
    pub stat: Stat,
    pub mtime: Mtime,
}

/// The columns that are the same for all rows of a run.
#[derive(Debug, Clone, Copy)]
pub struct RunColumns {
    pub run: i64,
    pub method: i64,
}

/// Rows that are not in the file yet.
#[derive(Debug, Default)]
pub struct PendingStreams(Vec<PendingStream>);

/// One statement for each table.
struct Statements {
    stream: String,
    input: String,
}

impl Statements {
    fn new(rows: usize) -> Statements {
        let stream = format!(
            "INSERT INTO stream VALUES {} ON CONFLICT (id) DO UPDATE SET kind=excluded.kind, length=excluded.length, \
             hash=excluded.hash, head=excluded.head, read_on=excluded.read_on, complete=excluded.complete, \
             method=excluded.method, path=excluded.path, last_run=excluded.last_run",
            placeholders(rows, STREAM_VALUES, "")
        );
        let input =
            format!("INSERT OR REPLACE INTO input VALUES {}", placeholders(rows, INPUT_VALUES, ", NULL"));
        Statements { stream, input }
    }
}

/// `(?, ?, ?), (?, ?, ?)` and so on, each with `last` before its closing parenthesis.
fn placeholders(rows: usize, values: usize, last: &str) -> String {
    let row = format!("({}{last})", vec!["?"; values].join(", "));
    vec![row; rows].join(", ")
}

static MANY_ROWS: LazyLock<Statements> = LazyLock::new(|| Statements::new(BATCH_ROWS));
static ONE_ROW: LazyLock<Statements> = LazyLock::new(|| Statements::new(1));

impl PendingStreams {
    /// Adds a row of each table.
    pub fn push(&mut self, stream: PendingStream) {
        self.0.push(stream);
    }

    /// Whether there are enough rows for a statement.
    pub fn is_full(&self) -> bool {
        self.0.len() >= BATCH_ROWS
    }

    /// Inserts all rows into the file.
    pub fn flush(&mut self, db: &Connection, run: RunColumns) -> rusqlite::Result<()> {
        for rows in std::mem::take(&mut self.0).chunks(BATCH_ROWS) {
            if rows.len() == BATCH_ROWS {
                insert(db, &MANY_ROWS, rows, run)?;
            } else {
                rows.chunks(1).try_for_each(|row| insert(db, &ONE_ROW, row, run))?;
            }
        }
        Ok(())
    }
}

fn insert(
    db: &Connection,
    statements: &Statements,
    rows: &[PendingStream],
    run: RunColumns,
) -> rusqlite::Result<()> {
    let streams = rows.iter().flat_map(|row| row.stream_values(run));
    db.prepare_cached(&statements.stream)?.execute(params_from_iter(streams))?;
    let inputs = rows.iter().flat_map(PendingStream::input_values);
    db.prepare_cached(&statements.input)?.execute(params_from_iter(inputs))?;
    Ok(())
}

impl PendingStream {
    fn stream_values(&self, RunColumns { run, method }: RunColumns) -> [ToSqlOutput<'_>; STREAM_VALUES] {
        let Content { length, hash, head, continuation, .. } = &self.content;
        [
            self.stream.into(),
            StreamKind::of(&self.content).name().into(),
            (*length as i64).into(),
            hash[..].into(),
            (*head as i64).into(),
            ToSqlOutput::Owned(continuation_value(continuation.as_ref())),
            true.into(),
            method.into(),
            path_value(&self.key),
            run.into(),
            run.into(),
        ]
    }

    fn input_values(&self) -> [ToSqlOutput<'_>; INPUT_VALUES] {
        let Stat { size, mtime, ctime, inode } = self.stat;
        [
            path_value(&self.key),
            self.stream.into(),
            (size as i64).into(),
            mtime.into(),
            ctime.into(),
            (inode as i64).into(),
            self.mtime.mtime_is_reliable().into(),
        ]
    }
}
