//! The history read back: runs, and what was found in them.

use super::{Store, damaged};
use crate::context::Time;
use crate::error::Error;
use crate::finding::Finding;
use crate::record::FindingRecord;
use crate::report::history::{Run, Trend};
use crate::scan::{InputCounts, Inputs, Outcome, Problem, Sink, Status, emit};
use crate::source::Origin;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Which findings of the history are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Select {
    /// Only those that were first seen in this run.
    pub run: Option<i64>,
    /// Only those at this time or later; those without a time, too.
    pub since: Option<Timestamp>,
    /// Only those before this time; those without a time, too.
    pub until: Option<Timestamp>,
}

impl Select {
    fn takes(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// One run as the store knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRow {
    /// What a report says of it.
    pub run: Run,
    /// Its inputs by outcome.
    pub inputs: InputCounts,
    /// Bytes read.
    pub bytes: u64,
}

/// What is selected of a history.
#[derive(Debug)]
pub struct History {
    /// As a scan would give it. The inputs are those of the selected run, or of the last.
    pub outcome: Outcome,
    /// That run.
    pub run: Run,
    /// How findings came by day.
    pub trend: Trend,
}

impl Store {
    /// The run with the number `id`, or the last one that ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] where there is none.
    pub fn run(&self, id: Option<i64>) -> Result<RunRow, Error> {
        let sql = "SELECT id, started, ended, scanned, partial, skipped, failed, bytes, unchanged, known, new_findings FROM run \
                   WHERE ended IS NOT NULL AND (?1 IS NULL OR id=?1) ORDER BY id DESC LIMIT 1";
        let row = self.db.query_row(sql, params![id], |row| {
            let count = |at: usize| row.get::<_, i64>(at).map(|count| count as u64);
            let times = [time(&row.get::<_, String>(1)?), time(&row.get::<_, String>(2)?)];
            let (unchanged, known, new_findings) = (count(8)?, count(9)?, count(10)?);
            Ok(RunRow {
                run: Run { id: row.get(0)?, times, unchanged, known, new_findings },
                inputs: InputCounts {
                    scanned: count(3)?,
                    partial: count(4)?,
                    skipped: count(5)?,
                    failed: count(6)?,
                },
                bytes: count(7)?,
            })
        });
        let row = row.optional().map_err(|error| self.failed(error))?;
        row.ok_or_else(|| {
            let text = id.map_or("has no run that ended".into(), |id| format!("has no run {id} that ended"));
            super::unusable(&self.path, &text)
        })
    }

    /// The inputs that the run did not read whole.
    fn problems(&self, run: i64) -> Result<Vec<Problem>, Error> {
        let sql = "SELECT CAST(path AS BLOB), member, status, reason, bytes FROM problem WHERE run=?1 ORDER BY rowid";
        let mut statement = self.db.prepare(sql).map_err(|error| self.failed(error))?;
        let rows = statement.query_map(params![run], |row| {
            let path: Vec<u8> = row.get(0)?;
            let path = String::from_utf8_lossy(&path).into_owned().into();
            let status = match row.get::<_, String>(2)?.as_str() {
                "partial" => Status::Partial,
                "failed" => Status::Failed,
                _ => Status::Skipped,
            };
            let (reason, bytes) = (row.get(3)?, row.get::<_, i64>(4)? as u64);
            Ok(Problem { origin: Arc::new(Origin { path, member: row.get(1)? }), status, reason, bytes })
        });
        rows.and_then(Iterator::collect).map_err(|error| self.failed(error))
    }

    /// What is selected: findings go to `sink` by path, member and offset.
    ///
    /// # Errors
    ///
    /// Those of the sink, and [`Error::Unusable`] for a store that is damaged.
    pub fn history(&self, select: &Select, sink: &mut dyn Sink) -> Result<History, Error> {
        let run = self.run(select.run)?;
        let mut outcome = Outcome::default();
        let InputCounts { scanned, partial, skipped, failed } = run.inputs;
        outcome.inputs = Inputs {
            scanned,
            partial,
            skipped,
            failed,
            bytes: run.bytes,
            problems: self.problems(run.run.id)?,
        };
        let sql = "SELECT stream.path, finding.record, started FROM finding JOIN stream ON stream.id = finding.stream \
                   LEFT JOIN run ON run.id = finding.first_run \
                   WHERE ?1 IS NULL OR finding.first_run=?1 \
                   ORDER BY stream.path, stream.id, member, offset, finding.id, nth";
        let mut statement = self.db.prepare(sql).map_err(|error| self.failed(error))?;
        let mut rows = statement.query(params![select.run]).map_err(|error| self.failed(error))?;
        let mut last: Option<Arc<Origin>> = None;
        let (mut source, mut trend) = (0, Trend::default());
        while let Some(row) = rows.next().map_err(|error| self.failed(error))? {
            let path = row.get_ref(0).map_err(|error| self.failed(error))?;
            let path = path.as_bytes().map_err(|error| damaged(&self.path, &error.to_string()))?;
            let record: String = row.get(1).map_err(|error| self.failed(error))?;
            let record: FindingRecord<'_> =
                serde_json::from_str(&record).map_err(|error| damaged(&self.path, &error.to_string()))?;
            let mut finding = Finding::from(record);
            if finding.time.is_some_and(|time| !select.takes(time.instant)) {
                continue;
            }
            let seen: Option<String> = row.get(2).map_err(|error| self.failed(error))?;
            if let Some(seen) = finding.time.or_else(|| seen.as_deref().map(time)) {
                trend.add(&finding.id, seen.instant.as_second());
            }
            let path = String::from_utf8_lossy(path);
            let origin = Origin { path: path.as_ref().into(), member: finding.origin.member.clone() };
            finding.origin = match last.take().filter(|known| **known == origin) {
                Some(known) => known,
                None => {
                    source += 1;
                    Arc::new(origin)
                }
            };
            last = Some(finding.origin.clone());
            outcome.summary.add(&finding, source);
            outcome.summary.sample(&finding);
            emit(sink, &finding)?;
        }
        Ok(History { outcome, run: run.run, trend })
    }
}

/// A time of the store; what is none is the begin of 1970.
fn time(text: &str) -> Time {
    Time { instant: text.parse().unwrap_or_default(), digits: 3 }
}
