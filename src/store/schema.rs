//! The store's tables, as people query them with `sqlite3` or DuckDB.

/// Marks the file as a store of this program: `mgsf`.
pub const APPLICATION: i64 = 0x6d67_7366;
/// The version of the tables.
pub const VERSION: i64 = 1;

/// Makes the tables. Times are RFC 3339 in UTC; hashes are XXH3 of 128 bits.
pub const SCHEMA: &str = "
PRAGMA application_id = 1835496294;
PRAGMA user_version = 1;
-- One scan. `ended` is null for one that was cut off.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  started TEXT NOT NULL, ended TEXT,
  catalog TEXT NOT NULL, key TEXT NOT NULL, complete INTEGER,
  scanned INTEGER, partial INTEGER, skipped INTEGER, failed INTEGER,
  unchanged INTEGER, known INTEGER, bytes INTEGER, findings INTEGER, new_findings INTEGER
) STRICT;
-- An input of a run that was not read whole.
CREATE TABLE problem (
  run INTEGER NOT NULL REFERENCES run, path ANY NOT NULL, member TEXT,
  status TEXT NOT NULL CHECK (status IN ('partial', 'failed', 'skipped')), reason TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX problem_run ON problem (run);
-- One content: a log through all its rotations, an archive, or what came through a pipe.
-- `length` and `hash` are of the decoded bytes of a log and of the own bytes of an archive; `head` is the hash of the
-- first `length` bytes, at most 1024.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('log', 'archive', 'pipe')),
  length INTEGER NOT NULL, hash BLOB NOT NULL, head BLOB NOT NULL,
  complete INTEGER NOT NULL, key TEXT NOT NULL, path ANY NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run
) STRICT;
CREATE INDEX stream_head ON stream (head);
CREATE INDEX stream_length ON stream (length, hash);
-- One path as it was last seen. `settled` says whether its times were old enough to be trusted.
CREATE TABLE input (
  path ANY PRIMARY KEY, stream INTEGER REFERENCES stream,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,
  settled INTEGER NOT NULL, last_run INTEGER NOT NULL REFERENCES run
) STRICT, WITHOUT ROWID;
-- One occurrence. `member` is empty outside archives; `nth` tells members of the same name apart; `record` is the line of
-- NDJSON as it was when it was found.
CREATE TABLE finding (
  stream INTEGER NOT NULL REFERENCES stream,
  member TEXT NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, nth INTEGER NOT NULL,
  severity TEXT NOT NULL, database TEXT, args TEXT NOT NULL, time TEXT, record TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (stream, member, offset, id, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_run ON finding (first_run);
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_mark_is_the_one_that_the_tables_have() {
        let mark = format!("application_id = {};", super::APPLICATION);
        assert!(super::SCHEMA.contains(&mark), "{mark}");
    }
}
