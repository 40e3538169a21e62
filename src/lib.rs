//! migsift reads the logs a failed PostgreSQL migration leaves behind and tells, per error code of the migration
//! service, what happened and what to do.
//!
//! # The way of a byte
//!
//! ```text
//! paths ─walk→ Input ─open→ Window ─matcher→ Match ─build→ Finding ─add→ Summary ─merge→ Outcome ─build→ Report ─printer→ text
//!                             ▲                                                                     ▲
//!     patterns/*.toml ─→ Catalog ─compile→ Matcher                                               Catalog
//! ```
//!
//! A [`Window`](input::Window) is a slice of one decoded source with margins: findings may *begin* in its core, and
//! context may be *read* in its margins. Cores tile the source, so every finding belongs to exactly one window, whatever
//! the cut. A mapped file is cut into windows that workers take; a stream yields the same windows from one buffer.
//!
//! Most bytes are seen once, by stage 1 of the [`matcher`]: a SIMD search for a handful of anchors, the fewest and rarest
//! substrings such that every message holds one, and one for the code prefix. Only around a hit does stage 2 look.
//!
//! # Rooms
//!
//! A room imports only rooms of a lower floor, its siblings on the same floor where the table says so, or its own
//! children; a test holds the code to it. The library prints nothing, exits nowhere, installs no handler unless
//! [asked to](input::survive_shrinking), and reads no clock.
//!
//! | floor | room | what it is for |
//! |---|---|---|
//! | 0 | [`error`], [`source`] | [`Error`](error::Error) ends a run, [`SourceError`](error::SourceError) concerns one input; names of sources |
//! | 1 | [`catalog`] | entries, templates with typed placeholders, fixes and how their values are quoted, pattern files, the built-in catalogue; `import` makes a pattern file of the published tables, `diff` compares two catalogues |
//! | 1 | [`redact`] | secrets masked and names turned into tokens, in text and in what a catalogue says are names |
//! | 2 | [`input`] | from paths to windows: walks, formats told by their first bytes, decoders, archives, limits; `mapping` is the only room with `unsafe` code |
//! | 3 | [`matcher`], [`context`] | stage 1 and stage 2; what the surroundings say, and the lines around (`context` reads with the matcher's `bytes`, `normalized` and `bounds`) |
//! | 4 | [`finding`], then [`summary`]; [`check`] | one match as a record; what many say, mergeable and bounded; `check` proves a catalogue's examples with the real matcher |
//! | 5 | [`scan`] | the only room with threads: findings in order to a sink, summaries merged; what tells one file's bytes from another's |
//! | 6 | [`report`], [`explain`] | the report with resolutions filled in, its plan, pivots and what support needs; one entry as people read it |
//! | 6 | [`baseline`], [`record`], then [`merge`], [`diff`] | what of a report is known and accepted; the shapes of JSON, written, read back and described; reports made apart as one; what has changed between two |
//! | 6 | [`store`] | the history: what was read before and what was found in it, in one SQLite file |
//! | 7 | [`print`](mod@print) | a report, findings or a difference as text |
//! | 8 | the binary's `cli` | arguments, standard output, colours, progress, exit codes |
//!
//! # Example
//!
//! ```
//! use migsift::{catalog, input, matcher::Matcher, report::Report, scan};
//!
//! let catalog = catalog::builtin();
//! let walk = input::walk(&["samples".into()], &input::WalkOptions::default());
//! let options = scan::Options::default();
//! let outcome = scan::scan(&Matcher::new(catalog), &walk, &options, None, &scan::Progress::default())?;
//! let report = Report::build(outcome, catalog);
//! assert_eq!(report.totals().failures, 8);
//! assert_eq!(&*report.codes[0].title, "Collation mismatch.");
//! # Ok::<(), migsift::error::Error>(())
//! ```

pub mod baseline;
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
pub mod store;
pub mod summary;
