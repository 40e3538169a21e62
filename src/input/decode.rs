//! Decoding: one compressed stream as its bytes, frame by frame.
//!
//! A [`Decoder`] reads one frame (gzip member, zstd frame, xz or bzip2 stream, lz4 frame) after the other with the
//! crates' decoders for single ones, and looks at what follows each. What is cut short, damaged or followed by
//! something else is an error behind the bytes before it; nothing ends early without one.

use super::format::{Codec, ContainerFormat, is_skippable};
use super::limits::{Budget, Limit};
use super::peek::PeekReader;
use super::raw::{OneStream, RawDecoder};
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// The least memory of a zstd window that may be asked for, as a power of two; the format has no smaller one.
const MIN_WINDOW_LOG: u32 = 10;
/// The most that lz4's reader holds: two blocks of 4 MiB, a window, a block to be decoded.
const LZ4_MEMORY: u64 = 16 << 20;
/// The largest that the decoder takes.
const MAX_WINDOW_LOG: u32 = if cfg!(target_pointer_width = "64") { 31 } else { 30 };

/// Why a compressed stream could not be read on.
#[derive(Debug, thiserror::Error)]
enum DecodeError {
    #[error("{0} data is cut short")]
    CutShort(&'static str),
    #[error("{0} data is damaged ({1})")]
    Damaged(&'static str, String),
    #[error("what follows the {0} data is none")]
    Trailing(&'static str),
}

/// A decoder of one frame.
enum Frame<'r> {
    Raw(OneStream<PeekReader<'r>>),
    Lz4(lz4_flex::frame::FrameDecoder<EofReader<'r>>),
}

impl<'r> Frame<'r> {
    fn new(codec: Codec, reader: PeekReader<'r>, memory: u64) -> io::Result<Frame<'r>> {
        let raw = match codec {
            Codec::Gzip => RawDecoder::gzip(),
            Codec::Zstd => RawDecoder::zstd(window_log(memory))?,
            Codec::Xz => RawDecoder::Xz(liblzma::stream::Stream::new_stream_decoder(memory / 2, 0)?),
            Codec::Bzip2 => RawDecoder::Bzip2(bzip2::Decompress::new(false)),
            Codec::Lz4 => {
                let reader = EofReader { inner: reader, ended: false };
                return Ok(Frame::Lz4(lz4_flex::frame::FrameDecoder::new(reader)));
            }
        };
        Ok(Frame::Raw(OneStream::new(raw, reader)))
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Frame::Raw(stream) => stream.read(into),
            // It takes a frame without its end for a whole one.
            Frame::Lz4(decoder) => match decoder.read(into)? {
                0 if !into.is_empty() && decoder.get_ref().ended => Err(io::ErrorKind::UnexpectedEof.into()),
                got => Ok(got),
            },
        }
    }

    /// The reader behind the frame.
    fn into_inner(self) -> PeekReader<'r> {
        match self {
            Frame::Raw(stream) => stream.into_inner(),
            Frame::Lz4(decoder) => decoder.into_inner().inner,
        }
    }
}

/// The largest zstd window for `memory` bytes, half of which stay for what is nested in the stream.
fn window_log(memory: u64) -> u32 {
    (memory / 2).max(1).ilog2().clamp(MIN_WINDOW_LOG, MAX_WINDOW_LOG)
}

/// What a decoder of `codec` leaves of `memory` for those nested in its stream.
pub fn memory_within(codec: Codec, memory: u64) -> u64 {
    match codec {
        Codec::Zstd | Codec::Xz => memory / 2,
        Codec::Lz4 => memory.saturating_sub(LZ4_MEMORY),
        // Below 5 MiB each.
        Codec::Gzip | Codec::Bzip2 => memory,
    }
}

/// What a frame behind another costs of the allowance of decoded bytes beside its own: empty ones, of which a small file
/// can hold millions, take time as well. 1 KiB is what a microsecond or two decode; bzip2's reader takes 120 to begin.
fn frame_bytes(codec: Codec) -> u64 {
    if codec == Codec::Bzip2 { 64 << 10 } else { 1 << 10 }
}

/// Notes that the end of the reader was met.
struct EofReader<'r> {
    inner: PeekReader<'r>,
    ended: bool,
}

impl Read for EofReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(into)?;
        self.ended |= got == 0 && !into.is_empty();
        Ok(got)
    }
}

/// A compressed stream as its bytes.
pub struct Decoder<'r> {
    codec: Codec,
    memory: u64,
    budget: Rc<Budget>,
    frames: u64,
    state: State<'r>,
}

enum State<'r> {
    Between(PeekReader<'r>),
    Within(Box<Frame<'r>>),
    Ended,
}

impl<'r> Decoder<'r> {
    /// Decodes `reader`, which begins with a frame of `codec`, with at most `memory` bytes for the decoder. Of `budget`
    /// only frames behind the first are taken, not what they decode to.
    pub fn new(codec: Codec, reader: PeekReader<'r>, memory: u64, budget: Rc<Budget>) -> Decoder<'r> {
        Decoder { codec, memory, budget, frames: 0, state: State::Between(reader) }
    }

    fn advance(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Between(mut reader) => {
                    if !self.frame_follows(&mut reader)? {
                        return Ok(0);
                    }
                    if self.frames > 0
                        && self.budget.take_output(frame_bytes(self.codec)) < frame_bytes(self.codec)
                    {
                        return Err(self.budget.output_exceeded());
                    }
                    self.frames += 1;
                    self.state = State::Within(Box::new(Frame::new(self.codec, reader, self.memory)?));
                }
                State::Within(mut frame) => match frame.read(into)? {
                    0 => {
                        let mut reader = frame.into_inner();
                        if pass_padding(self.codec, &mut reader)? {
                            return Ok(0);
                        }
                        self.state = State::Between(reader);
                    }
                    got => {
                        self.state = State::Within(frame);
                        return Ok(got);
                    }
                },
                State::Ended => return Ok(0),
            }
        }
    }

    /// Whether another frame follows, behind skippable ones; something else is an error.
    fn frame_follows(&mut self, reader: &mut PeekReader<'r>) -> io::Result<bool> {
        loop {
            let head = reader.peek(10);
            if head.is_empty() {
                // An error that the look met is given by reading.
                return reader.fill_buf().map(|_| false);
            }
            if matches!(self.codec, Codec::Zstd | Codec::Lz4) && is_skippable(head) {
                let Some(len) = head.get(4..8) else { return Err(io::ErrorKind::UnexpectedEof.into()) };
                let len = 8 + u64::from(u32::from_le_bytes([len[0], len[1], len[2], len[3]]));
                if io::copy(&mut reader.by_ref().take(len), &mut io::sink())? < len {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            let wanted = ContainerFormat::Compressed(self.codec);
            let cut = head.len() < 10;
            return match ContainerFormat::of(head) {
                Some(found) if found == wanted => Ok(true),
                // Of skippable frames alone it does not show which of the two they are of.
                Some(ContainerFormat::Compressed(found @ (Codec::Zstd | Codec::Lz4))) if self.frames == 0 => {
                    self.codec = found;
                    Ok(true)
                }
                _ if cut && begins(self.codec, head) => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Err(io::Error::other(DecodeError::Trailing(self.codec.name()))),
            };
        }
    }

    /// An error of the decoder in words; one of the operating system or a limit as it is.
    fn explained(&self, error: io::Error) -> io::Error {
        let name = self.codec.name();
        let inner = error.get_ref();
        if error.raw_os_error().is_some()
            || inner.is_some_and(|inner| inner.is::<Limit>() || inner.is::<DecodeError>())
        {
            return error;
        }
        let text = error.to_string();
        let memory = inner.and_then(|inner| inner.downcast_ref::<liblzma::stream::Error>());
        if matches!(memory, Some(liblzma::stream::Error::MemLimit))
            || text.contains("requires too much memory")
        {
            return Limit::DecoderMemory.into();
        }
        io::Error::other(match error.kind() {
            io::ErrorKind::UnexpectedEof => DecodeError::CutShort(name),
            _ => DecodeError::Damaged(name, text),
        })
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        self.advance(into).map_err(|error| self.explained(error))
    }
}

/// Whether `head`, which is cut short, may begin a frame of `codec`.
fn begins(codec: Codec, head: &[u8]) -> bool {
    let magic: &[u8] = match codec {
        Codec::Gzip => b"\x1f\x8b\x08",
        Codec::Zstd => b"\x28\xb5\x2f\xfd",
        Codec::Xz => b"\xfd7zXZ\0",
        Codec::Bzip2 => b"BZh",
        Codec::Lz4 => b"\x04\x22\x4d\x18",
    };
    let len = head.len().min(magic.len());
    head[..len] == magic[..len]
}

/// Passes zeros that fill up behind a frame, as tapes and xz do; whether the stream ends there.
fn pass_padding(codec: Codec, reader: &mut PeekReader<'_>) -> io::Result<bool> {
    if !matches!(codec, Codec::Gzip | Codec::Xz) {
        return Ok(reader.fill_buf()?.is_empty());
    }
    loop {
        let buffered = reader.fill_buf()?;
        if buffered.is_empty() {
            return Ok(true);
        }
        let zeros = buffered.iter().take_while(|byte| **byte == 0).count();
        let all = zeros == buffered.len();
        reader.consume(zeros);
        if !all {
            return Ok(false);
        }
    }
}
