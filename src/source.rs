//! Where bytes come from.
//!
//! An [`Origin`] names a source: one decoded stream of bytes.

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
