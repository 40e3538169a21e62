//! Small files that a person names: never more than the largest allowed is read, whatever the path is.
//!
//! What a person names may be a pipe (`--catalog <(…)`), so a named pipe is read as far as the limit; a device, a
//! socket or a directory is not.

use migsift::error::reason;
use migsift::source::STDIN;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file of at most `most` bytes; `named` says whether a person named it, not only its directory. What is
/// wrong comes back in words.
pub fn bytes(path: &Path, named: bool, most: usize) -> Result<Vec<u8>, String> {
    // Asked before it is opened: opening a pipe waits for a writer, opening a device may do anything.
    let metadata = std::fs::metadata(path).map_err(|error| reason(&error))?;
    refused(&metadata, named, most).map_or(Ok(()), Err)?;
    limited(File::open(path).map_err(|error| reason(&error))?, most)
}

/// The same, where `-` is standard input.
pub fn bytes_or_stdin(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    if path == Path::new(STDIN) { limited(io::stdin().lock(), most) } else { bytes(path, true, most) }
}

fn limited(reader: impl Read, most: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() > most { Err(too_large(most)) } else { Ok(bytes) }
}

/// Why the file is not even opened.
fn refused(metadata: &Metadata, named: bool, most: usize) -> Option<String> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        Some("a directory, not a file".into())
    } else if !(kind.is_file() || named && is_pipe(kind)) {
        Some("not a regular file".into())
    } else if metadata.len() > most as u64 {
        Some(too_large(most))
    } else {
        None
    }
}

fn too_large(most: usize) -> String {
    format!("larger than {most} bytes")
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}
