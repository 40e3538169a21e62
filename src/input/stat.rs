//! What the file system says of a file, so that one can tell later whether it has changed.

use std::fs::Metadata;

/// What the file system says of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stat {
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in nanoseconds since 1970.
    pub mtime: i64,
    /// When its inode was changed, in nanoseconds since 1970; 0 where the system does not tell.
    pub ctime: i64,
    /// Its inode; 0 where the system does not tell.
    pub inode: u64,
}

impl Stat {
    /// What `metadata` says.
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
