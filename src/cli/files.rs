//! Small files that users name: pattern files, baselines, reports, maps of a redaction.
//!
//! A path and a limit come in; bytes or a [`FileError`] go out. Never more than the limit is read, whatever
//! the path is. A user may name a pipe (`--catalog <(…)`), so a named pipe is read up to the limit. A device,
//! a socket or a directory is refused, and so is a pipe that was only found in a directory: reading it would
//! wait for a writer.

use super::{signals, stdio};
use migsift::error::reason;
use migsift::input::InterruptibleReader;
use migsift::source::STDIN;
use std::fs::{FileType, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// How a path was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// A user named it.
    Named,
    /// It is in a directory that a user named.
    Listed,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
    #[error("a directory, not a file")]
    Directory,
    #[error("not a regular file")]
    Special,
    #[error("standard input is closed")]
    Closed,
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    #[error("not UTF-8 at byte {byte}")]
    NotUtf8 {
        /// The 1-based line.
        line: usize,
        /// The offset.
        byte: usize,
    },
}

impl FileError {
    /// The line of the error, if it has one.
    pub fn line(&self) -> Option<usize> {
        match self {
            FileError::NotUtf8 { line, .. } => Some(*line),
            _ => None,
        }
    }
}

/// Reads a file of at most `max_bytes` bytes.
pub fn bytes(path: &Path, choice: Choice, max_bytes: usize) -> Result<Vec<u8>, FileError> {
    // Before it is opened: opening a pipe waits for a writer, opening a device may have effects.
    check(&std::fs::metadata(path)?, choice, max_bytes)?;
    read(InterruptibleReader::open(path, signals::stop())?, max_bytes)
}

/// Reads a file that a user named; `-` is standard input.
pub fn bytes_or_stdin(path: &Path, max_bytes: usize) -> Result<Vec<u8>, FileError> {
    if path == Path::new(STDIN) {
        if stdio::stdin_is_closed() {
            return Err(FileError::Closed);
        }
        read(InterruptibleReader::stdin(signals::stop())?, max_bytes)
    } else {
        bytes(path, Choice::Named, max_bytes)
    }
}

/// Reads a file of UTF-8.
pub fn text(path: &Path, choice: Choice, max_bytes: usize) -> Result<String, FileError> {
    String::from_utf8(bytes(path, choice, max_bytes)?).map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..byte].iter().filter(|byte| **byte == b'\n').count();
        FileError::NotUtf8 { line, byte }
    })
}

fn read(reader: impl Read, max_bytes: usize) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    reader.take(max_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > max_bytes { Err(FileError::TooLarge(max_bytes)) } else { Ok(bytes) }
}

fn check(metadata: &Metadata, choice: Choice, max_bytes: usize) -> Result<(), FileError> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        Err(FileError::Directory)
    } else if !(kind.is_file() || choice == Choice::Named && is_pipe(kind)) {
        Err(FileError::Special)
    } else if metadata.len() > max_bytes as u64 {
        Err(FileError::TooLarge(max_bytes))
    } else {
        Ok(())
    }
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}
