//! Raw decoders: everything that precedes damage is decoded, however the bytes arrive.
//!
//! The readers of the decoder crates lose data: when a call decodes 30 KiB and then meets a damaged block, it
//! returns the error and drops the 30 KiB. How much is lost depends on the sizes of the buffers, so a log
//! with one damaged block would have other findings when it is piped than when it is read from a file.
//!
//! Here the crates' lower interface is used instead. A [`RawDecoder`] gets an input and an output buffer and
//! returns, in a [`Step`], how much it consumed and wrote, *and* whether that ended in an error.
//! [`OneStream`] makes a reader of that:
//!
//! ```text
//! step: consumed 900, wrote 4,096, error "invalid block"
//!       read() → Ok(4096)         what was decoded comes first
//!       read() → Err(invalid …)   the error follows with the next call
//! ```
//!
//! Invariant: the bytes before the error are the same for any sizes of the buffers on both sides. What
//! follows the stream is left in the reader.

use super::FrameDecoder;
use crate::input::peek::PeekReader;
use std::io::{self, BufRead, Read};

/// A decoder of one stream that works on buffers.
pub trait RawDecoder {
    /// Decodes from the start of `input` to the start of `into`.
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step;
}

/// How far one call of a decoder got.
pub struct Step {
    /// Bytes of the input that it consumed.
    pub consumed: usize,
    /// Bytes that it wrote.
    pub written: usize,
    /// What comes next, or what is wrong after these bytes.
    pub next: io::Result<Next>,
}

/// What follows a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More of the stream.
    More,
    /// The end of the stream.
    End,
}

impl Next {
    /// The end, if a decoder says that it `ended`.
    pub fn end_if(ended: bool) -> Next {
        if ended { Next::End } else { Next::More }
    }
}

/// A position in a decoder that counts the bytes of its input and output.
#[derive(Clone, Copy)]
pub struct Totals {
    /// Bytes consumed.
    pub input: u64,
    /// Bytes written.
    pub output: u64,
}

impl Totals {
    /// The step from here to `after`.
    pub fn step_to(self, after: Totals, next: io::Result<Next>) -> Step {
        let consumed = (after.input - self.input) as usize;
        Step { consumed, written: (after.output - self.output) as usize, next }
    }
}

/// Reads as what one stream decodes to.
pub struct OneStream<D, R> {
    decoder: D,
    reader: R,
    /// Whether the last step filled the whole output buffer, so that the decoder may hold more.
    filled: bool,
    ended: bool,
    failed: Option<io::Error>,
}

impl<D: RawDecoder, R: BufRead> OneStream<D, R> {
    /// Decodes the stream that `reader` is at.
    pub fn new(decoder: D, reader: R) -> OneStream<D, R> {
        OneStream { decoder, reader, filled: false, ended: false, failed: None }
    }

    /// Returns the reader; at the end of the stream it is at what follows.
    pub fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Decodes some bytes; `None` if the decoder only consumed input.
    fn step(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        // What the decoder holds comes before an error of the reader.
        let holds_more = std::mem::take(&mut self.filled);
        let input = if holds_more { &[] } else { self.reader.fill_buf()? };
        let at_end = input.is_empty() && !holds_more;
        let Step { consumed, written, next } = self.decoder.step(input, into);
        self.reader.consume(consumed);
        self.filled = written == into.len();
        match next {
            Ok(Next::End) => self.ended = true,
            Ok(Next::More) if written == 0 && at_end => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Next::More) if written == 0 => return Ok(None),
            Ok(Next::More) => {}
            Err(error) if written == 0 => return Err(error),
            Err(error) => self.failed = Some(error),
        }
        Ok(Some(written))
    }
}

impl<D: RawDecoder, R: BufRead> Read for OneStream<D, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            self.ended = true;
            return Err(error);
        }
        while !self.ended && !into.is_empty() {
            if let Some(written) = self.step(into)? {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

impl<'r, D: RawDecoder> FrameDecoder<'r> for OneStream<D, PeekReader<'r>> {
    fn into_reader(self: Box<Self>) -> PeekReader<'r> {
        self.reader
    }
}
