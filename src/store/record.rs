//! Recording: which inputs are to be read, and what was found in them.
//!
//! For each input a decision goes out; findings come in from the scan, in order, and go on to another sink. Findings of a
//! stream that was read to its end replace all that it had; one that was not read to its end loses none.

use super::{Content, Key, Stat, Store, Totals};
use crate::error::Error;
use crate::finding::Finding;
use crate::input::Input;
use crate::record::FindingRecord;
use crate::scan::{Outcome, Problem, Sink, Status, give};
use crate::source::{Origin, STDIN};
use crate::summary::Summary;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// What is to be done with an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its content is known; it has another name, or its times have changed.
    Known,
    /// It is read as this stream.
    Read(i64),
}

/// A path as a key: text where it is UTF-8, else its bytes.
fn key(path: &Path) -> Value {
    let named = |path: &Path| std::path::absolute(path).ok().filter(|_| path != Path::new(STDIN));
    let path = named(path).unwrap_or_else(|| path.to_path_buf());
    match path.to_str() {
        Some(text) => Value::Text(text.to_string()),
        None => Value::Blob(path.as_os_str().as_encoded_bytes().to_vec()),
    }
}

impl Store {
    /// Begins a run at `now`, RFC 3339; gives its number.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] and [`Error::Unusable`], as all that writes.
    pub fn begin_run(&mut self, now: &str, catalog: &str, reads: &Key) -> Result<i64, Error> {
        let sql = "INSERT INTO run (started, catalog, key) VALUES (?1, ?2, ?3)";
        self.execute(sql, params![now, catalog, reads.text])?;
        self.run = self.db.last_insert_rowid();
        Ok(self.run)
    }

    /// Ends the run at `now`, RFC 3339.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn end_run(&mut self, now: &str, totals: &Totals, problems: &[Problem]) -> Result<(), Error> {
        self.begin()?;
        for problem in problems {
            let sql = "INSERT INTO problem VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (origin, bytes) = (&problem.origin, problem.bytes as i64);
            let path = key(&origin.path);
            self.execute(
                sql,
                params![self.run, path, origin.member, problem.status.name(), problem.reason, bytes],
            )?;
        }
        let sql = "UPDATE run SET ended=?2, complete=?3, scanned=?4, partial=?5, skipped=?6, failed=?7, unchanged=?8, \
                   known=?9, bytes=?10, findings=?11, new_findings=?12 WHERE id=?1";
        let [scanned, partial, skipped, failed] = totals.inputs.map(|count| count as i64);
        let [unchanged, known] = totals.unchanged.map(|count| count as i64);
        let complete = partial + failed == 0;
        let (bytes, findings, new) = (totals.bytes as i64, totals.findings as i64, totals.new as i64);
        let values = params![
            self.run, now, complete, scanned, partial, skipped, failed, unchanged, known, bytes, findings,
            new
        ];
        self.execute(sql, values)?;
        self.commit()
    }

    /// Begins a batch: all or nothing of it is kept.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn begin(&mut self) -> Result<(), Error> {
        self.sql("BEGIN IMMEDIATE")
    }

    /// Ends a batch: it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn commit(&mut self) -> Result<(), Error> {
        self.sql("COMMIT")
    }

    /// Whether the file need not be opened: nothing that the file system says of it has changed since it was read whole with
    /// the same key. To be asked of all inputs of a run before any is claimed.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn unchanged(&mut self, path: &Path, stat: &Stat, reads: &Key) -> Result<bool, Error> {
        let sql = "SELECT stream.id FROM input JOIN stream ON stream.id = input.stream WHERE input.path=?1 AND size=?2 \
                   AND mtime=?3 AND ctime=?4 AND inode=?5 AND settled AND complete AND stream.key=?6";
        let values = params![key(path), stat.size, stat.mtime, stat.ctime, stat.inode, reads.text];
        let found = self.find(sql, values)?;
        self.held.extend(found);
        Ok(found.is_some())
    }

    /// The lengths of the streams that may have begun with `head`.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn lengths(&self, head: &[u8]) -> Result<Vec<u64>, Error> {
        let whole = xxhash_rust::xxh3::xxh3_128(head).to_be_bytes();
        // Short streams by the lengths that there are, each met once in the index.
        let sql = "WITH RECURSIVE short(at) AS ( \
                     SELECT min(length) FROM stream WHERE length > 0 AND length < ?2 \
                     UNION ALL SELECT (SELECT min(length) FROM stream WHERE length > at AND length < ?2) FROM short \
                     WHERE at IS NOT NULL) \
                   SELECT at FROM short WHERE at IS NOT NULL \
                   UNION SELECT length FROM stream WHERE head = ?1 AND kind = 'log' AND length > 0";
        let most = super::identity::HEAD.min(head.len()) as i64;
        let mut statement = self.db.prepare_cached(sql).map_err(|error| self.failed(error))?;
        let rows = statement.query_map(params![whole, most], |row| row.get::<_, i64>(0));
        let rows = rows.and_then(Iterator::collect::<Result<Vec<i64>, _>>);
        Ok(rows.map_err(|error| self.failed(error))?.into_iter().map(|length| length as u64).collect())
    }

    /// Decides what is to be done with a file, and notes it; `settled` says whether its times can be trusted later.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn claim(
        &mut self,
        input: &Input,
        (stat, settled): (&Stat, bool),
        content: &Content,
        reads: &Key,
        rescan: bool,
    ) -> Result<Decision, Error> {
        let path = key(&input.path);
        let kind = if content.archive { "archive" } else { "log" };
        let (length, run) = (content.length as i64, self.run);
        let same = self.find(
            "SELECT id FROM stream WHERE head=?1 AND kind=?2 AND length=?3 AND hash=?4",
            params![content.head, kind, length, content.hash],
        )?;
        let stream = match same {
            Some(known) => known,
            None => match self.continued(&path, content)? {
                Some(known) => {
                    let sql = "UPDATE stream SET length=?2, hash=?3, head=?4, complete=0 WHERE id=?1";
                    self.execute(sql, params![known, length, content.hash, content.head])?;
                    known
                }
                None => {
                    let sql = "INSERT INTO stream (kind, length, hash, head, complete, key, path, first_run, last_run) \
                               VALUES (?1, ?2, ?3, ?4, 0, '', ?5, ?6, ?6)";
                    self.execute(sql, params![kind, length, content.hash, content.head, path, run])?;
                    self.db.last_insert_rowid()
                }
            },
        };
        let sql = "INSERT OR REPLACE INTO input VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = params![path, stream, stat.size, stat.mtime, stat.ctime, stat.inode, settled, run];
        self.execute(sql, values)?;
        let sql = "SELECT id FROM stream WHERE id=?1 AND complete AND key=?2 AND (last_run=?3 OR NOT ?4)";
        let known = self.find(sql, params![stream, reads.text, run, rescan])?.is_some();
        if !self.held.insert(stream) && !known {
            // A copy of what this batch reads already.
            return Ok(Decision::Known);
        }
        let sql = "UPDATE stream SET path=?2, last_run=?3 WHERE id=?1";
        self.execute(sql, params![stream, path, run])?;
        Ok(if known { Decision::Known } else { Decision::Read(stream) })
    }

    /// The longest stream that the file begins with: its own, or one that no file of this run holds as it was.
    fn continued(&self, path: &Value, content: &Content) -> Result<Option<i64>, Error> {
        let own =
            self.find("SELECT stream FROM input WHERE path=?1 AND stream IS NOT NULL", params![path])?;
        for (length, hash) in content.prefixes.iter().rev() {
            let sql = "SELECT id FROM stream WHERE kind='log' AND length=?1 AND hash=?2";
            let mut statement = self.db.prepare_cached(sql).map_err(|error| self.failed(error))?;
            let rows = statement.query_map(params![*length as i64, hash], |row| row.get::<_, i64>(0));
            let rows = rows.and_then(Iterator::collect::<Result<Vec<i64>, _>>);
            let rows = rows.map_err(|error| self.failed(error))?;
            let free = |id: &i64| own == Some(*id) || !self.held.contains(id);
            if let Some(id) = rows.into_iter().find(free) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// A stream for what came through a pipe: it is counted and never met again.
    fn pipe(&mut self, path: &Path, reads: &Key) -> Result<i64, Error> {
        let sql = "INSERT INTO stream (kind, length, hash, head, complete, key, path, first_run, last_run) \
                   VALUES ('pipe', 0, x'', x'', 1, ?1, ?2, ?3, ?3)";
        self.execute(sql, params![reads.text, key(path), self.run])?;
        Ok(self.db.last_insert_rowid())
    }

    /// Notes that the streams of a batch were read; those of `problems` not to their end.
    fn read_whole(
        &mut self,
        streams: &HashMap<Arc<Path>, i64>,
        outcome: &Outcome,
        reads: &Key,
    ) -> Result<(), Error> {
        let broken = |status| matches!(status, Status::Partial | Status::Failed);
        let problems = outcome.inputs.problems.iter().filter(|problem| broken(problem.status));
        let problems: HashSet<&Path> = problems.map(|problem| &*problem.origin.path).collect();
        let mut ids: Vec<_> = streams.iter().collect();
        ids.sort_unstable_by_key(|(_, id)| **id);
        for (path, id) in ids {
            if problems.contains(&**path) {
                self.execute("UPDATE stream SET complete=0 WHERE id=?1", params![id])?;
                continue;
            }
            self.execute("DELETE FROM finding WHERE stream=?1 AND last_run<>?2", params![id, self.run])?;
            self.execute("UPDATE stream SET complete=1, key=?2 WHERE id=?1", params![id, reads.text])?;
        }
        Ok(())
    }

    fn find(&self, sql: &str, values: impl rusqlite::Params) -> Result<Option<i64>, Error> {
        let found = self
            .db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, |row| row.get(0)).optional());
        found.map_err(|error| self.failed(error))
    }

    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        let done = self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map_err(|error| self.failed(error))
    }
}

/// Takes the findings of a batch on their way to another sink.
pub struct Recorder<'r, 'k> {
    store: &'r mut Store,
    reads: &'r Key,
    streams: HashMap<Arc<Path>, i64>,
    next: Option<&'r mut (dyn Sink + 'k)>,
    /// Whether only findings that the store did not have go on.
    new_only: bool,
    origin: Option<Arc<Origin>>,
    stream: i64,
    source: u32,
    /// The findings in members of the open archive, to tell those of the same name apart.
    met: HashMap<(String, u64, Arc<str>), i64>,
    /// What the new findings say, where only they count.
    pub summary: Summary,
    /// How many findings there were, and how many of them are new.
    pub counts: (u64, u64),
}

impl<'r, 'k> Recorder<'r, 'k> {
    /// Records what is found in `streams`.
    pub fn new(
        store: &'r mut Store,
        reads: &'r Key,
        streams: HashMap<Arc<Path>, i64>,
        next: Option<&'r mut (dyn Sink + 'k)>,
        new_only: bool,
    ) -> Recorder<'r, 'k> {
        Recorder {
            store,
            reads,
            streams,
            next,
            new_only,
            origin: None,
            stream: 0,
            source: 0,
            met: HashMap::new(),
            summary: Summary::default(),
            counts: (0, 0),
        }
    }

    /// Ends the batch with what became of its inputs.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn finish(self, outcome: &Outcome) -> Result<(Summary, (u64, u64)), Error> {
        self.store.read_whole(&self.streams, outcome, self.reads)?;
        Ok((self.summary, self.counts))
    }

    /// The next source of findings.
    fn turn(&mut self, origin: &Arc<Origin>) -> Result<(), Error> {
        if self.origin.as_ref().is_none_or(|known| known.path != origin.path) {
            self.met.clear();
            self.stream = match self.streams.get(&*origin.path) {
                Some(stream) => *stream,
                None => {
                    let new = self.store.pipe(&origin.path, self.reads)?;
                    self.streams.insert(origin.path.as_path().into(), new);
                    new
                }
            };
        }
        self.source += 1;
        self.origin = Some(origin.clone());
        Ok(())
    }

    /// Keeps the finding; says whether it is new.
    fn keep(&mut self, finding: &Finding) -> Result<bool, Error> {
        let member = finding.origin.member.as_deref().unwrap_or_default();
        let nth = if member.is_empty() {
            0
        } else {
            let known = self.met.entry((member.to_string(), finding.offset, finding.id.clone())).or_default();
            *known += 1;
            *known - 1
        };
        let (offset, id, run) = (finding.offset as i64, &*finding.id, self.store.run);
        let record = FindingRecord::from(finding);
        let json = |value: Result<String, serde_json::Error>| {
            value.map_err(|error| Error::output("the store", std::io::Error::other(error)))
        };
        let args: serde_json::Map<String, serde_json::Value> = finding
            .args
            .iter()
            .map(|(name, value)| Ok((name.to_string(), serde_json::to_value(value)?)))
            .collect::<Result<_, serde_json::Error>>()
            .map_err(|error| Error::output("the store", std::io::Error::other(error)))?;
        let (args, record) = (json(serde_json::to_string(&args))?, json(serde_json::to_string(&record))?);
        let time = finding.time.map(|time| time.to_string());
        let (severity, database) = (finding.severity.to_string(), finding.context.database.as_deref());
        let values =
            params![self.stream, member, offset, id, nth, severity, database, args, time, record, run];
        let sql = "INSERT OR IGNORE INTO finding VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)";
        if self.store.execute(sql, values)? == 1 {
            return Ok(true);
        }
        let sql = "UPDATE finding SET severity=?6, database=?7, args=?8, time=?9, record=?10, last_run=?11 \
                   WHERE stream=?1 AND member=?2 AND offset=?3 AND id=?4 AND nth=?5";
        self.store.execute(sql, values)?;
        Ok(false)
    }
}

impl Sink for Recorder<'_, '_> {
    fn finding(&mut self, finding: &Finding) -> Result<(), Error> {
        if self.origin.as_ref().is_none_or(|known| !Arc::ptr_eq(known, &finding.origin)) {
            self.turn(&finding.origin)?;
        }
        let new = self.keep(finding)?;
        self.counts.0 += 1;
        self.counts.1 += u64::from(new);
        if self.new_only {
            if !new {
                return Ok(());
            }
            self.summary.add(finding, self.source);
            self.summary.sample(finding);
        }
        match &mut self.next {
            Some(next) => give(&mut **next, finding),
            None => Ok(()),
        }
    }
}
