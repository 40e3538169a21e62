//! Decoding: a compressed stream as its content, frame by frame.
//!
//! A reader at the start of a stream comes in; a [`Decoder`] goes out that reads as the decoded bytes. It
//! knows how frames follow each other, and gets the decoder of each single frame from `codec`.
//!
//! The crates' readers for whole streams are not used, because they end in silence where something is wrong:
//! some stop at what follows the first frame, some drop trailing data. Here the end of every frame is looked
//! at:
//!
//! ```text
//! frame, frame, end                    both are read
//! frame, skippable frame, frame, end   both are read (zstd, lz4)
//! frame, zeros, end                    padding of tapes (gzip) and of the format (xz: in fours)
//! frame, "some text"                   the frame is read, then an error: something else follows
//! frame, half a frame                  what can be decoded is read, then an error: cut short
//! ```
//!
//! Invariant: all that can be decoded comes before the error, and a stream never ends early without one.

use super::codec::{Codec, FRAME_HEAD_BYTES, FrameDecoder, Padding, skippable};
use super::limits::{Budget, Limit};
use super::peek::PeekReader;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// Why a compressed stream could not be read to its end.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("{0} data is cut short")]
    CutShort(&'static str),
    #[error("{0} data is damaged ({1})")]
    Damaged(&'static str, String),
    #[error("something else follows the {0} data")]
    Trailing(&'static str),
    #[error("the padding after the {0} data is no multiple of four bytes")]
    Padding(&'static str),
}

/// Reads as the content of a compressed stream.
pub struct Decoder<'r> {
    codec: Codec,
    memory: u64,
    budget: Rc<Budget>,
    frames: u64,
    state: State<'r>,
}

enum State<'r> {
    BetweenFrames(PeekReader<'r>),
    InFrame(Box<dyn FrameDecoder<'r> + 'r>),
    Ended,
}

impl<'r> Decoder<'r> {
    /// Decodes `reader`, which is at a frame of `codec`, with at most `memory` bytes for the decoder.
    ///
    /// Takes only the cost of frames beyond the first from `budget`; a
    /// [`BudgetReader`](super::limits::BudgetReader) around it takes the decoded bytes.
    pub fn new(codec: Codec, reader: PeekReader<'r>, memory: u64, budget: Rc<Budget>) -> Decoder<'r> {
        Decoder { codec, memory, budget, frames: 0, state: State::BetweenFrames(reader) }
    }

    fn advance(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::BetweenFrames(mut reader) => {
                    if !self.frame_follows(&mut reader)? {
                        return Ok(0);
                    }
                    self.state = State::InFrame(self.open(reader)?);
                }
                State::InFrame(mut frame) => match frame.read(into)? {
                    0 => {
                        let mut reader = frame.into_reader();
                        if !self.ends(&mut reader)? {
                            self.state = State::BetweenFrames(reader);
                        }
                    }
                    got => {
                        self.state = State::InFrame(frame);
                        return Ok(got);
                    }
                },
                State::Ended => return Ok(0),
            }
        }
    }

    /// Opens the frame that `reader` is at.
    fn open(&mut self, reader: PeekReader<'r>) -> io::Result<Box<dyn FrameDecoder<'r> + 'r>> {
        let spec = self.codec.spec();
        if self.frames > 0 && self.budget.take_output(spec.frame_cost_bytes) < spec.frame_cost_bytes {
            return Err(self.budget.output_exceeded());
        }
        self.frames += 1;
        (spec.open)(reader, self.memory)
    }

    /// Skips to the next frame; whether there is one. Anything else than a frame or the end is an error.
    fn frame_follows(&mut self, reader: &mut PeekReader<'r>) -> io::Result<bool> {
        loop {
            let head = reader.peek(FRAME_HEAD_BYTES);
            if head.is_empty() {
                // If peeking met an error, reading returns it.
                return reader.fill_buf().map(|_| false);
            }
            let spec = self.codec.spec();
            if spec.skippable_frames && skippable::is_frame(head) {
                let len = skippable::frame_bytes(head).ok_or(io::ErrorKind::UnexpectedEof)?;
                if io::copy(&mut reader.by_ref().take(len), &mut io::sink())? < len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            let cut = head.len() < FRAME_HEAD_BYTES;
            return match Codec::of(head) {
                Some(found) if self.accepts(found) => {
                    self.codec = found;
                    Ok(true)
                }
                _ if cut && spec.may_be_followed_by(head) => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Err(io::Error::other(DecodeError::Trailing(spec.name))),
            };
        }
    }

    /// Whether a frame of `found` may be next.
    fn accepts(&self, found: Codec) -> bool {
        match self.frames {
            // The stream may have started with skippable frames, which do not show which of the codecs they
            // are of.
            0 => found == self.codec || found.spec().skippable_frames,
            _ => self.codec.spec().followed_by.contains(&found),
        }
    }

    /// Skips the padding after a frame; whether the stream ends there.
    fn ends(&self, reader: &mut PeekReader<'r>) -> io::Result<bool> {
        let padding = self.codec.spec().padding;
        if padding == Padding::None {
            return Ok(reader.fill_buf()?.is_empty());
        }
        let start = reader.consumed();
        let ended = loop {
            let buffered = reader.fill_buf()?;
            if buffered.is_empty() {
                break true;
            }
            let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
            let only_zeros = zeros == buffered.len();
            reader.consume(zeros);
            if !only_zeros {
                break false;
            }
        };
        match (reader.consumed() - start) % 4 {
            1.. if padding == Padding::ZerosInFours => {
                Err(io::Error::other(DecodeError::Padding(self.codec.name())))
            }
            _ => Ok(ended),
        }
    }

    /// Puts an error of a frame's decoder into words; one of the operating system, of a limit or of this file
    /// has its own.
    fn explain(&self, error: io::Error) -> io::Error {
        let inner = error.get_ref();
        if error.raw_os_error().is_some()
            || inner.is_some_and(|inner| inner.is::<Limit>() || inner.is::<DecodeError>())
        {
            return error;
        }
        let name = self.codec.name();
        io::Error::other(match error.kind() {
            io::ErrorKind::UnexpectedEof => DecodeError::CutShort(name),
            _ => DecodeError::Damaged(name, error.to_string()),
        })
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.advance(into).map_err(|error| self.explain(error))
    }
}
