//! Below: what lies below a directory, in order.
//!
//! A directory and globs come in; files to be read go out one by one, with what was passed over and what could not be
//! looked at on the way. What the file system says of a file is asked for apart, so that many can be asked for at once.

use super::walk::{Candidate, Identity, Walk, WalkOptions, identity};
use super::{FoundBy, Globs, Input, InputKind, Selection, Stat};
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// A directory that is walked.
#[derive(Debug)]
pub(super) struct DirWalk {
    root: PathBuf,
    items: walkdir::IntoIter,
    globs: Globs,
}

impl DirWalk {
    pub fn new(root: &Path, options: &WalkOptions) -> DirWalk {
        // Names of one directory differ behind the same path; to take names out of paths takes longer than to compare all.
        let in_order = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
        let items = WalkDir::new(root).follow_links(options.follow_links).sort_by(in_order);
        DirWalk { root: root.to_path_buf(), items: items.into_iter(), globs: options.globs.clone() }
    }

    /// The next file that is to be read; what is none is noted as `unread`.
    pub fn next(&mut self, unread: &mut Walk) -> Option<FileEntry> {
        loop {
            let found = match self.items.next()? {
                Ok(item) => self.item(item, unread),
                Err(error) => {
                    self.failed(error, unread);
                    None
                }
            };
            if found.is_some() {
                return found;
            }
        }
    }

    /// What is to be read of something below the directory.
    fn item(&mut self, item: DirEntry, unread: &mut Walk) -> Option<FileEntry> {
        let kind = item.file_type();
        if !self.globs.is_empty() {
            let below = item.path().strip_prefix(&self.root).unwrap_or(item.path());
            if self.globs.exclude(below) {
                if kind.is_dir() {
                    self.items.skip_current_dir();
                }
                unread.skipped.push((item.into_path(), "excluded".into()));
                return None;
            }
            if kind.is_file() && !self.globs.include(below) {
                unread.skipped.push((item.into_path(), "not included".into()));
                return None;
            }
        }
        if kind.is_dir() {
            return None;
        }
        if !kind.is_file() {
            unread.skipped.push((item.into_path(), special(kind).into()));
            return None;
        }
        Some(FileEntry(item))
    }

    /// Notes what could not be walked.
    fn failed(&self, error: walkdir::Error, unread: &mut Walk) {
        let path = error.path().unwrap_or(&self.root).to_path_buf();
        match error.loop_ancestor().map(Path::to_path_buf) {
            Some(ancestor) => {
                let why = format!("a symbolic link back to {}", ancestor.to_string_lossy());
                unread.skipped.push((path, why.into()));
            }
            None => unread.failed(path, io_error(error)),
        }
    }
}

/// A file below a directory that is to be read, of which nothing more is known yet.
#[derive(Debug)]
pub struct FileEntry(DirEntry);

/// What the file system says of a file.
#[derive(Debug)]
pub struct EntryStat(io::Result<(Stat, Option<Identity>)>);

impl FileEntry {
    /// Asks the file system, which takes as long as to find it.
    pub fn stat(&self) -> EntryStat {
        EntryStat(match self.0.metadata() {
            Ok(metadata) => Ok((Stat::new(&metadata), identity(self.0.path(), &metadata))),
            Err(error) => Err(io_error(error)),
        })
    }

    /// The input, where it could be looked at.
    pub(super) fn met(self, looked: EntryStat, unread: &mut Walk) -> Option<Candidate> {
        let path = self.0.into_path();
        match looked.0 {
            Ok((stat, identity)) => {
                let kind = InputKind::File { stat };
                Some((
                    Input { path, kind, found_by: FoundBy::Walk, selection: Selection::All, resume: None },
                    identity,
                ))
            }
            Err(error) => {
                unread.failed(path, error);
                None
            }
        }
    }
}

fn io_error(error: walkdir::Error) -> io::Error {
    error.into_io_error().unwrap_or_else(|| io::Error::other("unreadable"))
}

/// What a special file is called when a walk passes over it.
fn special(kind: FileType) -> &'static str {
    if kind.is_symlink() {
        return "symbolic link, not followed";
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "named pipe";
        }
        if kind.is_socket() {
            return "socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "device";
        }
    }
    "special file"
}
