//! Context: what the record around a match says about it.
//!
//! A window and the range of a match come in; the record's own time and its fields go out: database, server,
//! migration, validation, state and level ([`Context`]), the migration as a whole ([`MigrationInfo`]) and, on
//! request, the lines before and after ([`ContextLines`]). It does not know the catalogue or what was found.
//!
//! Three rules keep the answers reliable and independent of how a source is cut into windows:
//!
//! - **Only the record itself counts.** Nothing is inferred from other records, and a field that the record
//!   does not have stays absent: a wrong database in a plan is worse than none.
//! - **JSON is read as JSON, everything else by the head of its line** (`head`). A source that is one JSON
//!   document, such as the output of `az … migration show`, is parsed once as a whole: its fields may be any
//!   distance from the message, and one such file is one line or thousands. That is done for sources of at
//!   most [`MAX_WHOLE_BYTES`](crate::input::MAX_WHOLE_BYTES) bytes, which windows hold as a whole. In larger
//!   ones each line is its own document, from its first `{` on (JSON lines, or an object after a log prefix).
//! - **A line is read to at most 16 KiB on either side of the match**
//!   ([`MAX_CONTEXT`](crate::matcher::bounds::MAX_CONTEXT)). A window has margins of a fixed size, so a bound
//!   is needed for the same line to give the same context in every window. Log lines are far shorter; exports
//!   that pack a resource into one line reach a few KiB. A longer line is cut, mostly inside an object, so it
//!   is no JSON document any more and only its head is read, if that is near enough.

mod document;
mod fields;
mod head;
pub mod lines;
mod migration_info;
mod reader;
pub mod time;

pub use document::Document;
pub use fields::{Context, Level, State};
pub use lines::{ContextLines, ContextLinesReader};
pub(crate) use migration_info::MAX_LISTED;
pub use migration_info::MigrationInfo;
pub use reader::ContextReader;
pub use time::Time;
