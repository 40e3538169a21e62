//! The history: one SQLite file that knows what was read before and what was found in it.
//!
//! Inputs come in with what the file system says of them, findings as the scan goes; what need not be read again and
//! which findings are new goes out. Identity is content: a `stream` is told by a hash of all its decoded bytes, an
//! archive by its own bytes. A file that begins with all of a stream that is no longer there as it was continues it, a
//! file with exactly its bytes is a copy of it and counts once; a common head alone proves nothing. What continues a
//! stream replaces its findings from where it is read, so reading in pieces equals reading at once. Each batch of inputs is
//! one transaction: a crash at any instant undoes the batch, which the next run repeats. The library reads no clock.

mod history;
mod identity;
mod known;
mod made;
mod record;
mod recorder;
mod retention;
mod schema;

pub use history::{History, RunRow, Select};
pub use identity::Look;
pub use record::{Decision, Looker, Method, Standing, settled};
pub use recorder::{Done, Recorder, ToRead};
pub use retention::Forgotten;

use crate::error::Error;
use crate::scan::InputCounts;
use known::Known;
use made::Made;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a run that waits looks for a free store at a time.
const PATIENCE: Duration = Duration::from_secs(3600);
/// How long a reader waits for a batch of another run to end, and a run for another that only looks.
const READER_PATIENCE: Duration = Duration::from_millis(200);

/// How much of the file is held in memory, in KiB: what a batch writes goes to the disk when it ends.
const CACHE_KIB: u32 = 64 << 10;

/// An open store.
#[derive(Debug)]
pub struct Store {
    db: Connection,
    path: PathBuf,
    /// The current folder, below which relative paths are.
    folder: PathBuf,
    run: i64,
    /// The number of what this run reads with, among all that there have been.
    method: i64,
    methods: Vec<(i64, Method)>,
    known: Known,
    /// What is on its way into the file.
    made: RefCell<Vec<Made>>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Inputs by outcome.
    pub inputs: InputCounts,
    /// Inputs that were not opened, as the file system says that they are unchanged.
    pub unchanged: u64,
    /// Inputs that were opened, but whose content was known.
    pub known: u64,
    /// Bytes read, decoded.
    pub bytes: u64,
    /// Findings in what was read.
    pub findings: u64,
    /// Those that the store did not have.
    pub new: u64,
}

impl Store {
    /// Opens the store for a run, and makes it where there is none. Nobody else can use it until it is dropped; `wait`
    /// says whether to wait for that. It is not looked into before [`Store::load`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`], [`Error::Unusable`] for a file that is no store, is damaged or is of a later version, and
    /// [`Error::Output`].
    pub fn open(path: &Path, wait: bool) -> Result<Store, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let store = Store::connect(path, flags)?;
        let patience = if wait { PATIENCE } else { READER_PATIENCE };
        // A finding stands before its stream is known by all of its bytes.
        let pragmas =
            format!("PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-{CACHE_KIB};");
        store.pragmas(&pragmas, patience)?;
        // The lock stays until the connection is closed, also when the process dies. It is asked for while locks are still
        // given back: two that each kept the right to read would wait for each other.
        store.sql("BEGIN EXCLUSIVE")?;
        store.version(true)?;
        store.sql("PRAGMA locking_mode=EXCLUSIVE; COMMIT; PRAGMA journal_mode=DELETE;")?;
        Ok(store)
    }

    /// Holds the store to be whole, and reads what it knows.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] for a store that is damaged.
    pub fn load(mut self) -> Result<Store, Error> {
        self.check()?;
        self.known = Known::load(&self.db).map_err(|error| self.failed(error))?;
        Ok(self)
    }

    /// Opens a store that exists, only to read it.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn read(path: &Path) -> Result<Store, Error> {
        let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.pragmas("PRAGMA query_only=ON;", READER_PATIENCE)?;
        store.sql("BEGIN")?;
        store.version(false)?;
        store.check()?;
        Ok(store)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Store, Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(|error| failed(path, error))?;
        let folder = std::env::current_dir().unwrap_or_default();
        let (path, methods, known, made) =
            (path.to_path_buf(), Vec::new(), Known::default(), RefCell::default());
        Ok(Store { db, path, folder, run: 0, method: 0, methods, known, made })
    }

    /// Whether `path` is the store, or its journal.
    pub fn holds(&self, path: &Path) -> bool {
        let Some(own) = self.path.file_name().map(|own| own.as_encoded_bytes()) else { return false };
        // Of nearly all paths the last bytes say that they are others.
        let bytes = path.as_os_str().as_encoded_bytes();
        if !bytes.strip_suffix(b"-journal").unwrap_or(bytes).ends_with(own) && !bytes.ends_with(own) {
            return false;
        }
        let Some(other) = path.file_name().map(|other| other.as_encoded_bytes()) else { return false };
        let same = |own: &Path| matches!((own.canonicalize(), path.canonicalize()), (Ok(own), Ok(path)) if own == path);
        match other.strip_prefix(own) {
            Some(b"") => same(&self.path),
            Some(b"-journal") => {
                let name = path.file_name().unwrap_or_default();
                same(&self.path.with_file_name(name))
            }
            _ => false,
        }
    }

    fn pragmas(&self, text: &str, patience: Duration) -> Result<(), Error> {
        self.db.busy_timeout(patience).map_err(|error| self.failed(error))?;
        self.sql(text)
    }

    fn sql(&self, text: &str) -> Result<(), Error> {
        self.db.execute_batch(text).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        failed(&self.path, error)
    }

    /// Holds the file to be a store of a version that is known; makes an empty one.
    fn version(&self, make: bool) -> Result<(), Error> {
        let number = |name: &str| {
            let sql = format!("PRAGMA {name}");
            self.db.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(|error| self.failed(error))
        };
        let (application, version) = (number("application_id")?, number("user_version")?);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 =
            self.db.query_row(tables, [], |row| row.get(0)).map_err(|error| self.failed(error))?;
        if make && (application, version, tables) == (0, 0, 0) {
            return self.sql(schema::SCHEMA);
        }
        if application != schema::APPLICATION {
            let text = "no store of migsift; name another file, or one that does not exist yet";
            return Err(unusable(&self.path, text));
        }
        let (known, earlier) = (schema::VERSION, (1..schema::VERSION).contains(&version));
        if version == known {
            return Ok(());
        }
        if earlier && make {
            return self.migrate(version, &schema::STEPS);
        }
        let way = if earlier {
            "the next `scan --store` brings it forward to"
        } else {
            "made by another migsift; this one knows"
        };
        Err(unusable(&self.path, &format!("a store of version {version}; {way} {known}")))
    }

    /// Makes the tables those of the last version; to be asked within a transaction.
    fn migrate(&self, from: i64, steps: &[&str]) -> Result<(), Error> {
        steps.iter().skip(from as usize - 1).try_for_each(|step| self.sql(step))?;
        self.sql(&format!("PRAGMA user_version = {}", steps.len() + 1))
    }

    /// Holds the file to be whole.
    fn check(&self) -> Result<(), Error> {
        let sound = self.db.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        let sound = sound.map_err(|error| self.failed(error))?;
        if sound != "ok" { Err(damaged(&self.path, &sound)) } else { Ok(()) }
    }
}

/// What an error of SQLite means for the run.
fn failed(path: &Path, error: rusqlite::Error) -> Error {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::Busy { file: path.display().to_string() }
        }
        Some(ErrorCode::NotADatabase) => {
            unusable(path, "no store of migsift, or a damaged one; move it away, or name another file")
        }
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &reason),
        Some(ErrorCode::CannotOpen) => unusable(path, &format!("cannot be opened: {reason}")),
        Some(_) => Error::output(path.display().to_string(), std::io::Error::other(reason)),
        // A row that is not what this program writes.
        None => damaged(path, &reason),
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    let way = "restore a copy, or save what can be read with `sqlite3 FILE .recover`, or move it away and scan anew";
    unusable(path, &format!("the store is damaged ({reason}); {way}"))
}

fn unusable(path: &Path, text: &str) -> Error {
    Error::unusable(&path.display().to_string(), None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each step from the version on is taken, once and in order, or none.
    #[test]
    fn stores_of_an_earlier_version_are_brought_forward() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let store = Store::open(&path, false).expect("a store");
        let steps = [
            "ALTER TABLE run ADD COLUMN a INTEGER",
            "ALTER TABLE run ADD COLUMN b INTEGER",
            "ALTER TABLE run RENAME b TO c",
        ];
        let version =
            || store.db.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).expect("a version");
        store.sql("BEGIN").expect("begun");
        let twice = ["ALTER TABLE run ADD COLUMN a INTEGER", "ALTER TABLE run ADD COLUMN a INTEGER"];
        assert!(store.migrate(1, &twice).is_err());
        store.sql("ROLLBACK").expect("undone");
        assert_eq!(version(), 1);
        store.migrate(1, &steps[..1]).expect("migrated");
        assert_eq!(version(), 2);
        store.migrate(2, &steps).expect("migrated");
        assert_eq!(version(), 4);
        store.sql("SELECT a, c FROM run").expect("both columns");
        drop(store);
        let later = Store::open(&path, false).expect_err("made by a later program");
        assert!(later.to_string().contains("a store of version 4"), "{later}");
    }
}
