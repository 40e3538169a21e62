//! A buffered reader that can be looked into: how a stream begins, or goes on behind a frame, before it is read.

use super::format::HEAD;
use std::io::{self, BufRead, Read};

/// How much is read at once, in bytes.
const BUFFER: usize = 128 << 10;

/// A buffered reader over any reader; an error is given only behind what was read before it, an interrupted read is
/// tried again.
pub struct PeekReader<'r> {
    inner: Box<dyn Read + 'r>,
    buffer: Vec<u8>,
    size: usize,
    at: usize,
    end: usize,
    error: Option<io::Error>,
    taken: u64,
}

impl<'r> PeekReader<'r> {
    /// A reader over `inner`.
    pub fn new(inner: impl Read + 'r) -> PeekReader<'r> {
        let (inner, buffer) = (Box::new(inner), Vec::new());
        PeekReader { inner, buffer, size: BUFFER, at: 0, end: 0, error: None, taken: 0 }
    }

    /// A reader over `inner`, which gives no more than about `bytes` bytes.
    pub fn with_size_hint(inner: impl Read + 'r, bytes: u64) -> PeekReader<'r> {
        // One more, so that the end is met by the first read that has all.
        let size = usize::try_from(bytes.saturating_add(1)).unwrap_or(BUFFER).clamp(HEAD, BUFFER);
        PeekReader { size, ..PeekReader::new(inner) }
    }

    /// How many bytes have been taken from it.
    pub fn consumed(&self) -> u64 {
        self.taken
    }

    /// The next bytes, `len` of them or, at the end or before an error, as many as there are; at most `HEAD`.
    pub fn peek(&mut self, len: usize) -> &[u8] {
        debug_assert!(len <= HEAD);
        while self.end - self.at < len && self.error.is_none() {
            match self.more() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => self.error = Some(error),
            }
        }
        &self.buffer[self.at..self.end.min(self.at + len)]
    }

    /// Reads on into the buffer behind what has not been taken yet.
    fn more(&mut self) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.buffer = vec![0; self.size];
        }
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.end, 0);
            (self.at, self.end) = (0, self.end - self.at);
        }
        let got = read_on(&mut self.inner, &mut self.buffer[self.end..])?;
        self.end += got;
        Ok(got)
    }

    fn failed(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }
}

impl Read for PeekReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.end {
            self.failed()?;
            if into.len() >= self.size {
                let got = read_on(&mut self.inner, into)?;
                self.taken += got as u64;
                return Ok(got);
            }
            self.more()?;
        }
        let len = into.len().min(self.end - self.at);
        into[..len].copy_from_slice(&self.buffer[self.at..self.at + len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for PeekReader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            self.failed()?;
            self.more()?;
        }
        Ok(&self.buffer[self.at..self.end])
    }

    fn consume(&mut self, len: usize) {
        let len = len.min(self.end - self.at);
        self.at += len;
        self.taken += len as u64;
    }
}

/// Reads, and again where a signal has interrupted it.
fn read_on(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
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

    /// Gives its bytes one at a time, then an error.
    struct Drip<'b>(&'b [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Err(io::Error::other("gone")) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn looking_takes_nothing_and_errors_come_last() {
        let mut reader = PeekReader::new(Drip(b"abcdef"));
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
