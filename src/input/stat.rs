//! What the file system says of a file: enough to see later whether it changed, and whether two paths are the
//! same file.

#[cfg(unix)]
use std::fs::Metadata;
#[cfg(not(unix))]
use std::fs::{self, Metadata};
use std::path::Path;
#[cfg(not(unix))]
use std::path::PathBuf;

/// The size, times and inode of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub mtime: i64,
    /// When its inode was changed, in nanoseconds since 1970; 0 where the system does not know.
    pub ctime: i64,
    /// Its inode; 0 where the system has none.
    pub inode: u64,
}

impl Stat {
    /// Takes them from `metadata`.
    pub fn new(metadata: &Metadata) -> Stat {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let nanoseconds =
                |seconds: i64, more: i64| seconds.wrapping_mul(1_000_000_000).wrapping_add(more);
            let mtime = nanoseconds(metadata.mtime(), metadata.mtime_nsec());
            let ctime = nanoseconds(metadata.ctime(), metadata.ctime_nsec());
            Stat { size: metadata.len(), mtime, ctime, inode: metadata.ino() }
        }
        #[cfg(not(unix))]
        {
            let written = metadata.modified().ok();
            let since = written.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let mtime = since.map_or(0, |since| since.as_nanos() as i64);
            Stat { size: metadata.len(), mtime, ctime: 0, inode: 0 }
        }
    }
}

/// What two paths of the same file share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg(unix)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

/// What two paths of the same file share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg(not(unix))]
pub(super) struct Identity(PathBuf);

/// Returns the identity of the file at `path`, which has this metadata; `None` if it cannot be determined.
#[cfg(unix)]
pub(super) fn identity(_: &Path, metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some(Identity { device: metadata.dev(), inode: metadata.ino() })
}

/// Returns the identity of the file at `path`; `None` if it cannot be determined.
#[cfg(not(unix))]
pub(super) fn identity(path: &Path, _: &Metadata) -> Option<Identity> {
    fs::canonicalize(path).ok().map(Identity)
}
