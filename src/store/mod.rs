//! The history: one SQLite file with what was scanned before and what was found in it.
//!
//! Inputs with their file metadata come in, then findings as the scan produces them. Out go the inputs that
//! need no reading, the findings that are new, and later whole reports. The store does not walk, scan or
//! print, and it reads no clock: callers pass the time.
//!
//! # How a file is recognised
//!
//! A log is rotated, renamed, copied and compressed, and its findings must count once through all of that. So
//! the unit of the history is not the path but the **stream**: one sequence of decoded bytes, named by its
//! length and hash. (An archive is one stream of its undecoded bytes; what comes through a pipe is a stream
//! that never recurs.) An **input** is a path as it was last seen, with the stream that it held.
//!
//! Each input of a run passes three tests, the cheapest first:
//!
//! 1. *Metadata* ([`Freshness`]). Size, mtime, ctime and inode are those of the last run: the file is not
//!    opened. As in git's index, an mtime proves nothing if it is too close to the time when the file was
//!    read, because the file may have changed again within one tick of the file system's clock. Such an entry
//!    is *racy* and is tested by content in the next run ([`Mtime`]).
//! 2. *The end of a large plain log* ([`Identifier::continues`]). The same inode has grown, its first 1 KiB
//!    is unchanged and so are the 32 KiB before the old end: the log was appended to, and the scan resumes
//!    near the old end instead of rereading gigabytes. Edits before
//!    those 32 KiB go unnoticed; `--rescan` finds them.
//! 3. *Content* ([`Identity`]). The first 1 KiB proposes candidates. If there are any, the file is decoded
//!    and hashed once, with the hash noted at the length of every candidate. A whole match is a copy, a
//!    rename or a compressed rotation; a known stream that is a proper prefix is continued.
//!
//! For example, over four nights:
//!
//! | night | files | what happens |
//! |---|---|---|
//! | 1 | `app.log` = A | A is new, stream 1 |
//! | 2 | `app.log` = A+B | stream 1 is a prefix and continues as A+B: A+B is reread, A's findings are not new |
//! | 3 | `app.log.1` = A+B, `app.log` = C | `app.log.1` is stream 1 under another name; C is new, stream 2 |
//! | 4 | `app.log.2.gz` = A+B, `app.log.1` = C+D | stream 1 compressed, and stream 2 renamed and continued in one night |
//!
//! A common head alone proves nothing: many logs start with the same banner. And a file continues a known
//! prefix only if its own path held that prefix before, or if no other file of the run has been recognised as
//! that prefix.
//!
//! # Invariants
//!
//! - *Reading in pieces equals reading at once.* What continues a stream replaces its findings from the place
//!   where reading resumed, so a finding that was cut by the old end is replaced by the whole one. A stream
//!   that could not be read to its end loses no findings and is read again by the next run.
//! - *A crash costs one batch.* Each batch of inputs is one transaction. SQLite's rollback journal undoes it
//!   when the process dies at any instant, and the next run reads those inputs again.
//! - *One writer.* A run holds an exclusive lock from before its walk to its end; see `connection.rs`.
//! - *Rows are what runs have written.* Each table has a checksum, which runs and reports verify; see
//!   `checksum.rs`.
//! - *Same bytes, same findings.* A stream remembers the [`Method`] it was read with: version, catalogue,
//!   options. Another method makes it stale, and it is reread; findings that both methods have are not new.

mod checksum;
mod connection;
mod history;
mod identity;
mod inputs;
mod known;
mod method;
mod occurrence;
mod parts;
mod pending;
mod recorder;
mod retention;
mod run;
mod schema;
mod sql;
mod upgrade;

pub use connection::{Store, WhenBusy};
pub use history::{History, RunRow, Selection};
pub use identity::{Identified, Identifier, Identity, Prefix};
pub use inputs::{Decision, Freshness, Reread};
pub use known::Mtime;
pub use method::{Method, StaleReason};
pub use recorder::{BatchFile, BatchTotals, NewOnly, Recorder, ScannedWith};
pub use retention::Pruned;
pub use run::RunTotals;
