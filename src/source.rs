//! Where bytes come from and where in them something stands.
//!
//! An [`Origin`] names a source: one decoded stream of bytes. A [`Span`] is a half-open range of offsets in it.

use std::path::{Path, PathBuf};

/// The name that standard input goes by in outputs.
pub const STDIN: &str = "-";

/// What a source is called: the path as walked, and the member inside an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The input as walked; `-` for standard input.
    pub path: PathBuf,
    /// The member inside an archive, if it is one.
    pub member: Option<String>,
}

impl Origin {
    /// The origin of a plain file or stream.
    pub fn path(path: &Path) -> Origin {
        Origin { path: path.to_path_buf(), member: None }
    }
}

/// A half-open range of bytes in a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
}
