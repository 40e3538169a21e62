//! A buffered reader whose next bytes can be looked at before they are consumed.
//!
//! Any reader comes in. [`PeekReader::peek`] shows up to [`PEEK_BYTES`] of what comes next: enough to
//! identify a format at the start of a stream, or what follows a frame. Knows nothing of formats itself.
//!
//! Two properties keep results independent of how the bytes arrive: an error of the inner reader is returned
//! only after all bytes that were read before it, and a read that a signal interrupted is repeated.

use std::io::{self, BufRead, Read};

/// How far one can look ahead, in bytes: a tar header is the longest that identifies a format.
pub const PEEK_BYTES: usize = 512;

/// How much is read at once, in bytes.
const BUFFER_BYTES: usize = 128 << 10;

/// A buffered reader that can be looked into.
pub struct PeekReader<'r> {
    inner: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    /// How large the buffer becomes when it is first needed.
    buffer_bytes: usize,
    /// What has been read and not consumed is `buffer[start..end]`.
    start: usize,
    end: usize,
    error: Option<io::Error>,
    consumed: u64,
}

impl<'r> PeekReader<'r> {
    /// A reader over `inner`.
    pub fn new(inner: impl Read + 'r) -> PeekReader<'r> {
        PeekReader {
            inner: Box::new(inner),
            buffer: Vec::new(),
            buffer_bytes: BUFFER_BYTES,
            start: 0,
            end: 0,
            error: None,
            consumed: 0,
        }
    }

    /// A reader over `inner`, with a small buffer if it returns about `bytes` bytes and that is little.
    pub fn with_size_hint(inner: impl Read + 'r, bytes: u64) -> PeekReader<'r> {
        // One more, so that the read that returns everything also meets the end.
        let wanted = usize::try_from(bytes.saturating_add(1)).unwrap_or(BUFFER_BYTES);
        PeekReader { buffer_bytes: wanted.clamp(PEEK_BYTES, BUFFER_BYTES), ..PeekReader::new(inner) }
    }

    /// How many bytes have been consumed.
    pub fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Returns the next `len` bytes, at most 512; fewer at the end or before an error.
    pub fn peek(&mut self, len: usize) -> &[u8] {
        debug_assert!(len <= PEEK_BYTES);
        while self.end - self.start < len && self.error.is_none() {
            match self.fill() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => self.error = Some(error),
            }
        }
        &self.buffer[self.start..self.end.min(self.start + len)]
    }

    /// Reads more into the buffer, after what has not been consumed yet.
    fn fill(&mut self) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; self.buffer_bytes];
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let got = read_uninterrupted(&mut self.inner, &mut self.buffer[self.end..])?;
        self.end += got;
        Ok(got)
    }

    /// Returns the error that peeking met, once.
    fn pending_error(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Read for PeekReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            self.pending_error()?;
            // A large read needs no copy through the buffer.
            if into.len() >= self.buffer_bytes {
                let got = read_uninterrupted(&mut self.inner, into)?;
                self.consumed += got as u64;
                return Ok(got);
            }
            self.fill()?;
        }
        let len = into.len().min(self.end - self.start);
        into[..len].copy_from_slice(&self.buffer[self.start..self.start + len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for PeekReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.pending_error()?;
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.start);
        self.start += len;
        self.consumed += len as u64;
    }
}

/// Reads, again if a signal interrupts it.
fn read_uninterrupted(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its bytes one at a time, then an error.
    struct OneByteReader<'b>(&'b [u8]);

    impl Read for OneByteReader<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Err(io::Error::other("gone")) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn peeking_consumes_nothing_and_errors_come_last() {
        let mut reader = PeekReader::new(OneByteReader(b"abcdef"));
        assert_eq!(reader.peek(3), b"abc");
        let mut two = [0; 2];
        reader.read_exact(&mut two).expect("reads");
        assert_eq!((&two, reader.peek(100)), (b"ab", b"cdef".as_slice()));
        let mut rest = Vec::new();
        let error = reader.read_to_end(&mut rest).expect_err("an error");
        assert_eq!(reader.consumed(), 6);
        assert_eq!((rest.as_slice(), error.to_string().as_str()), (b"cdef".as_slice(), "gone"));
    }
}
