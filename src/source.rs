//! Where bytes come from.
//!
//! An [`Origin`] names a source: one decoded stream of bytes.

use std::fmt;
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

/// As people read it: `bundle.zip!logs/a.log`. What stands in the names is not made safe for a terminal.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path.to_string_lossy())?;
        self.member.as_ref().map_or(Ok(()), |member| write!(f, "!{member}"))
    }
}
