//! From paths to inputs.
//!
//! Named paths come in; what is to be read goes out in the order of the report, with what was passed over by rule and
//! what could not be looked at. Nothing is opened here, so a walk over a FIFO or a device cannot hang.

use super::{Input, InputKind};
use crate::error::{PathProblem, SourceError};
use crate::source::STDIN;
use std::fs::{self, FileType, Metadata};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// What a walk found, each list sorted by path.
#[derive(Debug, Default)]
pub struct Walk {
    /// What is to be read.
    pub inputs: Vec<Input>,
    /// What was passed over by rule, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// What could not be looked at.
    pub failed: Vec<PathProblem>,
}

/// Walks `paths`: files and streams as they are named, directories with all below them; `-` is standard input.
pub fn walk(paths: &[PathBuf]) -> Walk {
    let mut walk = Walk::default();
    for path in paths {
        if path == Path::new(STDIN) {
            walk.inputs.push(Input { path: path.clone(), kind: InputKind::Stdin, walked: false });
            continue;
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => walk.directory(path),
            Ok(metadata) => {
                walk.inputs.push(Input { path: path.clone(), kind: named(&metadata), walked: false })
            }
            Err(error) => {
                walk.failed.push(PathProblem { path: path.clone(), error: SourceError::Open(error) })
            }
        }
    }
    walk.inputs.sort_by(|a, b| a.path.cmp(&b.path));
    walk.inputs.dedup_by(|a, b| a.path == b.path);
    walk.skipped.sort();
    walk.skipped.dedup();
    walk.failed.sort_by(|a, b| a.path.cmp(&b.path));
    walk
}

impl Walk {
    fn directory(&mut self, root: &Path) {
        for item in WalkDir::new(root).sort_by_file_name() {
            let item = match item {
                Ok(item) => item,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_path_buf();
                    let error =
                        error.into_io_error().unwrap_or_else(|| std::io::Error::other("a loop of links"));
                    self.failed.push(PathProblem { path, error: SourceError::Open(error) });
                    continue;
                }
            };
            let kind = item.file_type();
            if kind.is_dir() {
                continue;
            }
            if !kind.is_file() {
                self.skipped.push((item.into_path(), special(kind)));
                continue;
            }
            match item.metadata() {
                Ok(metadata) => {
                    let kind = InputKind::File { bytes: metadata.len() };
                    self.inputs.push(Input { path: item.into_path(), kind, walked: true });
                }
                Err(error) => {
                    let error = error.into_io_error().unwrap_or_else(|| std::io::Error::other("unreadable"));
                    self.failed.push(PathProblem { path: item.into_path(), error: SourceError::Open(error) });
                }
            }
        }
    }
}

/// A named file of no length may still have content, as those of `/proc` do: it is read as a stream.
fn named(metadata: &Metadata) -> InputKind {
    if metadata.is_file() && metadata.len() > 0 {
        InputKind::File { bytes: metadata.len() }
    } else {
        InputKind::Stream
    }
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
