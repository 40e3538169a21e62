//! Directories: what is below one, in the order of paths.
//!
//! A directory, globs and what to do with symbolic links come in; a [`DirWalk`] yields [`Item`]s: files to be
//! read, what is skipped by a rule, and what could not be walked. Nothing is opened, so a FIFO or a device
//! cannot block the walk.
//!
//! A file is found in two steps. Listing a directory yields names and kinds; size, times and inode take
//! another system call for each file, as slow as the listing itself. So a [`FileEntry`] leaves that call to
//! the caller, who may make it on many threads ([`FileEntry::stat`]).

use super::stat::{Identity, identity};
use super::{FoundBy, Globs, Input, InputKind, Selection, Stat};
use crate::error::{PathProblem, SourceError};
use std::borrow::Cow;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use walkdir::{DirEntry, WalkDir};

/// What a walk does with symbolic links below a directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SymbolicLinks {
    /// They are skipped.
    #[default]
    Skip,
    /// They are followed; one that leads back to a directory around it is skipped.
    Follow,
}

/// A walk over one directory.
#[derive(Debug)]
pub(super) struct DirWalk {
    root: PathBuf,
    items: walkdir::IntoIter,
    globs: Globs,
    /// Ends the walk.
    stop: Arc<AtomicBool>,
    ended: bool,
}

/// Something below a directory that is not a directory itself.
#[derive(Debug)]
pub(super) enum Item {
    /// A file to be read.
    File(FileEntry),
    /// Something that a rule skips.
    Skipped(SkippedPath),
    /// Something that could not be walked.
    Failed(PathProblem),
}

/// A path that is skipped by a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SkippedPath {
    /// The path as walked.
    pub path: PathBuf,
    /// The rule.
    pub reason: Cow<'static, str>,
}

impl DirWalk {
    /// Starts to walk `root`.
    pub fn new(root: &Path, globs: &Globs, links: SymbolicLinks, stop: &Arc<AtomicBool>) -> DirWalk {
        // Paths of one directory differ only in their last part. To take that out takes longer than to
        // compare the whole.
        let by_path = |a: &DirEntry, b: &DirEntry| a.path().as_os_str().cmp(b.path().as_os_str());
        let follow = links == SymbolicLinks::Follow;
        DirWalk {
            root: root.to_path_buf(),
            items: WalkDir::new(root).follow_links(follow).sort_by(by_path).into_iter(),
            globs: globs.clone(),
            stop: stop.clone(),
            ended: false,
        }
    }

    /// Applies the rules to what the walk met; `None` for a directory, which is walked next.
    fn item(&mut self, entry: DirEntry) -> Option<Item> {
        let kind = entry.file_type();
        let mut reason = None;
        if !self.globs.is_empty() {
            let path = entry.path().strip_prefix(&self.root).unwrap_or(entry.path());
            if self.globs.exclude(path) {
                if kind.is_dir() {
                    self.items.skip_current_dir();
                }
                reason = Some("excluded");
            } else if kind.is_file() && !self.globs.include(path) {
                reason = Some("not included");
            }
        }
        if reason.is_none() && kind.is_dir() {
            return None;
        }
        let reason = reason.or_else(|| (!kind.is_file()).then(|| special(kind)));
        Some(match reason {
            Some(reason) => Item::Skipped(SkippedPath { path: entry.into_path(), reason: reason.into() }),
            None => Item::File(FileEntry(entry)),
        })
    }

    fn failed(&self, error: walkdir::Error) -> Item {
        let path = error.path().unwrap_or(&self.root).to_path_buf();
        match error.loop_ancestor() {
            Some(ancestor) => {
                let reason = format!("a symbolic link back to {}", ancestor.to_string_lossy());
                Item::Skipped(SkippedPath { path, reason: reason.into() })
            }
            None => Item::Failed(PathProblem { path, error: SourceError::Open(io_error(error)) }),
        }
    }
}

impl Iterator for DirWalk {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if self.ended {
                return None;
            }
            if self.stop.load(Ordering::Relaxed) {
                self.ended = true;
                let error = SourceError::Interrupted { offset: 0 };
                return Some(Item::Failed(PathProblem { path: self.root.clone(), error }));
            }
            match self.items.next()? {
                Ok(entry) => {
                    if let Some(item) = self.item(entry) {
                        return Some(item);
                    }
                }
                Err(error) => return Some(self.failed(error)),
            }
        }
    }
}

/// A file below a directory of which only the path is known.
#[derive(Debug)]
pub struct FileEntry(DirEntry);

/// What the file system says of a [`FileEntry`].
#[derive(Debug)]
pub struct EntryStat(io::Result<(Stat, Option<Identity>)>);

/// An input that is scanned unless another path of the same file is scanned already.
#[derive(Debug)]
pub(super) struct Candidate {
    pub input: Input,
    /// `None` if it is read in any case.
    pub identity: Option<Identity>,
}

impl FileEntry {
    /// Asks the file system for size, times and inode.
    pub fn stat(&self) -> EntryStat {
        EntryStat(match self.0.metadata() {
            Ok(metadata) => Ok((Stat::new(&metadata), identity(self.0.path(), &metadata))),
            Err(error) => Err(io_error(error)),
        })
    }

    /// Returns the input, or why the file system could not be asked.
    pub(super) fn candidate(self, stat: EntryStat) -> Result<Candidate, PathProblem> {
        let path = self.0.into_path();
        match stat.0 {
            Ok((stat, identity)) => {
                let kind = InputKind::File { stat };
                let (found_by, selection) = (FoundBy::Walk, Selection::All);
                Ok(Candidate { input: Input { path, kind, found_by, selection, resume: None }, identity })
            }
            Err(error) => Err(PathProblem { path, error: SourceError::Open(error) }),
        }
    }
}

fn io_error(error: walkdir::Error) -> io::Error {
    error.into_io_error().unwrap_or_else(|| io::Error::other("unreadable"))
}

/// Why something that is neither a file nor a directory is skipped.
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
