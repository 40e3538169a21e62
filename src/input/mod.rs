//! From paths to windows.
//!
//! [`walk()`] turns paths into [`Input`]s; [`OpenFile`] gives a file's bytes by range, mapped or read; an [`Unpacker`]
//! finds the sources in what is compressed or an archive, and a [`WindowReader`] cuts a source that is read from begin to end
//! into windows. A [`Window`] is all that the rest of the program sees. The room knows nothing of messages, only of
//! bytes, formats, sizes and limits.

pub mod archive;
mod decode;
mod directory;
mod encoding;
mod file;
mod format;
mod globs;
pub mod interruptible;
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

pub use directory::{EntryStat, FileEntry};
pub use encoding::Transcoder;
pub use file::{FileReader, OpenFile};
pub use format::{Codec, ContainerFormat};
pub use globs::Globs;
pub use limits::Limits;
#[cfg(unix)]
pub use mapping::survive_shrinking;
pub use peek::PeekReader;
pub use stat::Stat;
pub use stream::{OwnedWindow, STREAM_WINDOW_BYTES, WindowReader};
pub use unpack::{Position, Unpacker, Visitor};
pub use walk::{OutputFile, Walk, WalkOptions, Walker, walk};
pub use window::Window;

use std::path::PathBuf;

/// A source of at most this many bytes is held whole, so that JSON can be read as one document.
pub const MAX_WHOLE_BYTES: u64 = 16 << 20;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path as walked; `-` for standard input.
    pub path: PathBuf,
    /// How it is read.
    pub kind: InputKind,
    /// Whether a person named it or a walk found it.
    pub found_by: FoundBy,
    /// What of it is scanned, if it is an archive.
    pub selection: Selection,
    /// Where a large plain file is read on from, if what stands before is known; else it is read from its begin.
    pub resume: Option<Resume>,
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

/// How an input was found. A report that this program wrote is skipped where a walk finds it: nobody asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundBy {
    /// Somebody named it.
    Name,
    /// A walk over a directory found it, or it is a member of an archive.
    Walk,
}

/// Which members of an archive are scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// All of them: the archive itself, or one around it, matches `--include`.
    All,
    /// Those whose own name matches `--include`.
    Matching,
}

impl Selection {
    /// Everything where `included`, else what matches by itself.
    pub fn all_if(included: bool) -> Selection {
        if included { Selection::All } else { Selection::Matching }
    }
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
