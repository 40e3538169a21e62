//! The history as a report: reads runs, problems and findings back from the store.
//!
//! A selection comes in; an [`Outcome`] like that of a scan goes out, and the findings go to a sink. Reports
//! are built from the outcome as always; nothing here knows formats.

use super::connection::{Store, unusable};
use super::occurrence::Lines;
use crate::catalog::{Catalog, Entry};
use crate::context::Time;
use crate::error::Error;
use crate::report::history::{Run, Trend};
use crate::scan::{InputCounts, Inputs, Outcome, Problem, Sink, Status, emit};
use crate::source::Origin;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::collections::HashMap;
use std::sync::Arc;

/// Which findings of the history are selected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection {
    /// Only findings that this run was the first to find.
    pub run: Option<i64>,
    /// Only findings at this time or later, and those without a time.
    pub since: Option<Timestamp>,
    /// Only findings before this time, and those without a time.
    pub until: Option<Timestamp>,
}

impl Selection {
    fn includes(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// A run that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRow {
    /// What a report says about it.
    pub run: Run,
    /// The outcomes of its inputs.
    pub inputs: InputCounts,
    /// Decoded bytes that it read.
    pub bytes: u64,
}

/// The selected part of a history.
#[derive(Debug)]
pub struct History {
    /// The outcome as a scan would return it. Its inputs are those of the selected run, or of the last.
    pub outcome: Outcome,
    /// That run.
    pub run: Run,
    /// Findings by day.
    pub trend: Trend,
}

impl Store {
    /// Returns the run with the number `id`, or the last one that ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] if there is none.
    pub fn run(&self, id: Option<i64>) -> Result<RunRow, Error> {
        let sql = "SELECT id, started, ended, scanned, partial, skipped, failed, bytes, unchanged, known, new_findings FROM run \
                   WHERE ended IS NOT NULL AND (?1 IS NULL OR id=?1) ORDER BY id DESC LIMIT 1";
        let row = self.db.query_row(sql, params![id], run_row);
        let row = row.optional().map_err(|error| self.failed(error))?;
        row.ok_or_else(|| {
            let text = id.map_or("no run has ended yet".into(), |id| format!("has no finished run {id}"));
            unusable(&self.path, &text)
        })
    }

    /// The inputs that the run did not read to their end.
    fn problems(&self, run: i64) -> Result<Vec<Problem>, Error> {
        let sql = "SELECT CAST(path AS BLOB), member, status, reason, bytes FROM problem WHERE run=?1 ORDER BY rowid";
        let mut statement = self.db.prepare(sql).map_err(|error| self.failed(error))?;
        let rows = statement.query_map(params![run], problem);
        rows.and_then(Iterator::collect).map_err(|error| self.failed(error))
    }

    /// Reads the selection; its findings go to `sink` by path, member and offset. They are findings of
    /// entries of `catalog`.
    ///
    /// # Errors
    ///
    /// Those of the sink, and [`Error::Unusable`] for a store that is damaged.
    pub fn history(
        &self,
        selection: &Selection,
        catalog: &Catalog,
        sink: &mut dyn Sink,
    ) -> Result<History, Error> {
        let run = self.run(selection.run)?;
        let entries: HashMap<&str, &Entry> =
            catalog.entries.iter().map(|entry| (&*entry.id, &**entry)).collect();
        let mut outcome = Outcome::default();
        let InputCounts { scanned, partial, skipped, failed } = run.inputs;
        let (bytes, problems) = (run.bytes, self.problems(run.run.id)?);
        outcome.inputs = Inputs { scanned, partial, skipped, failed, bytes, problems };
        let sql = "SELECT stream.path, member.text, entry.text, offset, second, fraction, line, occurrence.length, \
                   occurrence.head, args, context, rest, run.started \
                   FROM occurrence JOIN stream ON stream.id = occurrence.stream \
                   LEFT JOIN name AS member ON member.id = occurrence.member \
                   LEFT JOIN name AS entry ON entry.id = occurrence.entry \
                   LEFT JOIN run ON run.id = occurrence.first_run \
                   WHERE ?1 IS NULL OR occurrence.first_run=?1 \
                   ORDER BY stream.path, stream.id, coalesce(member.text, ''), offset, entry.text, nth";
        let mut statement = self.db.prepare(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(params![selection.run]).map_err(|error| self.failed(error))?;
        let (mut origins, mut trend) = (Origins::default(), Trend::default());
        let mut lines = Lines::new(&self.db).map_err(|error| self.failed(error))?;
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let mut finding = lines.finding(row).map_err(|error| self.failed(error))?;
            if finding.time.is_some_and(|time| !selection.includes(time.instant)) {
                continue;
            }
            let found = || row.get::<_, Option<String>>(12).map(|found| found.as_deref().map(time));
            let when = match finding.time {
                Some(time) => Some(time),
                // When a run found it first, unless that run has been removed.
                None => found().map_err(|error| self.failed(error))?,
            };
            if let Some(time) = when {
                trend.add(&finding.id, time.instant.as_second());
            }
            finding.origin = origins.share(&finding.origin);
            outcome.summary.add(&finding, entries.get(&*finding.id).copied(), origins.count);
            outcome.summary.sample(&finding);
            emit(sink, &finding)?;
        }
        Ok(History { outcome, run: run.run, trend })
    }
}

/// The origins of findings that come in order: those of one source share one, as in a scan.
#[derive(Default)]
struct Origins {
    last: Option<Arc<Origin>>,
    /// How many sources there were.
    count: u32,
}

impl Origins {
    fn share(&mut self, origin: &Arc<Origin>) -> Arc<Origin> {
        match &self.last {
            Some(last) if last == origin => last.clone(),
            _ => {
                self.count += 1;
                self.last = Some(origin.clone());
                origin.clone()
            }
        }
    }
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
    let (started, ended) = (time(&row.get::<_, String>(1)?), time(&row.get::<_, String>(2)?));
    let (unchanged, known, new_findings) = (count(8)?, count(9)?, count(10)?);
    let inputs =
        InputCounts { scanned: count(3)?, partial: count(4)?, skipped: count(5)?, failed: count(6)? };
    let run = Run { id: row.get(0)?, started, ended, unchanged, known, new_findings };
    Ok(RunRow { run, inputs, bytes: count(7)? })
}

fn problem(row: &Row<'_>) -> rusqlite::Result<Problem> {
    let path: Vec<u8> = row.get(0)?;
    let path = String::from_utf8_lossy(&path).into_owned().into();
    let status = match row.get::<_, String>(2)?.as_str() {
        "partial" => Status::Partial,
        "failed" => Status::Failed,
        _ => Status::Skipped,
    };
    let (reason, bytes) = (row.get(3)?, row.get::<_, i64>(4)? as u64);
    Ok(Problem { origin: Arc::new(Origin { path, member: row.get(1)? }), status, reason, bytes })
}

/// A time of the store. A text that is not a time, which only others can have written, is 1970.
fn time(text: &str) -> Time {
    Time { instant: text.parse().unwrap_or_default(), digits: 3 }
}
