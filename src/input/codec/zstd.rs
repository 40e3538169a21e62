//! zstd (RFC 8878): any number of frames.

use super::raw::{Next, OneStream, RawDecoder, Step};
use super::{Codec, FRAME_COST_BYTES, Padding, Spec, magic_suffices};
use crate::input::limits::Limit;
use std::io;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// The smallest window of the format, as a power of two.
const MIN_WINDOW_LOG: u32 = 10;
/// The largest window that the decoder accepts, as a power of two.
const MAX_WINDOW_LOG: u32 = if cfg!(target_pointer_width = "64") { 31 } else { 30 };
/// The header of a block, in bytes.
const BLOCK_HEADER_BYTES: usize = 3;

pub(super) static SPEC: Spec = Spec {
    codec: Codec::Zstd,
    name: "zstd",
    magic: b"\x28\xb5\x2f\xfd",
    head_bytes: 4,
    confirm: magic_suffices,
    open: |reader, memory| Ok(Box::new(OneStream::new(Zstd::new(memory)?, reader))),
    memory_left: |memory| memory / 2,
    frame_cost_bytes: FRAME_COST_BYTES,
    followed_by: &[Codec::Zstd],
    padding: Padding::None,
    skippable_frames: true,
    zip_methods: &[20, 93],
};

struct Zstd {
    decoder: Decoder<'static>,
    /// How many bytes it asks for next.
    hint: usize,
}

impl Zstd {
    /// A decoder whose window takes at most half of `memory`; the other half is left to what is nested.
    fn new(memory: u64) -> io::Result<Zstd> {
        let window_log = (memory / 2).max(1).ilog2().clamp(MIN_WINDOW_LOG, MAX_WINDOW_LOG);
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        Ok(Zstd { decoder, hint: 0 })
    }
}

impl RawDecoder for Zstd {
    /// Decodes at most one block.
    ///
    /// When a block is damaged, the decoder does not say how far it got. The hint is the size of the next
    /// block and of the header after it: without that header, the call ends with the block, and an error
    /// concerns this block alone.
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        let most = self.hint.saturating_sub(BLOCK_HEADER_BYTES).max(1);
        let mut input = InBuffer::around(&input[..input.len().min(most)]);
        let mut output = OutBuffer::around(into);
        let next = match self.decoder.run(&mut input, &mut output) {
            Ok(hint) => {
                self.hint = hint;
                Ok(Next::end_if(hint == 0))
            }
            Err(error) if error.to_string().contains("requires too much memory") => {
                Err(Limit::DecoderMemory.into())
            }
            Err(error) => Err(error),
        };
        Step { consumed: input.pos(), written: output.pos(), next }
    }
}
