//! From paths to windows.
//!
//! [`walk()`] turns paths into [`Input`]s; [`Opened`] gives a file's bytes by range, mapped or read; an [`Unpacker`]
//! finds the sources in what is compressed or an archive, and a [`Cutter`] cuts a source that is read from begin to end
//! into windows. A [`Window`] is all that the rest of the program sees. The room knows nothing of messages, only of
//! bytes, formats, sizes and limits.

pub mod archive;
pub mod awaited;
mod below;
mod decode;
mod encoding;
mod file;
mod format;
mod globs;
pub mod limits;
mod mapping;
pub(crate) mod own_report;
mod peek;
mod raw;
mod stat;
mod stream;
mod unpack;
mod walk;
mod window;

pub use below::{Found, Looked};
pub use encoding::Recoded;
pub use file::{Opened, Part};
pub use format::{Codec, Format};
pub use globs::Globs;
pub use limits::Limits;
#[cfg(unix)]
pub use mapping::survive_shrinking;
pub use peek::Peek;
pub use stat::Stat;
pub use stream::{Cut, Cutter, STREAM_WINDOW_BYTES};
pub use unpack::{Nested, Unpacker, Visit};
pub use walk::{Output, Walk, WalkOptions, Walker, walk};
pub use window::Window;

use std::path::PathBuf;

/// A source of at most this many bytes is held whole, so that JSON can be read as one document.
pub const MAX_WHOLE: u64 = 16 << 20;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path as walked; `-` for standard input.
    pub path: PathBuf,
    /// How it is read.
    pub kind: InputKind,
    /// Whether a walk met it; else a person named it.
    pub walked: bool,
    /// Whether a glob asks for it by its name: then all members of an archive are wanted, else those that one asks for.
    pub included: bool,
    /// Where a large plain file is read on from, if what stands before is known; else it is read from its begin.
    pub from: Option<Resume>,
}

/// A place in a large plain file whose bytes before are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Its offset: where a window of the whole file begins.
    pub offset: u64,
    /// The line breaks before it.
    pub lines: u64,
    /// The chain of hashes up to it.
    pub chain: [u8; 16],
}

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// By offset.
    File {
        /// What the file system said of it when it was met.
        stat: Stat,
    },
    /// From begin to end: a FIFO, a device, a file without a length.
    Stream,
    /// Standard input.
    Stdin,
}
