//! Runs: the start and the end of a scan in the store, and the transactions between.
//!
//! The caller's clock, method and totals come in; rows of `method`, `run` and `problem` go out. A run whose
//! process died has no end, and reports ignore it; what its finished batches found stays.

use super::connection::Store;
use super::method::Method;
use super::sql::path_value;
use crate::error::Error;
use crate::scan::{InputCounts, Problem};
use rusqlite::params;

/// The totals of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunTotals {
    /// Inputs that were read, or should have been.
    pub inputs: InputCounts,
    /// Inputs that were not opened, because their metadata had not changed.
    pub unchanged: u64,
    /// Inputs whose content was known.
    pub known: u64,
    /// Decoded bytes that were read.
    pub bytes: u64,
    /// Findings in them.
    pub findings: u64,
    /// Findings that the store did not have.
    pub new: u64,
}

impl Store {
    /// Starts a run at `now`, RFC 3339, and its first batch; returns its number.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] and [`Error::Unusable`], as everything that writes.
    pub fn start_run(&mut self, now: &str, method: &Method) -> Result<i64, Error> {
        self.verify()?;
        self.start_batch()?;
        self.methods = self.load_methods()?;
        let own = self.methods.iter().find(|(_, known)| known == method).map(|(id, _)| *id);
        self.method = match own {
            Some(own) => own,
            None => self.insert_method(method)?,
        };
        self.execute("INSERT INTO run (started, method) VALUES (?1, ?2)", params![now, self.method])?;
        self.run = self.db.last_insert_rowid();
        Ok(self.run)
    }

    fn load_methods(&self) -> Result<Vec<(i64, Method)>, Error> {
        let failed = |error| self.failed(error);
        let mut statement =
            self.db.prepare("SELECT id, version, catalog, options FROM method").map_err(failed)?;
        let rows = statement.query_map([], |row| {
            Ok((row.get(0)?, Method { version: row.get(1)?, catalog: row.get(2)?, options: row.get(3)? }))
        });
        rows.and_then(Iterator::collect).map_err(failed)
    }

    fn insert_method(&mut self, method: &Method) -> Result<i64, Error> {
        let values = params![method.version, method.catalog, method.options];
        self.execute("INSERT INTO method (version, catalog, options) VALUES (?1, ?2, ?3)", values)?;
        let id = self.db.last_insert_rowid();
        self.methods.push((id, method.clone()));
        Ok(id)
    }

    /// Ends the run at `now`, RFC 3339, and its last batch; gives the space of removed rows back.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn finish_run(&mut self, now: &str, totals: &RunTotals, problems: &[Problem]) -> Result<(), Error> {
        for problem in problems {
            let sql = "INSERT INTO problem VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            let (origin, bytes) = (&problem.origin, problem.bytes as i64);
            let (key, status) = (self.key(&origin.path), problem.status.name());
            let path = path_value(&key);
            self.execute(sql, params![self.run, path, origin.member, status, problem.reason, bytes])?;
        }
        let sql = "UPDATE run SET ended=?2, complete=?3, scanned=?4, partial=?5, skipped=?6, failed=?7, unchanged=?8, \
                   known=?9, bytes=?10, findings=?11, new_findings=?12 WHERE id=?1";
        let InputCounts { scanned, partial, skipped, failed } = totals.inputs;
        let complete = totals.inputs.complete();
        let column = |count: u64| count as i64;
        let values = params![
            self.run,
            now,
            complete,
            column(scanned),
            column(partial),
            column(skipped),
            column(failed),
            column(totals.unchanged),
            column(totals.known),
            column(totals.bytes),
            column(totals.findings),
            column(totals.new),
        ];
        self.execute(sql, values)?;
        self.give_back()?;
        self.commit_batch()
    }

    /// Shortens the file by its free pages. Only as many pages move as are free, within the last transaction.
    pub(super) fn give_back(&self) -> Result<(), Error> {
        self.flush_pending()?;
        let mut statement =
            self.db.prepare("PRAGMA incremental_vacuum").map_err(|error| self.failed(error))?;
        // Each step frees a page.
        let mut rows = statement.query([]).map_err(|error| self.failed(error))?;
        while rows.next().map_err(|error| self.failed(error))?.is_some() {}
        Ok(())
    }

    /// Starts a batch: a crash keeps all or nothing of it.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn start_batch(&mut self) -> Result<(), Error> {
        self.execute_batch("BEGIN IMMEDIATE")
    }

    /// Ends a batch: it is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn commit_batch(&mut self) -> Result<(), Error> {
        self.flush_pending()?;
        if let Some(tracked) = &self.tracked {
            tracked.sums().save(&self.db).map_err(|error| self.failed(error))?;
        }
        self.execute_batch("COMMIT")
    }
}
