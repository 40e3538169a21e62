//! Retention: what has vanished long ago is forgotten.
//!
//! What still exists is kept however old it is, with all that was found in it: else it would count as new when it is read
//! again. A file is gone since the first run with a retention that did not find it.

use super::Store;
use crate::error::Error;
use rusqlite::params;
use std::io::ErrorKind;
use std::path::PathBuf;

/// How much of the file must be free that it is written anew without: one part in so many.
const FREE_PART: i64 = 4;
/// The least that is worth it, in bytes.
const MIN_FREE: i64 = 1 << 20;

/// What a run has forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Runs that ended.
    pub runs: u64,
    /// Contents of files that are gone, and of pipes.
    pub files: u64,
    /// Findings in them.
    pub findings: u64,
}

impl Store {
    /// Notes which files are gone, and forgets what is since a run that began before `oldest`, RFC 3339, and runs before. To be
    /// asked before the run ends.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn forget_before(&mut self, oldest: &str) -> Result<Forgotten, Error> {
        let unmet = self.known.inputs.iter().filter(|(_, seen)| !seen.gone && !seen.met);
        let mut unmet: Vec<&[u8]> = unmet.map(|(place, _)| &**place).collect();
        unmet.sort_unstable();
        for place in unmet {
            let Some(path) = path(place) else { continue };
            let error = std::fs::symlink_metadata(path).err();
            if error
                .is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
            {
                let sql = "UPDATE input SET gone=?2 WHERE path=?1";
                self.execute(sql, params![super::record::value(place), self.run])?;
            }
        }
        // Runs are numbered in their order.
        let sql = "SELECT coalesce(max(id), 0) FROM run WHERE started < ?1 AND id <> ?2";
        let last = self.db.query_row(sql, params![oldest, self.run], |row| row.get::<_, i64>(0));
        let last = last.map_err(|error| self.failed(error))?;
        let there = "SELECT stream FROM input WHERE gone IS NULL OR gone > ?1";
        let old = format!("SELECT id FROM stream WHERE last_run <= ?1 AND id NOT IN ({there})");
        let findings =
            self.execute(&format!("DELETE FROM finding WHERE stream IN ({old})"), params![last])?;
        let files = self.execute(&format!("DELETE FROM stream WHERE id IN ({old})"), params![last])?;
        self.execute("DELETE FROM input WHERE stream NOT IN (SELECT id FROM stream)", [])?;
        self.execute("DELETE FROM problem WHERE run <= ?1", params![last])?;
        let runs = self.execute("DELETE FROM run WHERE id <= ?1 AND ended IS NOT NULL", params![last])?;
        self.execute("DELETE FROM run WHERE id <= ?1", params![last])?;
        Ok(Forgotten { runs: runs as u64, files: files as u64, findings: findings as u64 })
    }

    /// Gives back what is free of the file, if that is worth writing it anew. To be asked between two batches.
    ///
    /// # Errors
    ///
    /// As [`Store::begin_run`].
    pub fn shrink(&mut self) -> Result<(), Error> {
        let number = |name: &str| {
            let found = self.db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
            found.map_err(|error| self.failed(error))
        };
        let (free, all, size) = (number("freelist_count")?, number("page_count")?, number("page_size")?);
        let worth = free * FREE_PART >= all && free * size >= MIN_FREE;
        if worth {
            // Where there is no room for it, the store stays as it is.
            let _ = self.sql("VACUUM");
        }
        Ok(())
    }
}

/// The path that the store has.
fn path(place: &[u8]) -> Option<PathBuf> {
    #[cfg(unix)]
    return Some(std::os::unix::ffi::OsStrExt::from_bytes(place)).map(|name: &std::ffi::OsStr| name.into());
    #[cfg(not(unix))]
    std::str::from_utf8(place).ok().map(PathBuf::from)
}
