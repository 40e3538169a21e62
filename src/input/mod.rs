//! Input: from paths to windows.
//!
//! ```text
//! paths ─walk→ Input ─OpenFile→ plain ──────────────────────────────────→ Window
//!                        └────→ compressed, archive ─Unpacker→ sources ─Transcoder, WindowReader→ Window
//! ```
//!
//! [`walk()`] turns paths into [`Input`]s; an `OpenFile` gives access to a file's bytes by range, mapped or
//! read; an [`Unpacker`] finds the sources in what is compressed or an archive; a `WindowReader` cuts a
//! source that is read from start to end into windows. A [`Window`] is all that the rest of the program sees.
//! This module knows bytes, formats, sizes and limits, and nothing of messages.

#[doc(hidden)]
pub mod archive;
mod codec;
mod decode;
mod directory;
mod encoding;
mod file;
mod file_id;
mod format;
mod globs;
mod interruptible;
#[doc(hidden)]
pub mod limits;
mod mapping;
pub mod own_report;
mod peek;
mod stat;
mod stream;
mod unpack;
mod walk;
mod window;

pub use codec::Codec;
pub use directory::{EntryStat, FileEntry, SkippedPath, SymbolicLinks};
#[doc(hidden)]
pub use encoding::Transcoder;
pub(crate) use file::{Access, FileReader, OpenFile};
pub use file_id::{FileId, follow_links};
#[doc(hidden)]
pub use format::ContainerFormat;
pub use globs::Globs;
pub use interruptible::{InterruptibleReader, open_until};
pub use limits::Limits;
#[cfg(unix)]
pub use mapping::survive_shrinking;
pub use own_report::Signature;
#[doc(hidden)]
pub use peek::PeekReader;
pub use stat::Stat;
pub(crate) use stream::{OwnedWindow, STREAM_WINDOW_BYTES, WindowReader};
#[doc(hidden)]
pub use unpack::{Position, Unpacker, Visitor};
pub use walk::{OutputFile, Walk, WalkOptions, Walker, standard_file, walk};
pub use window::Window;

use std::path::PathBuf;

/// A source of at most this many bytes is held whole, so that JSON can be read as one document.
pub const MAX_WHOLE_BYTES: u64 = 16 << 20;

/// The input of a scan: a file or a stream, not opened yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path as walked; `-` for standard input.
    pub path: PathBuf,
    /// How it is read.
    pub kind: InputKind,
    /// Whether somebody named it or a walk found it.
    pub found_by: FoundBy,
    /// What of it is scanned, if it is an archive.
    pub selection: Selection,
    /// Where to resume reading a large plain file whose earlier bytes are known; `None` to read it from its
    /// start.
    pub resume: Option<Resume>,
}

impl Input {
    /// Its size in bytes when it was walked; `None` for a stream.
    pub fn bytes(&self) -> Option<u64> {
        match self.kind {
            InputKind::File { stat } => Some(stat.size),
            InputKind::Stream | InputKind::Stdin => None,
        }
    }
}

/// How an input was found. A report that this program wrote is skipped if a walk found it: nobody asked for
/// it.
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
    /// Everything if it is `included`, else what matches by itself.
    pub fn all_if(included: bool) -> Selection {
        if included { Selection::All } else { Selection::Matching }
    }
}

/// A place in a large plain file whose earlier bytes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resume {
    /// Its offset: where a window of the whole file starts.
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
        /// What the file system said of it during the walk.
        stat: Stat,
    },
    /// From start to end: a FIFO, a device, a file without a length.
    Stream,
    /// Standard input.
    Stdin,
}
