//! The connection: opens the SQLite file, locks it, checks it, and translates SQLite's errors.
//!
//! A path comes in, a [`Store`] or an [`Error`] goes out. Everything that the store knows is loaded here
//! once; what runs read and write is in `run.rs`, `inputs.rs`, `recorder.rs`, `retention.rs` and
//! `history.rs`.
//!
//! # Locks and crashes
//!
//! A run has the store for itself from before its walk to its end. Two runs at once would each find the
//! other's files new. SQLite's `locking_mode=EXCLUSIVE` keeps a lock until the connection is closed, and the
//! operating system releases it when the process dies, so there is never a stale lock to remove by hand.
//!
//! The order of the statements in [`Store::open`] matters. In exclusive mode a connection also keeps the
//! *shared* lock of its first read. If two new runs each kept one, neither could get the exclusive lock that
//! it needs to write, and both would wait until their timeout. So the exclusive lock is acquired first, in
//! normal mode, by `BEGIN EXCLUSIVE`; only then is the mode changed, and the `COMMIT` keeps the lock.
//!
//! A batch is one transaction with a rollback journal and `synchronous=FULL`. The journal is on the disk
//! before the first page of the store is overwritten. Whoever opens the store after a crash finds the journal
//! and restores the pages, so the store holds whole batches at any time. The journal is deleted with each
//! commit: between runs the history is a single file, which can be copied.

use super::checksum::{self, Tracked};
use super::known::Known;
use super::method::Method;
use super::parts::Parts;
use super::pending::{PendingStreams, RunColumns};
use super::{schema, sql, upgrade};
use crate::error::Error;
use rusqlite::{ErrorCode, OpenFlags};
use std::borrow::Cow;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long [`WhenBusy::Wait`] waits for the lock.
const WAIT_TIMEOUT: Duration = Duration::from_secs(3600);
/// How long others wait: a run for a reader to finish, a reader for a lock that is held only briefly.
const BUSY_TIMEOUT: Duration = Duration::from_millis(200);
/// How much of the file SQLite caches, in KiB. A batch that fits is written when it ends, not before.
const CACHE_KIB: u32 = 64 << 10;

/// Keeps the file in a form that free pages can be cut from, at the end of a run.
const GIVE_BACK: &str = "PRAGMA auto_vacuum=INCREMENTAL";

/// What to do while another run uses the store.
#[derive(Debug, Clone, Copy)]
pub enum WhenBusy<'s> {
    /// Return [`Error::Busy`].
    Fail,
    /// Wait until it is free, or the flag is set; then return [`Error::Busy`], too.
    Wait(&'s AtomicBool),
}

/// The purpose of opening a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Write,
    Read,
}

/// The state of the tables of a store that was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opened {
    /// They were of the present version, or are new.
    Present,
    Upgraded,
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    pub(super) db: rusqlite::Connection,
    pub(super) path: PathBuf,
    /// The current folder, which relative paths are resolved against.
    pub(super) folder: PathBuf,
    /// The number of this run, and of its method.
    pub(super) run: i64,
    pub(super) method: i64,
    /// All methods that runs have used, by number.
    pub(super) methods: Vec<(i64, Method)>,
    pub(super) known: Known,
    pub(super) pending: RefCell<PendingStreams>,
    /// The texts of findings, once there is one to store.
    pub(super) parts: Option<Parts>,
    /// The checksums of the tables; none before the store is loaded.
    pub(super) tracked: Option<Tracked>,
    opened: Opened,
}

impl Store {
    /// Opens the store for a run, or creates it. The store is locked until it is dropped. Its content is not
    /// read before [`Store::load`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`], [`Error::Unusable`] for a file that is not a store, is damaged or is of a later
    /// version, and [`Error::Output`].
    pub fn open(path: &Path, when_busy: WhenBusy<'_>) -> Result<Store, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut store = Store::connect(path, flags)?;
        // Foreign keys are not enforced: findings are written before the stream's row, which needs the hash
        // of its last byte.
        let pragmas =
            format!("PRAGMA synchronous=FULL; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-{CACHE_KIB};");
        // The pragmas read the schema, which needs a lock, too.
        Store::when_free(when_busy, || {
            store.pragmas(&pragmas, BUSY_TIMEOUT)?;
            // It can be chosen only now, and to choose it again would write to the file.
            if path.metadata().is_ok_and(|file| file.len() == 0) {
                store.execute_batch(GIVE_BACK)?;
            }
            store.execute_batch("BEGIN EXCLUSIVE")
        })?;
        store.opened = store.check_version(Purpose::Write)?;
        store.execute_batch("PRAGMA locking_mode=EXCLUSIVE; COMMIT; PRAGMA journal_mode=DELETE;")?;
        if store.was_upgraded() {
            // It needs as much space again for a while. If that is missing, the store keeps its free pages.
            let _ = store.execute_batch(GIVE_BACK).and_then(|()| store.execute_batch("VACUUM"));
        }
        Ok(store)
    }

    /// Checks that the file is whole, and reads what it knows.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] for a store that is damaged.
    pub fn load(mut self) -> Result<Store, Error> {
        self.verify()?;
        self.check_free_pages()?;
        self.known = Known::load(&self.db).map_err(|error| self.failed(error))?;
        Ok(self)
    }

    /// Opens an existing store only to read it. It reads one snapshot, and a run cannot write until it is
    /// dropped.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn read(path: &Path) -> Result<Store, Error> {
        // Also a reader needs write access, to undo the journal of a run that was killed.
        let store = Store::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        store.pragmas("PRAGMA query_only=ON;", BUSY_TIMEOUT)?;
        store.execute_batch("BEGIN")?;
        store.check_version(Purpose::Read)?;
        store.check()?;
        Ok(store)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Store, Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // SQLite has its own meaning of `:memory:`, of an empty name, and of what starts with `file:`. An absolute
        // path is always the name of a file.
        let file = std::path::absolute(path).map_err(|_| unusable(path, "no name of a file"))?;
        if file.metadata().is_ok_and(|file| !file.is_file()) {
            return Err(unusable(
                path,
                "a folder, device or pipe; name a file, or one that does not exist yet",
            ));
        }
        if flags.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            create_private(&file);
        }
        let db = rusqlite::Connection::open_with_flags(&file, flags).map_err(|error| failed(path, error))?;
        Ok(Store {
            db,
            path: path.to_path_buf(),
            folder: std::env::current_dir().unwrap_or_default(),
            run: 0,
            method: 0,
            methods: Vec::new(),
            known: Known::default(),
            pending: RefCell::default(),
            parts: None,
            tracked: None,
            opened: Opened::Present,
        })
    }

    /// Repeats `attempt`, which waits for a short time itself, as long as the store is in use and the caller
    /// wants to wait. SQLite would not look at a flag while it waits.
    fn when_free(when_busy: WhenBusy<'_>, attempt: impl Fn() -> Result<(), Error>) -> Result<(), Error> {
        let started = Instant::now();
        loop {
            match (attempt(), when_busy) {
                (Err(Error::Busy { .. }), WhenBusy::Wait(stop))
                    if started.elapsed() < WAIT_TIMEOUT && !stop.load(Ordering::Relaxed) => {}
                (result, _) => return result,
            }
        }
    }

    fn pragmas(&self, text: &str, timeout: Duration) -> Result<(), Error> {
        self.db.busy_timeout(timeout).map_err(|error| self.failed(error))?;
        self.execute_batch(text)
    }

    /// Executes statements without parameters.
    pub(super) fn execute_batch(&self, text: &str) -> Result<(), Error> {
        self.db.execute_batch(text).map_err(|error| self.failed(error))
    }

    /// Executes a statement after all pending rows.
    pub(super) fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        self.flush_pending()?;
        self.execute_unordered(sql, values)
    }

    /// Executes a statement that does not depend on pending rows.
    pub(super) fn execute_unordered(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize, Error> {
        let done = self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map_err(|error| self.failed(error))
    }

    /// Inserts the pending rows.
    pub(super) fn flush_pending(&self) -> Result<(), Error> {
        let run = RunColumns { run: self.run, method: self.method };
        self.pending.borrow_mut().flush(&self.db, run).map_err(|error| self.failed(error))
    }

    /// The bytes by which the store knows `path`.
    pub(super) fn key<'p>(&self, path: &'p Path) -> Cow<'p, [u8]> {
        sql::path_key(&self.folder, path)
    }

    pub(super) fn failed(&self, error: rusqlite::Error) -> Error {
        failed(&self.path, error)
    }

    /// Checks that the file is a store of a known version. A writer creates the tables of an empty one, and
    /// upgrades those of an earlier version; it must be in a transaction.
    fn check_version(&self, purpose: Purpose) -> Result<Opened, Error> {
        let application = self.pragma("application_id")?;
        let version = self.pragma("user_version")?;
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: i64 =
            self.db.query_row(tables, [], |row| row.get(0)).map_err(|error| self.failed(error))?;
        if purpose == Purpose::Write && (application, version, tables) == (0, 0, 0) {
            self.execute_batch(schema::SCHEMA)?;
            return Ok(Opened::Present);
        }
        if application != schema::APPLICATION {
            let text = "not a store of migsift; name another file, or one that does not exist yet";
            return Err(unusable(&self.path, text));
        }
        let known = schema::VERSION;
        if version == known {
            return Ok(Opened::Present);
        }
        let is_earlier = (1..known).contains(&version);
        if is_earlier && purpose == Purpose::Write {
            self.check_pages("integrity_check")?;
            upgrade::from_version_1(&self.db).map_err(|error| self.failed(error))?;
            return Ok(Opened::Upgraded);
        }
        let remedy = if is_earlier {
            format!("the next `scan --store` upgrades it to version {known}")
        } else {
            format!("it was written by another migsift; this one supports version {known}")
        };
        Err(unusable(&self.path, &format!("a store of version {version}; {remedy}")))
    }

    /// Returns the value of a pragma that is a number.
    pub(super) fn pragma(&self, name: &str) -> Result<i64, Error> {
        let sql = format!("PRAGMA {name}");
        self.db.query_row(&sql, [], |row| row.get(0)).map_err(|error| self.failed(error))
    }

    /// Checks all rows, and keeps their checksums up to date from here on. Does nothing the second time.
    pub(super) fn verify(&mut self) -> Result<(), Error> {
        if self.tracked.is_none() {
            let sums = self.check()?;
            self.tracked = Some(checksum::track(&self.db, sums).map_err(|error| self.failed(error))?);
        }
        Ok(())
    }

    /// Checks pages, definitions and rows; returns the checksums.
    fn check(&self) -> Result<checksum::Sums, Error> {
        let failed = |error| self.failed(error);
        let changed = checksum::changed_definition(&self.db).map_err(failed)?;
        if let Some(name) = changed {
            return Err(damaged(&self.path, &format!("the definition of {name} has changed")));
        }
        // The quick check does not compare indexes with their tables. This program makes none.
        let indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
        let indexes: i64 = self.db.query_row(indexes, [], |row| row.get(0)).map_err(failed)?;
        self.check_pages(if indexes == 0 { "quick_check" } else { "integrity_check" })?;
        checksum::verify(&self.db).map_err(failed)?.map_err(|reason| damaged(&self.path, &reason))
    }

    /// Checks the number of free pages, which SQLite's checks leave out if its list of them is empty: what fails at
    /// the end of the run must fail before it. Nearly always there are none.
    fn check_free_pages(&self) -> Result<(), Error> {
        if self.pragma("freelist_count")? > 0 {
            self.execute_batch("BEGIN IMMEDIATE")?;
            self.give_back()?;
            self.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }

    /// Whether [`Store::open`] has upgraded the tables of an earlier version.
    pub fn was_upgraded(&self) -> bool {
        self.opened == Opened::Upgraded
    }

    /// Checks the structure of all pages.
    fn check_pages(&self, check: &str) -> Result<(), Error> {
        let found = self.db.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get::<_, String>(0));
        let found = found.map_err(|error| self.failed(error))?;
        if found != "ok" { Err(damaged(&self.path, &found)) } else { Ok(()) }
    }
}

/// Creates a file that only its owner may read: a store holds what logs say. SQLite gives its journals the same
/// mode. One that exists keeps its mode. It is not opened here: closing it would release the locks that another
/// connection of this process holds.
fn create_private(path: &Path) {
    if path.exists() {
        return;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // SQLite reports why it cannot be created.
    let _ = options.open(path);
}

/// Translates an error of SQLite.
pub(super) fn failed(path: &Path, error: rusqlite::Error) -> Error {
    let reason = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::Busy { file: path.display().to_string() }
        }
        Some(ErrorCode::NotADatabase) => {
            unusable(path, "not a store of migsift, or a damaged one; move it away, or name another file")
        }
        // Statements are valid, so it is the file that they do not fit.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => damaged(path, &reason),
        Some(ErrorCode::CannotOpen) => unusable(path, &format!("cannot be opened: {reason}")),
        Some(_) => Error::output(path.display().to_string(), std::io::Error::other(reason)),
        // Not an error of SQLite but of reading its rows: a value that this program does not write.
        None => damaged(path, &reason),
    }
}

/// A damaged store, with the ways to recover.
pub(super) fn damaged(path: &Path, reason: &str) -> Error {
    let remedy = "restore a copy, or move it away and scan again, or recover what is readable: `sqlite3 FILE .recover | sqlite3 NEW`, \
                  then `sqlite3 NEW 'DELETE FROM checksum'`";
    unusable(path, &format!("the store is damaged ({reason}); {remedy}"))
}

pub(super) fn unusable(path: &Path, text: &str) -> Error {
    Error::unusable(&path.display().to_string(), None, text)
}
