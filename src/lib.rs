//! migsift reads the logs of a failed PostgreSQL migration and reports what failed, why, and what to do.
//!
//! This is the library of the program of the same name. It finds the messages of a [`Catalog`] in logs, extracts their
//! arguments, time and context, and sums them up in a [`Report`]. It prints nothing, never exits, installs no signal handler
//! unless [asked to](input::survive_shrinking), makes no network connection, and reads no clock, but to
//! end in time when it is interrupted.
//!
//! # Bytes in memory
//!
//! A [`Matcher`] is a compiled catalogue. Its [`findings`](Matcher::findings) are an iterator:
//!
//! ```
//! use migsift::{Matcher, catalog};
//!
//! let matcher = Matcher::new(catalog::builtin());
//! let log = b"2024-06-06 21:42:53 ERROR 603104: Missing Replication Role. User `repl` on server `src-1` \
//!     doesn't have the replication role.\n";
//! for finding in matcher.findings(log) {
//!     println!("line {}: {} {:?}", finding.line, finding.title, finding.args);
//! }
//! ```
//!
//! # Files, folders and archives
//!
//! A [`Scan`] reads paths on all cores: plain and compressed files, zip and tar archives, UTF-16. What it counts becomes a
//! [`Report`] with the steps to take. A closure, or any [`Sink`](scan::Sink), receives the findings in order:
//!
//! ```
//! use migsift::{Finding, Matcher, Report, Scan, catalog};
//!
//! let catalog = catalog::builtin();
//! let matcher = Matcher::new(catalog);
//! let outcome = Scan::new(&matcher).run_with(["samples"], |finding: &Finding| {
//!     println!("{}:{}: {}", finding.origin, finding.line, finding.id);
//!     Ok(())
//! })?;
//! let report = Report::build(outcome, catalog);
//! assert_eq!(report.totals().failures, 8);
//! assert_eq!(&*report.codes[0].title, "Collation mismatch.");
//! # Ok::<(), migsift::Error>(())
//! ```
//!
//! [`print`](mod@print) writes a report in any of its formats; `examples/` has three short programs.
//!
//! # Features
//!
//! - `cli` (default): the program, with its command line, progress bar and signal handling. A library user turns it off:
//!   `migsift = { version = "0.1", default-features = false }`.
//! - `history`: the [`store`], which keeps what earlier scans found in an SQLite file.
//!
//! # How a byte becomes a finding
//!
//! ```text
//! paths ─walk→ Input ─open→ Window ─matcher→ Match ─build→ Finding ─add→ Summary ─merge→ Outcome ─build→ Report ─printer→ text
//!                             ▲                                                                     ▲
//!     patterns/*.toml ─→ Catalog ─compile→ Matcher                                               Catalog
//! ```
//!
//! A [`Window`](input::Window) is a slice of one decoded source with margins: findings may *start* in its core, and
//! context may be *read* in its margins. Cores tile the source, so every finding belongs to exactly one window, wherever
//! the cuts are. A mapped file is cut into windows that workers share; a stream yields the same windows from a buffer.
//!
//! Stage 1 of the [`matcher`] sees every byte once: a vectorised search for a few anchors, the fewest and rarest substrings
//! of which every message has one, and for the prefixes of error codes. Stage 2 looks only around the hits.
//!
//! # Layers
//!
//! A module imports only modules of lower layers, siblings in its layer where the table says so, or its own children, and
//! no file imports itself by way of others; tests check both.
//!
//! | layer | module | purpose |
//! |---|---|---|
//! | 0 | [`error`], [`source`], [`text`] | [`Error`] ends a run, [`SourceError`](error::SourceError) concerns one input; names of sources; hidden characters and lines |
//! | 1 | [`catalog`] | entries, templates with typed placeholders, fixes and the quoting of their values, pattern files, the built-in catalogue; `import` makes a pattern file of the published tables, `diff` compares two catalogues |
//! | 1 | [`redact`] | masks secrets and replaces names by tokens |
//! | 2 | [`input`] | from paths to windows: walk, formats by magic bytes, decoders, archives, limits; `mapping` is the only file with `unsafe` code |
//! | 3 | [`matcher`], [`context`] | stages 1 and 2; what the record around a match says, and the lines around it (`context` uses the matcher's normalized text and record bounds) |
//! | 4 | [`finding`], then [`summary`]; [`check`] | one match as a record; mergeable, bounded aggregation; `check` proves a catalogue's own examples with the real matcher |
//! | 5 | [`scan`] | the only module with worker threads: findings in order to a sink, summaries merged, files identified by content |
//! | 6 | [`report`], [`explain`] | the report with resolutions filled in, its plan, pivots and data for support; one entry for people |
//! | 6 | [`baseline`], [`record`], then [`merge`], [`diff`] | accepted failures; the shapes of JSON, written, read back and described; reports added up; two reports compared |
#![cfg_attr(
    feature = "history",
    doc = "| 6 | [`store`] | the history: what was read before and what was found in it, in one SQLite file |"
)]
#![cfg_attr(not(feature = "history"), doc = "| 6 | `store` | the history (feature `history`) |")]
//! | 7 | [`print`](mod@print) | a report, findings or a difference as text |
//! | 8 | `builder` | [`Scan`]: a scan as a value, which skips this program's own reports |
//! | 9 | the binary's `cli` | arguments, standard output, colours, progress, exit codes |

pub mod baseline;
mod builder;
pub mod catalog;
pub mod check;
pub mod context;
pub mod diff;
pub mod error;
pub mod explain;
pub mod finding;
pub mod input;
pub mod matcher;
pub mod merge;
pub mod print;
pub mod record;
pub mod redact;
pub mod report;
pub mod scan;
pub mod source;
#[cfg(feature = "history")]
pub mod store;
pub mod summary;
pub mod text;

pub use builder::Scan;
pub use catalog::Catalog;
pub use error::Error;
pub use finding::Finding;
pub use matcher::Matcher;
pub use report::Report;

/// What callers share between threads stays `Send` and `Sync`.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Catalog>();
    shared::<Error>();
    shared::<Finding>();
    shared::<Matcher>();
    shared::<Report>();
    shared::<Scan<'static>>();
    shared::<scan::Options>();
    shared::<scan::Outcome>();
    shared::<scan::Progress>();
};
