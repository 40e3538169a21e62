//! The content of a zip member: decoded, and checked against what its header or directory promises.

use super::listing::{CompressionMethod, Content};
use crate::input::codec::deflate::Deflate;
use crate::input::codec::raw::OneStream;
use crate::input::decode::Decoder;
use crate::input::limits::Budget;
use crate::input::peek::PeekReader;
use flate2::Crc;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Decodes a member that takes up all of `reader`; nothing is checked yet.
pub(super) fn decode<'r>(
    reader: PeekReader<'r>,
    method: CompressionMethod,
    memory: u64,
    budget: &Rc<Budget>,
) -> Box<dyn Read + 'r> {
    match method {
        CompressionMethod::Stored => Box::new(reader),
        CompressionMethod::Deflate => Box::new(WholeDeflate(OneStream::new(Deflate::bare(), reader))),
        CompressionMethod::Stream(codec) => Box::new(Decoder::new(codec, reader, memory, budget.clone())),
    }
}

/// Deflate data that takes up all of its reader. Other readers ignore what follows it, so something could
/// hide there.
struct WholeDeflate<'r>(OneStream<Deflate, PeekReader<'r>>);

impl Read for WholeDeflate<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.0.read(into)?;
        if got == 0 && !into.is_empty() && !self.0.reader().fill_buf()?.is_empty() {
            return Err(io::Error::other("something follows the deflate data"));
        }
        Ok(got)
    }
}

/// A member's bytes, checked against the size and the checksum that were promised.
pub(super) struct ChecksumReader<'r> {
    inner: Box<dyn Read + 'r>,
    promised: Option<Content>,
    crc: Crc,
    got: u64,
}

impl<'r> ChecksumReader<'r> {
    /// Reads `inner`; without a promise, errors of deflate data are put into words and nothing else is
    /// checked.
    pub fn new(inner: Box<dyn Read + 'r>, promised: Option<Content>) -> ChecksumReader<'r> {
        ChecksumReader { inner, promised, crc: Crc::new(), got: 0 }
    }
}

impl Read for ChecksumReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.promised.map_or(u64::MAX, |promised| promised.bytes - self.got);
        let len = into.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        // After the promised bytes one more is asked for, which must not come.
        let mut probe = [0];
        let got = match self.inner.read(if len > 0 { &mut into[..len] } else { &mut probe }) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                return Err(io::Error::other("deflate data is damaged"));
            }
            got => got?,
        };
        let Some(Content { bytes, crc, .. }) = self.promised else { return Ok(got) };
        match (got, len) {
            (1.., 0) => {
                Err(io::Error::other(format!("longer than the {bytes} bytes that the directory says")))
            }
            (1.., _) => {
                self.crc.update(&into[..got]);
                self.got += got as u64;
                Ok(got)
            }
            (0, _) if self.got < bytes => {
                let text = format!("{} bytes instead of the {bytes} that the directory says", self.got);
                Err(io::Error::other(text))
            }
            (0, _) if self.crc.sum() != crc => Err(io::Error::other("the checksum is wrong")),
            (0, _) => Ok(0),
        }
    }
}
