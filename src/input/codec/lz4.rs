//! lz4: any number of frames. The legacy format is read by `lz4_legacy`; bare blocks are not read.
//!
//! The crate offers only a reader. It returns what precedes damage block by block, so nothing is lost; but it
//! takes a frame without its end mark for a complete one, which [`EofReader`] makes up for.

use super::{Codec, FRAME_COST_BYTES, FrameDecoder, Padding, Spec, magic_suffices};
use crate::input::peek::PeekReader;
use std::io::{self, Read};

/// What the crate's reader holds at most: two blocks of 4 MiB, a window, and a block to be decoded.
const READER_BYTES: u64 = 16 << 20;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Lz4,
    name: "lz4",
    magic: b"\x04\x22\x4d\x18",
    head_bytes: 4,
    confirm: magic_suffices,
    open: |inner, _| {
        let reader = EofReader { inner, ended: false };
        Ok(Box::new(Lz4(lz4_flex::frame::FrameDecoder::new(reader))))
    },
    memory_left: |memory| memory.saturating_sub(READER_BYTES),
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[Codec::Lz4, Codec::Lz4Legacy],
    padding: Padding::None,
    skippable_frames: true,
    zip_methods: &[],
};

struct Lz4<'r>(lz4_flex::frame::FrameDecoder<EofReader<'r>>);

impl Read for Lz4<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            // A complete frame ends with its end mark, before the end of the reader is met.
            0 if !into.is_empty() && self.0.get_ref().ended => Err(io::ErrorKind::UnexpectedEof.into()),
            got => Ok(got),
        }
    }
}

impl<'r> FrameDecoder<'r> for Lz4<'r> {
    fn into_reader(self: Box<Self>) -> PeekReader<'r> {
        self.0.into_inner().inner
    }
}

/// Notes whether the end of the reader was met.
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
