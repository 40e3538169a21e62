//! The tables of the store.
//!
//! They are an interface: people query them with `sqlite3` or DuckDB, so tables and columns keep their names.
//! A change is a new step in [`STEPS`], never an edit of a released one. Nothing here executes SQL.

/// Marks the file as a store of this program: `mgsf`.
pub const APPLICATION: i64 = 0x6d67_7366;
/// Upgrades of the tables: the step at index 0 leads from version 1 to version 2, and so on. [`SCHEMA`]
/// creates the tables of the last version.
pub const STEPS: [&str; 0] = [];
/// The version of the tables.
pub const VERSION: i64 = 1 + STEPS.len() as i64;

/// Creates the tables. Times are RFC 3339 in UTC; hashes are XXH3 of 128 bits, except `head`, which has 64.
pub const SCHEMA: &str = "
PRAGMA application_id = 1835496294;
PRAGMA user_version = 1;
-- Everything that changes which findings the same bytes yield: the program, its catalogue, the options.
CREATE TABLE method (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, catalog TEXT NOT NULL, options TEXT NOT NULL,
  UNIQUE (version, catalog, options)
) STRICT;
-- One scan. `ended` is null if it was killed. Inputs were `scanned` to their end, `partial`, `skipped` by rule or
-- `failed`; `unchanged` inputs were not opened, and the content of `known` inputs was known.
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, method INTEGER NOT NULL REFERENCES method,
  started TEXT NOT NULL, ended TEXT, complete INTEGER,
  scanned INTEGER, partial INTEGER, skipped INTEGER, failed INTEGER,
  unchanged INTEGER, known INTEGER, bytes INTEGER, findings INTEGER, new_findings INTEGER
) STRICT;
-- An input that a run did not read to its end.
CREATE TABLE problem (
  run INTEGER NOT NULL REFERENCES run, path ANY NOT NULL, member TEXT,
  status TEXT NOT NULL CHECK (status IN ('partial', 'failed', 'skipped')), reason TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT;
CREATE INDEX problem_run ON problem (run);
-- One content: a log through all its rotations, an archive, or the input of a pipe. `path` is where it was seen last.
-- `length` and `hash` are those of a log's decoded bytes and of an archive's own bytes; `head` is a hash of the first 1,024
-- of them. `read_on` is where reading a large plain log resumes when it has grown: an offset, the line breaks before it,
-- the hash up to it, and the hash of the bytes before the end.
CREATE TABLE stream (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('log', 'archive', 'pipe')),
  length INTEGER NOT NULL, hash BLOB NOT NULL, head INTEGER NOT NULL, read_on BLOB,
  complete INTEGER NOT NULL, method INTEGER NOT NULL REFERENCES method, path ANY NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run
) STRICT;
-- One path as it was last seen. `settled` is 1 if its times were old enough to prove that it has not changed since;
-- `gone` is the first run that did not find it any more.
CREATE TABLE input (
  path ANY PRIMARY KEY, stream INTEGER NOT NULL REFERENCES stream,
  size INTEGER NOT NULL, mtime INTEGER NOT NULL, ctime INTEGER NOT NULL, inode INTEGER NOT NULL,
  settled INTEGER NOT NULL, gone INTEGER REFERENCES run
) STRICT, WITHOUT ROWID;
-- One occurrence. `member` is empty outside archives; `nth` distinguishes members with the same name; `record` is the
-- finding's line of NDJSON.
CREATE TABLE finding (
  stream INTEGER NOT NULL REFERENCES stream,
  member TEXT NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, nth INTEGER NOT NULL,
  time TEXT, record TEXT NOT NULL,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (stream, member, offset, id, nth)
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_run ON finding (first_run);
-- One failure, which a person must fix: how often and in which runs it was found.
CREATE VIEW failure AS
  SELECT id, json_extract(record, '$.severity') AS severity, json_extract(record, '$.args') AS args,
         json_extract(record, '$.context.database') AS database, count(*) AS count,
         min(time) AS first_time, max(time) AS last_time, min(first_run) AS first_run, max(last_run) AS last_run
  FROM finding GROUP BY id, args, database;
";

#[cfg(test)]
mod tests {
    #[test]
    fn the_schema_sets_the_application_id_and_the_version() {
        let id = format!("application_id = {};", super::APPLICATION);
        assert!(super::SCHEMA.contains(&id), "{id}");
        assert!(super::SCHEMA.contains(&format!("user_version = {};", super::VERSION)));
    }
}
