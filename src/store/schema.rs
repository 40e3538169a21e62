//! The tables of the store.
//!
//! They are an interface: people query them with `sqlite3`, so the tables and views that `docs/history.md` lists
//! keep their names and columns. A change is a new version with an upgrade in `upgrade.rs`, never an edit of a
//! released one. Nothing here executes SQL.
//!
//! # Compact findings
//!
//! A log that repeats a failure yields lines of NDJSON that differ in few bytes, and only the view `finding`
//! shows them whole. The table `occurrence` has the numbers of a finding, and refers to its texts: the line's
//! fields before `args` (`head`), `args`, `context`, and the fields after it (`rest`). A text is stored once in
//! `part`, and one that is like another only as its difference from it: how many characters both have first
//! (`prefix`) and last (`suffix`), and what is between. So `,"text":"… 'ext2' extension(s) …"}` may be 84
//! characters of part 7, `2`, and 42 characters of part 7.
//!
//! # No secondary indexes
//!
//! Lookups use primary keys; what few queries need else is scanned for. An index holds values for a second
//! time, and one that disagrees with its table hides rows: there is none that could.

/// Marks the file as a store of this program: `mgsf`.
pub const APPLICATION: i64 = 0x6d67_7366;
/// The version of the tables.
pub const VERSION: i64 = 2;

/// A table with all its columns.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

/// The tables whose rows have checksums: all except `checksum`.
pub const TABLES: [Table; 8] = [
    Table { name: "method", columns: &["id", "version", "catalog", "options"] },
    Table {
        name: "run",
        columns: &[
            "id",
            "method",
            "started",
            "ended",
            "complete",
            "scanned",
            "partial",
            "skipped",
            "failed",
            "unchanged",
            "known",
            "bytes",
            "findings",
            "new_findings",
        ],
    },
    Table { name: "problem", columns: &["run", "path", "member", "status", "reason", "bytes"] },
    Table {
        name: "stream",
        columns: &[
            "id",
            "kind",
            "length",
            "hash",
            "head",
            "read_on",
            "complete",
            "method",
            "path",
            "first_run",
            "last_run",
        ],
    },
    Table {
        name: "input",
        columns: &["path", "stream", "size", "mtime", "ctime", "inode", "settled", "gone"],
    },
    Table {
        name: "occurrence",
        columns: &[
            "stream",
            "member",
            "offset",
            "entry",
            "nth",
            "second",
            "fraction",
            "line",
            "length",
            "path",
            "head",
            "args",
            "context",
            "rest",
            "first_run",
            "last_run",
        ],
    },
    Table { name: "name", columns: &["id", "text"] },
    Table { name: "part", columns: &["id", "base", "prefix", "suffix", "text"] },
];

/// Creates the tables. Times are RFC 3339 in UTC; hashes are XXH3 of 128 bits, except `head`, which has 64.
pub const SCHEMA: &str = "
PRAGMA application_id = 1835496294;
PRAGMA user_version = 2;
-- Everything that changes which findings the same bytes yield: the program, its catalogue, the options.
CREATE TABLE method (
  id INTEGER PRIMARY KEY, version TEXT NOT NULL, catalog TEXT NOT NULL, options TEXT NOT NULL
) STRICT;
-- One scan. `ended` is null if it was killed. Inputs were `scanned` to their end, `partial`, `skipped` by rule or
-- `failed`; `unchanged` inputs were not opened, and the content of `known` inputs was known.
CREATE TABLE run (
  id INTEGER PRIMARY KEY, method INTEGER NOT NULL REFERENCES method,
  started TEXT NOT NULL, ended TEXT, complete INTEGER,
  scanned INTEGER, partial INTEGER, skipped INTEGER, failed INTEGER,
  unchanged INTEGER, known INTEGER, bytes INTEGER, findings INTEGER, new_findings INTEGER
) STRICT;
-- An input that a run did not read to its end.
CREATE TABLE problem (
  run INTEGER NOT NULL REFERENCES run, path ANY NOT NULL, member TEXT,
  status TEXT NOT NULL CHECK (status IN ('partial', 'failed', 'skipped')), reason TEXT NOT NULL, bytes INTEGER NOT NULL
) STRICT;
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
-- A finding in numbers; read the view `finding` instead. `member` is 0 outside archives, `nth` distinguishes members with the
-- same name. The time is a Unix time and a fraction: its digits as a number, times 16, plus how many there are.
CREATE TABLE occurrence (
  stream INTEGER NOT NULL REFERENCES stream,
  member INTEGER NOT NULL, offset INTEGER NOT NULL, entry INTEGER NOT NULL REFERENCES name, nth INTEGER NOT NULL,
  second INTEGER, fraction INTEGER, line INTEGER NOT NULL, length INTEGER NOT NULL, path INTEGER NOT NULL REFERENCES name,
  head INTEGER NOT NULL REFERENCES part, args INTEGER NOT NULL REFERENCES part,
  context INTEGER NOT NULL REFERENCES part, rest INTEGER NOT NULL REFERENCES part,
  first_run INTEGER NOT NULL REFERENCES run, last_run INTEGER NOT NULL REFERENCES run,
  PRIMARY KEY (stream, member, offset, entry, nth)
) STRICT, WITHOUT ROWID;
-- Members, paths and ids that findings refer to.
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
-- Texts that findings refer to; read the view `whole` instead. One with a `base` has its first `prefix` and its last `suffix`
-- characters in common with it.
CREATE TABLE part (
  id INTEGER PRIMARY KEY, base INTEGER REFERENCES part, prefix INTEGER, suffix INTEGER, text TEXT NOT NULL
) STRICT;
-- For each table the number of its rows and the sum of their hashes. Without rows, the tables are accepted as they are.
CREATE TABLE checksum (name TEXT PRIMARY KEY, count INTEGER NOT NULL, sum BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- The texts that findings refer to.
CREATE VIEW whole AS
  SELECT part.id, CASE WHEN part.base IS NULL THEN part.text
    ELSE substr(base.text, 1, part.prefix) || part.text || substr(base.text, length(base.text) + 1 - part.suffix) END AS text
  FROM part LEFT JOIN part AS base ON base.id = part.base;
-- One occurrence. `member` is empty outside archives; `nth` distinguishes members with the same name; `record` is the
-- finding's line of NDJSON.
CREATE VIEW finding AS
  SELECT stream, coalesce((SELECT text FROM name WHERE name.id = member), '') AS member, offset,
    (SELECT text FROM name WHERE name.id = entry) AS id, nth,
    strftime('%Y-%m-%dT%H:%M:%S.', second, 'unixepoch') || printf('%0*d', fraction & 15, fraction >> 4) || 'Z' AS time,
    '{' || (SELECT text FROM whole WHERE whole.id = head) || '\"args\":' || (SELECT text FROM whole WHERE whole.id = args)
    || ',\"time\":' || coalesce('\"' || strftime('%Y-%m-%dT%H:%M:%S.', second, 'unixepoch')
      || printf('%0*d', fraction & 15, fraction >> 4) || 'Z\"', 'null')
    || ',\"path\":' || json_quote((SELECT text FROM name WHERE name.id = path))
    || ',\"member\":' || coalesce(json_quote((SELECT text FROM name WHERE name.id = member)), 'null')
    || ',\"line\":' || line || ',\"offset\":' || offset || ',\"length\":' || length
    || ',\"context\":' || (SELECT text FROM whole WHERE whole.id = context)
    || (SELECT text FROM whole WHERE whole.id = rest) AS record,
    first_run, last_run
  FROM occurrence;
-- One failure, which a person must fix: how often and in which runs it was found.
CREATE VIEW failure AS
  SELECT id, severity, args, json_extract(context, '$.database') AS database, count(*) AS count,
    min(time) AS first_time, max(time) AS last_time, min(first_run) AS first_run, max(last_run) AS last_run
  FROM (
    SELECT (SELECT text FROM name WHERE name.id = entry) AS id,
      json_extract('{' || (SELECT text FROM whole WHERE whole.id = head) || '\"args\":0}', '$.severity') AS severity,
      (SELECT text FROM whole WHERE whole.id = args) AS args,
      (SELECT text FROM whole WHERE whole.id = context) AS context,
      strftime('%Y-%m-%dT%H:%M:%S.', second, 'unixepoch') || printf('%0*d', fraction & 15, fraction >> 4) || 'Z' AS time,
      first_run, last_run
    FROM occurrence
  ) GROUP BY id, args, database;
";

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn the_schema_sets_the_application_id_and_the_version() {
        let id = format!("application_id = {APPLICATION};");
        assert!(SCHEMA.contains(&id), "{id}");
        assert!(SCHEMA.contains(&format!("user_version = {VERSION};")));
    }

    /// A table or column without a checksum could change unnoticed.
    #[test]
    fn all_tables_and_columns_have_checksums() {
        let db = Connection::open_in_memory().expect("a database");
        db.execute_batch(SCHEMA).expect("valid SQL");
        let strings = |sql: &str| -> Vec<String> {
            let mut statement = db.prepare(sql).expect("valid SQL");
            let rows = statement.query_map([], |row| row.get(0)).expect("rows");
            rows.map(|row| row.expect("a text")).collect()
        };
        let mut tables =
            strings("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'checksum'");
        for table in TABLES {
            let columns = strings(&format!("SELECT name FROM pragma_table_info('{}')", table.name));
            assert_eq!(columns, table.columns, "{}", table.name);
            tables.retain(|name| name != table.name);
        }
        assert!(tables.is_empty(), "{tables:?}");
        assert_eq!(
            strings("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").len(),
            0
        );
    }
}
