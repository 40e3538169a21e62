//! Regular files: bytes by range, mapped or read, or from start to end.
//!
//! A path or an [`Input`] comes in; an [`OpenFile`] goes out, which knows from its first bytes whether it can
//! be searched in place or has to be decoded. It does not know what is searched for, and does not decode.
//!
//! A log may be written, cut or replaced while it is read. So a file has the size that it had when it was
//! opened, and whoever has used a range asks [`OpenFile::check_unchanged`] whether all of it was there: a
//! file that was truncated meanwhile is reported with the offset where it ends, and what precedes that offset
//! counts. Opening cannot block on a path that has become a FIFO since the walk.

use super::format::ContainerFormat;
use super::mapping::Mapping;
use super::peek::PEEK_BYTES;
use super::{FoundBy, Input, InputKind, Signature, encoding, own_report};
use crate::error::SourceError;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Up to this many bytes a file is read when it is opened: a mapping costs more than a copy then.
const MAX_BUFFERED_BYTES: u64 = 256 << 10;

/// How ranges of a file are accessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// They are mapped into memory, where that works.
    Mapped,
    /// They are read into a buffer.
    Read,
}

impl Access {
    /// Mapped if `mmap`, on Unix only: on Windows nobody could truncate or replace a log while it is mapped.
    pub fn mapped_if(mmap: bool) -> Access {
        if mmap && cfg!(unix) { Access::Mapped } else { Access::Read }
    }
}

/// An open regular file.
#[derive(Debug)]
pub struct OpenFile {
    file: Arc<File>,
    /// Its size when it was opened; bytes that are added later are not read.
    pub bytes: u64,
    /// Whether its bytes are the source's own, so that it can be searched by range; else it is decoded.
    pub plain: bool,
    /// What holds or compresses the sources in it, if anything does.
    pub format: Option<ContainerFormat>,
    /// Whether all of it was read into the buffer when it was opened.
    buffered: bool,
    access: Access,
}

impl OpenFile {
    /// Opens the file at `path`, of which nothing is known yet.
    fn open(path: &Path, access: Access) -> Result<OpenFile, SourceError> {
        let file = open(path).map_err(SourceError::Open)?;
        let metadata = file.metadata().map_err(SourceError::Open)?;
        if !metadata.is_file() {
            return Err(SourceError::Open(io::Error::other("no regular file any more")));
        }
        Ok(OpenFile::new(file, metadata.len(), access))
    }

    fn new(file: File, bytes: u64, access: Access) -> OpenFile {
        OpenFile { file: Arc::new(file), bytes, plain: true, format: None, buffered: false, access }
    }

    /// Opens an input and identifies it. A small file is read into `buffer` at once, where
    /// [`OpenFile::whole`] finds it.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`], [`SourceError::Read`], and [`SourceError::OwnReport`] for a report of this
    /// program that a walk found.
    pub fn open_input(
        input: &Input,
        access: Access,
        own_outputs: &[Signature],
        buffer: &mut Vec<u8>,
    ) -> Result<OpenFile, SourceError> {
        let mut opened = match OpenFile::open_small(input, access, buffer)? {
            Some(opened) => opened,
            None => {
                let mut opened = OpenFile::open(&input.path, access)?;
                opened.buffered = opened.bytes <= MAX_BUFFERED_BYTES;
                let wanted = if opened.buffered { opened.bytes } else { PEEK_BYTES as u64 };
                opened.read(0..wanted, buffer)?;
                opened
            }
        };
        let read = &buffer[..];
        let head = &read[..read.len().min(PEEK_BYTES)];
        if input.found_by == FoundBy::Walk && own_report::is(own_outputs, head) {
            return Err(SourceError::OwnReport);
        }
        opened.format = ContainerFormat::of(head);
        opened.plain = opened.format.is_none() && encoding::of(head).is_none();
        Ok(opened)
    }

    /// Opens a small regular file whose size is the same as in the walk, and reads it. This fast path saves
    /// an `fstat`: a read that returns exactly the known size has met the end of the file. `None` for any
    /// other file, and for what is no regular file any more, of which this read returns nothing.
    fn open_small(
        input: &Input,
        access: Access,
        buffer: &mut Vec<u8>,
    ) -> Result<Option<OpenFile>, SourceError> {
        let InputKind::File { stat } = input.kind else { return Ok(None) };
        let bytes = stat.size;
        if bytes == 0 || bytes > MAX_BUFFERED_BYTES {
            return Ok(None);
        }
        let file = open(&input.path).map_err(SourceError::Open)?;
        let opened = OpenFile { buffered: true, ..OpenFile::new(file, bytes, access) };
        // One byte more than it had, so that growth shows.
        buffer.resize(bytes as usize + 1, 0);
        let got = opened.reader(None).until(bytes + 1).read(buffer).unwrap_or(0);
        buffer.truncate(got);
        Ok((got as u64 == bytes).then_some(opened))
    }

    /// Returns all of its bytes; of a small file from the `buffer` that it was opened with.
    ///
    /// # Errors
    ///
    /// As [`OpenFile::range`].
    pub fn whole<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<Bytes<'b>, SourceError> {
        if self.buffered { Ok(Bytes::Read(buffer)) } else { self.range(0..self.bytes, buffer) }
    }

    /// Returns the bytes of `range`, mapped if possible, else read into `buffer`. There are fewer if the file
    /// was truncated.
    ///
    /// # Errors
    ///
    /// [`SourceError::Read`] with the offset that could not be read.
    pub fn range<'b>(&self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<Bytes<'b>, SourceError> {
        let len = (range.end - range.start) as usize;
        if self.access == Access::Mapped
            && len > 0
            && let Ok(mapping) = Mapping::new(&self.file, range.start, len)
        {
            return Ok(Bytes::Mapped(mapping));
        }
        self.read(range, buffer).map(Bytes::Read)
    }

    /// Checks that `got`, which starts at `offset`, was all there while it was used: `wanted` bytes of the
    /// file. To be called after the bytes have been searched.
    ///
    /// # Errors
    ///
    /// [`SourceError::Read`] if the file was truncated, with the offset up to which the bytes are good.
    pub fn check_unchanged(&self, got: &Bytes<'_>, offset: u64, wanted: u64) -> Result<(), SourceError> {
        let truncated = match got {
            // Within the last page that is left, a shorter file shows zeros without a fault: its size
            // decides.
            Bytes::Mapped(mapping) => mapping.is_truncated() || self.size()? < offset + wanted,
            Bytes::Read(bytes) => (bytes.len() as u64) < wanted,
        };
        if !truncated {
            return Ok(());
        }
        let now = self.size()?;
        let end = now.clamp(offset, offset + wanted);
        let text = format!("the file shrank from {} to {now} bytes while it was read", self.bytes);
        Err(SourceError::Read { offset: end, error: io::Error::other(text) })
    }

    /// Its size now.
    fn size(&self) -> Result<u64, SourceError> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(SourceError::Open)
    }

    /// Returns a reader from its start to the end that it had when it was opened. What is read is added to
    /// `count`.
    pub fn reader<'c>(&self, count: Option<&'c AtomicU64>) -> FileReader<'c> {
        FileReader { file: self.file.clone(), at: 0, end: self.bytes, count }
    }

    /// Returns a reader from its start to wherever it ends.
    pub fn unbounded_reader(&self) -> FileReader<'static> {
        FileReader { file: self.file.clone(), at: 0, end: u64::MAX, count: None }
    }

    /// Reads `range` into `buffer`, whose old content is not cleared before it is overwritten.
    fn read<'b>(&self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], SourceError> {
        buffer.resize((range.end - range.start) as usize, 0);
        let mut reader = FileReader { file: self.file.clone(), at: range.start, end: range.end, count: None };
        let mut got = 0;
        while got < buffer.len() {
            match reader.read(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::Read { offset: reader.at, error }),
            }
        }
        buffer.truncate(got);
        Ok(buffer)
    }
}

/// Opens for reading without waiting for a writer, should the path have become a FIFO.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.open(path)
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

/// Reads a file by offset, so that several readers can share it.
#[derive(Debug, Clone)]
pub struct FileReader<'c> {
    file: Arc<File>,
    at: u64,
    end: u64,
    count: Option<&'c AtomicU64>,
}

impl FileReader<'_> {
    /// The same reader with another end.
    fn until(self, end: u64) -> Self {
        FileReader { end, ..self }
    }
}

impl Read for FileReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.at);
        let len = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        #[cfg(unix)]
        let got = std::os::unix::fs::FileExt::read_at(&*self.file, &mut buffer[..len], self.at)?;
        #[cfg(windows)]
        let got = std::os::windows::fs::FileExt::seek_read(&*self.file, &mut buffer[..len], self.at)?;
        self.at += got as u64;
        if let Some(count) = self.count {
            count.fetch_add(got as u64, Ordering::Relaxed);
        }
        Ok(got)
    }
}

impl Seek for FileReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at =
            at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the start"))?;
        Ok(self.at)
    }
}
