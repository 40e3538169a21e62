//! Names of sources.
//!
//! An [`Origin`] names one decoded stream of bytes: a file, or a member of an archive. It knows nothing of
//! how the bytes are read.

use std::fmt;
use std::path::{Path, PathBuf};

/// The name of standard input in outputs.
pub const STDIN: &str = "-";

/// The name of a source: the path as walked, and the member inside an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The input as walked; `-` for standard input.
    pub path: PathBuf,
    /// The member, if the source is inside an archive.
    pub member: Option<String>,
}

impl Origin {
    /// The origin of a plain file or stream.
    pub fn path(path: &Path) -> Origin {
        Origin { path: path.to_path_buf(), member: None }
    }
}

/// As people read it: `bundle.zip!logs/a.log`. Not escaped for a terminal.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.to_string_lossy())?;
        self.member.as_ref().map_or(Ok(()), |member| write!(f, "!{member}"))
    }
}
