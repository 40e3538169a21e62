//! Retention: removes the records of files that disappeared long ago, and of old runs.
//!
//! Only what disappeared is removed. The records of a file that still exists are kept however old they are,
//! with all its findings, because without them the file's findings would be new the next time it is read. A
//! file is *gone* since the first run with a retention that did not find it; one that comes back in time is
//! not gone any more. With `--retention 90d`, a file that a run missed on 1 March is removed by the first run
//! after 30 May.

use super::connection::Store;
use super::sql::{key_path, path_value};
use crate::error::Error;
use rusqlite::params;
use std::io::ErrorKind;

/// How many records a run has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Runs that ended.
    pub runs: u64,
    /// Streams of files that are gone, and of pipes.
    pub files: u64,
    /// Findings in them.
    pub findings: u64,
}

impl Store {
    /// Notes which files are gone, and removes those that a run before `oldest`, RFC 3339, already missed,
    /// and the runs before it. Must be called before the run ends.
    ///
    /// # Errors
    ///
    /// As [`Store::start_run`].
    pub fn prune_before(&mut self, oldest: &str) -> Result<Pruned, Error> {
        self.mark_gone()?;
        // Runs are numbered in their order.
        let sql = "SELECT coalesce(max(id), 0) FROM run WHERE started < ?1 AND id <> ?2";
        let last = self.db.query_row(sql, params![oldest, self.run], |row| row.get::<_, i64>(0));
        let last = last.map_err(|error| self.failed(error))?;
        let kept = "SELECT stream FROM input WHERE gone IS NULL OR gone > ?1";
        let old = format!("SELECT id FROM stream WHERE last_run <= ?1 AND id NOT IN ({kept})");
        let findings =
            self.execute(&format!("DELETE FROM occurrence WHERE stream IN ({old})"), params![last])?;
        let files = self.execute(&format!("DELETE FROM stream WHERE id IN ({old})"), params![last])?;
        self.execute("DELETE FROM input WHERE stream NOT IN (SELECT id FROM stream)", [])?;
        if findings > 0 {
            self.delete_unused_texts()?;
        }
        self.execute("DELETE FROM problem WHERE run <= ?1", params![last])?;
        let runs = self.execute("DELETE FROM run WHERE id <= ?1 AND ended IS NOT NULL", params![last])?;
        self.execute("DELETE FROM run WHERE id <= ?1", params![last])?;
        Ok(Pruned { runs: runs as u64, files: files as u64, findings: findings as u64 })
    }

    /// Deletes the texts that no finding refers to any more. Whole ones may be referred to by differences.
    fn delete_unused_texts(&mut self) -> Result<(), Error> {
        self.parts = None;
        let used = "SELECT head FROM occurrence UNION SELECT args FROM occurrence UNION SELECT context FROM occurrence \
                    UNION SELECT rest FROM occurrence";
        self.execute(&format!("DELETE FROM part WHERE base IS NOT NULL AND id NOT IN ({used})"), [])?;
        let used = format!("{used} UNION SELECT base FROM part WHERE base IS NOT NULL");
        self.execute(&format!("DELETE FROM part WHERE base IS NULL AND id NOT IN ({used})"), [])?;
        let used = "SELECT member FROM occurrence UNION SELECT entry FROM occurrence UNION SELECT path FROM occurrence";
        self.execute(&format!("DELETE FROM name WHERE id NOT IN ({used})"), [])?;
        Ok(())
    }

    /// Records which known inputs do not exist any more. One that this run was not asked for may still exist,
    /// so the file system is asked; one that may not be looked at counts as existing.
    fn mark_gone(&mut self) -> Result<(), Error> {
        let missed = self.known.inputs.iter().filter(|(_, known)| !known.is_gone && !known.is_met);
        let mut missed: Vec<&[u8]> = missed.map(|(key, _)| &**key).collect();
        missed.sort_unstable();
        for key in missed {
            let Some(path) = key_path(key) else { continue };
            let error = std::fs::symlink_metadata(path).err();
            let is_gone = |kind| matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory);
            if error.is_some_and(|error| is_gone(error.kind())) {
                let sql = "UPDATE input SET gone=?2 WHERE path=?1";
                self.execute(sql, params![path_value(key), self.run])?;
            }
        }
        Ok(())
    }
}
