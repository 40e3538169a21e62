//! From paths to windows.
//!
//! [`walk()`] turns paths into [`Input`]s; [`Opened`] gives a file's bytes by range, mapped or read; [`stream()`] cuts a
//! stream into windows from one buffer. A [`Window`] is all that the rest of the program sees. The room knows nothing
//! of messages, only of bytes, sizes and margins.

mod encoding;
mod mapping;
mod own_report;
mod stream;
mod walk;
mod window;

pub use stream::stream;
pub use walk::{Walk, walk};
pub use window::Window;

use crate::error::SourceError;
use mapping::Mapping;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};

/// A source of at most this many bytes is held whole, so that JSON can be read as one document.
pub const MAX_WHOLE: u64 = 16 << 20;

/// One thing to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The path as walked; `-` for standard input.
    pub path: PathBuf,
    /// How it is read.
    pub kind: InputKind,
    /// Whether a walk met it; else a person named it.
    pub walked: bool,
}

/// How an input is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// By offset.
    File {
        /// Its size when it was met.
        bytes: u64,
    },
    /// From begin to end: a FIFO, a device, a file without a length.
    Stream,
    /// Standard input.
    Stdin,
}

/// An open regular file, to be read by range.
#[derive(Debug)]
pub struct Opened {
    file: File,
    /// Its size when it was opened; bytes that come later are not read.
    pub bytes: u64,
    /// Whether it has a byte order mark: it is decoded from begin to end, not read by range.
    pub marked: bool,
    mmap: bool,
}

impl Opened {
    /// Opens the file; `mmap` says whether its ranges are mapped.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`].
    pub fn new(path: &Path, mmap: bool) -> Result<Opened, SourceError> {
        let file = File::open(path).map_err(SourceError::Open)?;
        let bytes = file.metadata().map_err(SourceError::Open)?.len();
        Ok(Opened { file, bytes, marked: false, mmap: mmap && cfg!(unix) })
    }

    /// Opens an input: as [`Opened::new`], but a report of this program that a walk met is refused, and a byte order mark
    /// is noticed.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`] and [`SourceError::OwnReport`].
    pub fn input(input: &Input, mmap: bool) -> Result<Opened, SourceError> {
        let mut opened = Opened::new(&input.path, mmap)?;
        let mut head = Vec::new();
        let head = opened.read(0..opened.bytes.min(own_report::HEAD), &mut head)?;
        if input.walked && own_report::is(head) {
            return Err(SourceError::OwnReport);
        }
        opened.marked = encoding::has_mark(head);
        Ok(opened)
    }

    /// The bytes of `range`, mapped where that works, else read into `buffer`. Fewer where the file has become shorter.
    ///
    /// # Errors
    ///
    /// [`SourceError::Read`] with the offset that could not be read.
    pub fn range<'b>(&self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<Bytes<'b>, SourceError> {
        let len = (range.end - range.start) as usize;
        if self.mmap
            && len > 0
            && let Ok(mapping) = Mapping::new(&self.file, range.start, len)
        {
            return Ok(Bytes::Mapped(mapping));
        }
        self.read(range, buffer).map(Bytes::Read)
    }

    /// The file from its begin, for [`stream()`].
    pub fn reader(&self) -> impl Read + '_ {
        Part { file: &self.file, at: 0, end: self.bytes }
    }

    fn read<'b>(&self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], SourceError> {
        buffer.clear();
        let mut part = Part { file: &self.file, at: range.start, end: range.end };
        match part.read_to_end(buffer) {
            Ok(_) => Ok(buffer),
            Err(error) => Err(SourceError::Read { offset: part.at, error }),
        }
    }
}

/// The bytes of a range.
#[derive(Debug)]
pub enum Bytes<'b> {
    /// A view of the file.
    Mapped(Mapping),
    /// A copy in the caller's buffer.
    Read(&'b [u8]),
}

impl Deref for Bytes<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Bytes::Mapped(mapping) => mapping,
            Bytes::Read(bytes) => bytes,
        }
    }
}

/// Reads a range of a file by offset, so that workers can share it.
struct Part<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(usize::try_from(self.end - self.at).unwrap_or(usize::MAX));
        #[cfg(unix)]
        let got = std::os::unix::fs::FileExt::read_at(self.file, &mut buffer[..len], self.at)?;
        #[cfg(windows)]
        let got = std::os::windows::fs::FileExt::seek_read(self.file, &mut buffer[..len], self.at)?;
        self.at += got as u64;
        Ok(got)
    }
}
