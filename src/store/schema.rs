//! The store's tables, as people query them with `sqlite3` or DuckDB.

/// Marks the file as a store of this program: `mgsf`.
pub const APPLICATION: i64 = 0x6d67_7366;
/// What makes the tables of a version from those of the one before, from version 1 on: never changed once it is released.
/// [`SCHEMA`] makes those of the last.
pub const STEPS: [&str; 0] = [];
/// The version of the tables.
pub const VERSION: i64 = 1 + STEPS.len() as i64;

/// Makes the tables. Times are RFC 3339 in UTC; hashes are XXH3, of 128 bits but for `head`.
pub const SCHEMA: &str = "
PRAGMA application_id = 1835496294;
PRAGMA user_version = 1;
-- What changes which findings the same bytes give: the program, its catalogue, the options.
CREATE TABLE method (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, catalog TEXT NOT NULL, options TEXT NOT NULL,
  UNIQUE (version, catalog, options)
) STRICT;
-- One scan. `ended` is null for one that was cut off. Inputs were `scanned` whole, `partial`, `skipped` by rule, `failed`;
-- of all there are, `unchanged` were not opened, and what `known` hold was known by its content.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method INTEGER NOT NULL REFERENCES method,
  started TEXT NOT NULL, ended TEXT, complete INTEGER,
  scanned INTEGER, partial INTEGER, skipped INTEGER, failed INTEGER,
  unchanged INTEGER, known INTEGER, bytes INTEGER, findings INTEGER, new_findings INTEGER
) STRICT;
-- An input of a run that was not read whole.
CREATE TABLE problem (
  run INTEGER NOT NULL REFERENCES run, path ANY NOT NULL, member TEXT,
  status TEXT NOT NULL CHECK (status IN ('partial', 'failed', 'skipped')), reason TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX problem_run ON problem (run);
-- One content: a log through all its rotations, an archive, or what came through a pipe. `path` is where it was met last.
-- `length` and `hash` are of the decoded bytes of a log and of the own bytes of an archive; `head` is a hash of the first
-- 1,024 of them. `read_on` says where a large plain log is read on when it has grown: an offset, the line breaks before it,
-- the hash up to it, and the hash of what stands before the end.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('log', 'archive', 'pipe')),
  length INTEGER NOT NULL, hash BLOB NOT NULL, head INTEGER NOT NULL, read_on BLOB,
  complete INTEGER NOT NULL, method INTEGER NOT NULL REFERENCES method, path ANY NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run
) STRICT;
-- One path as it was last seen. `settled` says whether its times were old enough to be trusted; `gone` is the run that
-- did not find it any more.
CREATE TABLE input (
  path ANY PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,
  settled INTEGER NOT NULL, gone INTEGER REFERENCES run
) STRICT, WITHOUT ROWID;
-- One occurrence. `member` is empty outside archives; `nth` tells members of the same name apart; `record` is the line of
-- NDJSON as it was when it was found.
CREATE TABLE finding (
  stream INTEGER NOT NULL REFERENCES stream,
  member TEXT NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, nth INTEGER NOT NULL,
  time TEXT, record TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (stream, member, offset, id, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_run ON finding (first_run);
-- What a person has to fix, with how often and in which runs it was found.
CREATE VIEW failure AS
  SELECT id, json_extract(record, '$.severity') AS severity, json_extract(record, '$.args') AS args,
         json_extract(record, '$.context.database') AS database, count(*) AS count,
         min(time) AS first_time, max(time) AS last_time, min(first_run) AS first_run, max(last_run) AS last_run
  FROM finding GROUP BY id, args, database;
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_mark_is_the_one_that_the_tables_have() {
        let mark = format!("application_id = {};", super::APPLICATION);
        assert!(super::SCHEMA.contains(&mark), "{mark}");
        assert!(super::SCHEMA.contains(&format!("user_version = {};", super::VERSION)));
    }
}
