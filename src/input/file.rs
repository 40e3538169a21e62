//! Regular files: bytes by range, mapped or read, and from begin to end.
//!
//! An [`OpenFile`] knows what it holds by its first bytes: text that is cut into windows by range, or something that is
//! decoded from begin to end. Opening cannot hang on a path that has become a FIFO since it was met.

use super::format::{ContainerFormat, HEAD};
use super::mapping::Mapping;
use super::{FoundBy, Input, InputKind, encoding, own_report};
use crate::error::SourceError;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Up to this many bytes a file is read when it is opened: below, a mapping costs more than a copy.
const MAX_BUFFERED: u64 = 256 << 10;

/// An open regular file.
#[derive(Debug)]
pub struct OpenFile {
    file: Arc<File>,
    /// Its size when it was opened; bytes that come later are not read.
    pub bytes: u64,
    /// Whether its bytes are the source's own, so that it can be read by range; else it is decoded.
    pub plain: bool,
    /// What holds or compresses the sources in it, if anything does.
    pub format: Option<ContainerFormat>,
    /// Whether all of it came into the buffer when it was opened.
    buffered: bool,
    mmap: bool,
}

impl OpenFile {
    /// Opens the file; `mmap` says whether its ranges are mapped.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`].
    pub fn open(path: &Path, mmap: bool) -> Result<OpenFile, SourceError> {
        let file = open(path).map_err(SourceError::Open)?;
        let metadata = file.metadata().map_err(SourceError::Open)?;
        if !metadata.is_file() {
            return Err(SourceError::Open(io::Error::other("no regular file any more")));
        }
        let (bytes, file) = (metadata.len(), Arc::new(file));
        Ok(OpenFile { file, bytes, plain: true, format: None, buffered: false, mmap: mmap && cfg!(unix) })
    }

    /// Opens an input: as [`OpenFile::open`], but a report of this program that a walk met is refused, and what the bytes
    /// are is told. A small file is read into `buffer` at once; [`OpenFile::whole`] finds it there.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`], [`SourceError::Read`] and [`SourceError::OwnReport`].
    pub fn open_input(input: &Input, mmap: bool, buffer: &mut Vec<u8>) -> Result<OpenFile, SourceError> {
        let mut opened = match OpenFile::unchanged(input, mmap, buffer)? {
            Some(opened) => opened,
            None => {
                let mut opened = OpenFile::open(&input.path, mmap)?;
                opened.buffered = opened.bytes <= MAX_BUFFERED;
                let wanted = if opened.buffered { opened.bytes } else { HEAD as u64 };
                opened.read(0..wanted, buffer)?;
                opened
            }
        };
        let read = &buffer[..];
        let head = &read[..read.len().min(HEAD)];
        if input.found_by == FoundBy::Walk && own_report::is(head) {
            return Err(SourceError::OwnReport);
        }
        opened.format = ContainerFormat::of(head);
        opened.plain = opened.format.is_none() && encoding::of(head).is_none();
        Ok(opened)
    }

    /// Opens a small file that is as large as when it was met: a read that ends there spares asking for its size. None
    /// for any other, and for what is no regular file any more, of which nothing can be read so.
    fn unchanged(input: &Input, mmap: bool, buffer: &mut Vec<u8>) -> Result<Option<OpenFile>, SourceError> {
        let InputKind::File { stat } = input.kind else { return Ok(None) };
        let bytes = stat.size;
        if bytes == 0 || bytes > MAX_BUFFERED {
            return Ok(None);
        }
        let file = Arc::new(open(&input.path).map_err(SourceError::Open)?);
        let opened =
            OpenFile { file, bytes, plain: true, format: None, buffered: true, mmap: mmap && cfg!(unix) };
        // One more than it has: less comes at the end only.
        buffer.resize(bytes as usize + 1, 0);
        let got = opened.reader(None).upto(bytes + 1).read(buffer).unwrap_or(0);
        buffer.truncate(got);
        Ok((got as u64 == bytes).then_some(opened))
    }

    /// All of its bytes, in the `buffer` that it was opened with where it is small.
    ///
    /// # Errors
    ///
    /// As [`OpenFile::range`].
    pub fn whole<'b>(&self, buffer: &'b mut Vec<u8>) -> Result<Bytes<'b>, SourceError> {
        if self.buffered { Ok(Bytes::Read(buffer)) } else { self.range(0..self.bytes, buffer) }
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

    /// Whether the bytes `got` for what begins at `offset` are still those of the file, and as many as were wanted:
    /// asked when they have been looked at.
    ///
    /// # Errors
    ///
    /// [`SourceError::Read`] where the file has become shorter.
    pub fn check_unchanged(&self, got: &Bytes<'_>, offset: u64, wanted: u64) -> Result<(), SourceError> {
        let truncated = match got {
            // Within its last page a shorter file shows zeros without a fault.
            Bytes::Mapped(map) => map.is_truncated() || self.size()? < offset + wanted,
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

    /// Its size by now.
    fn size(&self) -> Result<u64, SourceError> {
        self.file.metadata().map(|known| known.len()).map_err(SourceError::Open)
    }

    /// The file from its begin, to be read or sought in; what is read is added to `count`.
    pub fn reader<'c>(&self, count: Option<&'c AtomicU64>) -> FileReader<'c> {
        FileReader { file: self.file.clone(), at: 0, end: self.bytes, count }
    }

    /// The file from its begin to wherever it ends.
    pub fn unbounded_reader(&self) -> FileReader<'static> {
        FileReader { file: self.file.clone(), at: 0, end: u64::MAX, count: None }
    }

    /// The bytes of `range`; what the buffer has held is not cleared before it is overwritten.
    fn read<'b>(&self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], SourceError> {
        buffer.resize((range.end - range.start) as usize, 0);
        let mut part = FileReader { file: self.file.clone(), at: range.start, end: range.end, count: None };
        let mut got = 0;
        while got < buffer.len() {
            match part.read(&mut buffer[got..]) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::Read { offset: part.at, error }),
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

/// Reads a range of a file by offset, so that workers can share it.
#[derive(Debug, Clone)]
pub struct FileReader<'c> {
    file: Arc<File>,
    at: u64,
    end: u64,
    count: Option<&'c AtomicU64>,
}

impl FileReader<'_> {
    /// The same that ends at `end`.
    fn upto(self, end: u64) -> Self {
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
            at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the begin"))?;
        Ok(self.at)
    }
}
