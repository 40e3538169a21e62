//! Made: streams that are new, with the inputs that hold them, on their way into the file.
//!
//! A first run makes one for each file. They come in one by one and go into the file many at a time, which takes half as
//! long; whatever else is written or committed comes behind them.

use super::Store;
use super::known::encode;
use super::record::value;
use crate::error::Error;
use crate::input::Stat;
use crate::scan::Content;
use rusqlite::params_from_iter;
use rusqlite::types::{ToSqlOutput, Value};
use std::sync::LazyLock;

/// How many go into the file at a time.
const ROWS: usize = 32;
/// The columns of each in its two tables.
const STREAM: usize = 11;
const INPUT: usize = 7;

/// A stream that this run has read, and the input that it was read from.
#[derive(Debug)]
pub(super) struct Made {
    pub stream: i64,
    /// The input's path as the store has it.
    pub place: Box<[u8]>,
    pub content: Content,
    pub stat: Stat,
    /// Whether its times can be trusted later.
    pub settled: bool,
}

/// Statements for [`ROWS`] of them, and for one.
struct Statements {
    many: [String; 2],
    one: [String; 2],
}

static STATEMENTS: LazyLock<Statements> = LazyLock::new(|| {
    let stream = |rows| {
        format!(
            "INSERT INTO stream VALUES {} ON CONFLICT (id) DO UPDATE SET kind=excluded.kind, length=excluded.length, \
             hash=excluded.hash, head=excluded.head, read_on=excluded.read_on, complete=excluded.complete, \
             method=excluded.method, path=excluded.path, last_run=excluded.last_run",
            places(rows, STREAM, "")
        )
    };
    let input = |rows| format!("INSERT OR REPLACE INTO input VALUES {}", places(rows, INPUT, ", NULL"));
    Statements { many: [stream(ROWS), input(ROWS)], one: [stream(1), input(1)] }
});

/// `(?, ?, ?), (?, ?, ?)` and so on, each with `more` behind.
fn places(rows: usize, columns: usize, more: &str) -> String {
    let row = format!("({}{more})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

impl Store {
    /// Takes in what this run has made.
    pub(super) fn make(&self, made: Made) -> Result<(), Error> {
        let mut waiting = self.made.borrow_mut();
        waiting.push(made);
        let full = waiting.len() >= ROWS;
        drop(waiting);
        if full { self.write_made() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn write_made(&self) -> Result<(), Error> {
        let made = self.made.take();
        let Statements { many, one } = &*STATEMENTS;
        for rows in made.chunks(ROWS) {
            let (at_once, [stream, input]) = if rows.len() == ROWS { (ROWS, many) } else { (1, one) };
            for rows in rows.chunks(at_once) {
                self.write(stream, params_from_iter(rows.iter().flat_map(|made| self.stream(made))))?;
                self.write(input, params_from_iter(rows.iter().flat_map(Made::input)))?;
            }
        }
        Ok(())
    }

    fn stream<'m>(&self, made: &'m Made) -> [ToSqlOutput<'m>; STREAM] {
        let Content { archive, length, hash, head, continuation: end } = &made.content;
        [
            made.stream.into(),
            if *archive { "archive" } else { "log" }.into(),
            (*length as i64).into(),
            hash[..].into(),
            (*head as i64).into(),
            ToSqlOutput::Owned(end.as_ref().map_or(Value::Null, |end| Value::Blob(encode(end).into()))),
            true.into(),
            self.method.into(),
            value(&made.place),
            self.run.into(),
            self.run.into(),
        ]
    }
}

impl Made {
    fn input(&self) -> [ToSqlOutput<'_>; INPUT] {
        let Stat { size, mtime, ctime, inode } = self.stat;
        [
            value(&self.place),
            self.stream.into(),
            (size as i64).into(),
            mtime.into(),
            ctime.into(),
            (inode as i64).into(),
            self.settled.into(),
        ]
    }
}
