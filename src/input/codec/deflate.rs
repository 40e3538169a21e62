//! Deflate: the compressed data of gzip members and of most zip members.
//!
//! Knows nothing of what is around the data, except for the header and checksum of a gzip member.

use super::raw::{Next, RawDecoder, Step, Totals};
use flate2::{Decompress, FlushDecompress, Status};
use std::io;

/// zlib's largest window, as a power of two.
const WINDOW_LOG: u8 = 15;

/// A decoder of deflate data.
pub struct Deflate(Decompress);

impl Deflate {
    /// Decodes deflate data without a header, as zip holds it.
    pub fn bare() -> Deflate {
        Deflate(Decompress::new(false))
    }

    /// Decodes a gzip member.
    pub fn gzip() -> Deflate {
        Deflate(Decompress::new_gzip(WINDOW_LOG))
    }

    fn totals(&self) -> Totals {
        Totals { input: self.0.total_in(), output: self.0.total_out() }
    }
}

impl RawDecoder for Deflate {
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        let before = self.totals();
        let next = match self.0.decompress(input, into, FlushDecompress::None) {
            Ok(status) => Ok(Next::end_if(status == Status::StreamEnd)),
            // The crate's own words depend on the sizes of the buffers: where a call returned what precedes the
            // damage, the next one only says that it was repeated.
            Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "corrupt deflate stream")),
        };
        before.step_to(self.totals(), next)
    }
}
