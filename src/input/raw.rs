//! Raw decoders: what was decoded before damage is given before the damage is told.
//!
//! The crates' own readers throw away what a call has decoded when it ends in an error: up to a buffer of good text, more
//! or less of it by how the bytes came. A [`RawDecoder`] is driven over buffers and says how far it got, so that all of it counts,
//! and the same for any buffers. It knows one stream; what follows it is left in the reader.

use flate2::FlushDecompress;
use std::io::{self, BufRead, Read};

/// zlib's largest window, as a power of two.
const DEFLATE_WINDOW: u8 = 15;
/// What zstd asks for behind each block: the header of the next.
const ZSTD_BLOCK_HEADER: usize = 3;

/// A decoder that works on buffers.
pub(super) enum RawDecoder {
    Deflate(flate2::Decompress),
    Xz(liblzma::stream::Stream),
    Bzip2(bzip2::Decompress),
    Zstd {
        decoder: zstd::stream::raw::Decoder<'static>,
        /// How many bytes it would like next.
        hint: usize,
    },
}

/// How far a step got.
struct Step {
    taken: usize,
    given: usize,
    /// Whether the stream ends there.
    end: io::Result<bool>,
}

impl RawDecoder {
    /// For deflate data with nothing around it.
    pub fn deflate() -> RawDecoder {
        RawDecoder::Deflate(flate2::Decompress::new(false))
    }

    /// For a gzip member.
    pub fn gzip() -> RawDecoder {
        RawDecoder::Deflate(flate2::Decompress::new_gzip(DEFLATE_WINDOW))
    }

    /// For a zstd frame with a window of at most 2^`window_log` bytes.
    pub fn zstd(window_log: u32) -> io::Result<RawDecoder> {
        use zstd::stream::raw::DParameter;
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        Ok(RawDecoder::Zstd { decoder, hint: 0 })
    }

    /// Decodes from the begin of `input`.
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        let counted = |before: (u64, u64), after: (u64, u64), end| {
            let (taken, given) = ((after.0 - before.0) as usize, (after.1 - before.1) as usize);
            Step { taken, given, end }
        };
        match self {
            RawDecoder::Deflate(raw) => {
                let before = (raw.total_in(), raw.total_out());
                let end = raw.decompress(input, into, FlushDecompress::None);
                let end = match end {
                    Ok(status) => Ok(status == flate2::Status::StreamEnd),
                    Err(error) => Err(damaged(error.message().unwrap_or("corrupt deflate stream"))),
                };
                counted(before, (raw.total_in(), raw.total_out()), end)
            }
            RawDecoder::Xz(raw) => {
                use liblzma::stream::{Action, Status};
                let before = (raw.total_in(), raw.total_out());
                let end = raw.process(input, into, Action::Run);
                let end = end.map(|status| status == Status::StreamEnd).map_err(io::Error::from);
                counted(before, (raw.total_in(), raw.total_out()), end)
            }
            RawDecoder::Bzip2(raw) => {
                let before = (raw.total_in(), raw.total_out());
                let end = raw.decompress(input, into);
                let end = end.map(|status| status == bzip2::Status::StreamEnd).map_err(io::Error::from);
                counted(before, (raw.total_in(), raw.total_out()), end)
            }
            RawDecoder::Zstd { decoder, hint } => {
                use zstd::stream::raw::{InBuffer, Operation, OutBuffer};
                // It does not say how far it got when a block is damaged: one block at a time, and not the header of
                // the next, leave nothing behind.
                let most = hint.saturating_sub(ZSTD_BLOCK_HEADER).max(1);
                let (mut input, mut output) =
                    (InBuffer::around(&input[..input.len().min(most)]), OutBuffer::around(into));
                let end = decoder.run(&mut input, &mut output);
                if let Ok(more) = &end {
                    *hint = *more;
                }
                Step { taken: input.pos(), given: output.pos(), end: end.map(|more| more == 0) }
            }
        }
    }
}

fn damaged(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// What one stream decodes to.
pub(super) struct OneStream<R> {
    raw: RawDecoder,
    reader: R,
    /// Whether the last step filled all the room there was, so that more may wait inside.
    full: bool,
    ended: bool,
    failed: Option<io::Error>,
}

impl<R: BufRead> OneStream<R> {
    /// Decodes the stream that `reader` begins with.
    pub fn new(raw: RawDecoder, reader: R) -> OneStream<R> {
        OneStream { raw, reader, full: false, ended: false, failed: None }
    }

    /// The reader; at the end it stands behind the stream.
    pub fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    /// The reader behind the stream.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn step(&mut self, into: &mut [u8]) -> io::Result<Option<usize>> {
        // What waits inside comes before an error of the reader.
        let waits = std::mem::take(&mut self.full);
        let input = if waits { &[] } else { self.reader.fill_buf()? };
        let eof = input.is_empty() && !waits;
        let Step { taken, given, end } = self.raw.step(input, into);
        self.reader.consume(taken);
        self.full = given == into.len();
        match end {
            Ok(true) => self.ended = true,
            Ok(false) if given == 0 && eof => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(false) if given == 0 => return Ok(None),
            Ok(false) => {}
            Err(error) if given == 0 => return Err(error),
            Err(error) => self.failed = Some(error),
        }
        Ok(Some(given))
    }
}

impl<R: BufRead> Read for OneStream<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            self.ended = true;
            return Err(error);
        }
        while !self.ended && !into.is_empty() {
            if let Some(given) = self.step(into)? {
                return Ok(given);
            }
        }
        Ok(0)
    }
}
